import { type Budget, entityUrl, type ForkRequest, RouseError, type Row } from "@rouse/protocol"
import { forkRows } from "@rouse/protocol/fork"
import type { TestEntity } from "./entity.ts"

/** What a server does with an entity's forks of itself, for the in-memory Rouse: it keeps no offsets, so they are of now. */

/** @throws {RouseError} `INVALID_ARGS` for a fork of the past, `ALREADY_EXISTS`. */
export function checkFork(entity: TestEntity, { id, at }: ForkRequest, isTaken: (url: string) => boolean): void {
  if (at !== undefined) throw new RouseError("INVALID_ARGS", "at: the in-memory Rouse forks what is now, not the past")
  const url = entityUrl(entity.info.type, id)
  if (isTaken(url)) throw new RouseError("ALREADY_EXISTS", `${url} exists`)
}

/** @param create Makes the child, with its share of the budget. */
export function applyFork(
  entity: TestEntity,
  { id, tags, wake, budget }: ForkRequest,
  now: string,
  create: (id: string, budget: Budget | undefined) => TestEntity,
): TestEntity {
  const { kept, changes } = forkRows(rowsOf(entity), {
    source: entity.url,
    keepRun: false,
    keepWaiting: false,
    wake: undefined,
    renamed: new Map(),
    now,
  })
  const fork = create(id, budget)
  for (const { collection, key, value } of kept) fork.put(collection, key, value)
  for (const event of changes) if (event.value !== undefined) fork.put(event.type, event.key, event.value)
  for (const [digest, text] of entity.attachments) fork.attachments.set(digest, text)
  for (const [name, value] of Object.entries({ ...entity.tags, ...tags })) {
    fork.tags[name] = value
    fork.put("tag", name, { value })
  }
  fork.finished = entity.finished + 1
  entity.put("child", fork.url, { url: fork.url, type: entity.info.type, at: now, wake, status: "running" })
  return fork
}

function rowsOf({ rows, log }: TestEntity): readonly Row[] {
  const collections = [...new Set(log.map((event) => event.type))].sort()
  return collections.flatMap((collection) =>
    [...rows.entries(collection)].map(([key, value]) => ({ collection, key, value })),
  )
}
