/// <reference types="node" />
import { spawn } from "node:child_process"
import { RouseError } from "@rouse/protocol"
import type { RunOptions, RunResult } from "../sandbox/provider.ts"
import { gather } from "./gather.ts"

/** What a program may write at all before it is killed. */
const FLOOD_BYTES_MAX = 64 * 1024 * 1024

export interface ShellLimits {
  /** Seconds of one process's work. */
  readonly cpuSeconds: number
  /** Address space of one process, in megabytes. None when absent: some programs reserve more than they use. */
  readonly memoryMb?: number
  /** Size of one file, in megabytes. */
  readonly fileMb: number
  readonly openFiles: number
}

/** Runs a command in a process group of its own, which is gone when this returns. */
export function runShell(
  command: string,
  cwd: string,
  env: Readonly<Record<string, string>>,
  limits: ShellLimits,
  { timeoutMs, outputCharsMax, signal }: RunOptions,
): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error)
    const child = spawn("/bin/sh", ["-c", `${ulimits(limits)}; exec /bin/sh -c "$1"`, "sh", command], {
      cwd,
      env,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    })
    const outputs = { stdout: gather(outputCharsMax), stderr: gather(outputCharsMax) }
    let timedOut = false
    let bytes = 0
    const kill = (): void => killGroup(child.pid)
    const timer = setTimeout(() => {
      timedOut = true
      kill()
    }, timeoutMs)
    signal.addEventListener("abort", kill, { once: true })
    for (const name of ["stdout", "stderr"] as const) {
      child[name].on("data", (chunk: Buffer) => {
        bytes += chunk.length
        if (bytes > FLOOD_BYTES_MAX) kill()
        else outputs[name].add(chunk)
      })
    }
    child.once("error", (error) => {
      clearTimeout(timer)
      reject(new RouseError("BACKEND_FAILED", `the shell cannot be started: ${error.message}`, { cause: error }))
    })
    // What it started in the background holds its outputs open: it ends with it.
    child.once("exit", kill)
    child.once("close", (exitCode) => {
      clearTimeout(timer)
      signal.removeEventListener("abort", kill)
      if (signal.aborted) reject(signal.reason as Error)
      else resolve({ exitCode, stdout: outputs.stdout.text(), stderr: outputs.stderr.text(), timedOut })
    })
  })
}

function ulimits({ cpuSeconds, memoryMb, fileMb, openFiles }: ShellLimits): string {
  const memory = memoryMb === undefined ? "" : ` && ulimit -v ${memoryMb * 1_024}`
  // `ulimit -f` counts in blocks of 512 bytes.
  return `ulimit -t ${cpuSeconds} && ulimit -f ${fileMb * 2_048} && ulimit -n ${openFiles}${memory} || exit 126`
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, "SIGKILL")
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error
  }
}
