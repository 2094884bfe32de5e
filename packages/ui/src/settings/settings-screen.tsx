import type { KeyInfo } from "@rouse/protocol"
import { useCallback } from "react"
import type { ReactNode } from "react"
import { Badge } from "../components/badge.tsx"
import { Button } from "../components/button.tsx"
import { CopyButton } from "../components/copy-button.tsx"
import { Screen } from "../components/screen.tsx"
import { codeOf, sentenceOf } from "../core/errors.ts"
import { useApp } from "../data/app.tsx"
import { usePolled } from "../data/polled.ts"
import { chooseTheme, preferences, toggleLog } from "../data/preferences.ts"
import type { Theme } from "../data/preferences.ts"
import { useStore } from "../data/store.ts"
import { setToken, token } from "../data/token.ts"

const EVERY_MS = 60_000

const THEMES: readonly { readonly theme: Theme; readonly label: string }[] = [
  { theme: "system", label: "As the system" },
  { theme: "light", label: "Light" },
  { theme: "dark", label: "Dark" },
]

/** How this page looks, which server it is of, and who may come in. */
export function SettingsScreen(): ReactNode {
  return (
    <Screen title="Settings">
      <Appearance />
      <Server />
      <Keys />
    </Screen>
  )
}

function Section(props: { readonly title: string; readonly about: string; readonly children: ReactNode }): ReactNode {
  return (
    <section className="grid gap-x-8 gap-y-3 border-b border-line py-6 md:grid-cols-[15rem_minmax(0,1fr)]">
      <div>
        <h2 className="font-medium">{props.title}</h2>
        <p className="text-ink-2">{props.about}</p>
      </div>
      <div className="min-w-0">{props.children}</div>
    </section>
  )
}

function Appearance(): ReactNode {
  const { theme, logOpen } = useStore(preferences)
  return (
    <Section title="This page" about="Kept in this browser.">
      <fieldset className="flex flex-wrap gap-x-5 gap-y-2">
        <legend className="mb-1.5 text-xs font-medium text-ink-2">Theme</legend>
        {THEMES.map(({ theme: value, label }) => (
          <label key={value} className="flex items-center gap-2">
            <input
              type="radio"
              name="theme"
              checked={theme === value}
              onChange={() => chooseTheme(value)}
              className="accent-accent"
            />
            {label}
          </label>
        ))}
      </fieldset>
      <label className="mt-4 flex items-center gap-2">
        <input type="checkbox" checked={logOpen} onChange={() => toggleLog()} className="accent-accent" />
        Show an agent&rsquo;s log beside its timeline, where there is room
      </label>
    </Section>
  )
}

function Server(): ReactNode {
  const { info, client } = useApp()
  const told = useStore(info)
  const facts: readonly (readonly [string, string])[] = [
    ["Address", client.url],
    ["Version", told?.version ?? "…"],
    ["Types", told ? String(told.types.length) : "…"],
    ["Who may come in", told ? (told.authenticated ? "those with a key" : "this machine alone") : "…"],
  ]
  return (
    <Section title="The server" about="What it says of itself.">
      <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-6 gap-y-1.5">
        {facts.map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-ink-3">{name}</dt>
            <dd className="flex min-w-0 items-center gap-1 break-all">
              {value}
              {name === "Address" && <CopyButton label="Copy the address" text={() => value} />}
            </dd>
          </div>
        ))}
      </dl>
    </Section>
  )
}

function Keys(): ReactNode {
  const { client } = useApp()
  const mine = useStore(token)
  const load = useCallback((signal: AbortSignal) => client.keys({ signal }), [client])
  const { value, error } = usePolled(load, EVERY_MS)
  return (
    <Section
      title="Keys"
      about="Tokens that requests may carry. The server keeps their digests, and shows nobody the rest."
    >
      {mine !== undefined && (
        <p className="mb-4 flex flex-wrap items-center gap-3">
          This tab has a key of its own, forgotten when it is closed.
          <Button onClick={() => setToken(undefined)}>Forget it now</Button>
        </p>
      )}
      {error !== undefined && value === undefined && (
        <p className="text-ink-2">
          {codeOf(error) === "FORBIDDEN" ? "Only a key of scope admin may see the others." : sentenceOf(error)}
        </p>
      )}
      {value?.length === 0 && (
        <p className="text-ink-2">
          There are none: the server answers this machine alone. Give it tokens before it listens on another address.
        </p>
      )}
      {value !== undefined && value.length > 0 && <KeyTable keys={value} />}
    </Section>
  )
}

const MAY: Readonly<Record<KeyInfo["scope"], string>> = {
  read: "sees everything, changes nothing",
  write: "sends, spawns, decides",
  admin: "all of it, and removes for good",
  work: "takes tool calls and says what became of them",
}

function KeyTable({ keys }: { readonly keys: readonly KeyInfo[] }): ReactNode {
  return (
    <table className="w-full text-left">
      <thead className="text-xs text-ink-3">
        <tr>
          <th className="py-1.5 font-medium">Name</th>
          <th className="py-1.5 font-medium">Scope</th>
          <th className="py-1.5 font-medium max-sm:hidden">What it may do</th>
        </tr>
      </thead>
      <tbody>
        {keys.map(({ name, scope }) => (
          <tr key={name} className="border-t border-line">
            <td className="py-2 pr-3 break-all">{name}</td>
            <td className="py-2 pr-3">
              <Badge tone={scope === "admin" ? "attention" : "plain"}>{scope}</Badge>
            </td>
            <td className="py-2 text-ink-2 max-sm:hidden">{MAY[scope]}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
