import { createClient } from "@rouse/client"
import { useState } from "react"
import type { FormEvent, ReactNode } from "react"
import { Button } from "../components/button.tsx"
import { Field, Input } from "../components/field.tsx"
import { Wordmark } from "../components/wordmark.tsx"
import { codeOf, sentenceOf } from "../core/errors.ts"
import { setToken, token } from "../data/token.ts"

/** Asks for a token when the server wants one. */
export function TokenScreen(): ReactNode {
  const [value, setValue] = useState("")
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState(
    token.get() === undefined ? undefined : "The server does not accept this token any more.",
  )
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    setBusy(true)
    check(value.trim()).then((wrong) => {
      setBusy(false)
      setError(wrong)
      if (wrong === undefined) setToken(value.trim())
    }, console.error)
  }
  return (
    <main className="grid h-dvh place-items-center bg-canvas px-4">
      <form onSubmit={submit} className="flex w-full max-w-sm flex-col gap-4">
        <Wordmark />
        <div>
          <h1 className="text-lg font-semibold tracking-tight">This server asks who you are</h1>
          <p className="text-sm text-ink-2">
            Paste a token that its operator gave you. It stays in this tab and is forgotten when the tab is closed.
          </p>
        </div>
        <Field label="Token" error={error}>
          {({ id, describedBy, invalid }) => (
            <Input
              id={id}
              aria-describedby={describedBy}
              aria-invalid={invalid}
              type="password"
              autoFocus
              value={value}
              onChange={(event) => setValue(event.target.value)}
              className="font-mono"
            />
          )}
        </Field>
        <Button type="submit" tone="solid" disabled={busy || value.trim() === ""} className="self-start">
          {busy ? "Checking" : "Continue"}
        </Button>
      </form>
    </main>
  )
}

/** What is wrong with a token, or undefined when the server takes it. */
async function check(value: string): Promise<string | undefined> {
  try {
    await createClient({ url: location.origin, token: value }).list({ limit: 1 })
    return undefined
  } catch (error) {
    return codeOf(error) === "UNAUTHENTICATED" ? "The server does not know this token." : sentenceOf(error)
  }
}
