/** Codes of errors that came before the first byte of a request left. */
const UNSENT: ReadonlySet<string> = new Set([
  "ENOTFOUND",
  "EAI_AGAIN",
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EADDRNOTAVAIL",
  "UND_ERR_CONNECT_TIMEOUT",
  "ConnectionRefused",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "CERT_HAS_EXPIRED",
  "ERR_TLS_CERT_ALTNAME_INVALID",
])

/** The code of a failed request, from the error or what caused it. */
export function codeOf(error: unknown, depth = 0): string | undefined {
  if (!(error instanceof Error) || depth > 4) return undefined
  const { code } = error as { readonly code?: unknown }
  return typeof code === "string" ? code : codeOf(error.cause, depth + 1)
}

/** Whether a request is known never to have left; a host's `fetch` may say so by `isUnsent`. What is not known may have. */
export function isUnsent(error: unknown): boolean {
  if (error instanceof Error && "isUnsent" in error) return error.isUnsent === true
  return UNSENT.has(codeOf(error) ?? "")
}
