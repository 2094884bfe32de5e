import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { openStore } from "@rouse/store"
import type { Store, StoreOptions } from "@rouse/store"
import type { OpenedStore } from "@rouse/testkit/store-suite"

export function makeDirectory(): string {
  return mkdtempSync(join(tmpdir(), "rouse-store-"))
}

/** A store in a directory of its own, which goes with it. */
export async function openFileStore({ clock }: Pick<StoreOptions, "clock">): Promise<OpenedStore> {
  const directory = makeDirectory()
  const open = (): Promise<Store> => openStore({ directory, clock, sync: "off" })
  let current = await open()
  return {
    store: current,
    reopen: async () => {
      await current.close()
      current = await open()
      return current
    },
    close: async () => {
      await current.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
