import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { readFile, readdir } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { expect } from "vitest"

const SERVICE = fileURLToPath(new URL("payment-service.ts", import.meta.url))

/** The payment service, which can be killed and started again at the same port. */
export class Payments {
  readonly #file: string
  readonly #key: string
  #child: ChildProcess | undefined
  #out = ""
  #port = "0"

  /** @param key What callers must show. */
  constructor(file: string, key: string) {
    this.#file = file
    this.#key = key
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  async start(): Promise<void> {
    this.#out = ""
    const env = { PATH: process.env["PATH"] ?? "", PAYMENTS_KEY: this.#key }
    const child = spawn(process.execPath, [SERVICE, this.#port, this.#file], {
      env,
      stdio: ["ignore", "pipe", "inherit"],
    })
    this.#child = child
    child.stdout?.setEncoding("utf8").on("data", (text: string) => (this.#out += text))
    await expect.poll(() => this.#out).toContain("listens")
    this.#port = /listens (\d+)/.exec(this.#out)?.[1] ?? "0"
  }

  /** `kill -9`, once it holds a request for this order. */
  async killAt(order: string): Promise<void> {
    await this.holds(order)
    const ended = once(this.#child as ChildProcess, "exit")
    this.#child?.kill("SIGKILL")
    await ended
  }

  async holds(order: string): Promise<void> {
    await expect.poll(() => this.#out, { timeout: 20_000 }).toContain(`hangs ${order}`)
  }

  close(): void {
    this.#child?.kill("SIGKILL")
  }

  async made(order: string): Promise<number> {
    const text = await readFile(this.#file, "utf8").catch(() => "")
    return text.split("\n").filter((line) => line.includes(`"${order}"`)).length
  }
}

/** Every byte of every file below a directory. */
export async function bytesIn(path: string): Promise<string> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  expect(files.length).toBeGreaterThan(0)
  const texts = await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name), "latin1")))
  return texts.join("\n")
}
