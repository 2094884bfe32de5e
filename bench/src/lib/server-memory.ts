import type { Child } from "./child.ts"
import { Connection } from "./http.ts"

/** A process is quiet when its memory has been read this often, this far apart, and shrank no more. */
const QUIET_MS = 1_000
const READS = 3

/** Resident memory once it falls no further. */
export async function quietMb(child: Child): Promise<number> {
  let least = child.residentMb
  for (let read = 0; read < READS; read++) {
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS))
    least = Math.min(least, child.residentMb)
  }
  return least
}

/** What the server's main thread holds on to after a full collection. */
export async function liveBytes(child: Child): Promise<number> {
  const connection = await Connection.open(child.url)
  const body = { args: {}, message: "how much?" }
  const path = `/v1/entities/memory/m${Math.round(performance.now())}?wait=20s`
  const { settled } = await connection.json<{ readonly settled: { readonly reply: number } }>("PUT", path, body)
  connection.close()
  return settled.reply
}
