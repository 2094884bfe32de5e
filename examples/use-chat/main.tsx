import { useChat } from "@ai-sdk/react"
import { rouseChat } from "@rouse/client/ai-sdk"
import { StrictMode, useEffect, useState } from "react"
import type { ReactNode } from "react"
import { createRoot } from "react-dom/client"
import "./styles.css"

const transport = rouseChat({ type: "assistant" })
const id = new URLSearchParams(location.search).get("id") ?? "demo"

function Page(): ReactNode {
  const chat = useChat({ id, transport, resume: true })
  useEffect(() => transport.follow(chat), [chat.id])

  const { messages, status, error, sendMessage, stop } = chat
  const [text, setText] = useState("")
  const isBusy = status === "submitted" || status === "streaming"
  return (
    <main className="mx-auto flex h-dvh max-w-2xl flex-col px-4">
      <h1 className="flex justify-between border-b border-line py-4 font-semibold">
        Chat <small className="font-normal text-soft">{id}</small>
      </h1>
      <div className="flex min-h-0 flex-1 flex-col-reverse overflow-y-auto" tabIndex={0} role="log" aria-busy={isBusy}>
        <ol className="mb-auto space-y-3 py-4">
          {messages.map(({ id, role, parts }) => (
            <li
              key={id}
              data-role={role}
              className={role === "user" ? "ml-auto w-fit max-w-[85%] rounded-2xl bg-brand px-4 py-2 text-canvas" : ""}
            >
              {parts.map((part, n) =>
                part.type === "text" ? (
                  <p key={n} className="leading-relaxed whitespace-pre-wrap">
                    {part.text}
                  </p>
                ) : null,
              )}
            </li>
          ))}
          {messages.length === 0 && <li className="text-soft">Say something. Reload while it answers.</li>}
          {error && <li role="alert">{error.message}</li>}
        </ol>
      </div>
      <form
        className="flex gap-2 border-t border-line py-4"
        onSubmit={(event) => {
          event.preventDefault()
          if (text.trim()) void sendMessage({ text })
          setText("")
        }}
      >
        <textarea
          aria-label="Message"
          rows={1}
          value={text}
          onChange={(event) => setText(event.target.value)}
          className="min-w-0 flex-1 resize-none rounded-lg border border-line bg-card px-3 py-2"
        />
        {isBusy ? (
          <button type="button" onClick={() => void stop()} className="rounded-lg border border-line px-4 py-2">
            Stop
          </button>
        ) : (
          <button className="rounded-lg bg-brand px-4 py-2 font-medium text-canvas">Send</button>
        )}
      </form>
    </main>
  )
}

createRoot(document.body).render(
  <StrictMode>
    <Page />
  </StrictMode>,
)
