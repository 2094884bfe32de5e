import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { World } from "./subscription-world.ts"

/** What other systems of this kind were seen to do, and this one must not. */

const SUB = "__ds/subscriptions/p"
const ROW = "events/room"

let world: World
beforeEach(async () => {
  world = await World.open()
  await world.ask("PUT", "wakes")
  await world.ask("PUT", ROW)
  await world.ask("PUT", SUB, { type: "pull-wake", pattern: "events/*", wake_stream: "wakes", lease_ttl_ms: 5_000 })
})
afterEach(() => world.close())

/** The same row, changed once more. */
async function update(count: number): Promise<void> {
  await world.ask("POST", ROW, { type: "row", key: "one", value: { count }, headers: { operation: "update" } })
  await world.settle()
}

interface Claim {
  readonly wake_id: string
  readonly generation: number
  readonly token: string
  readonly streams: readonly { readonly path: string; readonly acked_offset: string; readonly tail_offset: string }[]
}

/** Claims the wake that waits, reads what it is for, and says that it is done. */
async function handle(): Promise<readonly number[]> {
  const { body } = await world.ask("POST", `${SUB}/claim`, { worker: "one" })
  const { wake_id, generation, token, streams } = body as unknown as Claim
  const [room] = streams
  if (room === undefined) throw new Error("the wake is for no stream")
  const rows = (await world.events(`${ROW}?offset=${room.acked_offset}`)) as unknown as { value: { count: number } }[]
  const acks = [{ stream: ROW, offset: room.tail_offset }]
  await world.ask("POST", `${SUB}/ack`, { wake_id, generation, acks, done: true }, token)
  await world.settle()
  return rows.map(({ value }) => value.count)
}

describe("the field's failure, four updates of one row wake a subscriber once, ever", () => {
  test("four updates that are handled one by one wake it four times", async () => {
    for (const count of [1, 2, 3, 4]) {
      await update(count)
      expect(await world.events("wakes")).toHaveLength(count)
      expect(await handle()).toEqual([count])
    }
  })

  test("four updates that come together are one wake, with all four in its range", async () => {
    for (const count of [1, 2, 3, 4]) await update(count)
    expect(await world.events("wakes")).toHaveLength(1)
    expect(await handle()).toEqual([1, 2, 3, 4])
    expect(await world.events("wakes")).toHaveLength(1)
  })

  test("updates that come while it is handled wake it again, for those alone", async () => {
    await update(1)
    const { body } = await world.ask("POST", `${SUB}/claim`, { worker: "one" })
    const { wake_id, generation, token, streams } = body as unknown as Claim
    for (const count of [2, 3, 4]) await update(count)
    const acks = [{ stream: ROW, offset: streams[0]?.tail_offset }]
    await world.ask("POST", `${SUB}/ack`, { wake_id, generation, acks, done: true }, token)
    await world.settle()
    expect(await world.events("wakes")).toHaveLength(2)
    expect(await handle()).toEqual([2, 3, 4])
  })
})
