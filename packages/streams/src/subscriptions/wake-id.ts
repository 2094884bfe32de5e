const WAKE_ID_BYTES = 12

/** A wake's identifier, that nobody who was not told can name. */
export function newWakeId(randomBytes: (count: number) => Uint8Array): string {
  return `w_${Buffer.from(randomBytes(WAKE_ID_BYTES)).toString("hex")}`
}
