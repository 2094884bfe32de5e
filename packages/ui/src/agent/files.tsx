import { isVisual } from "@rouse/protocol"
import type { AttachmentInfo } from "@rouse/protocol"
import { Download, FileText, ImageOff } from "lucide-react"
import { useState } from "react"
import type { ReactNode } from "react"
import { cn } from "../components/class-names.ts"
import { bytesText } from "../core/bytes.ts"
import { sentenceOf } from "../core/errors.ts"
import { useApp } from "../data/app.tsx"
import { useImage } from "../data/attachment.ts"

/** Larger images are not fetched to be looked at. */
const IMAGE_BYTES_MAX = 8_388_608

/** Files of a message or a tool's result: images as they are, others by name. */
export function Files(props: {
  readonly url: string
  readonly files: readonly AttachmentInfo[]
  readonly className?: string
}): ReactNode {
  if (props.files.length === 0) return null
  return (
    <ul aria-label="Files" className={cn("flex flex-wrap items-end gap-2", props.className)}>
      {props.files.map((file) => (
        <li key={file.id} className="max-w-full">
          {isImage(file) ? <Image url={props.url} file={file} /> : <FileChip url={props.url} file={file} />}
        </li>
      ))}
    </ul>
  )
}

function isImage({ mediaType, size }: AttachmentInfo): boolean {
  return isVisual(mediaType) && mediaType.startsWith("image/") && size <= IMAGE_BYTES_MAX
}

function Image({ url, file }: { readonly url: string; readonly file: AttachmentInfo }): ReactNode {
  const source = useImage(url, file, true)
  if (source === null) return <FileChip url={url} file={file} lost />
  if (source === undefined) return <span className="block size-32 rounded-md bg-line motion-safe:animate-pulse" />
  return (
    <a href={source} download={file.name} title={`${file.name}, ${bytesText(file.size)}: download`} className="block">
      <img
        src={source}
        alt={file.name}
        className="max-h-64 max-w-full rounded-md border border-line bg-surface object-contain"
      />
    </a>
  )
}

function FileChip(props: { readonly url: string; readonly file: AttachmentInfo; readonly lost?: boolean }): ReactNode {
  const { client } = useApp()
  const { file } = props
  const [error, setError] = useState<string>()
  const save = (): void => {
    setError(undefined)
    client
      .attachment(props.url, file.id)
      .then(async (response) => saveAs(new Blob([await response.arrayBuffer()]), file.name))
      .catch((cause: unknown) => setError(sentenceOf(cause)))
  }
  const Icon = props.lost === true ? ImageOff : FileText
  return (
    <button
      type="button"
      onClick={save}
      title={`Download ${file.name}`}
      className="flex max-w-full min-h-9 items-center gap-2 rounded-md border border-line bg-surface px-2.5 py-1 text-left text-sm hover:border-line-strong hover:bg-hover"
    >
      <Icon aria-hidden className="size-4 shrink-0 text-ink-3" />
      <span className="min-w-0 truncate">{file.name}</span>
      <span className={cn("shrink-0 text-xs", error === undefined ? "text-ink-3" : "text-danger")}>
        {error ?? bytesText(file.size)}
      </span>
      <Download aria-hidden className="size-3.5 shrink-0 text-ink-3" />
    </button>
  )
}

/** Saves, and never opens: a page that was uploaded must not run as this one. */
function saveAs(blob: Blob, name: string): void {
  const address = URL.createObjectURL(blob)
  const link = document.createElement("a")
  link.href = address
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(address), 10_000)
}
