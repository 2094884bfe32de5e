import { RouseError } from "@rouse/protocol"
import { openStore } from "@rouse/store"
import type { Store } from "@rouse/store"
import type { Io } from "../io.ts"

/**
 * Opens the store, in the directory or in the database that `ROUSE_DATABASE_URL` names, while the rest is still being imported and loaded: its thread starts beside them, and a server is
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
  const opening = openData(directory, io)
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

/** Where the data is, for people: no password. */
export function placeOfData(directory: string, io: Io): string {
  const url = databaseOf(io)
  if (url === undefined) return directory
  const { host, pathname } = URL.canParse(url) ? new URL(url) : { host: "", pathname: "" }
  return `postgres://${host}${pathname}`
}

async function openData(directory: string, io: Io): Promise<Store> {
  const url = databaseOf(io)
  const given = { clock: io.now, random: io.random }
  if (url === undefined) return openStore({ directory, ...given })
  const { openPostgresStore } = await import("@rouse/store/postgres")
  const schema = io.env["ROUSE_DATABASE_SCHEMA"]
  const listenUrl = io.env["ROUSE_DATABASE_LISTEN_URL"]
  return openPostgresStore({
    url,
    pooled: flagOf(io, "ROUSE_DATABASE_POOLED"),
    ...(schema === undefined ? {} : { schema }),
    ...(listenUrl === undefined ? {} : { listenUrl }),
    ...given,
  })
}

function databaseOf(io: Io): string | undefined {
  const url = io.env["ROUSE_DATABASE_URL"]
  return url === undefined || url === "" ? undefined : url
}

/** @throws {RouseError} `BAD_REQUEST` for what is neither. */
export function flagOf(io: Io, name: string): boolean {
  const value = io.env[name] ?? ""
  if (value === "1" || value === "true") return true
  if (value === "" || value === "0" || value === "false") return false
  throw new RouseError("BAD_REQUEST", `${name}: must be 1 or 0`, { details: { field: name } })
}
