import { openStore } from "@rouse/store"
import type { SpaceChange, SpaceResult, SpaceWrite } from "@rouse/store"

/**
 * A process whose workers take rows of one space, complete them, and print each that was acknowledged. It is killed at any time, and
 * begun again: what the dead one had claimed is taken when its lease is over.
 */
const [, , directory = "", workers = "1", rows = "1", life = "0"] = process.argv
const LEASE_MS = 400
const PATH = "shared/work"

const store = await openStore({ directory, clock: Date.now })
if ((await store.space(PATH)) === undefined) await fill(Number(rows))
process.stdout.write("begin\n")
await Promise.all(Array.from({ length: Number(workers) }, (_, n) => work(`w${life}.${n}`)))
process.stdout.write("over\n")
await store.close()

async function write(change: SpaceChange): Promise<readonly SpaceResult[]> {
  const { spaces = [] } = await store.commit({ ops: [{ op: "space", path: PATH, change, nowMs: Date.now() }] })
  return spaces
}

async function fill(count: number): Promise<void> {
  const define = {
    kind: "define",
    definition: { collections: { rows: { schema: {}, key: "id" } } },
    version: 0,
  } as const
  const writes = Array.from({ length: count }, (_, n): SpaceWrite => {
    const key = `r${n}`
    return { kind: "insert", collection: "rows", key, value: JSON.stringify({ id: key, n: 0 }), rowsMax: count }
  })
  const ops = [define, { kind: "write", by: "", writes } as const].map(
    (change) => ({ op: "space", path: PATH, change, nowMs: Date.now() }) as const,
  )
  await store.commit({ ops })
}

async function work(holder: string): Promise<void> {
  for (let n = 0; ; n += 1) {
    const asked = {
      kind: "claim",
      collection: "rows",
      queue: "",
      limit: 1,
      holder,
      claim: `c${n}`,
      heldMax: 10,
    } as const
    const [claimed] = await write({
      kind: "write",
      by: holder,
      writes: [{ ...asked, expiresAtMs: Date.now() + LEASE_MS }],
    })
    const row = claimed?.kind === "claimed" ? claimed.rows[0] : undefined
    if (row === undefined) {
      if ((await store.expiredClaims(Date.now() + LEASE_MS, 1)).length === 0) return
      await new Promise((resolve) => setTimeout(resolve, 20))
      continue
    }
    const { collection, key, token } = row
    const counted: SpaceWrite = { kind: "increment", collection, key, field: "n", by: 1 }
    const done: SpaceWrite = { kind: "complete", collection, key, token }
    const lost = await write({ kind: "write", by: holder, writes: [done, counted] }).then(
      () => false,
      (error: { readonly code?: string }) => error.code === "CLAIM_LOST",
    )
    if (!lost) process.stdout.write(`done ${key}\n`)
  }
}
