import { createClient } from "@rouse/client"
import type { Client } from "@rouse/client"
import { parseServerUrl } from "./core/arguments.ts"
import { DEFAULT_URL } from "./core/defaults.ts"
import type { Io } from "./io.ts"

/** What every command has that talks to a server. */
export interface RemoteOptions {
  readonly url?: string
  readonly json?: boolean
}

/** A person waits: a server that is not there is reported soon, one that restarts is met all the same. */
const ATTEMPTS = 3

/** A client of the server that the flags or the environment name. */
export function connect(options: RemoteOptions, io: Io): Client {
  const token = io.env["ROUSE_TOKEN"]
  return createClient({
    url: serverUrl(options, io),
    ...(token === undefined || token === "" ? {} : { token }),
    random: io.random,
    newKey: io.uuid,
    attempts: ATTEMPTS,
  })
}

/** The server's address: `--url`, else ROUSE_URL, else the default. */
export function serverUrl(options: RemoteOptions, io: Io): string {
  const said = options.url ?? io.env["ROUSE_URL"]
  return said === undefined || said === "" ? DEFAULT_URL : parseServerUrl(said)
}
