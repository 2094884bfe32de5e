import type { Offset } from "@rouse/protocol"
import { isEntityId } from "@rouse/protocol"
import { useNavigate } from "@tanstack/react-router"
import { useState } from "react"
import type { FormEvent, ReactNode } from "react"
import { Button } from "../components/button.tsx"
import { Dialog } from "../components/dialog.tsx"
import { Field, Input, Textarea } from "../components/field.tsx"
import { sentenceOf } from "../core/errors.ts"
import { useApp } from "../data/app.tsx"

/** Makes an agent of this one's history, up to where the page is, and shows the two side by side. */
export default function ForkDialog(props: {
  readonly url: string
  /** Its end when absent. */
  readonly at: string | undefined
  readonly close: () => void
}): ReactNode {
  const { client } = useApp()
  const navigate = useNavigate()
  const [id, setId] = useState("")
  const [message, setMessage] = useState("")
  const [error, setError] = useState<string>()
  const [busy, setBusy] = useState(false)
  const wrongId = id.trim() !== "" && !isEntityId(id.trim())
  const fork = async (): Promise<void> => {
    const { entity } = await client.fork(props.url, {
      ...(props.at !== undefined && { at: props.at as Offset }),
      ...(id.trim() !== "" && { id: id.trim() }),
      ...(message.trim() !== "" && { message: message.trim() }),
    })
    props.close()
    await navigate({
      to: "/agents/$type/$id",
      params: { type: entity.type, id: entity.id },
      search: { view: "compare", with: props.url },
    })
  }
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    if (wrongId) return setError("The id: letters, digits and . _ ~ - only, a letter or digit first, at most 128.")
    setBusy(true)
    fork().catch((cause: unknown) => {
      setError(sentenceOf(cause))
      setBusy(false)
    })
  }
  return (
    <Dialog
      open
      onOpenChange={(open) => open || props.close()}
      title={`Fork ${props.url}`}
      description={
        props.at === undefined
          ? "A new agent with all of its history. The two go on apart."
          : "A new agent with its history up to the moment that is shown. The two go on apart."
      }
    >
      <form noValidate onSubmit={submit} className="flex min-h-0 flex-col">
        <div className="flex flex-col gap-1.5 overflow-auto px-5 py-4">
          <Field label="Id" optional hint="A random one when left empty">
            {({ id: field, describedBy }) => (
              <Input
                id={field}
                autoFocus
                aria-describedby={describedBy}
                aria-invalid={wrongId}
                value={id}
                onChange={({ target }) => setId(target.value)}
              />
            )}
          </Field>
          <Field label="Message" optional hint="What it is told instead. It rests until something rouses it.">
            {({ id: field, describedBy }) => (
              <Textarea
                id={field}
                rows={3}
                aria-describedby={describedBy}
                value={message}
                onChange={({ target }) => setMessage(target.value)}
              />
            )}
          </Field>
        </div>
        <footer className="flex items-center gap-3 border-t border-line px-5 py-3">
          <p role="alert" className="min-w-0 flex-1 text-xs text-danger">
            {error}
          </p>
          <Button tone="ghost" onClick={props.close}>
            Cancel
          </Button>
          <Button type="submit" tone="solid" disabled={busy}>
            {busy ? "Forking" : "Fork"}
          </Button>
        </footer>
      </form>
    </Dialog>
  )
}
