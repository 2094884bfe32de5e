import { RouseError } from "@rouse/protocol"
import { openStore } from "@rouse/store"
import type { Store } from "@rouse/store"
import type { OffloadOptions } from "@rouse/store/postgres"
import type { Io } from "../io.ts"

const OFFLOAD_AFTER = "7d"
const AGE = /^([1-9]\d{0,5})(m|h|d)$/
const AGE_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }
/** A reader waits for the bucket: so long, and so often. */
const BUCKET_MS_MAX = 15_000
const BUCKET_TRIES_MAX = 3

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
  const offload = await offloadOf(io)
  if (url === undefined) {
    if (offload === undefined) return openStore({ directory, ...given })
    throw new RouseError(
      "BAD_REQUEST",
      "ROUSE_OFFLOAD_URL: logs in a directory stay there: set ROUSE_DATABASE_URL as well",
      {
        details: { field: "ROUSE_OFFLOAD_URL" },
      },
    )
  }
  const { openPostgresStore } = await import("@rouse/store/postgres")
  const schema = io.env["ROUSE_DATABASE_SCHEMA"]
  const listenUrl = io.env["ROUSE_DATABASE_LISTEN_URL"]
  return openPostgresStore({
    url,
    pooled: flagOf(io, "ROUSE_DATABASE_POOLED"),
    ...(schema === undefined ? {} : { schema }),
    ...(listenUrl === undefined ? {} : { listenUrl }),
    ...(offload === undefined ? {} : { offload }),
    ...given,
  })
}

/**
 * Where old parts of logs go: `ROUSE_OFFLOAD_URL`, and after how long, `ROUSE_OFFLOAD_AFTER`.
 *
 * @throws {RouseError} `BAD_REQUEST` naming the variable that is wrong or missing.
 */
async function offloadOf({ env }: Io): Promise<OffloadOptions | undefined> {
  const address = env["ROUSE_OFFLOAD_URL"]
  if (address === undefined || address === "") return undefined
  const { Bucket, bucketConfig } = await import("@rouse/store/bucket")
  const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
  const config = bucketConfig("ROUSE_OFFLOAD_URL", address, env)
  const bucket = new Bucket({
    config,
    fetch,
    sleep,
    holds: "old logs",
    requestMsMax: BUCKET_MS_MAX,
    triesMax: BUCKET_TRIES_MAX,
  })
  return { bucket, afterMs: ageOf("ROUSE_OFFLOAD_AFTER", env["ROUSE_OFFLOAD_AFTER"] || OFFLOAD_AFTER) }
}

/** @throws {RouseError} `BAD_REQUEST` for what is no age. */
function ageOf(field: string, text: string): number {
  const [, amount, unit = ""] = AGE.exec(text) ?? []
  if (amount !== undefined) return Number(amount) * (AGE_MS[unit] ?? 0)
  throw new RouseError("BAD_REQUEST", `${field}: must be an age like 7d, 12h or 30m`, { details: { field } })
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
