import type { EntityRecord, Replica, Store } from "@rouse/store"
import { openPostgresStore } from "@rouse/store/postgres"
import { hasPostgres, sharedPostgres } from "@rouse/testkit/postgres"
import type { PostgresDatabase } from "@rouse/testkit/postgres"
import postgres from "postgres"
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest"

/** Who serves a database at the same time, and that each learns when another is gone. */

const NOW = 1_800_000_000_000
const RACES = Number(process.env["ROUSE_TEST_RACES"] ?? 10_000)
const RACES_AT_ONCE = 200
vi.setConfig({ testTimeout: 120_000 })

const real = describe.skipIf(!hasPostgres())
let server: PostgresDatabase
let sql: postgres.Sql
let schemas = 0
let schema = ""
const open: Store[] = []

beforeAll(async () => {
  server = await sharedPostgres()
  sql = postgres(server.url, { max: 2, onnotice: () => undefined })
})
afterEach(async () => {
  for (const store of open.splice(0)) await store.close()
})
afterAll(async () => {
  await sql.end()
  await server.close()
})

/** A replica, and what it was last told. */
class Seat {
  live: readonly Replica[] = []
  ended: readonly string[] = []
  readonly urls: string[] = []
  readonly dueAtMs: number[] = []
  readonly everEnded = new Set<string>()

  readonly store: Store

  constructor(store: Store) {
    this.store = store
  }

  static async take(capacity: number, options: { readonly pooled?: boolean } = {}): Promise<Seat> {
    const seat = new Seat(await openPostgresStore({ url: server.url, schema, clock: () => NOW, ...options }))
    open.push(seat.store)
    await seat.store.replicas?.join(capacity, {
      onReplicas: (live, ended) => {
        seat.live = live
        seat.ended = ended
        for (const id of ended) seat.everEnded.add(id)
      },
      onEntities: (urls) => seat.urls.push(...urls),
      onDue: (atMs) => seat.dueAtMs.push(atMs),
    })
    return seat
  }

  get id(): string {
    return this.store.replicas?.id ?? ""
  }

  get capacities(): readonly number[] {
    return this.live.map(({ capacity }) => capacity).sort((a, b) => a - b)
  }

  sees(...seats: readonly Seat[]): Promise<void> {
    const ids = seats.map(({ id }) => id).sort()
    return vi.waitFor(() => expect(this.live.map(({ id }) => id).sort()).toEqual(ids), { timeout: 20_000 })
  }
}

function freshSchema(): void {
  schemas += 1
  schema = `sessions_${schemas}`
}

const entity = (url: string, epoch: number, rest: Partial<EntityRecord> = {}): Omit<EntityRecord, "version"> => {
  const [, type = "", id = ""] = url.split("/")
  const times = { createdAtMs: NOW, activeAtMs: NOW, dueAtMs: null }
  return { url, type, id, status: "idle", epoch, parent: null, ...times, tags: {}, args: {}, control: {}, ...rest }
}

real("sessions of replicas", () => {
  it("are known to all, with what each can do", async () => {
    freshSchema()
    const [a, b, c] = [await Seat.take(1), await Seat.take(2), await Seat.take(3)]
    for (const seat of [a, b, c]) await seat.sees(a, b, c)
    expect(a.capacities).toEqual([1, 2, 3])
    expect((await a.store.replicas?.live())?.length).toBe(3)
  })

  it("that are left are over at once, and nobody has to be taken over", async () => {
    freshSchema()
    const [a, b] = [await Seat.take(1), await Seat.take(1)]
    await a.sees(a, b)
    await b.store.replicas?.drain()
    await vi.waitFor(() => expect(a.capacities).toEqual([0, 1]))
    await b.store.replicas?.leave()
    await a.sees(a)
    expect(a.everEnded.size).toBe(0)
  })

  it("that end without a word are seen to, until they are forgotten", async () => {
    freshSchema()
    const [a, b, c] = [await Seat.take(1), await Seat.take(1), await Seat.take(1)]
    await a.sees(a, b, c)
    await b.store.close()
    await Promise.all([a.sees(a, c), c.sees(a, c)])
    await vi.waitFor(() => expect([a.ended, c.ended]).toEqual([[b.id], [b.id]]), { timeout: 5_000 })
    await a.store.replicas?.forget(b.id)
    const rows = await sql`SELECT id FROM ${sql(schema)}.replica`
    expect(rows.length).toBe(2)
  })

  it("whose connection is cut begin anew, and are not taken for dead", async () => {
    freshSchema()
    const [a, b] = [await Seat.take(1), await Seat.take(1)]
    await a.sees(a, b)
    const serials = async () =>
      (await sql`SELECT serial FROM ${sql(schema)}.replica ORDER BY id`).map(({ serial }) => serial as number)
    const before = await serials()
    await sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'rouse' AND datname = current_database()`
    await vi.waitFor(async () => expect((await serials()).filter((one) => before.includes(one))).toEqual([]), {
      timeout: 10_000,
    })
    await Promise.all([a.sees(a, b), b.sees(a, b)])
    expect([...a.everEnded, ...b.everEnded]).toEqual([])
    // And what comes then is noticed as ever.
    await b.store.close()
    await a.sees(a)
  })

  it("behind a pooler last as long as they are seen", async () => {
    freshSchema()
    const a = await Seat.take(1, { pooled: true })
    await a.sees(a)
    await sql`INSERT INTO ${sql(schema)}.replica (id, serial, capacity, locks, seen_at) VALUES ('late', 0, 1, false, now() - interval '1 minute')`
    await vi.waitFor(() => expect(a.ended).toEqual(["late"]), { timeout: 10_000 })
  })

  it("tell one another what changed, and what is left to whoever has room", async () => {
    freshSchema()
    const [a, b] = [await Seat.take(1), await Seat.take(1)]
    await a.sees(a, b)
    await vi.waitFor(async () => {
      await a.store.commit({
        ops: [{ op: "putEntity", record: entity("/t/a", 0, { status: "queued", dueAtMs: NOW + 5 }) }],
      })
      expect([b.urls.includes("/t/a"), b.dueAtMs.includes(NOW + 5)]).toEqual([true, true])
    })
    expect(a.urls).toEqual([])
  })
})

real("two replicas that race for one agent", () => {
  it(`${RACES} times: one wins each time, and the epoch says how often`, async () => {
    freshSchema()
    const seats = [await Seat.take(1), await Seat.take(1)]
    const lanes = Array.from({ length: RACES_AT_ONCE }, (_, n) => `/t/a${n}`)
    const ops = lanes.map((url) => ({ op: "putEntity", record: entity(url, 0) }) as const)
    await seats[0]?.store.commit({ ops })
    const rounds = Math.ceil(RACES / RACES_AT_ONCE)
    const wins = [0, 0]
    const race = async (url: string): Promise<void> => {
      for (let round = 1; round <= rounds; round += 1) {
        const outcomes = await Promise.allSettled(
          seats.map(({ store }) =>
            store.commit({
              guards: [{ kind: "version", url, version: round }],
              ops: [{ op: "putEntity", record: entity(url, round) }],
            }),
          ),
        )
        const winners = outcomes.flatMap(({ status }, at) => (status === "fulfilled" ? [at] : []))
        expect(winners.length).toBe(1)
        for (const at of winners) wins[at] = (wins[at] ?? 0) + 1
      }
    }
    await Promise.all(lanes.map(race))
    expect((wins[0] ?? 0) + (wins[1] ?? 0)).toBe(rounds * RACES_AT_ONCE)
    const last = await Promise.all(lanes.map((url) => seats[1]?.store.entity(url)))
    expect(last.every((one) => one?.epoch === rounds && one.version === rounds + 1)).toBe(true)
  })
})
