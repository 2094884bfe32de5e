/** Bytes as Postgres reads and writes them as text. */
export function hexOf(data: Uint8Array): string {
  return `\\x${Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("hex")}`
}

export function bytesOf(hex: string): Uint8Array {
  const { buffer, byteOffset, length } = Buffer.from(hex.slice(2), "hex")
  return new Uint8Array(buffer, byteOffset, length)
}
