import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"

/** How much of a process's complaints is kept. */
const STDERR_CHARS_MAX = 65_536
/** How long a process may take to say that it is ready. */
const READY_MS_MAX = 30_000

/** What a process says in its first line, once it can be used. */
export interface Announcement {
  readonly url: string
  /** Wakes that it took over from a dead process. */
  readonly resumed?: number
}

/** A process under test, from its spawn on. */
export interface Running {
  /** Rejects when it ends before it is ready. */
  readonly ready: Promise<Announcement>
  /** Resolves when it has ended, however it did. */
  readonly ended: Promise<number | null>
  /** Whether it is still there. */
  readonly isAlive: boolean
  /** What it wrote to its standard error, the end of it. */
  readonly complaints: string
  /** `kill -9`, and waits until it is gone. */
  kill(): Promise<void>
  /** Asks it to end, and waits for that. Returns its exit code. */
  stop(): Promise<number | null>
}

export interface ProcessOptions {
  /** A module beside this one, without its extension: this code runs from sources as well as built. */
  readonly module?: string
  /** Or a program anywhere, as it is. */
  readonly file?: string
  /** How that program's imports are resolved, beside the usual ways. */
  readonly conditions?: string
  readonly args: readonly string[]
  /** A command that runs another: `nsenter` and what it is told. */
  readonly within?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** Starts a Node process that ends when its input does, so that nothing outlives the driver. */
export function startProcess(options: ProcessOptions): Running {
  const fromSource = import.meta.url.endsWith(".ts")
  const own = new URL(`${options.module}${fromSource ? ".ts" : ".js"}`, import.meta.url)
  const conditions = options.conditions ?? (fromSource && options.file === undefined ? "@rouse/source" : undefined)
  const flags = ["--disable-warning=ExperimentalWarning", ...(conditions ? [`--conditions=${conditions}`] : [])]
  const command = [process.execPath, ...flags, options.file ?? own.pathname, ...options.args]
  const [program = "", ...rest] = [...(options.within ?? []), ...command]
  const child = spawn(program, rest, {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, NODE_OPTIONS: "", ...options.env },
  })
  return new ChildRunning(child)
}

class ChildRunning implements Running {
  readonly ready: Promise<Announcement>
  readonly ended: Promise<number | null>
  readonly #child: ChildProcess
  #complaints = ""

  constructor(child: ChildProcess) {
    this.#child = child
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#complaints = (this.#complaints + text).slice(-STDERR_CHARS_MAX)
    })
    child.stdin?.on("error", () => child.stdin?.destroy())
    this.ended = new Promise((resolve, reject) => {
      child.once("error", reject)
      child.once("close", (code) => resolve(code))
    })
    this.ready = this.#announced()
    // Whoever kills it before it is ready does not wait for this.
    this.ready.catch(() => undefined)
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  get complaints(): string {
    return this.#complaints
  }

  async kill(): Promise<void> {
    this.#child.kill("SIGKILL")
    await this.ended
  }

  async stop(): Promise<number | null> {
    this.#child.kill("SIGTERM")
    return await this.ended
  }

  #announced(): Promise<Announcement> {
    return new Promise((resolve, reject) => {
      let line = ""
      const timer = setTimeout(
        () => reject(new Error(`not ready after ${READY_MS_MAX} ms: ${this.#complaints}`)),
        READY_MS_MAX,
      )
      this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
        line += text
        if (!line.includes("\n")) return
        clearTimeout(timer)
        resolve(JSON.parse(line.slice(0, line.indexOf("\n"))) as Announcement)
      })
      const gone = (why: unknown): void => {
        clearTimeout(timer)
        reject(new Error(`the process ended before it was ready (${String(why)}): ${this.#complaints}`))
      }
      this.ended.then(gone, gone)
    })
  }
}
