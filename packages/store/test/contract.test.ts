import { openMemoryStore } from "@rouse/store"
import { storeSuite } from "@rouse/testkit/store-suite"
import { openFileStore } from "./file-store.ts"

storeSuite("in a directory", openFileStore)

storeSuite("in memory", async ({ clock }) => {
  const store = await openMemoryStore({ clock })
  return { store, close: () => store.close() }
})
