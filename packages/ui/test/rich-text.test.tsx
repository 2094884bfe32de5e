import { renderToStaticMarkup } from "react-dom/server"
import { expect, test } from "vitest"
import RichText from "../src/agent/rich-text.tsx"

/** What an agent writes is from a stranger: these are the ways it could reach the person who reads it. */
const render = (text: string, streaming = false): string =>
  renderToStaticMarkup(<RichText text={text} streaming={streaming} />)

test("markup is shown as text, and makes no element", () => {
  const hostile = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '<form action="https://evil.example"><input name=a><button>Log in</button></form>',
    '<iframe src="https://evil.example"></iframe>',
    '<a href="https://evil.example" onclick="alert(1)">x</a>',
    "<svg onload=alert(1)></svg>",
    "<style>* { display: none }</style>",
    '<meta http-equiv="refresh" content="0;url=https://evil.example">',
  ]
  for (const streaming of [false, true]) {
    for (const text of [
      ...hostile,
      hostile.join("\n\n"),
      `words ${hostile.join(" ")} words`,
      `> ${hostile[0]}\n\n- ${hostile[1]}`,
    ]) {
      expect(render(text, streaming)).not.toMatch(
        /<(script|img|form|input|button|iframe|svg|style|meta|object|embed|link|base)\b/i,
      )
      expect(render(text, streaming)).not.toMatch(/<[^>]+\son\w+=/i)
    }
  }
})

test("a link that is not to the web or to mail is only its text", () => {
  for (const url of [
    "javascript:alert(1)",
    "JAVASCRIPT:alert(1)",
    "java&#10;script:alert(1)",
    "data:text/html,<b>x",
    "vbscript:x",
    "/v1/entities",
    "file:///etc/passwd",
  ]) {
    const html = render(`[press](${url}) and <${url}>`)
    expect(html).not.toMatch(/href/i)
    expect(html).toContain("press")
  }
})

test("a link to the web opens apart from this page", () => {
  expect(render("[there](https://example.com/x)")).toContain(
    '<a href="https://example.com/x" target="_blank" rel="noopener noreferrer nofollow">there</a>',
  )
})

test("a picture is fetched by nobody: it is a link", () => {
  const html = render("![the plan](https://example.com/pixel.png)")
  expect(html).not.toContain("<img")
  expect(html).toContain('<a href="https://example.com/pixel.png"')
  expect(render("![x](javascript:alert(1))")).not.toMatch(/href|src=/)
})

test("what is meant by Markdown is there", () => {
  const html = render(
    "# One\n\n**bold** and `code`\n\n- a\n- b\n\n| h |\n| - |\n| c |\n\n```ts\nlet x = 1\n```\n\n1. first\n\n> said",
  )
  for (const tag of ["<h3", "<strong", "<code", "<ul", "<li", "<table", "<pre", "<ol", "<blockquote"])
    expect(html).toContain(tag)
  expect(html).toContain("let x = 1")
})

test("text that is still being written is shown without its loose ends", () => {
  expect(render("It is **very", true)).toContain("<strong>very</strong>")
})
