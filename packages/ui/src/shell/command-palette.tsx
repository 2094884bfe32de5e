import { CornerDownLeft, Search } from "lucide-react"
import { useId, useState } from "react"
import type { KeyboardEvent, ReactNode } from "react"
import { cn } from "../components/class-names.ts"
import { Dialog } from "../components/dialog.tsx"
import { useCommands } from "./use-commands.tsx"
import type { Command } from "./use-commands.tsx"

const ICON = "size-4 text-ink-3"

/** Everything one can go to or do, found by typing. */
export default function CommandPalette(props: { readonly onOpenChange: (open: boolean) => void }): ReactNode {
  const [text, setText] = useState("")
  const [active, setActive] = useState(0)
  const listId = useId()
  const commands = useCommands(text)
  const choose = (command: Command | undefined): void => {
    if (!command) return
    if (!command.stays) props.onOpenChange(false)
    command.run()
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step !== undefined) setActive((active + step + commands.length) % Math.max(1, commands.length))
    else if (event.key === "Enter") choose(commands[active])
    else return
    event.preventDefault()
  }
  return (
    <Dialog open onOpenChange={props.onOpenChange} title="Go to or do" hideTitle className="sm:max-w-xl">
      <div className="flex h-12 items-center gap-2.5 border-b border-line px-4">
        <Search className={ICON} />
        <input
          role="combobox"
          aria-label="Find an agent or a command"
          aria-expanded
          aria-controls={listId}
          aria-activedescendant={commands[active] && `${listId}-${commands[active].id}`}
          autoFocus
          value={text}
          placeholder="Find an agent or a command"
          onKeyDown={onKeyDown}
          onChange={(event) => {
            setText(event.target.value)
            setActive(0)
          }}
          className="h-full min-w-0 flex-1 bg-transparent text-base outline-none placeholder:text-ink-3"
        />
      </div>
      <ul id={listId} role="listbox" aria-label="Results" className="overflow-auto p-1.5">
        {commands.map((command, index) => (
          <li
            key={command.id}
            id={`${listId}-${command.id}`}
            role="option"
            aria-selected={index === active}
            onPointerMove={() => setActive(index)}
            onClick={() => choose(command)}
            className={cn(
              "flex h-9 cursor-default items-center gap-2.5 rounded-md px-2.5",
              index === active && "bg-hover",
            )}
          >
            {command.icon}
            <span className="min-w-0 flex-1 truncate">{command.label}</span>
            {index === active && <CornerDownLeft aria-hidden className="size-3.5 text-ink-3" />}
          </li>
        ))}
        {commands.length === 0 && <li className="px-2.5 py-6 text-center text-ink-3">Nothing is called that.</li>}
      </ul>
    </Dialog>
  )
}
