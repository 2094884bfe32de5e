import { parseEntityUrl } from "@rouse/protocol"
import type { MessageMode } from "@rouse/protocol"
import { ArrowUp } from "lucide-react"
import { memo, useLayoutEffect, useRef, useState } from "react"
import type { KeyboardEvent, ReactNode, RefObject } from "react"
import { IconButton } from "../components/button.tsx"
import { cn } from "../components/class-names.ts"
import { useMedia } from "../components/media.ts"
import { unsent } from "../core/draft.ts"
import { sentenceOf } from "../core/errors.ts"
import type { Standing } from "../core/standing.ts"
import { useApp } from "../data/app.tsx"
import { useSelected } from "../data/store.ts"
import { MessageForm } from "./message-form.tsx"
import { MODES, Modes } from "./message-modes.tsx"
import { PickButton, PickedFiles } from "./picked-files.tsx"
import { usePicked } from "./use-picked.ts"

/** What was being written to each agent, while the page is open. */
const drafts = new Map<string, string>()
const DRAFTS_MAX = 50
const HEIGHT_PX_MAX = 240

/** Where a person writes to the agent: text, or what its type says that a message is. */
export const Composer: (props: Standing) => ReactNode = memo(function Composer(props) {
  const type = parseEntityUrl(props.url)?.type
  const schema = useSelected(useApp().info, (info) => info?.types.find(({ name }) => name === type)?.message)
  return schema === undefined || schema["type"] === "string" ? (
    <TextComposer {...props} />
  ) : (
    <MessageForm standing={props} schema={schema} />
  )
})

/** Enter sends; the text is kept until the message is accepted, and what is written meanwhile is the next one. */
function TextComposer({ url, kind, inRun, loading }: Standing): ReactNode {
  const { client } = useApp()
  const [text, setText] = useState(drafts.get(url) ?? "")
  const [mode, setMode] = useState<MessageMode>("steer")
  const [sending, setSending] = useState(false)
  const [error, setError] = useState<string>()
  const files = usePicked(url)
  const box = useGrowing(text)
  /** What stands in the box by now, and whether it is to follow what is being sent. */
  const latest = useRef({ text, follows: false })
  const keyboard = useMedia("(pointer: fine)")
  const stopped = !loading && kind === "stopped"
  const ready = (text.trim() !== "" || files.list.length > 0) && !sending && !stopped

  const write = (value: string): void => {
    latest.current = { text: value, follows: false }
    setText(value)
    keepDraft(url, value)
  }
  const deliver = (sent: string, picked: typeof files.list): void => {
    setSending(true)
    setError(undefined)
    client
      .send(url, sent.trim(), { ...(inRun && { mode }), files: picked.map(({ file }) => ({ content: file })) })
      .then(() => {
        files.clear()
        const { text: now, follows } = latest.current
        const rest = unsent(now, sent)
        write(rest)
        if (follows && rest !== "") deliver(rest, [])
        else setSending(false)
      })
      .catch((cause: unknown) => {
        setError(sentenceOf(cause))
        setSending(false)
      })
  }
  const send = (): void => {
    if (ready) deliver(text, files.list)
    else if (sending) latest.current = { text, follows: true }
  }
  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>): void => {
    if (event.key === "Escape") event.currentTarget.blur()
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return
    event.preventDefault()
    send()
  }
  return (
    <div className="shrink-0 px-3 pb-[max(0.75rem,env(safe-area-inset-bottom))] sm:px-6">
      <form
        aria-label="Message"
        onSubmit={(event) => {
          event.preventDefault()
          send()
        }}
        {...(stopped ? {} : files.drop)}
        className={cn(
          "mx-auto max-w-[47rem] rounded-xl border bg-surface transition-colors focus-within:border-accent",
          files.over && "border-accent bg-hover",
          error ? "border-danger" : "border-field",
          stopped && "bg-sunken",
        )}
      >
        <PickedFiles files={files} sending={sending} />
        <textarea
          ref={box}
          rows={1}
          data-shortcut="composer"
          aria-label={`Message to ${url}`}
          aria-describedby="composer-about"
          value={text}
          disabled={stopped}
          placeholder={stopped ? "It is stopped and takes no messages" : `Message ${url}`}
          onChange={({ target }) => write(target.value)}
          onKeyDown={onKeyDown}
          onPaste={files.paste}
          className="block w-full resize-none bg-transparent px-3.5 pt-2.5 pb-1 text-base outline-none placeholder:text-ink-3"
        />
        <div className="flex h-10 items-center gap-2 pr-1.5 pl-1.5">
          <PickButton files={files} disabled={stopped || sending} />
          {inRun && !stopped && <Modes mode={mode} setMode={setMode} />}
          <p
            id="composer-about"
            role={error ? "alert" : undefined}
            className={cn(
              "min-w-0 truncate text-xs",
              inRun && !error && "max-[400px]:sr-only",
              error ? "text-danger" : "text-ink-3",
            )}
          >
            {error ?? files.problem ?? about(kind, inRun ? mode : undefined, keyboard)}
          </p>
          <IconButton
            type="submit"
            label="Send"
            keys={["↵"]}
            tone="solid"
            disabled={!ready}
            className="ml-auto rounded-lg"
          >
            <ArrowUp className="size-4" />
          </IconButton>
        </div>
      </form>
    </div>
  )
}

function about(kind: string, mode: MessageMode | undefined, keyboard: boolean): string {
  if (kind === "stopped") return "Its log stays readable."
  if (kind === "paused") return "It is paused: what you send waits until it is resumed."
  const joins = MODES.find((choice) => choice.mode === mode)
  if (joins) return joins.meaning
  return keyboard ? "Enter sends, Shift and Enter make a new line" : ""
}

/** A text area that is as tall as its text, up to a limit. */
function useGrowing(text: string): RefObject<HTMLTextAreaElement | null> {
  const box = useRef<HTMLTextAreaElement>(null)
  useLayoutEffect(() => {
    if (!box.current) return
    box.current.style.height = "auto"
    box.current.style.height = `${Math.min(box.current.scrollHeight, HEIGHT_PX_MAX)}px`
  }, [text])
  return box
}

function keepDraft(url: string, text: string): void {
  drafts.delete(url)
  if (text !== "") drafts.set(url, text)
  for (const oldest of drafts.keys()) {
    if (drafts.size <= DRAFTS_MAX) break
    drafts.delete(oldest)
  }
}
