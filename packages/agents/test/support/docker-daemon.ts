import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { mkdir, rm } from "node:fs/promises"
import { createServer } from "node:http"
import type { IncomingMessage, ServerResponse } from "node:http"
import { join } from "node:path"

interface Container {
  readonly directory: string
  readonly config: {
    readonly Image: string
    readonly HostConfig: Readonly<Record<string, unknown>>
    readonly Labels: Readonly<Record<string, string>>
  }
  isRunning: boolean
}

interface Exec {
  readonly container: Container
  readonly command: readonly string[]
  exitCode: number | null
  child?: ChildProcess
}

/**
 * A server that speaks the part of Docker's Engine API that a sandbox uses, over a socket. Its "containers" are directories and its execs are
 * programs of this machine: it proves the wire format and the order of calls, and nothing about isolation.
 */
export class DockerDaemon implements AsyncDisposable {
  readonly containers = new Map<string, Container>()
  readonly asked: string[] = []
  readonly socketPath: string
  readonly #directory: string
  readonly #execs = new Map<string, Exec>()
  readonly #server = createServer((request, response) => {
    this.#answer(request, response).catch((error: unknown) => {
      response.writeHead(500).end(JSON.stringify({ message: String(error) }))
    })
  })

  constructor(directory: string) {
    this.#directory = directory
    this.socketPath = join(directory, "docker.sock")
  }

  async open(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(this.socketPath, resolve))
    return this
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    const text = String(Buffer.concat(chunks))
    const body = (text === "" ? {} : JSON.parse(text)) as Record<string, never>
    const url = new URL(request.url ?? "/", "http://docker")
    const path = url.pathname.replace(/^\/v1\.\d+/, "")
    this.asked.push(`${request.method} ${path.replace(/[0-9a-f]{16,}/g, "…")}`)
    const reply = (status: number, value?: object): void => {
      response.writeHead(status, { "content-type": "application/json" }).end(value && JSON.stringify(value))
    }
    if (path === "/containers/create") return reply(...(await this.#create(url.searchParams.get("name") ?? "", body)))
    if (path === "/containers/json") {
      const { label } = JSON.parse(url.searchParams.get("filters") ?? "{}") as { readonly label: readonly string[] }
      const all = [...this.containers].map(([Id, { config }]) => ({ Id, Labels: config.Labels }))
      return reply(
        200,
        all.filter(({ Labels }) => label.every((name) => name in Labels)),
      )
    }
    const [, kind, id = "", action] = /^\/(containers|exec)\/([^/]+)\/?(.*)$/.exec(path) ?? []
    if (kind === "exec") return await this.#exec(id, action, response, reply)
    const container = this.containers.get(id)
    if (container === undefined) return reply(404, { message: `No such container: ${id}` })
    if (request.method === "DELETE") {
      this.#kill(container)
      this.containers.delete(id)
      await rm(container.directory, { recursive: true, force: true })
      return reply(204)
    }
    if (action === "start") {
      const status = container.isRunning ? 304 : 204
      container.isRunning = true
      return reply(status)
    }
    if (!container.isRunning) return reply(409, { message: `container ${id} is not running` })
    if (action === "kill") {
      this.#kill(container)
      container.isRunning = false
      return reply(204)
    }
    const execId = `${this.#execs.size}`.padStart(64, "0")
    this.#execs.set(execId, { container, command: body["Cmd"] ?? [], exitCode: null })
    return reply(201, { Id: execId })
  }

  async #create(name: string, config: Record<string, never>): Promise<[number, object]> {
    if (this.containers.has(name)) return [409, { message: `The container name "/${name}" is already in use` }]
    if (config["Image"] === "missing") return [404, { message: "No such image: missing" }]
    const directory = join(this.#directory, name)
    // Taken before anything is waited for: of two that make it at once one is told.
    this.containers.set(name, { directory, config: config as never, isRunning: false })
    await mkdir(directory)
    return [201, { Id: name, Warnings: [] }]
  }

  async #exec(
    id: string,
    action: string | undefined,
    response: ServerResponse,
    reply: (status: number, value?: object) => void,
  ) {
    const exec = this.#execs.get(id)
    if (exec === undefined) return reply(404, { message: "No such exec instance" })
    if (action === "json") return reply(200, { ID: id, Running: false, ExitCode: exec.exitCode })
    response.writeHead(200, { "content-type": "application/vnd.docker.multiplexed-stream" })
    const [program = "", ...args] = exec.command
    const child = spawn(program, args, {
      cwd: exec.container.directory,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    })
    exec.child = child
    const frame = (kind: number) => (chunk: Buffer) => {
      const head = Buffer.alloc(8)
      head[0] = kind
      head.writeUInt32BE(chunk.length, 4)
      // In pieces that fit no frame, as a network would.
      const whole = Buffer.concat([head, chunk])
      response.write(whole.subarray(0, 5))
      response.write(whole.subarray(5))
    }
    child.stdout.on("data", frame(1))
    child.stderr.on("data", frame(2))
    child.once("close", (code, signal) => {
      exec.exitCode = code ?? (signal === "SIGKILL" ? 137 : 143)
      response.end()
    })
  }

  #kill(container: Container): void {
    for (const exec of this.#execs.values()) {
      if (exec.container !== container || exec.child?.exitCode !== null || exec.child.pid === undefined) continue
      try {
        process.kill(-exec.child.pid, "SIGKILL")
      } catch {
        // It ended by itself.
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const container of this.containers.values()) this.#kill(container)
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}
