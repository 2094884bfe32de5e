import { parentPort, workerData } from "node:worker_threads"
import type { MessagePort } from "node:worker_threads"
import { unpackGroup } from "../core/group-codec.ts"
import { Checkpoints } from "./checkpoints.ts"
import { connectWriter } from "./connect.ts"
import { Engine, failureOf } from "./engine.ts"
import { migrate } from "./migrate.ts"
import type { Started, ThreadRequest, WriterData } from "./worker-writer.ts"
import { perform } from "./writer-port.ts"

/** The writer's thread: answers each request in its turn, and looks after the WAL in between. */
function serve(port: MessagePort, { file, where, tuning, seed }: WriterData): void {
  const db = connectWriter(file, tuning)
  migrate(db, seed)
  const engine = new Engine(db, where)
  const checkpoints = new Checkpoints(db, file, tuning)
  const close = async (): Promise<void> => {
    await checkpoints.close()
    db.close()
    port.close()
  }
  port.on("message", (request: ThreadRequest) => {
    if (request.kind === "close") return void close()
    const asked =
      request.kind === "commit" ? ({ kind: "commit", group: unpackGroup(request.packed) } as const) : request
    port.postMessage(JSON.stringify(perform(engine, asked, where)))
    checkpoints.consider()
  })
  tell(port, { kind: "ready" })
}

function start(port: MessagePort, data: WriterData): void {
  try {
    serve(port, data)
  } catch (error) {
    tell(port, { kind: "failed", failure: failureOf(error, data.where) })
    port.close()
  }
}

function tell(port: MessagePort, started: Started): void {
  port.postMessage(started)
}

if (parentPort !== null) start(parentPort, workerData as WriterData)
