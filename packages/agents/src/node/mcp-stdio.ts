/// <reference types="node" />
import { spawn } from "node:child_process"
import type { ChildProcessByStdio } from "node:child_process"
import type { Readable, Writable } from "node:stream"
import { RouseError } from "@rouse/protocol"
import type { JSONRPCMessage, Transport } from "@modelcontextprotocol/client"
import { keyOf, valuesOf } from "../mcp/credential.ts"
import type { Credential, SecretSource } from "../mcp/credential.ts"
import type { McpEndpoint, McpTransport } from "../mcp/options.ts"
import { loadSdk } from "../mcp/sdk.ts"
import type { McpSdk } from "../mcp/sdk.ts"

/** One message of a server. The SDK copies what it has with each piece that comes, so a long one costs its square. */
const MESSAGE_BYTES_MAX = 8 * 1024 * 1024
const IDLE_MS = 300_000
const WORDS_CHARS_MAX = 4_096
/** How long a server may take to end once its input is closed, before it is killed. */
const END_MS = 1_000
/** What a server is told of our environment: where programs are, and nothing that may be a secret. */
const INHERITED = [
  "PATH",
  "HOME",
  "USER",
  "LOGNAME",
  "SHELL",
  "TERM",
  "LANG",
  "TMPDIR",
  "SYSTEMROOT",
  "APPDATA",
  "TEMP",
]

export interface McpStdioOptions {
  readonly command: string
  readonly args?: readonly string[]
  /** Beside PATH, HOME and the like. Secrets by reference: `{ API_KEY: () => process.env.API_KEY }`. */
  readonly env?: Readonly<Record<string, Credential>>
  readonly cwd?: string
  /** How long the process is kept when nobody uses it, milliseconds. 300,000 when absent. */
  readonly idleMs?: number
}

/**
 * An MCP server that is a program on this machine, started when it is first needed and shared by every wake of this process.
 *
 * @throws {RouseError} `INVALID_ARGS` when `command` is empty.
 */
export function mcpStdio(options: McpStdioOptions): McpEndpoint {
  if (typeof options.command !== "string" || options.command === "") {
    throw new RouseError("INVALID_ARGS", "mcpStdio: command is required", { details: { field: "command" } })
  }
  return {
    kind: "stdio",
    key: keyOf(["stdio", options]),
    idleMs: options.idleMs ?? IDLE_MS,
    open: (secrets) => open(options, secrets),
  }
}

async function open(options: McpStdioOptions, secrets: SecretSource | undefined): Promise<McpTransport> {
  const env = await valuesOf(options.env ?? {}, secrets)
  const transport = new ChildTransport(options, env, await loadSdk())
  return {
    transport,
    hold: (held) => transport.hold(held),
    lastWords: () => transport.lastWords(),
  }
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>

/** The SDK's own stdio transport keeps the process alive for as long as the server runs, so an idle agent would too: this one does not. */
class ChildTransport implements Transport {
  onclose?: () => void
  onerror?: (error: Error) => void
  onmessage?: Transport["onmessage"]
  readonly #options: McpStdioOptions
  readonly #env: Readonly<Record<string, string>>
  readonly #sdk: McpSdk
  #child: Child | undefined
  #words = ""

  constructor(options: McpStdioOptions, env: Readonly<Record<string, string>>, sdk: McpSdk) {
    this.#options = options
    this.#env = env
    this.#sdk = sdk
  }

  async start(): Promise<void> {
    const { command, args = [], cwd } = this.#options
    const inherited = Object.fromEntries(INHERITED.flatMap((name) => inheritedValue(name)))
    const child: Child = spawn(command, [...args], {
      env: { ...inherited, ...this.#env },
      stdio: ["pipe", "pipe", "pipe"],
      windowsHide: true,
      ...(cwd === undefined ? {} : { cwd }),
    })
    this.#child = child
    const buffer = new this.#sdk.ReadBuffer({ maxBufferSize: MESSAGE_BYTES_MAX })
    child.stdout.on("data", (chunk: Buffer) => this.#read(buffer, chunk))
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#words = (this.#words + text).slice(-WORDS_CHARS_MAX)
    })
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.on("error", (error) => this.onerror?.(error))
    child.once("close", () => {
      this.#child = undefined
      this.onclose?.()
    })
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve)
      child.once("error", reject)
    })
  }

  #read(buffer: InstanceType<McpSdk["ReadBuffer"]>, chunk: Buffer): void {
    try {
      buffer.append(chunk)
    } catch (error) {
      this.onerror?.(error as Error)
      this.#child?.kill("SIGKILL")
      return
    }
    for (;;) {
      try {
        const message = buffer.readMessage()
        if (message === null) return
        this.onmessage?.(message)
      } catch (error) {
        // A line that is not a message: the next one may be.
        this.onerror?.(error as Error)
      }
    }
  }

  async send(message: JSONRPCMessage): Promise<void> {
    const stdin = this.#child?.stdin
    if (stdin === undefined || stdin.destroyed) {
      throw new this.#sdk.SdkError(this.#sdk.SdkErrorCode.NotConnected, "the server is not running")
    }
    await new Promise<void>((resolve, reject) => {
      stdin.write(this.#sdk.serializeMessage(message), (error) => (error ? reject(error) : resolve()))
    })
  }

  hold(held: boolean): void {
    const child = this.#child
    if (child === undefined) return
    const streams = [child.stdin, child.stdout, child.stderr] as unknown as readonly { ref(): void; unref(): void }[]
    for (const handle of [child, ...streams]) {
      if (held) handle.ref()
      else handle.unref()
    }
  }

  /** What it wrote to its standard error, without the values it was given to keep. */
  lastWords(): string {
    return Object.values(this.#env).reduce(
      (words, value) => (value.length >= 4 ? words.replaceAll(value, "[redacted]") : words),
      this.#words,
    )
  }

  async close(): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    const ended = new Promise<void>((resolve) => child.once("close", () => resolve()))
    child.stdin.end()
    // A server that floods is not read to its end.
    child.stdout.destroy()
    const timers = [END_MS, END_MS * 2].map((ms, index) =>
      setTimeout(() => child.kill(index === 0 ? "SIGTERM" : "SIGKILL"), ms),
    )
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, END_MS * 3).unref())])
    for (const timer of timers) clearTimeout(timer)
  }
}

function inheritedValue(name: string): readonly (readonly [string, string])[] {
  const value = process.env[name]
  return value === undefined ? [] : [[name, value]]
}
