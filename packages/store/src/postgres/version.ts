import { RouseError } from "@rouse/protocol"

/** What a store says of its tables. */
export interface Stamps {
  /** How many migrations were done. */
  readonly version: number
  /** The oldest version that may run on what is there. */
  readonly least: number
  readonly nonce: string
}

/**
 * A Rouse is of the version to which it brings the tables. An older one runs on tables of a newer one, until a migration says otherwise.
 *
 * @param known The version of this Rouse.
 * @param where The place of the store, for people.
 * @throws {RouseError} `STORE_UNAVAILABLE` for one that is too old: to whoever asks through a load balancer, another replica can answer.
 * @see docs/postgres.md, Upgrades
 */
export function refuseTooOld(least: number, known: number, where: string): void {
  if (least <= known) return
  const message = `${where} needs a Rouse of schema version ${least} or newer, and this one is of ${known}: start a newer Rouse on it`
  throw new RouseError("STORE_UNAVAILABLE", message, { details: { where, least, known } })
}
