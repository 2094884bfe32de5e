import { memo } from "react"
import type { ComponentProps, ReactNode } from "react"
import { Streamdown, defaultRehypePlugins } from "streamdown"
import type { Components } from "streamdown"
import { safeUrl } from "../core/safe-url.ts"

/**
 * Markdown from an agent, which nobody vouches for.
 *
 * 1. Markup in it is text, never elements: the plugin that would parse it is left out.
 * 2. What is left is sanitised to a known list of elements and attributes.
 * 3. A link leads to the web or to mail, in a new tab that cannot reach this one; any other is text.
 * 4. A picture is a link to itself: nothing is fetched because an agent wrote it.
 */
const PLUGINS = [defaultRehypePlugins["sanitize"]!]

const RichText: (props: { readonly text: string; readonly streaming: boolean }) => ReactNode = memo(function RichText({
  text,
  streaming,
}) {
  return (
    <Streamdown
      className="prose"
      mode={streaming ? "streaming" : "static"}
      parseIncompleteMarkdown={streaming}
      rehypePlugins={PLUGINS}
      components={COMPONENTS}
      controls={false}
    >
      {text}
    </Streamdown>
  )
})

export default RichText

function SafeLink({ href, children }: ComponentProps<"a">): ReactNode {
  const url = safeUrl(href)
  if (url === undefined) return <span>{children}</span>
  return (
    <a href={url} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  )
}

function Picture({ src, alt }: ComponentProps<"img">): ReactNode {
  return (
    <SafeLink href={typeof src === "string" ? src : undefined}>
      {alt === undefined || alt === "" ? "picture" : alt}
    </SafeLink>
  )
}

const COMPONENTS: Components = {
  a: ({ href, children }) => <SafeLink href={href}>{children}</SafeLink>,
  img: ({ src, alt }) => <Picture src={src} alt={alt} />,
  h1: ({ children }) => <h3 className="h1">{children}</h3>,
  h2: ({ children }) => <h4>{children}</h4>,
  h3: ({ children }) => <h5>{children}</h5>,
  h4: ({ children }) => <h6>{children}</h6>,
  h5: ({ children }) => <h6>{children}</h6>,
  h6: ({ children }) => <h6>{children}</h6>,
  ul: ({ children }) => <ul>{children}</ul>,
  ol: ({ children, start }) => <ol start={start}>{children}</ol>,
  li: ({ children }) => <li>{children}</li>,
  p: ({ children }) => <p>{children}</p>,
  strong: ({ children }) => <strong>{children}</strong>,
  em: ({ children }) => <em>{children}</em>,
  hr: () => <hr />,
  blockquote: ({ children }) => <blockquote>{children}</blockquote>,
  table: ({ children }) => (
    <div className="table-scroll" tabIndex={0} role="group" aria-label="Table">
      <table>{children}</table>
    </div>
  ),
  thead: ({ children }) => <thead>{children}</thead>,
  tbody: ({ children }) => <tbody>{children}</tbody>,
  tr: ({ children }) => <tr>{children}</tr>,
  th: ({ children }) => <th>{children}</th>,
  td: ({ children }) => <td>{children}</td>,
  pre: ({ children }) => <pre tabIndex={0}>{children}</pre>,
  code: ({ children }) => <code>{children}</code>,
  inlineCode: ({ children }) => <code>{children}</code>,
  form: () => null,
  input: ({ checked }) => <input type="checkbox" checked={checked === true} readOnly disabled />,
}
