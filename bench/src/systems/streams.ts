import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { openStore } from "@rouse/store"
import { Child } from "../lib/child.ts"
import { createAll } from "../lib/stream-client.ts"

/** A server of the Durable Streams Protocol under `/v1/stream/`, durable on disk. */
export interface StreamSystem {
  readonly name: string
  readonly version: string
  /** Starts it on what `directory` holds. */
  start(directory: string): Promise<Child>
  /** Makes `count` empty JSON streams named `idle/{n}`, in whatever way is quickest. */
  seed(directory: string, count: number): Promise<void>
}

const PROGRAM = fileURLToPath(new URL("../programs/durable-streams-server.mjs", import.meta.url))
const PACKAGE = "@durable-streams/server"
/** Streams that are made in one commit. */
const SEED_OPS = 500

/** The reference implementation, from npm, on files and LMDB. */
export const reference: StreamSystem = {
  name: PACKAGE,
  version: versionOf(createRequire(import.meta.url).resolve(PACKAGE)),
  start: (directory) => Child.start({ args: [...nodeArgs("REFERENCE"), PROGRAM], cwd: directory }),
  async seed(directory, count) {
    const child = await this.start(directory)
    await createAll(child.url, count, (n) => `idle/${n}`)
    await child.stop()
  },
}

/** `rouse streams`, quiet. */
export function rouseStreams(program: string, name = "rouse"): StreamSystem {
  return {
    name,
    version: "",
    start: (directory) =>
      Child.start({
        args: [...nodeArgs("ROUSE"), program, "streams", "--port", "0", "--json", "--log-level", "warn"],
        cwd: directory,
      }),
    async seed(directory, count) {
      const store = await openStore({ directory: join(directory, ".rouse"), clock: Date.now, sync: "off" })
      for (let first = 0; first < count; first += SEED_OPS) {
        const ops = Array.from({ length: Math.min(SEED_OPS, count - first) }, (_, n) => ({
          op: "createStream" as const,
          path: `idle/${first + n}`,
          contentType: "application/json",
          nowMs: Date.now(),
        }))
        await store.commit({ ops })
      }
      await store.close()
    },
  }
}

/** For profiles: `ROUSE_BENCH_NODE_ARGS="--cpu-prof --cpu-prof-dir=…"`. */
function nodeArgs(name: "ROUSE" | "REFERENCE"): string[] {
  return (process.env[`${name}_BENCH_NODE_ARGS`] ?? "").split(" ").filter((arg) => arg !== "")
}

function versionOf(main: string): string {
  const root = main.slice(0, main.lastIndexOf(PACKAGE) + PACKAGE.length)
  return (JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string }).version
}
