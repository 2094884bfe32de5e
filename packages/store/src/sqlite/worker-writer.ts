import { once } from "node:events"
import { Worker } from "node:worker_threads"
import { RouseError } from "@rouse/protocol"
import { packGroup } from "../core/group-codec.ts"
import type { PackedGroup } from "../core/group-codec.ts"
import type { Tuning } from "./connect.ts"
import { errorOf } from "./engine.ts"
import type { Failure } from "./engine.ts"
import { workerOptions, workerUrl } from "./worker-module.ts"
import type { Writer, WriterReply, WriterRequest } from "./writer-port.ts"

/** What the writer's thread is started with. */
export interface WriterData {
  readonly file: string
  /** Names the data directory in errors. */
  readonly where: string
  readonly tuning: Tuning
  /** From 0 to 1, by chance, should the store be new. */
  readonly seed: number
}

/** What the thread is sent. It answers each, but the last, with a `WriterReply` as JSON: that is quicker than the object. */
export type ThreadRequest =
  | Exclude<WriterRequest, { readonly kind: "commit" }>
  | { readonly kind: "commit"; readonly packed: PackedGroup }
  | { readonly kind: "close" }

/** The first message of the writer's thread. */
export type Started = { readonly kind: "ready" } | { readonly kind: "failed"; readonly failure: Failure }

interface Asked {
  readonly resolve: (reply: WriterReply) => void
  readonly reject: (error: unknown) => void
}

/** A writer in a thread of its own. When that thread dies, what was asked and is asked later fails with `STORE_UNAVAILABLE`. */
export class WorkerWriter implements Writer {
  readonly #worker: Worker
  readonly #where: string
  /** Requests not yet answered, oldest first: answers come in order. */
  #asked: Asked[] = []
  #dead: RouseError | undefined

  private constructor(worker: Worker, where: string) {
    this.#worker = worker
    this.#where = where
    worker.on("message", (reply: string) => this.#asked.shift()?.resolve(JSON.parse(reply) as WriterReply))
    worker.on("error", (error) => {
      this.#die(error)
    })
    worker.on("exit", () => {
      this.#die(undefined)
    })
  }

  static async start(data: WriterData): Promise<WorkerWriter> {
    const worker = new Worker(workerUrl("writer"), { ...workerOptions(), workerData: data })
    const [started] = (await once(worker, "message")) as [Started]
    if (started.kind === "failed") throw errorOf(started.failure)
    return new WorkerWriter(worker, data.where)
  }

  request(request: WriterRequest): Promise<WriterReply> {
    if (this.#dead !== undefined) return Promise.reject(this.#dead)
    return new Promise((resolve, reject) => {
      this.#asked.push({ resolve, reject })
      this.#send(request)
    })
  }

  #send(request: WriterRequest): void {
    if (request.kind !== "commit") return this.#post(request)
    const packed = packGroup(request.group)
    this.#post({ kind: "commit", packed }, [packed.bytes.buffer])
  }

  async close(): Promise<void> {
    if (this.#dead !== undefined) return
    const exited = once(this.#worker, "exit")
    this.#post({ kind: "close" })
    await exited
  }

  #post(request: ThreadRequest, transfer: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(request, transfer)
  }

  #die(cause: unknown): void {
    this.#dead ??= new RouseError("STORE_UNAVAILABLE", `the writer of ${this.#where} ended`, { cause })
    const asked = this.#asked
    this.#asked = []
    for (const { reject } of asked) reject(this.#dead)
  }
}
