import { randomUUID } from "node:crypto"
import { setTimeout as pause } from "node:timers/promises"
import { RouseError } from "@rouse/protocol"
import { numberOf } from "../core/home.ts"
import type { Connection } from "./connection.ts"
import { DatabaseError } from "./database-failure.ts"

/** Between two questions what became of a group, milliseconds. */
const ASK_AGAIN_MS = 250

/** The name under which a group of commits leaves its outcome. */
export interface BatchName {
  readonly tree: number
  readonly id: string
}

/**
 * Finds out what became of a group whose answer was lost with the connection.
 *
 * It asks by taking the group's name for itself: either the group has it, and is done; or it never will be, since its own attempt to leave its name
 * undoes it, however late the database comes to it. Until the database can be asked nobody is told anything.
 */
export class Outcomes {
  readonly #connection: Connection
  #closed = false

  constructor(connection: Connection) {
    this.#connection = connection
  }

  newName(): BatchName {
    const id = randomUUID()
    return { tree: numberOf(id), id }
  }

  /**
   * The stale parts of a group that is done.
   *
   * @throws {DatabaseError} to be tried again, when it is not. {RouseError} `STORE_UNAVAILABLE` when the store is closed before it is known.
   */
  async resolve(name: BatchName): Promise<readonly number[]> {
    for (;;) {
      try {
        return await this.#ask(name)
      } catch (error) {
        if (error instanceof DatabaseError && error.fate === "again") throw error
        if (this.#closed) throw unresolved(this.#connection.where)
        await pause(ASK_AGAIN_MS)
      }
    }
  }

  close(): void {
    this.#closed = true
  }

  async #ask({ tree, id }: BatchName): Promise<readonly number[]> {
    const taken = await this.#connection.read(
      "INSERT INTO ~batch (tree, id, done, stale) VALUES ($1, $2, false, '{}') ON CONFLICT DO NOTHING RETURNING id",
      [tree, id],
    )
    if (taken.length > 0) throw new DatabaseError("again", "", "the connection was lost before the group was done")
    // Written once more, not only read: where a standby is to have what is acknowledged, a group whose own wait for it was broken off is on one disk
    // alone until something that was written after it is on both.
    const [row] = await this.#connection.read(
      "UPDATE ~batch SET done = done WHERE tree = $1 AND id = $2 RETURNING done, stale::text AS stale",
      [tree, id],
    )
    if (row?.["done"] !== true) throw new DatabaseError("again", "", "the group was given up before")
    const text = String(row["stale"]).slice(1, -1)
    return text === "" ? [] : text.split(",").map(Number)
  }
}

function unresolved(where: string): RouseError {
  return new RouseError(
    "STORE_UNAVAILABLE",
    `${where} was lost while it had a commit, and the store was closed before it was known what became of it`,
  )
}
