import { openStore } from "@rouse/store"
import type { Store } from "@rouse/store"
import type { Io } from "../io.ts"

/**
 * Opens the store while the rest is still being imported and loaded: its thread starts beside them, and a server is
 * ready sooner.
 * What `use` makes owns the store; when `use` fails, it is closed.
 *
 * @throws what `use` throws; the store's own error only where `use` waits for it.
 */
export async function withStore<T>(
  directory: string,
  io: Io,
  use: (opening: Promise<Store>) => Promise<T>,
): Promise<T> {
  const opening = openStore({ directory, clock: io.now, random: io.random })
  const settled = opening.then(
    (store) => store,
    () => undefined,
  )
  try {
    return await use(opening)
  } catch (error) {
    const store = await settled
    await store?.close()
    throw error
  }
}
