/** Forms shorter than this could be any text, and are not looked for. */
export const FORM_CHARS_MIN = 8

/**
 * The shapes in which a secret may turn up in a text: as it is, within JSON (also JSON within JSON), within a URL or a form, in hexadecimal,
 * and in base64 of either alphabet, also as a part of something longer that was encoded whole.
 */
export function formsOf(secret: string): readonly string[] {
  const bytes = new TextEncoder().encode(secret)
  const once = inJson(secret)
  // Without the halves of characters, which a URL cannot hold.
  const url = encodeURIComponent(new TextDecoder().decode(bytes))
  const base64 = [0, 1, 2].map((offset) => inBase64(bytes, offset))
  const forms = [
    secret,
    once,
    inJson(once),
    url,
    lowerEscapes(url),
    new URLSearchParams({ _: secret }).toString().slice(2),
    ...base64.flatMap((form) => [form, form.replaceAll("+", "-").replaceAll("/", "_"), encodeURIComponent(form)]),
    inHex(bytes),
    inHex(bytes).toUpperCase(),
  ]
  return [...new Set(forms)].filter((form) => form.length >= FORM_CHARS_MIN)
}

function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1)
}

function lowerEscapes(url: string): string {
  return url.replace(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase())
}

/** The characters that the secret alone decides, when `offset` bytes (of a multiple of three) stand before it. */
function inBase64(secret: Uint8Array, offset: number): string {
  const bytes = new Uint8Array(offset + secret.length)
  bytes.set(secret, offset)
  const whole = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))
  return whole.slice(Math.ceil((offset * 8) / 6), Math.floor((bytes.length * 8) / 6))
}

function inHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")
}
