import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { SHARED_POSTGRES } from "./shared.ts"
import { startPostgres } from "./server.ts"
import type { PostgresServer } from "./server.ts"

/**
 * For Vitest: one server of Postgres for all test files of a run, started when the first of them asks.
 *
 * It does not sync its disk: its data ends with the run.
 */
export default async function setup(): Promise<() => Promise<void>> {
  let starting: Promise<PostgresServer> | undefined
  const door = createServer((_, response) => {
    starting ??= startPostgres({ syncs: false })
    starting.then(
      ({ url }) => response.end(url),
      (error: unknown) => response.writeHead(500).end(String(error)),
    )
  })
  door.listen(0, "127.0.0.1")
  await once(door, "listening")
  process.env[SHARED_POSTGRES] = `http://127.0.0.1:${(door.address() as AddressInfo).port}`
  return async () => {
    door.closeAllConnections()
    door.close()
    await (await starting?.catch(() => undefined))?.stop()
  }
}
