import { spawn } from "node:child_process"
import type { ChildProcessByStdio } from "node:child_process"
import type { Readable } from "node:stream"
import { fileURLToPath } from "node:url"

export type Child = ChildProcessByStdio<null, Readable, null>

/** Runs `child.ts` from sources. */
export function startChild(mode: "own" | "load" | "trim", directory: string): Child {
  const file = fileURLToPath(new URL("./child.ts", import.meta.url))
  return spawn(process.execPath, ["--conditions=@rouse/source", file, mode, directory], {
    stdio: ["ignore", "pipe", "inherit"],
  })
}

export async function firstOutput(child: Child): Promise<void> {
  for await (const _ of child.stdout.iterator({ destroyOnReturn: false })) return
  throw new Error("the child ended without a word")
}
