import { createHash } from "node:crypto"
import { mkdir, readFile, rename, stat, writeFile } from "node:fs/promises"
import type { IncomingMessage, ServerResponse } from "node:http"
import { basename, dirname } from "node:path"
import type { Duplex } from "node:stream"
import { formOf, killGroup, reply, StandIn } from "./machines.ts"
import type { Machine } from "./machines.ts"

const PREFIX = { stdout: Buffer.from([1, 1, 1]), stderr: Buffer.from([2, 2, 2]) } as const
const WEBSOCKET_KEY = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
const FRAME_BYTES_MAX = 4_096

interface Box {
  readonly id: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly created: Readonly<Record<string, unknown>>
  state: string
}

/** One command of a session, and its log: each line with a mark of where it came from. */
class Command {
  readonly log: Buffer[] = []
  exitCode: number | undefined
  readonly #rests = { stdout: "", stderr: "" }
  readonly #listeners = new Set<() => void>()

  add(name: "stdout" | "stderr", text: string): void {
    const lines = (this.#rests[name] + text).split("\n")
    this.#rests[name] = lines.pop() ?? ""
    for (const line of lines) this.#line(name, line)
    this.#tell()
  }

  end(exitCode: number): void {
    for (const name of ["stdout", "stderr"] as const) if (this.#rests[name] !== "") this.#line(name, this.#rests[name])
    this.exitCode = exitCode
    this.#tell()
  }

  follow(listener: () => void): () => void {
    this.#listeners.add(listener)
    listener()
    return () => this.#listeners.delete(listener)
  }

  #line(name: "stdout" | "stderr", line: string): void {
    this.log.push(PREFIX[name], Buffer.from(`${line}\n`))
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }
}

interface Session {
  readonly machine: Machine
  readonly commands: Map<string, Command>
  readonly pids: number[]
}

/**
 * Speaks the part of Daytona's wire format that a sandbox uses: the API, and the toolbox's files, commands and sessions, with their logs over
 * a WebSocket. It proves requests and the order of them; isolation is Daytona's.
 */
export class DaytonaService extends StandIn {
  readonly boxes = new Map<string, Box>()
  readonly sessions = new Map<string, Session>()
  readonly key: string
  /** States that a start goes through, one for each time it is looked at. */
  starting = 0

  constructor(directory: string, key: string) {
    super(directory)
    this.key = key
    this.server.on("upgrade", (request: IncomingMessage, socket: Duplex) => this.#upgrade(request, socket))
  }

  stopAll(): void {
    for (const box of this.boxes.values()) box.state = "stopped"
  }

  protected async answer(request: IncomingMessage, url: URL, body: Buffer, response: ServerResponse): Promise<void> {
    if (request.headers.authorization !== `Bearer ${this.key}`)
      return reply(response, 401, { statusCode: 401, message: `Invalid key ${request.headers.authorization}` })
    const path = url.pathname
    if (path.startsWith("/api/")) return await this.#api(request, url, body, response)
    const [, id = "", rest = ""] = /^\/toolbox\/([^/]+)(\/.*)$/.exec(path) ?? []
    const machine = this.machines.get(id)
    if (machine === undefined || this.boxes.get(id)?.state !== "started")
      return reply(response, 400, { statusCode: 400, message: "no IP address found. Is the Sandbox started?" })
    if (rest.startsWith("/files/")) return await this.#files(request, rest, url, body, response, machine)
    await this.#processes(request, rest, body, response, machine)
  }

  async #api(request: IncomingMessage, url: URL, body: Buffer, response: ServerResponse): Promise<void> {
    const [, , , name = "", action] = url.pathname.split("/")
    if (name === "" && request.method === "POST") return await this.#create(parsed(body), response)
    if (name === "") {
      const wanted = Object.entries(JSON.parse(url.searchParams.get("labels") ?? "{}") as Record<string, string>)
      const found = [...this.boxes.values()].filter(({ labels }) =>
        wanted.every(([key, value]) => labels[key] === value),
      )
      // Two pages, to be followed.
      const half = url.searchParams.get("cursor") === null ? found.slice(0, 1) : found.slice(1)
      const isFirst = url.searchParams.get("cursor") === null && found.length > 1
      return reply(response, 200, { items: half.map((box) => this.#shown(box)), nextCursor: isFirst ? "next" : null })
    }
    const box = [...this.boxes.values()].find((each) => each.name === name || each.id === name)
    if (box === undefined) return reply(response, 404, { statusCode: 404, message: `Sandbox ${name} not found` })
    if (request.method === "DELETE") {
      this.boxes.delete(box.id)
      await this.machines.get(box.id)?.remove()
      return reply(response, 200, this.#shown({ ...box, state: "destroyed" }))
    }
    if (action === "start") {
      if (box.state !== "stopped") return reply(response, 409, { statusCode: 409, message: "State change in progress" })
      box.state = this.starting > 0 ? "starting" : "started"
    } else if (box.state === "starting") {
      this.starting -= 1
      if (this.starting <= 0) box.state = "started"
    }
    reply(response, 200, this.#shown(box))
  }

  async #create(created: Record<string, unknown>, response: ServerResponse): Promise<void> {
    const name = String(created["name"])
    if ([...this.boxes.values()].some((box) => box.name === name))
      return reply(response, 409, { statusCode: 409, message: `Sandbox with name ${name} already exists` })
    if (created["snapshot"] === "missing")
      return reply(response, 404, { statusCode: 404, message: "no snapshot missing" })
    const box: Box = {
      id: crypto.randomUUID(),
      name,
      labels: created["labels"] as Record<string, string>,
      created,
      state: "started",
    }
    this.boxes.set(box.id, box)
    await this.machine(box.id)
    reply(response, 200, this.#shown(box))
  }

  #shown({ id, name, labels, state }: Box): object {
    const rest = { organizationId: "o", user: "daytona", env: {}, public: false, target: "us", volumes: [] }
    return { id, name, labels, state, toolboxProxyUrl: `${this.url}/toolbox`, ...rest }
  }

  async #files(
    request: IncomingMessage,
    path: string,
    url: URL,
    body: Buffer,
    response: ServerResponse,
    machine: Machine,
  ): Promise<void> {
    if (path === "/files/info") {
      const wanted = url.searchParams.get("path") ?? ""
      const found = await stat(machine.at(wanted)).catch(() => undefined)
      if (found === undefined) return reply(response, 404, { statusCode: 404, message: `no file ${wanted}` })
      return reply(response, 200, {
        name: basename(wanted),
        isDir: found.isDirectory(),
        size: found.size,
        mode: "0644",
      })
    }
    if (path === "/files/bulk-download") {
      const [wanted = ""] = parsed(body)["paths"] as string[]
      const bytes = await readFile(machine.at(wanted))
      const name = wanted.replaceAll('"', "%22")
      const head = `--part\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: application/octet-stream\r\nContent-Length: ${bytes.length}\r\n\r\n`
      response.writeHead(200, { "content-type": "multipart/form-data; boundary=part" })
      response.end(Buffer.concat([Buffer.from(head), bytes, Buffer.from("\r\n--part--\r\n")]))
      return
    }
    if (path !== "/files/bulk-upload") return reply(response, 404, { statusCode: 404, message: path })
    const form = await formOf(request, body)
    const to = machine.at(String(form.get("files[0].path")))
    const unfinished = `${to}.${crypto.randomUUID()}`
    try {
      await mkdir(dirname(to), { recursive: true })
      await writeFile(unfinished, new Uint8Array(await (form.get("files[0].file") as File).arrayBuffer()))
      await rename(unfinished, to)
    } catch (error) {
      return reply(response, 400, { errors: [String(error)] })
    }
    reply(response, 200, { files: [] })
  }

  async #processes(
    request: IncomingMessage,
    path: string,
    body: Buffer,
    response: ServerResponse,
    machine: Machine,
  ): Promise<void> {
    if (path === "/process/execute") return await execute(parsed(body), response, machine)
    if (path === "/process/session") {
      this.sessions.set(String(parsed(body)["sessionId"]), { machine, commands: new Map(), pids: [] })
      return reply(response, 201)
    }
    const [, , , id = "", action, commandId = ""] = path.split("/")
    const session = this.sessions.get(id)
    if (session === undefined) return reply(response, 404, { statusCode: 404, message: "session not found" })
    if (action === "exec") return this.#exec(session, parsed(body), response)
    if (request.method === "DELETE") {
      for (const pid of session.pids) killGroup(pid)
      this.sessions.delete(id)
      return reply(response, 204)
    }
    const command = session.commands.get(commandId)
    if (command === undefined) return reply(response, 404, { statusCode: 404, message: "command not found" })
    const { exitCode } = command
    reply(response, 200, { id: commandId, command: "", ...(exitCode === undefined ? {} : { exitCode }) })
  }

  #exec(session: Session, asked: Record<string, unknown>, response: ServerResponse): void {
    const command = new Command()
    const cmdId = crypto.randomUUID()
    session.commands.set(cmdId, command)
    const child = session.machine.spawn("/bin/bash", ["-c", String(asked["command"])])
    if (child.pid !== undefined) session.pids.push(child.pid)
    for (const name of ["stdout", "stderr"] as const)
      child[name]?.setEncoding("utf8").on("data", (text: string) => command.add(name, text))
    child.once("close", (code) => command.end(code ?? 137))
    reply(response, 202, { cmdId })
  }

  /** The log of a command, followed to its end. */
  #upgrade(request: IncomingMessage, socket: Duplex): void {
    this.asked.push(`WS ${request.url}`)
    const [, , , , , session = "", , commandId = ""] = new URL(request.url ?? "/", "http://x").pathname.split("/")
    const command = this.sessions.get(session)?.commands.get(commandId)
    if (command === undefined || request.headers.authorization !== `Bearer ${this.key}`) {
      socket.end("HTTP/1.1 404 Not Found\r\n\r\n")
      return
    }
    const accept = createHash("sha1").update(`${request.headers["sec-websocket-key"]}${WEBSOCKET_KEY}`).digest("base64")
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    )
    let at = 0
    const stop = command.follow(() => {
      const bytes = Buffer.concat(command.log.slice(at))
      at = command.log.length
      // Cut without regard to lines, marks and characters.
      for (let from = 0; from < bytes.length; from += FRAME_BYTES_MAX)
        socket.write(frame(2, bytes.subarray(from, from + FRAME_BYTES_MAX)))
      if (command.exitCode !== undefined) socket.end(frame(8, Buffer.from([0x03, 0xe8])))
    })
    socket.once("close", stop).on("error", stop).resume()
  }
}

async function execute(asked: Record<string, unknown>, response: ServerResponse, machine: Machine): Promise<void> {
  const child = machine.spawn("/bin/bash", ["-c", String(asked["command"])])
  const timer = setTimeout(() => killGroup(child.pid), Number(asked["timeout"] ?? 360) * 1_000)
  const chunks: Buffer[] = []
  for (const output of [child.stdout, child.stderr]) output?.on("data", (chunk: Buffer) => chunks.push(chunk))
  const code = await new Promise<number | null>((done) => child.once("close", done))
  clearTimeout(timer)
  reply(response, 200, { exitCode: code ?? 137, result: String(Buffer.concat(chunks)) })
}

function frame(kind: number, bytes: Buffer): Buffer {
  const head = bytes.length < 126 ? Buffer.alloc(2) : Buffer.alloc(4)
  head[0] = 0x80 | kind
  if (bytes.length < 126) head[1] = bytes.length
  else {
    head[1] = 126
    head.writeUInt16BE(bytes.length, 2)
  }
  return Buffer.concat([head, bytes])
}

function parsed(body: Buffer): Record<string, unknown> {
  return body.length === 0 ? {} : (JSON.parse(String(body)) as Record<string, unknown>)
}
