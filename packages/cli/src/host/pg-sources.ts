import { isPgSourceName, PG_SOURCE_DEFAULT, RouseError } from "@rouse/protocol"
import type { PgSource } from "@rouse/server/pg-source"
import type { Io } from "../io.ts"

const SOURCES_MAX = 16
const NAMED = /^([^=:/?]*)=(.*)$/s

/**
 * The databases that `--pg-source` or `ROUSE_PG_SOURCES` name: `name=postgres://…`, or an address alone, which is `db`. The driver is loaded when there is one.
 *
 * @throws {RouseError} `BAD_REQUEST`, without the address: there is a password in it.
 */
export async function openPgSources(flag: readonly string[] | undefined, io: Io): Promise<readonly PgSource[]> {
  const asked = flag ?? (io.env["ROUSE_PG_SOURCES"] ?? "").split(/\s+/).filter((text) => text !== "")
  if (asked.length === 0) return []
  if (asked.length > SOURCES_MAX) throw new RouseError("BAD_REQUEST", `--pg-source: at most ${SOURCES_MAX} databases`)
  const sources = asked.map(parse)
  const twice = sources.find(({ name }, at) => sources.findIndex((other) => other.name === name) !== at)
  if (twice) throw new RouseError("BAD_REQUEST", `--pg-source: two databases are named "${twice.name}"`)
  const { openPgSource } = await import("@rouse/server/pg-source")
  return sources.map((source) => openPgSource(source))
}

function parse(text: string): { readonly name: string; readonly url: string } {
  const [, name = PG_SOURCE_DEFAULT, url = text] = NAMED.exec(text) ?? []
  if (!isPgSourceName(name))
    throw new RouseError("BAD_REQUEST", "--pg-source: a name must be 1 to 32 lower-case letters, digits and _-")
  if (/^postgres(ql)?:\/\//.test(url) && URL.canParse(url)) return { name, url }
  throw new RouseError("BAD_REQUEST", `--pg-source: ${name}: must be postgres://user:password@host:port/database`)
}
