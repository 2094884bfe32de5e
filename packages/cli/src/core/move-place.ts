import { usage } from "./failure.ts"

/** Stands for the database that `ROUSE_DATABASE_URL` names: what is in the environment shows no password to who lists processes. */
const DATABASE = "database"

/**
 * Where a store is that is to be moved: a directory, or a database.
 *
 * @param databaseUrl What `ROUSE_DATABASE_URL` says.
 * @throws {RouseError} `BAD_REQUEST` that names the flag, and not what it was given: there may be a password in it.
 */
export function placeNamed(
  flag: string,
  text: string,
  databaseUrl: string | undefined,
): { readonly directory: string } | { readonly url: string } {
  if (text === DATABASE) {
    if (databaseUrl !== undefined && databaseUrl !== "") return { url: databaseUrl }
    throw usage(`${flag} ${DATABASE} is what ROUSE_DATABASE_URL names, and that is not set`)
  }
  if (/^postgres(ql)?:\/\//.test(text)) {
    if (URL.canParse(text)) return { url: text }
    throw usage(`${flag} must be like postgres://user:password@host:port/database`)
  }
  if (text === "" || /^[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
    throw usage(`${flag} must be a directory, a postgres:// address, or the word ${DATABASE}`)
  }
  return { directory: text }
}
