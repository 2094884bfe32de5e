import postgres from "postgres"
import { familyCpuMs } from "./usage.ts"

const NOTIFICATIONS = 2_000
/** As long as one that names what a group of a replica under load changed. */
const PAYLOAD = "x".repeat(1_024)
const LISTENERS = [1, 9] as const

/** CPU of a Postgres, milliseconds, for a notification, and for each of those that listen to it. */
export interface NotifyCost {
  readonly toldMs: number
  readonly heardMs: number
}

/** @param pid Of the first process of the Postgres. */
export async function notifyCost(url: string, pid: number): Promise<NotifyCost> {
  const few = await told(url, pid, LISTENERS[0])
  const many = await told(url, pid, LISTENERS[1])
  const heardMs = Math.max(0, (many - few) / (LISTENERS[1] - LISTENERS[0]))
  return { toldMs: few - heardMs * LISTENERS[0], heardMs }
}

async function told(url: string, pid: number, listeners: number): Promise<number> {
  const all = Array.from({ length: listeners + 1 }, () => postgres(url, { max: 1 }))
  const [speaker, ...rest] = all as [postgres.Sql, ...postgres.Sql[]]
  try {
    const arrived = await Promise.all(rest.map(listens))
    const before = familyCpuMs(pid)
    for (let n = 0; n < NOTIFICATIONS; n += 1) await speaker`SELECT pg_notify('cost', ${PAYLOAD})`
    await Promise.all(arrived.map(({ all: heard }) => heard))
    return (familyCpuMs(pid) - before) / NOTIFICATIONS
  } finally {
    await Promise.all(all.map((sql) => sql.end()))
  }
}

/** Resolves when it listens; `all` when it has heard all of them. */
async function listens(sql: postgres.Sql): Promise<{ readonly all: Promise<void> }> {
  let heard = 0
  const { promise, resolve } = Promise.withResolvers<void>()
  await sql.listen("cost", () => {
    heard += 1
    if (heard === NOTIFICATIONS) resolve()
  })
  return { all: promise }
}
