import type { AttachmentInfo } from "@rouse/protocol"
import { useEffect, useState } from "react"
import { useApp } from "./app.tsx"

/** An image as a browser's own address; undefined while it loads, null when it cannot be had. Fetched with the token, and let go with the component. */
export function useImage(url: string, { id, mediaType }: AttachmentInfo, wanted: boolean): string | null | undefined {
  const { client } = useApp()
  const [address, setAddress] = useState<string | null>()
  useEffect(() => {
    if (!wanted) return undefined
    const gone = new AbortController()
    let made: string | undefined
    client
      .attachment(url, id, { signal: gone.signal })
      .then(async (response) => new Blob([await response.arrayBuffer()], { type: mediaType }))
      .then((blob) => {
        if (gone.signal.aborted) return
        made = URL.createObjectURL(blob)
        setAddress(made)
      })
      .catch(() => gone.signal.aborted || setAddress(null))
    return () => {
      gone.abort()
      if (made !== undefined) URL.revokeObjectURL(made)
    }
  }, [client, url, id, mediaType, wanted])
  return address
}
