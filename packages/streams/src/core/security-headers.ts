import { essence, isJson } from "./media-type.ts"

/** A stream holds what anyone wrote: a browser must not take it for a page of this origin. Durable Streams Protocol §10.7. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "x-content-type-options": "nosniff",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
  "referrer-policy": "no-referrer",
}

/** Whether a browser that navigates to a stream may show it; everything else is offered as a download. */
export function isShown(contentType: string): boolean {
  return isJson(contentType) || essence(contentType) === "text/plain"
}
