import type { Life } from "./core/history.ts"
import type { Running } from "./process.ts"
import type { Target } from "./target.ts"

/** The processes of the server, one after the other, and where the present one is. */
export class Lives {
  readonly #target: Target
  readonly #lives: Life[] = []
  #running: Running | undefined
  #handler: Running | undefined
  #spawnedAtMs = 0
  #readyAtMs: number | undefined
  #resumed: number | undefined
  #url = new Deferred()
  #isServing = false
  #complaints = ""

  constructor(target: Target) {
    this.#target = target
  }

  get lives(): readonly Life[] {
    return this.#lives
  }

  /** What the last processes wrote to their standard error. */
  get complaints(): string {
    return this.#complaints + (this.#running?.complaints ?? "")
  }

  where(): Promise<string> {
    return this.#url.promise
  }

  launch(): void {
    this.#spawnedAtMs = Date.now()
    this.#readyAtMs = undefined
    this.#resumed = undefined
    this.#running = this.#target.launch()
  }

  /** Starts the server and waits until it serves. */
  async begin(): Promise<void> {
    this.launch()
    const announced = await this.#running?.ready
    if (announced === undefined) throw new Error("no server was launched")
    this.#readyAtMs = Date.now()
    this.#resumed = announced.resumed
    await this.#handle(announced.url)
    this.#isServing = true
    this.#url.resolve(announced.url)
  }

  /** Kills what runs the handlers, if that is a process of its own, and starts it again. The server goes on. */
  async killHandler(): Promise<void> {
    if (this.#handler === undefined || !this.#isServing) return
    await this.#handler.kill()
    await this.#handle(await this.where())
  }

  async kill(): Promise<void> {
    const running = this.#running
    if (running === undefined) throw new Error("no server is running")
    if (!running.isAlive) throw new Error("the server ended by itself")
    this.#away()
    const killedAtMs = Date.now()
    await running.kill()
    await this.#endHandler()
    this.#end(running, killedAtMs)
  }

  /** Asks the server to end, which must succeed. */
  async end(): Promise<void> {
    const running = this.#running
    if (running === undefined) return
    this.#away()
    const code = await running.stop()
    await this.#endHandler()
    this.#end(running, undefined)
    if (code !== 0) throw new Error(`the server ended with code ${code} when it was asked to`)
  }

  giveUp(error: unknown): void {
    this.#url.reject(error)
  }

  async close(): Promise<void> {
    if (this.#running?.isAlive) await this.#running.kill()
    await this.#endHandler()
  }

  async #handle(base: string): Promise<void> {
    this.#handler = this.#target.launchHandler?.(base)
    await this.#handler?.ready
  }

  async #endHandler(): Promise<void> {
    if (this.#handler?.isAlive) await this.#handler.kill()
    this.#handler = undefined
  }

  /** Whoever asks from now on waits for the next server. Those who wait already go on waiting. */
  #away(): void {
    if (!this.#isServing) return
    this.#isServing = false
    this.#url = new Deferred()
  }

  #end(running: Running, killedAtMs: number | undefined): void {
    this.#complaints = running.complaints
    this.#running = undefined
    this.#lives.push({
      spawnedAtMs: this.#spawnedAtMs,
      ...(this.#readyAtMs === undefined ? {} : { readyAtMs: this.#readyAtMs }),
      ...(killedAtMs === undefined ? {} : { killedAtMs }),
      ...(this.#resumed === undefined ? {} : { resumed: this.#resumed }),
    })
  }
}

/** An address that is not known yet. */
class Deferred {
  readonly promise: Promise<string>
  resolve: (url: string) => void = () => undefined
  reject: (error: unknown) => void = () => undefined

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
    // Nobody may be asking when it is given up.
    this.promise.catch(() => undefined)
  }
}
