import type { WorkerOptions } from "node:worker_threads"

/** Whether this runs from sources, which Node strips of their types. */
const fromSource = import.meta.url.endsWith(".ts")

/** A worker's module beside this one, in the form in which this one was loaded. */
export function workerUrl(name: "writer" | "checkpointer"): URL {
  return new URL(`./${name}${fromSource ? ".ts" : ".js"}`, import.meta.url)
}

/** Other packages are resolved as they were for this thread: from their sources too, when this one is. */
export function workerOptions(): WorkerOptions {
  return fromSource ? { execArgv: ["--conditions=@rouse/source"] } : { execArgv: [] }
}
