import { execFile } from "node:child_process"
import { existsSync } from "node:fs"
import { mkdir, rename, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import type { PostgresServer } from "@rouse/testkit/postgres"
import postgres from "postgres"
import { Child } from "../lib/child.ts"
import type { Connection } from "../lib/http.ts"
import { profileArgs, rouse, startRouse } from "./rouse.ts"
import { MESSAGE, type System } from "./system.ts"

/** What is installed when it is first measured, beside the repository's own packages and in none of its lists. */
const DBOS = { name: "@dbos-inc/dbos-sdk", version: "5.3.0" } as const
const CACHE = fileURLToPath(new URL("../../../node_modules/.cache/rouse-bench", import.meta.url))
const PEER = fileURLToPath(new URL("../peers/dbos.ts", import.meta.url))
const INSTALL_MS_MAX = 180_000

/** A system whose data is in a database of its own on a Postgres. */
export async function rouseOnPostgres(
  program: string,
  server: PostgresServer,
  name: string,
  type = "echo",
): Promise<System> {
  const url = await databaseOn(server, name.toLowerCase().replaceAll(/\W/g, "_"))
  return {
    ...rouse(program, name, type),
    start: (directory) => startOnPostgres(program, directory, url),
  }
}

export function startOnPostgres(program: string, directory: string, url: string): Promise<Child> {
  return startRouse({ program, directory, nodeArgs: profileArgs(), env: { ROUSE_DATABASE_URL: url } })
}

/** Undefined when its packages cannot be had here; `say` is told why. */
export async function dbosOnPostgres(server: PostgresServer, say: (line: string) => void): Promise<System | undefined> {
  const packages = await install(say)
  if (packages === undefined) return undefined
  const url = await databaseOn(server, "dbos")
  const body = JSON.stringify({ content: MESSAGE })
  const ask = async (connection: Connection, agent: string): Promise<void> => {
    const { status, body: reply } = await connection.request("POST", `/agents/${agent}/messages`, body)
    if (status !== 200) throw new Error(`DBOS answered ${status} ${reply.toString()}`)
  }
  return {
    name: "DBOS",
    start: (directory) => Child.start({ args: [PEER, packages, url], cwd: directory }),
    turn: ask,
    freshTurn: ask,
  }
}

/** An empty database. */
export async function databaseOn(server: PostgresServer, name: string): Promise<string> {
  const sql = postgres(server.url, { max: 1, onnotice: () => undefined })
  try {
    await sql.unsafe(`CREATE DATABASE ${name}`)
  } finally {
    await sql.end()
  }
  const url = new URL(server.url)
  url.pathname = `/${name}`
  return url.href
}

/** The directory with the packages; they stay there for the next time. */
async function install(say: (line: string) => void): Promise<string | undefined> {
  const directory = join(CACHE, `dbos-${DBOS.version}`)
  if (existsSync(directory)) return directory
  const making = `${directory}.${process.pid}`
  say(`installing ${DBOS.name} ${DBOS.version} beside the repository's own packages`)
  try {
    await mkdir(making, { recursive: true })
    await writeFile(join(making, "package.json"), JSON.stringify({ private: true }))
    const args = ["install", "--no-audit", "--no-fund", "--ignore-scripts", `${DBOS.name}@${DBOS.version}`]
    await promisify(execFile)("npm", args, { cwd: making, timeout: INSTALL_MS_MAX })
    await rename(making, directory)
    return directory
  } catch (error) {
    await rm(making, { recursive: true, force: true })
    say(`${DBOS.name} cannot be installed, and is left out: ${error instanceof Error ? error.message : String(error)}`)
    return undefined
  }
}
