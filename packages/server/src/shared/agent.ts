import type { SharedAnswers, SharedRequest, SharedWrite } from "@rouse/protocol"
import { sharedRequest, sharedWrites } from "@rouse/protocol/schemas"
import type { HeldLease } from "../handler-commit.ts"
import { parseValue } from "../http/body.ts"
import type { Plane } from "../plane.ts"
import { claimRows } from "./claims.ts"
import { defineSpace, sharedPath } from "./definition.ts"
import { getShared, listShared } from "./reads.ts"

/** Checks the changes of spaces in a handler's commit. @throws {RouseError} `INVALID_ARGS`. */
export function checkWrites(writes: readonly SharedWrite[]): void {
  for (const { space } of parseValue(writes, sharedWrites, "shared")) sharedPath(space)
}

/**
 * Answers what a handler asks of a space. A claim is a commit of its own, under the wake's lease: a handler that lost it claims nothing.
 *
 * @throws {RouseError} as the parts do; `FENCED`.
 */
export async function askShared<R extends SharedRequest>(
  plane: Plane,
  lease: HeldLease,
  request: R,
): Promise<SharedAnswers[R["kind"]]> {
  return (await answer(plane, lease, parseValue(request, sharedRequest, "shared"))) as SharedAnswers[R["kind"]]
}

async function answer(plane: Plane, { url, wake }: HeldLease, request: SharedRequest): Promise<unknown> {
  const { space } = request
  switch (request.kind) {
    case "open":
      await defineSpace(plane, space, request.definition)
      return null
    case "get":
      return (await getShared(plane, space, request.collection, request.key)) ?? null
    case "list":
      return listShared(plane, space, request.collection, request.query)
    case "claim": {
      const claiming = { ...request.claim, space, holder: url, by: url }
      return claimRows(plane, claiming, (draft) => draft.guard({ kind: "lease", url, epoch: wake.epoch }))
    }
  }
}
