/** Where a module went wrong. Line and column from 1. */
export interface Place {
  readonly file: string
  readonly line?: number
  readonly column?: number
}

export interface LoadProblem {
  /** One line, without the place. */
  readonly message: string
  readonly place?: Place
}

const FRAMES_MAX = 50
/** Names that say nothing that the message does not. */
const PLAIN_NAMES = new Set(["Error", "RouseError"])

/** What is known of the project's files. */
export interface ProjectFiles {
  /** The path of a `file:` URL without a query. */
  toPath(url: string): string
  has(path: string): boolean
  /** A file's text, where it can be read. */
  source(path: string): string | undefined
}

/** What went wrong when a module was loaded, from what it threw. Pure but for what `project` reads. */
export function loadProblem(error: unknown, project: ProjectFiles): LoadProblem {
  if (!(error instanceof Error)) return { message: `it threw ${JSON.stringify(error) ?? String(error)}` }
  const missing = missingImport(error)
  if (missing !== undefined) {
    const line = lineOf(project.source(missing.from), missing.what)
    return { message: missing.message, place: { file: missing.from, ...(line === undefined ? {} : { line }) } }
  }
  const place = firstPlace(error.stack ?? "", project)
  const name = PLAIN_NAMES.has(error.name) ? "" : `${error.name}: `
  return {
    message: `${name}${error.message.split("\n")[0] ?? ""}${hint(error)}`,
    ...(place === undefined ? {} : { place }),
  }
}

/** `file:line:column`, as far as it is known. */
export function placeText(place: Place): string {
  return [place.file, place.line, place.column].filter((part) => part !== undefined).join(":")
}

function missingImport(
  error: Error,
): { readonly what: string; readonly from: string; readonly message: string } | undefined {
  const match = /^Cannot find (package|module) '(.+?)' imported from (.+?)$/m.exec(error.message)
  if (match === null) return undefined
  const [, kind, what = "", from = ""] = match
  const clean = from.replace(/\?.*$/, "")
  const message =
    kind === "package"
      ? `the package ${what} is not installed: npm install ${what}`
      : `it imports ${what}, and there is no such file`
  return { what: kind === "package" ? what : baseOf(what), from: clean, message }
}

/** The first place in a project's file: above the stack for a file that does not compile, else a frame. */
function firstPlace(stack: string, project: ProjectFiles): Place | undefined {
  const lines = stack.split("\n").slice(0, FRAMES_MAX)
  const head = /^(file:\/\/\S+?|\/\S+?)(?:\?[^:]*)?:(\d+)$/.exec(lines[0] ?? "")
  if (head?.[1] !== undefined) {
    const caret = lines.find((line) => /^\s*\^+\s*$/.test(line))?.indexOf("^")
    const column = caret === undefined || caret < 0 ? {} : { column: caret + 1 }
    return { file: pathOf(head[1], project), line: Number(head[2]), ...column }
  }
  for (const line of lines) {
    const frame = /(file:\/\/[^\s?)]+?)(?:\?[^:)]*)?:(\d+):(\d+)\)?$/.exec(line)
    const file = frame?.[1] === undefined ? undefined : pathOf(frame[1], project)
    if (file !== undefined && project.has(file)) return { file, line: Number(frame?.[2]), column: Number(frame?.[3]) }
  }
  return undefined
}

function pathOf(text: string, project: ProjectFiles): string {
  return text.startsWith("file:") ? project.toPath(text) : text
}

function lineOf(text: string | undefined, what: string): number | undefined {
  const at =
    text?.split("\n").findIndex((line) => /\b(import|export|require|from)\b/.test(line) && line.includes(what)) ?? -1
  return at < 0 ? undefined : at + 1
}

function baseOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1).replace(/\?.*$/, "")
}

/** What Node's type stripping leaves to say. */
function hint(error: Error): string {
  const code = "code" in error ? error.code : undefined
  return code === "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX"
    ? " (Node removes types and runs the rest; write it in plain JavaScript)"
    : ""
}
