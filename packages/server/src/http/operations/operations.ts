import * as a2a from "./a2a.ts"
import * as entities from "./entities.ts"
import * as files from "./files.ts"
import * as handlers from "./handlers.ts"
import * as openai from "./openai.ts"
import type { Operation } from "./operation.ts"
import * as operators from "./operators.ts"
import * as server from "./server.ts"
import * as shared from "./shared.ts"
import * as streams from "./streams.ts"
import * as workers from "./tool-workers.ts"
import * as webhooks from "./webhooks.ts"

const { STREAM_NOTE: _note, ...streamOperations } = streams

/** Every operation of the API, in the order of its document: by part, path and method. */
export const OPERATIONS: readonly Operation[] = [
  entities,
  files,
  operators,
  shared,
  workers,
  handlers,
  webhooks,
  streamOperations,
  openai,
  a2a,
  server,
].flatMap((group): readonly Operation[] => Object.values(group).toSorted(byPath))

function byPath(a: Operation, b: Operation): number {
  if (a.path !== b.path) return a.path < b.path ? -1 : 1
  return a.method < b.method ? -1 : 1
}
