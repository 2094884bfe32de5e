import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"

const MAIN = fileURLToPath(new URL("../../cli/src/main.ts", import.meta.url))

/** A `rouse streams` of its own, from its source. */
export interface StreamsProcess {
  /** Of the streams, without a slash at its end. */
  readonly url: string
  /** Ends it as a loss of power would, but for the system's own memory. */
  kill(): Promise<void>
}

/** Starts `rouse streams` on a directory. Rejects with what it wrote when it ends before it is ready. */
export async function startStreams(directory: string, ...args: readonly string[]): Promise<StreamsProcess> {
  const child = spawn(
    process.execPath,
    ["--conditions=@rouse/source", MAIN, "streams", "--port", "0", "--json", "--log-level", "warn", ...args],
    { cwd: directory, stdio: ["ignore", "pipe", "pipe"], env: { PATH: process.env["PATH"] ?? "", HOME: directory } },
  )
  let said = ""
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text))
  const url = await new Promise<string>((resolve, reject) => {
    child.once("exit", () => reject(new Error(said)))
    createInterface({ input: child.stdout }).once("line", (line) =>
      resolve((JSON.parse(line) as { streams: string }).streams),
    )
  })
  return { url, kill: () => kill(child) }
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, "exit")
  child.kill("SIGKILL")
  await ended
}
