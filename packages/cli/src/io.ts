import picocolors from "picocolors"

/** The picocolors functions, on or off. */
export type Colors = ReturnType<typeof picocolors.createColors>

/** A terminal's two ends: what is typed, when a person types, and what is shown. */
export interface Terminal {
  readonly input: TerminalInput | undefined
  readonly output: TerminalOutput
}

export interface TerminalInput extends NodeJS.ReadableStream {
  setRawMode?(raw: boolean): unknown
}

export interface TerminalOutput {
  readonly columns?: number
  readonly rows?: number
  write(text: string): unknown
  on(event: "resize", listener: () => void): unknown
  off(event: "resize", listener: () => void): unknown
}

/**
 * Everything a command touches of the process it runs in. `main.ts` makes the real one; nothing else reads the clock,
 * the
 * environment, the terminal or a signal.
 */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number
  /** A new unique id. */
  readonly uuid: () => string
  /** Chance, for jitter: 0 ≤ n < 1. */
  readonly random: () => number
  /** Writes to standard output. Nothing is added to `text`. */
  readonly out: (text: string) => void
  /** Writes to standard error. */
  readonly err: (text: string) => void
  /** Whether a person watches standard output, and standard error. */
  readonly outIsTty: boolean
  readonly errIsTty: boolean
  /** Whether a person types standard input. */
  readonly stdinIsTty: boolean
  readonly columns: () => number
  readonly color: Colors
  readonly errColor: Colors
  /** Aborts at the first SIGINT or SIGTERM. */
  readonly stop: AbortSignal
  /** The terminal that a person watches, and can be drawn on; undefined when standard output is none, or a dumb one. */
  readonly terminal: Terminal | undefined
  /** All of standard input. */
  readonly stdin: () => Promise<string>
}

/** Width where there is no terminal: nothing is cut, so that `| grep` finds all of it. */
const COLUMNS_UNLIMITED = Number.POSITIVE_INFINITY

/** Width of a terminal that does not say. */
const COLUMNS_UNKNOWN = 80

const INPUT_BYTES_MAX = 16 * 1024 * 1024

/** The process itself. */
export function processIo(process: NodeJS.Process, stop: AbortSignal): Io {
  const { env, stdout, stderr } = process
  const outIsTty = isTty(stdout)
  const errIsTty = isTty(stderr)
  return {
    env,
    cwd: process.cwd(),
    now: () => Date.now(),
    uuid: () => crypto.randomUUID(),
    random: () => Math.random(),
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    outIsTty,
    errIsTty,
    stdinIsTty: isTty(process.stdin),
    columns: () => (outIsTty ? stdout.columns || COLUMNS_UNKNOWN : COLUMNS_UNLIMITED),
    color: picocolors.createColors(colored(env, outIsTty)),
    errColor: picocolors.createColors(colored(env, errIsTty)),
    stop,
    // A console on Windows says no TERM, and can be drawn on.
    terminal:
      outIsTty && env["TERM"] !== "dumb"
        ? { input: isTty(process.stdin) ? process.stdin : undefined, output: stdout }
        : undefined,
    stdin: () => readAll(process.stdin),
  }
}

/** A stream that is no terminal does not say so: it lacks the property. */
function isTty(stream: { readonly isTTY?: boolean }): boolean {
  return stream.isTTY ?? false
}

/** NO_COLOR (set and not empty) turns colours off, FORCE_COLOR on; else a terminal has them. */
function colored(env: Io["env"], isTty: boolean): boolean {
  if ((env["NO_COLOR"] ?? "") !== "") return false
  if ((env["FORCE_COLOR"] ?? "") !== "") return env["FORCE_COLOR"] !== "0"
  return isTty && env["TERM"] !== "dumb"
}

async function readAll(input: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of input) {
    bytes += chunk.length
    if (bytes > INPUT_BYTES_MAX) throw new Error(`standard input is larger than ${INPUT_BYTES_MAX} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString("utf8")
}
