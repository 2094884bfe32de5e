type Paint = (text: string) => string

/** How text is set off: colours, or none. picocolors' functions are one. */
export interface Palette {
  readonly bold: Paint
  readonly dim: Paint
  readonly italic: Paint
  readonly underline: Paint
  readonly strikethrough: Paint
  readonly inverse: Paint
  readonly red: Paint
  readonly green: Paint
  readonly yellow: Paint
  readonly blue: Paint
  readonly magenta: Paint
  readonly cyan: Paint
}

/** Characters that stand for something, one column each. */
export interface Glyphs {
  readonly done: string
  readonly failed: string
  readonly unknown: string
  readonly waiting: string
  readonly thought: string
  readonly person: string
  readonly agent: string
  readonly note: string
  readonly bullet: string
  readonly checked: string
  readonly unchecked: string
  readonly arrow: string
  readonly dot: string
  readonly bar: string
  readonly corner: string
  readonly rule: string
  readonly more: string
  readonly up: string
  readonly down: string
  /** Frames of the spinner. */
  readonly spinner: readonly string[]
  /** Of a table: left, middle and right of its top, its middle and its bottom. */
  readonly table: readonly [string, string, string]
}

export const UNICODE: Glyphs = {
  done: "✓",
  failed: "✗",
  unknown: "?",
  waiting: "‖",
  thought: "∴",
  person: "›",
  agent: "●",
  note: "·",
  bullet: "•",
  checked: "☑",
  unchecked: "☐",
  arrow: "→",
  dot: "·",
  bar: "│",
  corner: "└",
  rule: "─",
  more: "…",
  up: "↑",
  down: "↓",
  spinner: ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"],
  table: ["┌┬┐", "├┼┤", "└┴┘"],
}

/** For terminals that may have no other characters. */
export const ASCII: Glyphs = {
  done: "+",
  failed: "x",
  unknown: "?",
  waiting: "!",
  thought: "*",
  person: ">",
  agent: "*",
  note: "-",
  bullet: "*",
  checked: "x",
  unchecked: "o",
  arrow: ">",
  dot: "|",
  bar: "|",
  corner: "`",
  rule: "-",
  more: "~",
  up: "^",
  down: "v",
  spinner: ["|", "/", "-", "\\"],
  table: ["+++", "+++", "+++"],
}

/** Variables by which a terminal on Windows says that it is a newer one. */
const NEWER = ["WT_SESSION", "TERM_PROGRAM", "ConEmuANSI", "TERMINAL_EMULATOR"]

/**
 * The characters that the terminal of an environment can show. `ROUSE_ASCII` asks for the plain ones; the old console of Windows, the
 * Linux console and a locale that is not UTF-8 get them too.
 */
export function glyphsFor(env: Readonly<Record<string, string | undefined>>): Glyphs {
  const isSet = (name: string): boolean => (env[name] ?? "") !== ""
  if (isSet("ROUSE_ASCII") || env["TERM"] === "linux") return ASCII
  if (env["OS"] === "Windows_NT") return NEWER.some(isSet) || env["TERM"]?.startsWith("xterm") ? UNICODE : ASCII
  const locale = [env["LC_ALL"], env["LC_CTYPE"], env["LANG"]].find((name) => name !== undefined && name !== "")
  return locale === undefined || /utf-?8/i.test(locale) ? UNICODE : ASCII
}
