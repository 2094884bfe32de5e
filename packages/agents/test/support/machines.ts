import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { mkdir, rm } from "node:fs/promises"
import { createServer } from "node:http"
import type { IncomingMessage, Server, ServerResponse } from "node:http"
import type { AddressInfo, Socket } from "node:net"
import { isAbsolute, join, resolve } from "node:path"

/** A "sandbox" of a service's stand-in: a directory of this machine, in which programs really run. It isolates nothing. */
export class Machine {
  readonly home: string
  readonly #children = new Set<ChildProcess>()

  constructor(home: string) {
    this.home = home
  }

  async open(): Promise<this> {
    await mkdir(this.home, { recursive: true })
    return this
  }

  /** Where a path of the sandbox's is here: from the home of its user. */
  at(path: string): string {
    const found = isAbsolute(path) ? path : resolve(this.home, path)
    if (!found.startsWith(this.home)) throw new Error(`${path} is not of this sandbox`)
    return found
  }

  spawn(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
    const { PATH = "/usr/bin:/bin" } = process.env
    const child = spawn(program, args, {
      cwd: this.home,
      env: { PATH, HOME: this.home, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    })
    this.#children.add(child)
    child.once("close", () => this.#children.delete(child))
    return child
  }

  child(pid: number): ChildProcess | undefined {
    return [...this.#children].find((child) => child.pid === pid)
  }

  get running(): number {
    return this.#children.size
  }

  async remove(): Promise<void> {
    for (const { pid } of this.#children) killGroup(pid)
    await rm(this.home, { recursive: true, force: true })
  }
}

export function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, "SIGKILL")
  } catch {
    // It ended by itself.
  }
}

/** What a stand-in answers instead, so often. */
export interface Failure {
  readonly status: number
  readonly body: object
  readonly headers?: Readonly<Record<string, string>>
  times: number
}

/** A server on a port of its own that owns machines, and remembers what it was asked. */
export abstract class StandIn implements AsyncDisposable {
  readonly asked: string[] = []
  readonly machines = new Map<string, Machine>()
  failure: Failure | undefined
  protected readonly directory: string
  protected readonly server: Server = createServer((request, response) => {
    this.#handle(request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy()
      else
        response.writeHead(500, { "content-type": "application/json" }).end(JSON.stringify({ message: String(error) }))
    })
  })

  readonly #sockets = new Set<Socket>()

  constructor(directory: string) {
    this.directory = directory
    this.server.on("connection", (socket) => {
      this.#sockets.add(socket)
      socket.once("close", () => this.#sockets.delete(socket))
    })
  }

  async open(): Promise<this> {
    await new Promise<void>((done) => this.server.listen(0, "127.0.0.1", done))
    return this
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  protected async machine(id: string): Promise<Machine> {
    const made = await new Machine(join(this.directory, id)).open()
    this.machines.set(id, made)
    return made
  }

  protected abstract answer(request: IncomingMessage, url: URL, body: Buffer, response: ServerResponse): Promise<void>

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    const url = new URL(request.url ?? "/", "http://stand-in")
    this.asked.push(`${request.method} ${url.pathname}`)
    const { failure } = this
    if (failure !== undefined && failure.times > 0) {
      failure.times -= 1
      return reply(response, failure.status, failure.body, failure.headers)
    }
    await this.answer(request, url, Buffer.concat(chunks), response)
  }

  /** As when the network breaks. What runs goes on. */
  dropConnections(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.machines.values()].map((machine) => machine.remove()))
    this.dropConnections()
    await new Promise((done) => this.server.close(done))
  }
}

export function reply(
  response: ServerResponse,
  status: number,
  body?: object | string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers })
  response.end(body === undefined ? undefined : JSON.stringify(body))
}

/** The parts of a form, each as it is. */
export async function formOf(request: IncomingMessage, body: Buffer): Promise<FormData> {
  const type = request.headers["content-type"] ?? ""
  return await new Response(new Uint8Array(body), { headers: { "content-type": type } }).formData()
}
