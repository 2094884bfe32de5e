import { mkdir, readFile, stat, writeFile } from "node:fs/promises"
import type { IncomingMessage, ServerResponse } from "node:http"
import { basename, dirname } from "node:path"
import { killGroup, formOf, reply, StandIn } from "./machines.ts"
import type { Machine } from "./machines.ts"

const ENVELOPE_BYTES = 5
const END_OF_STREAM = 2

interface Box {
  readonly sandboxID: string
  readonly metadata: Readonly<Record<string, string>>
  readonly startedAt: string
  readonly created: Readonly<Record<string, unknown>>
  state: "running" | "paused"
  timeout: number
}

/**
 * Speaks the part of E2B's wire format that a sandbox uses: the API, and envd's files over HTTP and its processes over Connect with JSON. It
 * proves requests and the order of them; isolation and pauses of memory are E2B's.
 */
export class E2bService extends StandIn {
  readonly boxes = new Map<string, Box>()
  readonly key: string
  /** Waits before a list is answered, so that two that look at once see the same. */
  beforeList: () => Promise<void> = async () => undefined

  constructor(directory: string, key: string) {
    super(directory)
    this.key = key
  }

  pauseAll(): void {
    for (const box of this.boxes.values()) box.state = "paused"
  }

  protected async answer(request: IncomingMessage, url: URL, body: Buffer, response: ServerResponse): Promise<void> {
    const path = url.pathname
    if (/^\/(v2\/)?sandboxes/.test(path)) return await this.#api(request, url, body, response)
    const id = String(request.headers["e2b-sandbox-id"])
    const machine = this.machines.get(id)
    if (machine === undefined || this.boxes.get(id)?.state !== "running")
      return reply(response, 502, { code: 502, message: "The sandbox was not found" })
    if (request.headers["x-access-token"] !== `token-of-${id}`) return reply(response, 401, { message: "no token" })
    if (path === "/files") return await this.#files(request, url, body, response, machine)
    if (path === "/filesystem.Filesystem/Stat") return await this.#stat(parsed(body), response, machine)
    if (path === "/process.Process/Start") return this.#start(request, body, response, machine)
    reply(response, 404, { code: "unimplemented", message: path })
  }

  async #api(request: IncomingMessage, url: URL, body: Buffer, response: ServerResponse): Promise<void> {
    if (request.headers["x-api-key"] !== this.key)
      return reply(response, 401, { code: 401, message: `no such key: ${request.headers["x-api-key"]}` })
    if (url.pathname === "/v2/sandboxes") {
      if (request.method === "POST") return await this.#create(parsed(body), response)
      await this.beforeList()
      const wanted = new URLSearchParams(url.searchParams.get("metadata") ?? "")
      const found = [...this.boxes.values()].filter(({ metadata }) =>
        [...wanted].every(([name, value]) => metadata[decodeURIComponent(name)] === decodeURIComponent(value)),
      )
      return reply(response, 200, found.map(shown))
    }
    const [, id = "", action] = /^\/(?:v2\/)?sandboxes\/([^/]+)\/?(.*)$/.exec(url.pathname) ?? []
    const box = this.boxes.get(id)
    if (box === undefined) return reply(response, 404, { code: 404, message: `sandbox ${id} not found` })
    if (request.method === "DELETE") {
      this.boxes.delete(id)
      await this.machines.get(id)?.remove()
      return reply(response, 204)
    }
    if (action !== "connect") return reply(response, 404, { code: 404, message: action })
    box.state = "running"
    box.timeout = Math.max(box.timeout, Number(parsed(body)["timeout"]))
    reply(response, 200, shown(box))
  }

  async #create(created: Record<string, unknown>, response: ServerResponse): Promise<void> {
    if (created["templateID"] === "missing")
      return reply(response, 404, { code: 404, message: "template 'missing' not found" })
    const sandboxID = `i${this.boxes.size + 1}${crypto.randomUUID().slice(0, 8)}`
    const box: Box = {
      sandboxID,
      metadata: (created["metadata"] ?? {}) as Record<string, string>,
      startedAt: new Date(Date.UTC(2026, 0, 1) + this.boxes.size * 1_000).toISOString(),
      created,
      state: "running",
      timeout: Number(created["timeout"]),
    }
    // It is older than whatever is made while its machine starts.
    this.boxes.set(sandboxID, box)
    await this.machine(sandboxID)
    reply(response, 201, shown(box))
  }

  async #files(request: IncomingMessage, url: URL, body: Buffer, response: ServerResponse, machine: Machine) {
    const path = machine.at(url.searchParams.get("path") ?? "")
    if (request.method === "GET") {
      const bytes = await readFile(path)
      response.writeHead(200, { "content-type": "application/octet-stream", "content-length": bytes.length }).end(bytes)
      return
    }
    const file = (await formOf(request, body)).get("file") as File
    try {
      await mkdir(dirname(path), { recursive: true })
    } catch {
      return reply(response, 400, { code: 400, message: `path is a file: ${dirname(path)}` })
    }
    await writeFile(path, new Uint8Array(await file.arrayBuffer()))
    reply(response, 200, [{ name: basename(path), path, type: "file" }])
  }

  async #stat(asked: Record<string, unknown>, response: ServerResponse, machine: Machine): Promise<void> {
    const path = machine.at(String(asked["path"]))
    const found = await stat(path).catch(() => undefined)
    if (found === undefined) return reply(response, 404, { code: "not_found", message: `file not found: ${path}` })
    const type = found.isDirectory()
      ? "FILE_TYPE_DIRECTORY"
      : found.isFile()
        ? "FILE_TYPE_FILE"
        : "FILE_TYPE_UNSPECIFIED"
    reply(response, 200, { entry: { name: basename(path), type, path, size: String(found.size), mode: found.mode } })
  }

  /** A process goes on when nobody listens any more; its deadline ends it. */
  #start(request: IncomingMessage, body: Buffer, response: ServerResponse, machine: Machine): void {
    const { process } = JSON.parse(String(body.subarray(ENVELOPE_BYTES))) as {
      readonly process: {
        readonly cmd: string
        readonly args: readonly string[]
        readonly envs?: Readonly<Record<string, string>>
      }
    }
    response.writeHead(200, { "content-type": "application/connect+json" })
    const send = (message: object, flags = 0): void => {
      const text = Buffer.from(JSON.stringify(message))
      const head = Buffer.alloc(ENVELOPE_BYTES)
      head[0] = flags
      head.writeUInt32BE(text.length, 1)
      // In pieces that fit no envelope, as a network would.
      response.write(Buffer.concat([head, text.subarray(0, 3)]))
      response.write(text.subarray(3))
    }
    const child = machine.spawn(
      process.cmd,
      process.args.filter((arg) => arg !== "-l"),
      process.envs,
    )
    const timeoutMs = Number(request.headers["connect-timeout-ms"] ?? 0)
    const timer = timeoutMs > 0 ? setTimeout(() => killGroup(child.pid), timeoutMs) : undefined
    send({ event: { start: { pid: child.pid } } })
    for (const name of ["stdout", "stderr"] as const)
      child[name]?.on("data", (chunk: Buffer) => send({ event: { data: { [name]: chunk.toString("base64") } } }))
    child.once("close", (code, signal) => {
      clearTimeout(timer)
      const exitCode = code ?? -1
      send({ event: { end: { exitCode, exited: code !== null, status: signal ?? `exit status ${exitCode}` } } })
      send({}, END_OF_STREAM)
      response.end()
    })
  }
}

function parsed(body: Buffer): Record<string, unknown> {
  return body.length === 0 ? {} : (JSON.parse(String(body)) as Record<string, unknown>)
}

function shown({ sandboxID, metadata, startedAt, state }: Box): object {
  return {
    sandboxID,
    templateID: "base",
    clientID: "c",
    metadata,
    startedAt,
    endAt: startedAt,
    state,
    cpuCount: 2,
    memoryMB: 512,
    diskSizeMB: 512,
    envdVersion: "0.6.2",
    envdAccessToken: `token-of-${sandboxID}`,
  }
}
