import type { Client } from "@rouse/client"
import type { Op } from "@rouse/store"
import type { TestServer } from "./server.ts"

const BATCH = 2_000
const TIERS = ["gold", "silver", "plain"] as const

/** Puts many agents beside one that was made as usual, straight into the store: `/assistant/c-0` and so on, every hundredth of tier gold. */
export async function seedAgents({ store }: TestServer, client: Client, count: number): Promise<void> {
  const { entity } = await client.spawn("/assistant/c-0")
  const { version: _, ...record } = (await store.entity(entity.url))!
  for (let start = 1; start < count; start += BATCH) {
    const ops = Array.from({ length: Math.min(BATCH, count - start) }, (__, index): Op => {
      const n = start + index
      const id = `c-${n}`
      const tier = n % 100 === 0 ? TIERS[0] : TIERS[1 + (n % 2)]!
      const activeAtMs = record.activeAtMs - n * 1_000
      return { op: "putEntity", record: { ...record, id, url: `/assistant/${id}`, tags: { tier }, activeAtMs } }
    })
    await store.commit({ ops })
  }
}
