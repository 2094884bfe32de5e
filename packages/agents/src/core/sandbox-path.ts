import { RouseError } from "@rouse/protocol"

const PATH_CHARS_MAX = 1_024

/**
 * The parts of a path within a workspace. `.` and empty parts are left out; what would leave the workspace is refused, not mended.
 *
 * @throws {RouseError} `FORBIDDEN` for a path that is absolute or has `..`, `INVALID_ARGS` for one that no file can have.
 */
export function workspaceParts(path: string): readonly string[] {
  if (path.length > PATH_CHARS_MAX) throw new RouseError("INVALID_ARGS", `path is over ${PATH_CHARS_MAX} characters`)
  if (path.includes("\0")) throw new RouseError("INVALID_ARGS", "path must not hold a zero byte")
  if (/^([/\\]|[A-Za-z]:)/.test(path)) throw outside(path)
  const parts = path.split(/[/\\]/).filter((part) => part !== "" && part !== ".")
  if (parts.includes("..")) throw outside(path)
  return parts
}

/** As `workspaceParts`, for a path that must name a file. */
export function fileParts(path: string): readonly string[] {
  const parts = workspaceParts(path)
  if (parts.length === 0) throw new RouseError("INVALID_ARGS", "path must name a file")
  return parts
}

function outside(path: string): RouseError {
  return new RouseError(
    "FORBIDDEN",
    `path ${JSON.stringify(path)} leads out of the workspace: paths are relative to it, without ..`,
  )
}
