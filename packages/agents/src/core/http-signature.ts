/** What is signed of a request, in the order of its signature base. */
export type Components = readonly (readonly [name: string, value: string])[]

export interface SignatureParameters {
  /** Seconds since the Unix epoch. */
  readonly created: number
  readonly keyId: string
  readonly algorithm: "hmac-sha256" | "ed25519"
}

/** The value of `Signature-Input` for one signature, without its label (RFC 9421 §2.3). */
export function signatureParams(components: Components, { created, keyId, algorithm }: SignatureParameters): string {
  const names = components.map(([name]) => JSON.stringify(name)).join(" ")
  return `(${names});created=${created};keyid=${JSON.stringify(keyId)};alg="${algorithm}"`
}

/** What is signed (RFC 9421 §2.5). */
export function signatureBase(components: Components, params: string): string {
  const lines = components.map(([name, value]) => `${JSON.stringify(name)}: ${value.trim()}`)
  return [...lines, `"@signature-params": ${params}`].join("\n")
}
