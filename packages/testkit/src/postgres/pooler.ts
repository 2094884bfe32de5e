import { spawn } from "node:child_process"
import { once } from "node:events"
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { freePort } from "./server.ts"

/** Connections to the database for each of its names: fewer than clients have, so that they are passed from one to another all the time. */
const POOL_SIZE = 6
const UNPRIVILEGED = { uid: 65_534, gid: 65_534 }
const PLACES = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer"]

/** A PgBouncer in transaction mode. */
export interface Pooler {
  /** Of the database behind it. */
  readonly url: string
  stop(): Promise<void>
}

/** Undefined when there is a PgBouncer here; else what to install. */
export function whyNoPooler(): string | undefined {
  return PLACES.some((place) => existsSync(place)) ? undefined : "Debian's package pgbouncer is not installed"
}

/** Starts a PgBouncer in front of a database. Works as root and as a user. */
export async function startPooler(database: { readonly url: string }): Promise<Pooler> {
  const { hostname, port: behind, pathname, username } = new URL(database.url)
  const directory = mkdtempSync(join(tmpdir(), "rouse-pooler-"))
  chmodSync(directory, 0o755)
  const port = await freePort()
  writeFileSync(join(directory, "users.txt"), `"${username}" ""\n`)
  const settings = [
    "[databases]",
    `* = host=${hostname} port=${behind}`,
    "[pgbouncer]",
    "listen_addr = 127.0.0.1",
    `listen_port = ${port}`,
    "unix_socket_dir =",
    "auth_type = trust",
    `auth_file = ${join(directory, "users.txt")}`,
    "pool_mode = transaction",
    "max_client_conn = 500",
    `default_pool_size = ${POOL_SIZE}`,
    "ignore_startup_parameters = extra_float_digits",
  ]
  const file = join(directory, "pgbouncer.ini")
  writeFileSync(file, `${settings.join("\n")}\n`)
  const binary = PLACES.find((place) => existsSync(place)) ?? "pgbouncer"
  const as = process.getuid?.() === 0 ? UNPRIVILEGED : {}
  const child = spawn(binary, [file], { ...as, cwd: directory, stdio: ["ignore", "ignore", "pipe"] })
  const abandon = (): void => void child.kill("SIGKILL")
  process.once("exit", abandon)
  const lines: string[] = []
  await new Promise<void>((resolve, reject) => {
    child.once("error", reject)
    child.once("close", (code) => reject(new Error(`pgbouncer ended with ${code}: ${lines.join("\n")}`)))
    createInterface({ input: child.stderr }).on("line", (line) => {
      if (lines.length < 100) lines.push(line)
      if (line.includes("process up")) resolve()
    })
  })
  return {
    url: `postgres://${username}@127.0.0.1:${port}${pathname}`,
    async stop() {
      process.off("exit", abandon)
      const ended = once(child, "exit")
      child.kill("SIGKILL")
      await ended
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
