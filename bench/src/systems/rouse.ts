import { fileURLToPath } from "node:url"
import { Child } from "../lib/child.ts"
import type { Connection } from "../lib/http.ts"
import { MESSAGE, type System } from "./system.ts"

const ENTITIES = fileURLToPath(new URL("../programs/entities.ts", import.meta.url))

const SEND_BODY = JSON.stringify({ content: MESSAGE })
const SPAWN_BODY = JSON.stringify({ args: {}, message: MESSAGE })

export interface StartOptions {
  /** The program of the `rouse` command. */
  readonly program: string
  /** Where it keeps its data, and finds nothing else. */
  readonly directory: string
  /** Modules that define entities; none: an empty directory as a user has it. */
  readonly files?: readonly string[]
  /** More options of the command. */
  readonly flags?: readonly string[]
  /** Options of Node before the program. */
  readonly nodeArgs?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** `rouse start`, quiet, on a free port. */
export function startRouse({
  program,
  directory,
  files = [ENTITIES],
  nodeArgs = [],
  flags = [],
  env = {},
}: StartOptions): Promise<Child> {
  return Child.start({
    args: [...nodeArgs, program, "start", ...files, "--port", "0", "--json", "--log-level", "warn", ...flags],
    cwd: directory,
    env,
  })
}

/** Embedded, durable, with the offline model, as `rouse start` has it. */
export function rouse(program: string, name = "rouse", type = "echo"): System {
  return {
    name,
    startedType: "started",
    start: (directory) => startRouse({ program, directory, nodeArgs: profileArgs() }),
    turn: (connection, agent) =>
      settled(connection, "POST", `/v1/entities/${type}/${agent}/messages?wait=20s`, SEND_BODY),
    freshTurn: (connection, agent) => settled(connection, "PUT", `/v1/entities/${type}/${agent}?wait=20s`, SPAWN_BODY),
  }
}

/** Options of Node for profiles: `ROUSE_BENCH_NODE_ARGS="--cpu-prof --cpu-prof-dir=…"`. */
export function profileArgs(): string[] {
  return (process.env["ROUSE_BENCH_NODE_ARGS"] ?? "").split(" ").filter((arg) => arg !== "")
}

async function settled(connection: Connection, method: string, path: string, body: string): Promise<void> {
  const answer = await connection.request(method, path, body)
  if (answer.status >= 300 || !answer.body.includes('"status":"processed"')) {
    throw new Error(`${method} ${path}: ${answer.status} ${answer.body.toString()}`)
  }
}
