import { silentLog } from "@rouse/agents/runtime"
import { createServer, type ServerOptions } from "@rouse/server"
import { openStore } from "@rouse/store"
import { openPostgresStore } from "@rouse/store/postgres"

/** What a server under test has beside its clock, its log and its store. */
export interface ChildServer extends Omit<ServerOptions, "store" | "clock" | "random" | "defer" | "log" | "host"> {
  readonly directory: string
  /** The Postgres that the data is in, in place of the directory. */
  readonly database?: string
  /** Opens the data, in place of both. */
  readonly open?: () => Promise<ServerOptions["store"]>
  /** 0: any that is free. */
  readonly port: number
  /** What to listen on. This machine only when absent; elsewhere it needs tokens. */
  readonly host?: string
  /** How long runs under way may go on after SIGTERM, milliseconds. */
  readonly graceMs: number
  /** Milliseconds between two pieces of an answer on the log. */
  readonly deltaMs?: number
  /** Puts something between the server and its store. */
  readonly wrap?: (store: ServerOptions["store"]) => ServerOptions["store"]
  /** Runs when all else was closed. */
  readonly closed?: () => void
}

/**
 * Serves in a process of its own. Says `{ url, resumed }` on its output when it serves. Ends well at SIGTERM, at once when its input ends;
 * else it is killed.
 */
export async function serveChild(child: ChildServer): Promise<void> {
  const {
    directory,
    database,
    open = () =>
      database === undefined
        ? openStore({ directory, clock: Date.now })
        : openPostgresStore({ url: database, clock: Date.now }),
    port,
    host: address = "127.0.0.1",
    graceMs,
    deltaMs,
    wrap = (store) => store,
    closed,
    ...options
  } = child
  const store = await open()
  const host = { clock: Date.now, random: Math.random, log: silentLog, ...(deltaMs === undefined ? {} : { deltaMs }) }
  const server = createServer({
    ...options,
    store: wrap(store),
    clock: Date.now,
    random: Math.random,
    defer: (ms, fn) => {
      const timer = setTimeout(fn, ms)
      return () => clearTimeout(timer)
    },
    log: {
      ...silentLog,
      warn: (message, fields) => complain("warn", message, fields),
      error: (message, fields) => complain("error", message, fields),
    },
    host,
  })
  const end = async () => {
    await server.close({ graceMs })
    await store.close()
    closed?.()
    process.exit(0)
  }
  process.once("SIGTERM", () => {
    end().catch((error: unknown) => {
      complain("error", "the server did not end well", { error: String(error) })
      process.exit(1)
    })
  })
  process.stdin.on("end", () => process.exit(0)).resume()
  const resumed = await server.start()
  const { url } = await server.listen({ host: address, port })
  process.stdout.write(`${JSON.stringify({ url, resumed })}\n`)
}

function complain(level: string, message: string, fields: unknown): void {
  process.stderr.write(`${level}: ${message} ${JSON.stringify(fields ?? {})}\n`)
}
