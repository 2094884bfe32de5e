import fc from "fast-check"
import { expect, test } from "vitest"
import { AnswerParser, parseAnswer } from "../src/lib/answer-parser.ts"

const PLAIN = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n{"é":1}'
const CHUNKED = "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"

test.each([
  ["with a length", PLAIN, 200, '{"é":1}'],
  ["in chunks", CHUNKED, 201, "hello world"],
  ["in no chunks", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 200, ""],
  ["without a body", "HTTP/1.1 204 No Content\r\n\r\n", 204, ""],
  ["with an empty body", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", 200, ""],
])("an answer %s, in whatever pieces it comes", (_name, text, status, body) => {
  const bytes = Buffer.from(text)
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length), { maxLength: 5 }), (cuts) => {
      const parser = new AnswerParser()
      const ends = [...cuts.toSorted((a, b) => a - b), bytes.length]
      const answers = ends.map((end, at) => parser.push(bytes.subarray(at === 0 ? 0 : ends[at - 1], end)))
      const whole = answers.filter((answer) => answer !== undefined)
      expect(whole.length).toBeGreaterThan(0)
      expect(whole[0]?.status).toBe(status)
      expect(whole[0]?.body.toString()).toBe(body)
    }),
  )
})

test("a part is not an answer", () => {
  const bytes = Buffer.from(CHUNKED)
  for (let end = 0; end < bytes.length; end++) expect(parseAnswer(bytes.subarray(0, end))).toBeUndefined()
})

test("one answer leaves nothing for the next", () => {
  const parser = new AnswerParser()
  expect(parser.push(Buffer.from(PLAIN))?.status).toBe(200)
  expect(parser.push(Buffer.from(CHUNKED))?.body.toString()).toBe("hello world")
})

test("what is not HTTP is refused", () => {
  expect(() => parseAnswer(Buffer.from("SSH-2.0-x\r\n\r\n"))).toThrow("not an HTTP/1.1 answer")
})
