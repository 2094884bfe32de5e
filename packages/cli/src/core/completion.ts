/** What the shell's completion needs to know of one command. */
export interface CompletionCommand {
  readonly name: string
  readonly options: readonly string[]
  /** What each argument in turn may be. The last one repeats. */
  readonly arguments: readonly (readonly string[] | "address" | "other")[]
}

export type Shell = "bash" | "zsh" | "fish"

/**
 * What may stand where the last of `words` is being typed. `"address"`: the addresses that a server has; nothing:
 * files.
 *
 * Pure. `words` are those after `rouse`, the last one unfinished and perhaps empty.
 */
export function complete(
  commands: readonly CompletionCommand[],
  words: readonly string[],
): readonly string[] | "address" {
  const current = words.at(-1) ?? ""
  if (words.length <= 1)
    return startingWith(
      current,
      commands.map(({ name }) => name),
    )
  const command = commands.find(({ name }) => name === words[0])
  if (command === undefined) return []
  if (current.startsWith("-")) return startingWith(current, command.options)
  const place = words.slice(1, -1).filter((word) => !word.startsWith("-")).length
  const kind = command.arguments[place]
  if (kind === "address") return "address"
  return kind === undefined || kind === "other" ? [] : startingWith(current, kind)
}

/** The script that a shell loads. It asks the hidden `rouse __complete` what may follow. */
export function completionScript(shell: Shell): string {
  return SCRIPTS[shell]
}

const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `# rouse completion for bash
_rouse() {
  local IFS=$'\\n'
  COMPREPLY=($(rouse __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _rouse rouse
`,
  zsh: `#compdef rouse
# rouse completion for zsh
_rouse() {
  local -a found
  found=("\${(@f)$(rouse __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "\${found[1]}" ]]; then compadd -a found; else _files; fi
}
if [[ "\${funcstack[1]}" = "_rouse" ]]; then _rouse "$@"; else compdef _rouse rouse; fi
`,
  fish: `# rouse completion for fish
complete -c rouse -e
complete -c rouse -n "not __fish_seen_subcommand_from dev start init" -f
complete -c rouse -a "(rouse __complete -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)"
`,
}

function startingWith(start: string, words: readonly string[]): readonly string[] {
  return words.filter((word) => word.startsWith(start))
}
