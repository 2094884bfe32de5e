import type { OffloadBucket } from "../../offload.ts"
import type { Connection } from "../connection.ts"

/** How long an object may take from its note to its pointer. Then it is deleted. */
const NOTE_MS = 1_800_000
/** Objects that one step deletes, and at once. */
const DELETES_MAX = 64
const DELETES_AT_ONCE = 8
/** From one try to the next, milliseconds: doubled each time. */
const RETRY_MS_FIRST = 30_000
const DOUBLINGS_MAX = 7

const NOTE = "INSERT INTO ~loose (tree, key, stream, due_at, tries) VALUES ($1, $2, $3, $4, 0) ON CONFLICT DO NOTHING"
/** Whoever takes one has it until its next try: a replica that dies meanwhile has not lost it. */
const TAKE = `UPDATE ~loose o SET tries = o.tries + 1, due_at = $1::int8 + ${RETRY_MS_FIRST} * (1 << least(o.tries, ${DOUBLINGS_MAX})) FROM
    (SELECT tree, key FROM ~loose WHERE due_at <= $1 ORDER BY due_at LIMIT ${DELETES_MAX} FOR UPDATE SKIP LOCKED) d
  WHERE o.tree = d.tree AND o.key = d.key RETURNING o.tree, o.key`
const DROP = "DELETE FROM ~loose WHERE tree = $1 AND key = $2"

/**
 * Objects in the bucket that no stream refers to: those that are being made, and those that are to be deleted. Each is a row until it is known to be
 * gone, however often the bucket refuses and whoever dies.
 */
export class LooseObjects {
  readonly #connection: Connection
  readonly #bucket: OffloadBucket

  constructor(connection: Connection, bucket: OffloadBucket) {
    this.#connection = connection
    this.#bucket = bucket
  }

  /** Says that an object is about to be made. */
  async note(tree: number, key: string, stream: number, nowMs: number): Promise<void> {
    await this.#connection.read(NOTE, [tree, key, stream, nowMs + NOTE_MS])
  }

  /** Deletes those that are due. Returns whether there may be more. @throws {RouseError} as the bucket does, when one could not be deleted. */
  async deleteDue(nowMs: number): Promise<boolean> {
    const due = await this.#connection.read(TAKE, [nowMs])
    const waiting = due.map((row) => ({ tree: Number(row["tree"]), key: row["key"] as string }))
    const failures: unknown[] = []
    const lane = async (): Promise<void> => {
      for (let one = waiting.pop(); one !== undefined && failures.length === 0; one = waiting.pop()) {
        await this.#delete(one.tree, one.key).catch((error: unknown) => failures.push(error))
      }
    }
    await Promise.all(Array.from({ length: DELETES_AT_ONCE }, lane))
    if (failures.length > 0) throw failures[0]
    return due.length === DELETES_MAX
  }

  /** The object first, and then its row. */
  async #delete(tree: number, key: string): Promise<void> {
    await this.#bucket.delete(key)
    await this.#connection.read(DROP, [tree, key])
  }
}
