import { useEffect, useRef, useState } from "react"
import type { ClipboardEvent, DragEvent } from "react"

const FILES_MAX = 32
const FILE_BYTES_MAX = 134_217_728

/** A file that waits to be sent. */
export interface PickedFile {
  readonly key: number
  readonly file: File
  /** Of an image: where the browser shows it. */
  readonly preview?: string
}

/** Files that a person dropped, pasted or picked, until they are sent. */
export interface Picked {
  readonly list: readonly PickedFile[]
  /** Whether something is held over the composer. */
  readonly over: boolean
  readonly problem: string | undefined
  readonly add: (files: Iterable<File>) => void
  readonly remove: (key: number) => void
  readonly clear: () => void
  readonly paste: (event: ClipboardEvent) => void
  readonly drop: {
    readonly onDragOver: (event: DragEvent) => void
    readonly onDragLeave: () => void
    readonly onDrop: (event: DragEvent) => void
  }
}

export function usePicked(url: string): Picked {
  const [list, setList] = useState<readonly PickedFile[]>([])
  const [over, setOver] = useState(false)
  const [problem, setProblem] = useState<string>()
  const next = useRef(0)
  const now = useRef(list)
  now.current = list

  const keep = (files: readonly PickedFile[]): void => {
    for (const { preview, key } of now.current) {
      if (preview !== undefined && !files.some((file) => file.key === key)) URL.revokeObjectURL(preview)
    }
    setList(files)
    setProblem(undefined)
  }
  const add = (files: Iterable<File>): void => {
    const picked = [...files]
    const tooLarge = picked.find((file) => file.size > FILE_BYTES_MAX)
    if (tooLarge) return setProblem(`${tooLarge.name} is larger than 134 MB`)
    if (now.current.length + picked.length > FILES_MAX) return setProblem(`A message brings at most ${FILES_MAX} files`)
    keep([...now.current, ...picked.map((file) => pickedFile(file, next.current++))])
  }
  useEffect(
    () => () => {
      for (const { preview } of now.current) if (preview !== undefined) URL.revokeObjectURL(preview)
      setList([])
    },
    [url],
  )
  return {
    list,
    over,
    problem,
    add,
    remove: (key) => keep(now.current.filter((file) => file.key !== key)),
    clear: () => keep([]),
    paste: (event) => {
      if (event.clipboardData.files.length === 0) return
      event.preventDefault()
      add(event.clipboardData.files)
    },
    drop: {
      onDragOver: (event) => {
        if (!event.dataTransfer.types.includes("Files")) return
        event.preventDefault()
        setOver(true)
      },
      onDragLeave: () => setOver(false),
      onDrop: (event) => {
        setOver(false)
        if (event.dataTransfer.files.length === 0) return
        event.preventDefault()
        add(event.dataTransfer.files)
      },
    },
  }
}

function pickedFile(file: File, key: number): PickedFile {
  const shown = /^image\/(png|jpeg|gif|webp)$/.test(file.type)
  return { key, file, ...(shown && { preview: URL.createObjectURL(file) }) }
}
