import { type EntityUrl, RouseError } from "@rouse/protocol"
import { BREAKER } from "./breakers.ts"
import type { Plane } from "./plane.ts"
import { signal } from "./signals.ts"

/** Entities of one tree that are paused. */
const TREE_MAX = 10_000
const PAGE = 500

/**
 * Pauses the tree that a breaker tripped in. The entity where it did is paused already, so a crash in between leaves a loop cut.
 *
 * @param cause Where it tripped.
 */
export async function freezeTree(plane: Plane, root: EntityUrl, cause: EntityUrl): Promise<void> {
  const open = [root]
  for (let count = 0; open.length > 0 && count < TREE_MAX; count++) {
    const url = open.shift() as EntityUrl
    if (url !== cause) await pauseOne(plane, url, cause)
    open.push(...(await childrenOf(plane, url)).slice(0, TREE_MAX - open.length))
  }
}

async function childrenOf(plane: Plane, parent: EntityUrl): Promise<readonly EntityUrl[]> {
  const urls: EntityUrl[] = []
  let after: string | undefined
  do {
    const page = await plane.store.entities({ parent, limit: PAGE, ...(after === undefined ? {} : { after }) })
    urls.push(...page.entities.map((child) => child.url))
    after = page.next
  } while (after !== undefined && urls.length < TREE_MAX)
  return urls
}

async function pauseOne(plane: Plane, url: EntityUrl, cause: EntityUrl): Promise<void> {
  try {
    await signal(plane, { to: url, from: BREAKER, name: "pause", payload: { frozenWith: cause } }, () => undefined)
  } catch (error) {
    // Dead and stopped ones run no more anyway.
    if (!RouseError.is(error, "CONFLICT", "STOPPED", "UNKNOWN_ENTITY")) throw error
  }
}
