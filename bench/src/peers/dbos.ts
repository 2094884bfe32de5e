/**
 * DBOS Transact as a peer of the benches on Postgres: a turn is a workflow of two steps, a model that answers at once and a step that records
 * message and reply in the agent's conversation, each checkpointed by DBOS. The workflow is started directly, which is the quickest way there is:
 * a queue would be polled. Nothing is asked for that a turn of Rouse has beyond that: no order of an agent's turns, no log to follow, no lease.
 *
 * Arguments: the directory with its packages, and the database's address. Says `{ url }` when it serves.
 *
 * @see https://docs.dbos.dev/typescript/tutorials/workflow-tutorial
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { createRequire } from "node:module"
import type { AddressInfo } from "node:net"
import { join } from "node:path"

/** What is used of the packages, which are not this repository's. */
interface Dbos {
  setConfig(config: Readonly<Record<string, unknown>>): void
  launch(): Promise<void>
  shutdown(): Promise<void>
  registerWorkflow<A extends unknown[], R>(
    work: (...args: A) => Promise<R>,
    options: { readonly name: string },
  ): (...args: A) => Promise<R>
  runStep<R>(step: () => Promise<R>, options: { readonly name: string }): Promise<R>
}

interface Pool {
  query(text: string, values?: readonly unknown[]): Promise<unknown>
  end(): Promise<void>
}

/** Longer than a bench lets a connection rest. */
const KEEP_ALIVE_MS = 65_000
/** Connections for its own tables, and as many for ours: on two cores it is slower with half as many, and with twice as many. */
const CONNECTIONS = 20

const [packages, url] = process.argv.slice(2) as [string, string]
const load = createRequire(join(packages, "package.json"))
const { DBOS } = load("@dbos-inc/dbos-sdk") as { readonly DBOS: Dbos }
const { Pool: PgPool } = load("pg") as { readonly Pool: new (options: Readonly<Record<string, unknown>>) => Pool }

const conversation = new PgPool({ connectionString: url, max: CONNECTIONS })

async function turn(agent: string, content: string): Promise<string> {
  const reply = await DBOS.runStep(() => Promise.resolve(`You said: ${content}`), { name: "model" })
  await DBOS.runStep(() => record(agent, content, reply), { name: "record" })
  return reply
}

async function record(agent: string, content: string, reply: string): Promise<void> {
  await conversation.query(
    "INSERT INTO message (agent, role, content) VALUES ($1, 'user', $2), ($1, 'assistant', $3)",
    [agent, content, reply],
  )
}

DBOS.setConfig({ name: "bench", systemDatabaseUrl: url, systemDatabasePoolSize: CONNECTIONS, logLevel: "error" })
const durableTurn = DBOS.registerWorkflow(turn, { name: "turn" })
await conversation.query(
  "CREATE TABLE message (id bigserial PRIMARY KEY, agent text NOT NULL, role text NOT NULL, content text NOT NULL)",
)
await conversation.query("CREATE INDEX message_agent ON message (agent, id)")
await DBOS.launch()

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  const { content } = JSON.parse(Buffer.concat(parts).toString()) as { readonly content: string }
  const reply = await durableTurn(request.url?.split("/")[2] ?? "", content)
  const body = JSON.stringify({ status: "processed", reply })
  response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(body) }).end(body)
}

const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
  answer(request, response).catch((error: unknown) => {
    response.writeHead(500).end(error instanceof Error ? error.stack : String(error))
  })
})
server.listen(0, "127.0.0.1", () => {
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })}\n`)
})
process.once("SIGTERM", () => {
  void Promise.allSettled([DBOS.shutdown(), conversation.end()]).then(() => process.exit(0))
})
