import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { cpuMs, residentMb } from "./usage.ts"

/** How long a program may take until it is ready. */
const READY_MS_MAX = 30_000
/** How long a program may take to end when it is asked to. */
const STOP_MS_MAX = 10_000
/** Lines of a program's output that are kept, to tell why it failed. */
const LINES_KEPT = 50

export interface ChildOptions {
  readonly args: readonly string[]
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
}

/** Whatever is still alive when this process ends, however it ends, is killed with it. */
const alive = new Set<ChildProcess>()
process.on("exit", () => {
  for (const child of alive) child.kill("SIGKILL")
})
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130))

/** A program under measurement, on this Node. It says that it is ready by a line of JSON with its `url` on standard output. */
export class Child {
  readonly url: string
  readonly pid: number
  /** From just before the spawn to the line, milliseconds. */
  readonly readyMs: number
  readonly #process: ChildProcess

  private constructor(child: ChildProcess, url: string, readyMs: number) {
    this.#process = child
    this.pid = child.pid as number
    this.url = url
    this.readyMs = readyMs
  }

  static async start({ args, cwd, env }: ChildOptions): Promise<Child> {
    const startedAt = performance.now()
    const child = spawn(process.execPath, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    })
    alive.add(child)
    child.once("exit", () => alive.delete(child))
    const lines: string[] = []
    const keep = (line: string): void => {
      lines.push(line)
      if (lines.length > LINES_KEPT) lines.shift()
    }
    createInterface({ input: child.stderr }).on("line", keep)
    const url = await new Promise<string>((resolve, reject) => {
      const fail = (why: string): void => reject(new Error(`${args.join(" ")}: ${why}\n${lines.join("\n")}`))
      const timer = setTimeout(() => fail(`not ready after ${READY_MS_MAX} ms`), READY_MS_MAX)
      child.once("exit", (code, signal) => fail(`ended with ${signal ?? code} before it was ready`))
      createInterface({ input: child.stdout }).on("line", (line) => {
        keep(line)
        const found = urlIn(line)
        if (found === undefined) return
        clearTimeout(timer)
        resolve(found)
      })
    })
    return new Child(child, url, performance.now() - startedAt)
  }

  get cpuMs(): number {
    return cpuMs(this.pid)
  }

  get residentMb(): number {
    return residentMb(this.pid)
  }

  /** Asks it to end, and makes it when it does not. */
  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const ended = once(this.#process, "exit")
    this.#process.kill("SIGTERM")
    const timer = setTimeout(() => this.#process.kill("SIGKILL"), STOP_MS_MAX)
    await ended
    clearTimeout(timer)
  }
}

/** The address in a line of JSON; undefined when it is none or has none. */
export function urlIn(line: string): string | undefined {
  if (!line.startsWith("{")) return undefined
  try {
    const { url } = JSON.parse(line) as { readonly url?: unknown }
    return typeof url === "string" ? url : undefined
  } catch {
    return undefined
  }
}
