import type { ReactNode } from "react"
import { Dialog } from "../components/dialog.tsx"
import { Keys, MOD_KEY } from "../components/keys.tsx"
import { PLACES } from "./places.ts"

const KEYS = [
  {
    title: "Anywhere",
    keys: [[MOD_KEY, "K"], ["n"], ["/"], ["?"]],
    does: ["Go to an agent or do something", "New agent", "Search the agents", "This help"],
  },
  { title: "In a list", keys: [["j"], ["k"], ["↵"]], does: ["Next one", "The one before", "Open it"] },
  { title: "Go to", keys: PLACES.map(({ key }) => ["g", key]), does: PLACES.map(({ label }) => label) },
  {
    title: "On an agent",
    keys: [["c"], ["↵"], ["⇧", "↵"], ["1"], ["l"], ["h"], ["["], ["]"], ["Esc"]],
    does: [
      "Write a message",
      "Send it",
      "New line",
      "Timeline; 2 state, 3 tree, 4 compare",
      "Show or hide the log",
      "Back in time, and to now",
      "The moment before; { ten",
      "The next moment; } ten",
      "Leave the message, the past, the agent",
    ],
  },
] satisfies readonly {
  readonly title: string
  readonly keys: readonly (readonly string[])[]
  readonly does: readonly string[]
}[]

/** Which keys do what. */
export default function HelpDialog(props: { readonly onOpenChange: (open: boolean) => void }): ReactNode {
  return (
    <Dialog open onOpenChange={props.onOpenChange} title="Keys" className="sm:max-w-md">
      <div
        role="region"
        aria-label="Keys"
        tabIndex={0}
        className="flex flex-col gap-5 overflow-auto px-5 py-4 -outline-offset-2"
      >
        {KEYS.map(({ title, keys, does }) => (
          <section key={title}>
            <h3 className="mb-1.5 text-xs font-medium text-ink-3">{title}</h3>
            <dl className="flex flex-col">
              {keys.map((combination, index) => (
                <div key={does[index]} className="flex h-7 items-center justify-between">
                  <dt>{does[index]}</dt>
                  <dd>
                    <Keys of={combination} />
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  )
}
