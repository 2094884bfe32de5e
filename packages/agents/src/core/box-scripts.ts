import { grepCommand } from "./grep.ts"

/** What a search answers when there is nothing at its path. */
export const NOTHING_THERE = 44
/** What `timeout` answers when it had to end a command. */
const TIMED_OUT_CODES: readonly number[] = [124, 137, 143]
/** How often a command's process group is looked for before it is given up, and how long between. */
const LOOKS = 10
const LOOK_SECONDS = 0.2

/** A text as one word of a shell. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

/**
 * A script that runs a command in a directory, in a process group of its own, which is gone when the script ends. The group's number is in a
 * file of that id meanwhile.
 */
export function runScript(directory: string, command: string, seconds: number, id: string): string {
  const group = groupFile(id)
  return [
    `( ${enter(directory)}`,
    `timeout -s KILL ${seconds} sh -c ${quoted(command)} & group=$!`,
    `echo $group > ${group}`,
    "wait $group; code=$?",
    "kill -s KILL -- -$group 2>/dev/null",
    `rm -f ${group}`,
    "exit $code )",
  ].join("\n")
}

/** A script that ends the command of that id, and all that it started. */
export function killScript(id: string): string {
  const group = groupFile(id)
  const looked = `looks=0; while [ ! -s ${group} ] && [ $looks -lt ${LOOKS} ]; do sleep ${LOOK_SECONDS}; looks=$((looks+1)); done`
  return `${looked}; [ -s ${group} ] && kill -s KILL -- -$(cat ${group}) 2>/dev/null; rm -f ${group}`
}

/** A script that searches a place in a directory: a line that says what it is (`d` or `f`), and the matches. */
export function searchScript(directory: string, place: string, pattern: string, matchesMax: number): string {
  return [
    enter(directory),
    `ROUSE_PATTERN=${quoted(pattern)} ROUSE_FILE=${quoted(place)}; export ROUSE_PATTERN ROUSE_FILE`,
    `if [ -d "$ROUSE_FILE" ]; then echo d; cd -- "$ROUSE_FILE" && ${grepCommand(true, matchesMax)}`,
    `elif [ -f "$ROUSE_FILE" ]; then echo f; ${grepCommand(false, matchesMax)}`,
    `else exit ${NOTHING_THERE}; fi`,
  ].join("\n")
}

/** Whether it was the time that ended a command. */
export function isTimedOut(exitCode: number | null, tookMs: number, timeoutMs: number): boolean {
  return tookMs >= timeoutMs && exitCode !== null && TIMED_OUT_CODES.includes(exitCode)
}

function enter(directory: string): string {
  return `mkdir -p -- ${quoted(directory)} && cd -- ${quoted(directory)} || exit 126`
}

function groupFile(id: string): string {
  return `/tmp/.rouse.${id}`
}
