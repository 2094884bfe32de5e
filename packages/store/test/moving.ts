import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { openStore } from "@rouse/store"
import type { Store } from "@rouse/store"
import { moveStore } from "@rouse/store/move"
import type { MoveOptions, MovePlace, MoveReport } from "@rouse/store/move"
import { openPostgresStore } from "@rouse/store/postgres"
import type { OpenedStore } from "@rouse/testkit/store-suite"

/** A directory and a schema that a store is moved between. */
export interface Places extends AsyncDisposable {
  readonly embedded: { readonly directory: string }
  readonly distributed: { readonly url: string; readonly schema: string }
}

let made = 0

export function makePlaces(url: string): Places {
  made += 1
  const directory = mkdtempSync(join(tmpdir(), "rouse-move-"))
  return {
    embedded: { directory },
    distributed: { url, schema: `moved_${made}` },
    async [Symbol.asyncDispose]() {
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

export function openAt(place: MovePlace, clock: () => number): Promise<Store> {
  return "directory" in place ? openStore({ ...place, clock, sync: "off" }) : openPostgresStore({ ...place, clock })
}

export function move(from: MovePlace, to: MovePlace, more: Partial<MoveOptions> = {}): Promise<MoveReport> {
  return moveStore({ from, to, clock: Date.now, random: Math.random, ...more })
}

/** A store that is in the other engine each time it is opened again. */
export async function openMovingStore(url: string, clock: () => number): Promise<OpenedStore> {
  const places = makePlaces(url)
  let [at, next]: [MovePlace, MovePlace] = [places.embedded, places.distributed]
  let current = await openAt(at, clock)
  return {
    store: current,
    reopen: async () => {
      await current.close()
      await move(at, next, { replace: true })
      ;[at, next] = [next, at]
      current = await openAt(at, clock)
      return current
    },
    close: async () => {
      await current.close()
      await places[Symbol.asyncDispose]()
    },
  }
}
