import { RouseError } from "@rouse/protocol"
import { grepCommand, grepMatches } from "../core/grep.ts"
import { workspaceParts } from "../core/sandbox-path.ts"
import type { SearchOptions, SearchResult } from "../sandbox/provider.ts"
import type { LocalFiles } from "./local-files.ts"
import { runShell } from "./local-shell.ts"
import type { ShellLimits } from "./local-shell.ts"

const TIMEOUT_MS = 20_000
const OUTPUT_CHARS_MAX = 2_000_000

/**
 * Searches a workspace's text files with the machine's `grep`: its expressions take time that is linear in the text, where a model's pattern
 * could hold up this process for ever. Links are not followed.
 */
export async function searchFiles(
  files: LocalFiles,
  limits: ShellLimits,
  pattern: string,
  { path = "", matchesMax, signal }: SearchOptions,
): Promise<SearchResult> {
  const parts = workspaceParts(path)
  const { PATH = "/usr/bin:/bin" } = process.env
  return await files.held(parts, async (held, isDirectory) => {
    const env = { PATH, LC_ALL: "C.UTF-8", ROUSE_PATTERN: pattern, ROUSE_FILE: held }
    const cwd = isDirectory ? held : "/"
    const options = { timeoutMs: TIMEOUT_MS, outputCharsMax: OUTPUT_CHARS_MAX, signal }
    const ran = await runShell(grepCommand(isDirectory, matchesMax), cwd, env, limits, options)
    const matches = grepMatches(ran.stdout, isDirectory ? parts.join("/") : undefined, path)
    if (matches.length === 0 && /^grep: (?!.*No such file)/m.test(ran.stderr)) {
      throw new RouseError("INVALID_ARGS", `pattern: ${ran.stderr.trim().slice(0, 200)}`)
    }
    return { matches: matches.slice(0, matchesMax), isPartial: ran.timedOut || matches.length > matchesMax }
  })
}
