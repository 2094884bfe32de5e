import type { SpaceClaim, SpaceOp } from "../space.ts"
import type { Need } from "./facts.ts"

/** Rows of a queue that are looked up for a claim at least: others of its group take some, too. */
const CLAIMABLE_MIN = 16

/** What planning a change of a space will ask for. */
export function needsOfSpace({ path: name, change, nowMs }: SpaceOp): Need[] {
  const own: Need = { kind: "spaces", name }
  const rowNeed = (collection: string, key: string): Need => {
    return { kind: "spaceRows", name, id: JSON.stringify([collection, key]) }
  }
  if (change.kind === "disown") return [own, ...change.rows.map(({ collection, key }) => rowNeed(collection, key))]
  if (change.kind !== "write") return [own]
  const needs = change.writes.flatMap((write): Need[] => {
    if (write.kind === "claim") return needsOfClaim(name, write, nowMs)
    return [rowNeed(write.collection, write.key)]
  })
  return [own, ...needs]
}

function needsOfClaim(name: string, { collection, queue, limit, holder, claim }: SpaceClaim, nowMs: number): Need[] {
  return [
    {
      kind: "claimable",
      name,
      id: JSON.stringify([collection, queue, nowMs]),
      limit: Math.max(limit, CLAIMABLE_MIN),
    },
    { kind: "held", name, id: JSON.stringify([holder, claim]) },
    { kind: "heldCounts", name, id: JSON.stringify([holder, nowMs]) },
  ]
}
