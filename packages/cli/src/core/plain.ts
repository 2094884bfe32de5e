/** Escape sequences with what belongs to them: of a control string up to its end, of the others their parameters. */
const SEQUENCES =
  // oxlint-disable-next-line no-control-regex
  /(?:\u001b[\]PX^_]|[\u009d\u0090\u0098\u009e\u009f])[^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c|$)|(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]?|\u001b[ -/]*[0-~]?/gu

/** Control characters but tab and line feed, and those that turn the direction of what follows or hide it. */
const CONTROLS = /(?![\t\n])\p{Cc}|[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]/gu

const TAB = "  "

/**
 * What an agent, a tool or a person wrote, safe to print: nothing of it moves the cursor, colours, rings, names a window, writes to the
 * clipboard or turns the direction of text. Line breaks and tabs stay.
 */
export function plain(text: string): string {
  return text.replace(/\r\n?/g, "\n").replace(SEQUENCES, "").replace(CONTROLS, "")
}

/** The same to be laid out: a tab is two columns. */
export function laid(text: string): string {
  return plain(text).replaceAll("\t", TAB)
}

/** The same on one line. */
export function plainLine(text: string): string {
  return plain(text).replace(/\s+/g, " ").trim()
}
