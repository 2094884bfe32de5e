import { spawn } from "node:child_process"
import type { ChildProcessWithoutNullStreams } from "node:child_process"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

/** The real command, from its source, as a process of its own. */
const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url))
/** Where nobody listens. */
export const NOBODY: string = "http://127.0.0.1:47998"
const READY_MS_MAX = 20_000

export interface Finished {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

export interface RunOptions {
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
}

export interface Running {
  readonly child: ChildProcessWithoutNullStreams
  readonly out: () => string
  readonly err: () => string
  /** Waits until what was written matches. */
  until(stream: "out" | "err", pattern: RegExp): Promise<RegExpMatchArray>
  readonly finished: Promise<Finished>
}

/** Starts `rouse …`. The environment holds no key, token or address of whoever runs the tests. */
export function start(args: readonly string[], { cwd, env = {}, input }: RunOptions): Running {
  const child = spawn(process.execPath, ["--conditions=@rouse/source", MAIN, ...args], {
    cwd,
    env: { PATH: process.env["PATH"] ?? "", HOME: cwd, NO_COLOR: "1", ROUSE_URL: NOBODY, ...env },
  })
  let out = ""
  let err = ""
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text))
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text))
  child.stdin.on("error", () => undefined)
  if (input === undefined) child.stdin.end()
  else child.stdin.end(input)
  const finished = new Promise<Finished>((settle) => child.once("close", (code) => settle({ code, out, err })))
  return {
    child,
    out: () => out,
    err: () => err,
    finished,
    until: (stream, pattern) =>
      new Promise((settle, fail) => {
        const look = (): void => {
          const match = (stream === "out" ? out : err).match(pattern)
          if (match === null) return
          done()
          settle(match)
        }
        const ended = (): void => {
          done()
          fail(new Error(`it ended before it wrote ${String(pattern)}\nout: ${out}\nerr: ${err}`))
        }
        const timer = setTimeout(ended, READY_MS_MAX)
        const source = stream === "out" ? child.stdout : child.stderr
        const done = (): void => {
          clearTimeout(timer)
          source.off("data", look)
          child.off("close", ended)
        }
        source.on("data", look)
        child.once("close", ended)
        look()
      }),
  }
}

/** Runs `rouse …` to its end. */
export function rouse(args: readonly string[], options: RunOptions): Promise<Finished> {
  return start(args, options).finished
}

/** An empty directory, removed at the end of the scope. */
export async function directory(
  files: Readonly<Record<string, string>> = {},
): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "rouse-cli-"))
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text)
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

export interface Served extends AsyncDisposable {
  readonly running: Running
  readonly url: string
  readonly types: readonly string[]
  readonly data: string
  /** Runs a command against this server. */
  rouse(...args: readonly string[]): Promise<Finished>
}

/** `rouse dev` (or another command that serves) on a free port, until the end of the scope. */
export async function served(
  cwd: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Served> {
  const [command = "dev", ...rest] = args
  const running = start([command, "--port", "0", "--json", ...rest], { cwd, env })
  const [line] = await running.until("out", /^\{"url".*\}$/m)
  const ready = JSON.parse(line) as { readonly url: string; readonly types: readonly string[]; readonly data: string }
  return {
    running,
    ...ready,
    rouse: (...command) => rouse(command, { cwd, env: { ...env, ROUSE_URL: ready.url } }),
    async [Symbol.asyncDispose]() {
      if (running.child.exitCode === null && running.child.signalCode === null) running.child.kill("SIGTERM")
      await running.finished
    },
  }
}

/** An agent on the offline model, as short as it can be. */
export function assistant(name = "assistant", prompt = "You are helpful."): string {
  return `defineEntity("${name}", {
  description: "Answers",
  async handler(ctx) {
    ctx.useAgent({ systemPrompt: "${prompt}", model: "rouse/echo", tools: [...ctx.tools] })
    await ctx.agent.run()
  },
})
`
}

export const WITH_IMPORTS: string = `import { defineEntity, tool } from "@rouse/agents"
import { z } from "zod"

const add = tool({
  name: "add",
  description: "Adds two numbers",
  input: z.object({ a: z.number(), b: z.number() }),
  effect: "pure",
  execute: ({ a, b }) => a + b,
})

const wipe = tool({
  name: "wipe",
  description: "Wipes everything",
  input: z.object({}),
  effect: "once",
  approval: true,
  execute: () => "wiped",
})

export const assistant = defineEntity("assistant", {
  description: "Answers and adds",
  state: { notes: { schema: z.object({ id: z.string(), text: z.string() }), key: "id" } },
  async handler(ctx, wake) {
    for (const message of wake.messages) ctx.state.notes.insert({ id: message.id, text: String(message.content) })
    ctx.useAgent({ systemPrompt: "You are helpful.", model: "rouse/echo", tools: [add, wipe] })
    await ctx.agent.run()
  },
})

export const picky = defineEntity("picky", {
  args: z.object({ name: z.string() }),
  handler: (ctx) => ctx.reply("hello " + ctx.args.name),
})
`
