import { type AttachmentInfo, RouseError } from "@rouse/protocol"

/** Types that a browser shows and cannot run. */
const SHOWN = /^(image\/(png|jpeg|gif|webp|avif)|text\/plain|application\/pdf|audio\/|video\/)/

/** What an answer with an attachment says, so that it is never run as a page of this server. */
export function attachmentHeaders(info: AttachmentInfo): Record<string, string> {
  return {
    "content-type": info.mediaType,
    "content-disposition": disposition(SHOWN.test(info.mediaType) ? "inline" : "attachment", info.name),
    "content-security-policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "cache-control": "private, max-age=31536000, immutable",
    "accept-ranges": "bytes",
    etag: etagOf(info),
  }
}

export function etagOf({ id }: AttachmentInfo): string {
  return `"${id}"`
}

/** RFC 6266: a plain name for old readers, and the name as it is. */
function disposition(kind: "inline" | "attachment", name: string): string {
  const plain = name.replace(/[^ !#$&+\-.^_`|~0-9A-Za-z]/g, "_")
  const exact = encodeURIComponent(name).replace(
    /['()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `${kind}; filename="${plain}"; filename*=UTF-8''${exact}`
}

/**
 * The file name that a `Content-Disposition` gives.
 *
 * @throws {RouseError} `BAD_REQUEST` when its extended name is not valid percent-encoded UTF-8.
 */
export function nameOf(header: string | null): string | undefined {
  if (header === null) return undefined
  const extended = /filename\*=UTF-8''([^;\s]+)/i.exec(header)?.[1]
  if (extended === undefined)
    return (
      /filename="((?:[^"\\]|\\.)*)"/i.exec(header)?.[1]?.replace(/\\(.)/g, "$1") ??
      /filename=([^;\s"]+)/i.exec(header)?.[1]
    )
  try {
    return decodeURIComponent(extended)
  } catch (cause) {
    throw new RouseError("BAD_REQUEST", "Content-Disposition: filename* is not percent-encoded UTF-8", { cause })
  }
}

/**
 * The SHA-256 that a `Repr-Digest` or `Content-Digest` announces (RFC 9530), in hex.
 *
 * @throws {RouseError} `BAD_REQUEST`.
 */
export function announcedDigest(headers: Headers): string | undefined {
  for (const field of ["repr-digest", "content-digest"]) {
    const text = headers.get(field)
    const base64 = /(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):/.exec(text ?? "")?.[1]
    if (base64 !== undefined)
      return Array.from(atob(base64), (byte) => byte.charCodeAt(0).toString(16).padStart(2, "0")).join("")
    if (text !== null && /sha-256=/.test(text))
      throw new RouseError("BAD_REQUEST", `${field}: must be sha-256=:…: with 32 bytes in base64`)
  }
  return undefined
}
