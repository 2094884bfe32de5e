/// <reference types="node" />
import { createHash } from "node:crypto"
import { RouseError } from "@rouse/protocol"
import { grepCommand, grepMatches } from "../core/grep.ts"
import { fileParts, workspaceParts } from "../core/sandbox-path.ts"
import type {
  RunOptions,
  RunResult,
  SandboxProvider,
  SearchOptions,
  SearchResult,
  Workspace,
} from "../sandbox/provider.ts"
import { DockerApi, refused } from "./docker-api.ts"
import type { DockerHost } from "./docker-api.ts"
import { gather } from "./gather.ts"

const HOME = "/workspace"
const LABEL = "dev.rouse.workspace"
const MEMORY_MB = 512
const CPUS = 1
const PROCESSES_MAX = 256
/** A part of a file as one argument of a command: below what Linux takes, in base64. */
const PART_BYTES = 64 * 1024
const FILE_TIMEOUT_MS = 60_000
const SEARCH_CHARS_MAX = 2_000_000
/** What `timeout` answers when it had to end a command. */
const TIMED_OUT_CODES: readonly unknown[] = [124, 137, 143]
const OK = [200, 201, 204, 304]

export interface DockerSandboxOptions {
  /** An image with a shell, `timeout`, `base64` and `grep`, which is there already: `node:24`, `python:3.13`, `debian:stable`. */
  readonly image: string
  /** Where the daemon listens. `/var/run/docker.sock` when absent. */
  readonly docker?: DockerHost
  readonly memoryMb?: number
  readonly cpus?: number
  /** Docker's network mode: `none` when absent, `bridge` to reach the world. */
  readonly network?: string
  readonly env?: Readonly<Record<string, string>>
  /** The container's user: the image's own when absent. */
  readonly user?: string
}

/**
 * Workspaces that are Docker containers, each with a name of its own, kept until they are removed. Without a network, privileges or the means to get
 * any, unless the options say so.
 *
 * @throws {RouseError} `INVALID_ARGS` naming the option that is wrong.
 */
export function dockerSandbox(options: DockerSandboxOptions): SandboxProvider {
  if (typeof options.image !== "string" || options.image === "") throw invalid("image", "is required")
  for (const field of ["memoryMb", "cpus"] as const) {
    const value = options[field]
    if (value !== undefined && !(value > 0)) throw invalid(field, "must be a positive number")
  }
  const api = new DockerApi(options.docker ?? { socketPath: "/var/run/docker.sock" })
  return {
    async open(name) {
      const container = containerName(name)
      await ensure(api, container, name, options)
      return new DockerWorkspace(api, container)
    },
    async remove(name) {
      await api.expect([...OK, 404], "DELETE", `/containers/${containerName(name)}?force=true&v=true`)
    },
    async list() {
      const filters = encodeURIComponent(JSON.stringify({ label: [LABEL] }))
      const all = (await api.expect(OK, "GET", `/containers/json?all=true&filters=${filters}`)) as readonly Listed[]
      return all.flatMap(({ Labels }) => Labels?.[LABEL] ?? [])
    },
  }
}

interface Listed {
  readonly Labels?: Readonly<Record<string, string>>
}

/** Two wakes that make it at once are one container: the second is told that the name is taken. */
async function ensure(api: DockerApi, container: string, name: string, options: DockerSandboxOptions): Promise<void> {
  const started = await api.call("POST", `/containers/${container}/start`)
  if (OK.includes(started.status)) return
  if (started.status !== 404) throw refused(started)
  await api.expect([...OK, 409], "POST", `/containers/create?name=${container}`, {
    Image: options.image,
    Cmd: ["sh", "-c", "while :; do sleep 3600; done"],
    WorkingDir: HOME,
    Env: Object.entries({ HOME, ...options.env }).map(([key, value]) => `${key}=${value}`),
    Labels: { [LABEL]: name },
    ...(options.user === undefined ? {} : { User: options.user }),
    HostConfig: {
      Init: true,
      Memory: (options.memoryMb ?? MEMORY_MB) * 2 ** 20,
      NanoCpus: (options.cpus ?? CPUS) * 1e9,
      PidsLimit: PROCESSES_MAX,
      NetworkMode: options.network ?? "none",
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges"],
    },
  })
  await api.expect(OK, "POST", `/containers/${container}/start`)
}

class DockerWorkspace implements Workspace {
  readonly #api: DockerApi
  readonly #container: string

  constructor(api: DockerApi, container: string) {
    this.#api = api
    this.#container = container
  }

  async run(command: string, options: RunOptions): Promise<RunResult> {
    const seconds = Math.ceil(options.timeoutMs / 1_000)
    const ran = await this.#exec(["timeout", "-s", "KILL", String(seconds), "sh", "-c", command], options)
    const timedOut = ran.tookMs >= options.timeoutMs && TIMED_OUT_CODES.includes(ran.exitCode)
    return { exitCode: timedOut ? null : ran.exitCode, stdout: ran.stdout, stderr: ran.stderr, timedOut }
  }

  async read(path: string, bytesMax: number): Promise<Uint8Array> {
    const file = fileParts(path).join("/")
    // Base64, so that bytes that are no text come through; one byte more than may be, to know that there are more.
    const script = `[ -f "$1" ] || exit 44; head -c ${bytesMax + 1} -- "$1" | base64`
    const outputCharsMax = Math.ceil((bytesMax + 1) * 3)
    const ran = await this.#file(script, [file], outputCharsMax)
    if (ran.exitCode === 44) throw new RouseError("NOT_FOUND", `there is no file ${path}`)
    if (ran.exitCode !== 0) throw failed(path, ran.stderr)
    const bytes = Buffer.from(ran.stdout.replace(/\s+/g, ""), "base64")
    if (bytes.length > bytesMax) throw new RouseError("TOO_LARGE", `${path} is larger than ${bytesMax} bytes`)
    return bytes
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    const file = fileParts(path).join("/")
    const unfinished = `/tmp/.rouse-${crypto.randomUUID()}`
    for (let at = 0; at === 0 || at < bytes.length; at += PART_BYTES) {
      const part = Buffer.from(bytes.subarray(at, at + PART_BYTES)).toString("base64")
      const ran = await this.#file('printf %s "$2" | base64 -d >> "$1"', [unfinished, part])
      if (ran.exitCode !== 0) throw failed(path, ran.stderr)
    }
    const script =
      'trap \'rm -f -- "$1"\' EXIT; [ ! -d "$2" ] || exit 45; mkdir -p -- "$(dirname -- "$2")" && mv -f -- "$1" "$2"'
    const ran = await this.#file(script, [unfinished, file])
    if (ran.exitCode === 45) throw new RouseError("FORBIDDEN", `${path} is a directory`)
    if (ran.exitCode !== 0) throw failed(path, ran.stderr)
  }

  async search(pattern: string, { path = "", matchesMax, signal }: SearchOptions): Promise<SearchResult> {
    const place = workspaceParts(path).join("/")
    const found = await this.#file('[ -d "$1" ] && exit 0; [ -f "$1" ] && exit 1; exit 44', [
      place === "" ? "." : place,
    ])
    if (found.exitCode === 44) throw new RouseError("NOT_FOUND", `there is no ${path}`)
    const isDirectory = found.exitCode === 0
    const script = `${isDirectory ? 'cd -- "$2" && ' : ""}ROUSE_PATTERN="$1" ROUSE_FILE="$2"; export ROUSE_PATTERN ROUSE_FILE; ${grepCommand(isDirectory, matchesMax)}`
    const ran = await this.#file(script, [pattern, place === "" ? "." : place], SEARCH_CHARS_MAX, signal)
    const matches = grepMatches(ran.stdout, isDirectory ? place : undefined, path)
    if (matches.length === 0 && /^grep: /m.test(ran.stderr))
      throw new RouseError("INVALID_ARGS", `pattern: ${ran.stderr.trim().slice(0, 200)}`)
    return { matches: matches.slice(0, matchesMax), isPartial: matches.length > matchesMax }
  }

  async #file(script: string, args: readonly string[], outputCharsMax = 4_096, signal?: AbortSignal): Promise<Ran> {
    const options = {
      timeoutMs: FILE_TIMEOUT_MS,
      outputCharsMax: outputCharsMax * 2,
      signal: signal ?? AbortSignal.timeout(FILE_TIMEOUT_MS),
    }
    return await this.#exec(["timeout", "-s", "KILL", "60", "sh", "-c", script, "sh", ...args], options)
  }

  /** Runs a program in the container. What is interrupted is killed with all that runs in it: it starts again when it is needed. */
  async #exec(command: readonly string[], { signal, outputCharsMax }: RunOptions): Promise<Ran> {
    signal.throwIfAborted()
    const created = (await this.#api.expect(OK, "POST", `/containers/${this.#container}/exec`, {
      AttachStdout: true,
      AttachStderr: true,
      Cmd: command,
      WorkingDir: HOME,
    })) as { readonly Id: string }
    const outputs = [gather(outputCharsMax), gather(outputCharsMax)] as const
    const startedAtMs = performance.now()
    try {
      await this.#api.stream(`/exec/${created.Id}/start`, { Detach: false, Tty: false }, signal, (chunk, isError) =>
        outputs[isError ? 1 : 0].add(chunk),
      )
    } catch (error) {
      if (signal.aborted) await this.#api.call("POST", `/containers/${this.#container}/kill`)
      throw signal.aborted ? signal.reason : error
    }
    const ended = (await this.#api.expect(OK, "GET", `/exec/${created.Id}/json`)) as {
      readonly ExitCode: number | null
    }
    const tookMs = performance.now() - startedAtMs
    return { exitCode: ended.ExitCode, stdout: outputs[0].text(), stderr: outputs[1].text(), tookMs }
  }
}

interface Ran {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
  readonly tookMs: number
}

function containerName(name: string): string {
  const shown = name
    .replace(/[^A-Za-z0-9]+/g, "-")
    .replace(/^-/, "")
    .slice(0, 40)
  return `rouse-${shown}-${createHash("sha256").update(name).digest("hex").slice(0, 16)}`
}

function failed(path: string, stderr: string): RouseError {
  return new RouseError("BACKEND_REFUSED", `${path}: ${stderr.trim().slice(0, 500) || "it failed without a reason"}`)
}

function invalid(field: string, rule: string): RouseError {
  return new RouseError("INVALID_ARGS", `dockerSandbox: ${field} ${rule}`, { details: { field } })
}
