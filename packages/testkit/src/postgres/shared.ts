import { randomUUID } from "node:crypto"
import { setTimeout as pause } from "node:timers/promises"
import postgres from "postgres"
import { whyNoBinaries } from "./binaries.ts"
import { startPostgres } from "./server.ts"

/** Names where the run's server is asked for. See `global-setup.ts`. */
export const SHARED_POSTGRES = "ROUSE_TEST_POSTGRES_SHARED"

/** Two databases are not made from one template at once. */
const BUSY = "55006"
const TRIES_MAX = 200
const AGAIN_MS = 50

/** A database of its own on the server that the run shares. */
export interface PostgresDatabase {
  /** Of a superuser. */
  readonly url: string
  readonly port: number
  /** Removes it. */
  close(): Promise<void>
}

let isTold = false

/** Whether there is a Postgres to test with. When there is none, one line says what to install. */
export function hasPostgres(): boolean {
  const why = whyNoBinaries()
  if (why !== undefined && !isTold) console.warn(`Tests of Postgres are skipped: ${why}`)
  isTold = why !== undefined
  return why === undefined
}

export async function sharedPostgres(): Promise<PostgresDatabase> {
  const door = process.env[SHARED_POSTGRES]
  if (door === undefined) {
    const own = await startPostgres({ syncs: false })
    return { url: own.url, port: own.port, close: () => own.stop() }
  }
  const answer = await fetch(door)
  if (!answer.ok) throw new Error(await answer.text())
  const server = await answer.text()
  const name = `test_${randomUUID().replaceAll("-", "")}`
  await administer(server, `CREATE DATABASE ${name}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  return {
    url: url.href,
    port: Number(url.port),
    close: () => administer(server, `DROP DATABASE ${name} WITH (FORCE)`),
  }
}

async function administer(url: string, statement: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined })
  try {
    for (let tries = 1; ; tries += 1) {
      const error = await sql.unsafe(statement).then(
        () => undefined,
        (reason: unknown) => reason,
      )
      if (error === undefined) return
      if (tries === TRIES_MAX || !(error instanceof postgres.PostgresError) || error.code !== BUSY) throw error
      await pause(AGAIN_MS)
    }
  } finally {
    await sql.end()
  }
}
