import { FileText, LoaderCircle, Paperclip, X } from "lucide-react"
import { useRef } from "react"
import type { ReactNode } from "react"
import { IconButton } from "../components/button.tsx"
import { bytesText } from "../core/bytes.ts"
import type { Picked } from "./use-picked.ts"

/** What goes with the message, above the text. */
export function PickedFiles({ files, sending }: { readonly files: Picked; readonly sending: boolean }): ReactNode {
  if (files.list.length === 0) return null
  return (
    <ul aria-label="Files to send" className="flex max-h-40 flex-wrap gap-2 overflow-y-auto px-3 pt-3">
      {files.list.map(({ key, file, preview }) => (
        <li
          key={key}
          className="flex h-11 max-w-full items-center gap-2 rounded-md border border-line bg-canvas pr-1 pl-1.5 text-sm"
        >
          {preview === undefined ? (
            <FileText aria-hidden className="size-4 shrink-0 text-ink-3" />
          ) : (
            <img src={preview} alt="" className="size-8 rounded object-cover" />
          )}
          <span className="min-w-0">
            <span className="block max-w-40 truncate text-xs">{file.name}</span>
            <span className="block text-2xs text-ink-3">{bytesText(file.size)}</span>
          </span>
          {sending ? (
            <LoaderCircle aria-label="Sending" className="mx-1.5 size-4 text-accent motion-safe:animate-spin" />
          ) : (
            <IconButton label={`Remove ${file.name}`} onClick={() => files.remove(key)}>
              <X className="size-4" />
            </IconButton>
          )}
        </li>
      ))}
    </ul>
  )
}

/** Picks files; they can be dropped and pasted too. */
export function PickButton({ files, disabled }: { readonly files: Picked; readonly disabled: boolean }): ReactNode {
  const input = useRef<HTMLInputElement>(null)
  return (
    <>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-label="Files"
        onChange={({ target }) => {
          files.add(target.files ?? [])
          target.value = ""
        }}
      />
      <IconButton label="Attach files" disabled={disabled} onClick={() => input.current?.click()}>
        <Paperclip className="size-4" />
      </IconButton>
    </>
  )
}
