/** A line that was found. */
export interface GrepMatch {
  readonly path: string
  readonly line: number
  readonly text: string
}

const LINE_BYTES_MAX = 1_000

/** A shell command that searches for `$ROUSE_PATTERN`: in the directory it runs in, or in `$ROUSE_FILE`. One match more than are wanted. */
export function grepCommand(isDirectory: boolean, matchesMax: number): string {
  const cut = `cut -b 1-${LINE_BYTES_MAX} | head -n ${matchesMax + 1}`
  if (!isDirectory) return `grep -nIE -H --null -e "$ROUSE_PATTERN" -- "$ROUSE_FILE" | ${cut}`
  return `grep -rnIE --null --exclude-dir=.git --exclude-dir=node_modules -e "$ROUSE_PATTERN" -- . | ${cut}`
}

/**
 * Reads what it wrote: a path, a zero byte, the line's number, a colon and the line.
 *
 * @param base The directory that was searched; undefined for a single file.
 * @param file The path of that file.
 */
export function grepMatches(output: string, base: string | undefined, file: string): readonly GrepMatch[] {
  return output.split("\n").flatMap((found) => {
    const [, name, line, text] = /^([^\0]*)\0(\d+):(.*)$/s.exec(found) ?? []
    if (name === undefined || line === undefined || text === undefined) return []
    const below = name.replace(/^\.\//, "")
    const path = base === undefined ? file : base === "" ? below : `${base}/${below}`
    return [{ path, line: Number(line), text }]
  })
}
