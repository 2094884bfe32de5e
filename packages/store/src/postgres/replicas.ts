import { randomUUID } from "node:crypto"
import type { Replica, ReplicaListener, Replicas } from "../replica.ts"
import type { Announcer } from "./announcer.ts"
import type { Connection } from "./connection.ts"
import { Neighbour } from "./neighbour.ts"
import { ReplicaSession } from "./replica-session.ts"
import type { CountedReplica } from "./replica-session.ts"
import type { Watcher } from "./watcher.ts"

/** How often everybody on record is looked at, milliseconds. An end is usually seen before. */
const LOOK_MS = 1_000
/** Between two tries to begin a session anew, milliseconds. */
const AGAIN_MS = 100
/**
 * How long an ended session is left alone, milliseconds. A replica that only lost its connection has begun anew by then; and after the database itself was
 * away nobody is taken for dead who is merely slower to come back.
 */
const GRACE_MS = 400
/** What was asked before a session began anew, and is unanswered so long after, was asked on a connection that is dark. Milliseconds. */
const DARK_MS = 2_000

export interface ReplicasParts {
  readonly connection: Connection
  readonly announcer: Announcer
  readonly watcher: Watcher
  readonly schema: string
  readonly listenUrl: string | undefined
  /** A session was lost and began anew: other connections may be lost as well, and not know it. */
  readonly onAnew: () => void
}

/**
 * The replicas of one database.
 *
 *     own session ──▶ a census every second, and at once when somebody says so ──▶ the listener
 *     the next replica's lock ──▶ waited for ──▶ a census, and the others are told
 *
 * 1. Somebody is reported as ended whose lock was free in two looks that are `GRACE_MS` apart, both in one session of this replica.
 * 2. No census is under way twice.
 */
export class PostgresReplicas implements Replicas {
  readonly #parts: ReplicasParts
  #session: ReplicaSession
  readonly #neighbour: Neighbour | undefined
  /** Sessions by serial that were found over, and when first. Of the present session. */
  readonly #over = new Map<number, number>()
  #listener: ReplicaListener | undefined
  #capacity = 0
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> | undefined
  #isAgain = false
  #isOpen = false
  #hasSession = false
  #told = ""

  constructor(parts: ReplicasParts) {
    this.#parts = parts
    const { schema, listenUrl: url } = parts
    this.#session = this.#newSession(parts.announcer.replica)
    this.#neighbour = url === undefined ? undefined : new Neighbour(url, schema, () => this.#sawEnd())
  }

  get id(): string {
    return this.#session.id
  }

  async join(capacity: number, listener: ReplicaListener): Promise<void> {
    // Whoever joined before in this process is gone, and is not who joins now.
    if (this.#isOpen) {
      await this.leave()
      this.#session = this.#newSession(randomUUID())
    }
    this.#capacity = capacity
    this.#listener = listener
    await this.#parts.connection.repeat(() => this.#session.begin(capacity))
    this.#hasSession = true
    this.#isOpen = true
    this.#parts.watcher.watchNews({
      onEntities: (urls) => listener.onEntities(urls),
      onDue: (atMs) => listener.onDue(atMs),
      onReplicas: () => void this.#look(),
    })
    this.#parts.announcer.replicas()
    await this.#look()
  }

  async live(): Promise<readonly Replica[]> {
    return (await this.#session.others()).filter(({ live }) => live)
  }

  async drain(): Promise<void> {
    this.#capacity = 0
    await this.#session.capacity(0)
    this.#parts.announcer.replicas()
  }

  async forget(id: string): Promise<void> {
    await this.#parts.connection.read("DELETE FROM ~replica WHERE tree = 0 AND id = $1", [id])
  }

  async queued(): Promise<number> {
    const [row] = await this.#parts.connection.read("SELECT count(*) AS n FROM ~entity WHERE status = 'queued'", [])
    return Number(row?.["n"])
  }

  async leave(): Promise<void> {
    if (!this.#isOpen) return
    await this.#stop()
    // Whoever cannot say so is found gone.
    await this.#session.end().catch(() => undefined)
    this.#parts.announcer.replicas()
  }

  /** Ends what this replica does by itself. A session that was not left ends with its connection. */
  async close(): Promise<void> {
    await this.#stop()
    this.#session.abandon()
  }

  async #stop(): Promise<void> {
    this.#isOpen = false
    clearTimeout(this.#timer)
    this.#parts.watcher.watchNews(undefined)
    this.#neighbour?.close()
    await this.#looking
  }

  #newSession(id: string): ReplicaSession {
    const { connection, schema, listenUrl: url } = this.#parts
    const onLost = (): void => {
      this.#hasSession = false
      if (this.#isOpen) void this.#look()
    }
    return new ReplicaSession({ connection, schema, id, url, onLost })
  }

  /** Others may be waiting for this end, too. */
  #sawEnd(): void {
    this.#parts.announcer.replicas()
    void this.#look()
  }

  #look(): Promise<void> {
    this.#isAgain = true
    this.#looking ??= this.#lookAll().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  async #lookAll(): Promise<void> {
    clearTimeout(this.#timer)
    let afterMs = LOOK_MS
    while (this.#isAgain && this.#isOpen) {
      this.#isAgain = false
      afterMs = await this.#lookOnce().catch(() => {
        this.#hasSession = false
        return AGAIN_MS
      })
    }
    if (!this.#isOpen) return
    this.#timer = setTimeout(() => void this.#look(), afterMs)
    this.#timer.unref()
  }

  /** Returns when to look again. */
  async #lookOnce(): Promise<number> {
    if (!this.#hasSession) {
      this.#over.clear()
      await this.#session.begin(this.#capacity)
      this.#hasSession = true
      this.#doubtOthers()
      this.#parts.announcer.replicas()
    }
    const counted = await this.#session.census()
    if (counted === undefined) {
      this.#hasSession = false
      return 0
    }
    this.#neighbour?.mind(counted, this.id)
    const waits = this.#note(counted)
    this.#tell(counted)
    return waits ? GRACE_MS : LOOK_MS
  }

  /** Whatever took the session may have taken every other connection with it, without a word. */
  #doubtOthers(): void {
    const { connection, onAnew } = this.#parts
    const nowMs = performance.now()
    setTimeout(() => connection.giveUp(nowMs), DARK_MS).unref()
    this.#neighbour?.close()
    onAnew()
  }

  /** Remembers since when whose session is over. Returns whether somebody's grace has yet to end. */
  #note(counted: readonly CountedReplica[]): boolean {
    const nowMs = performance.now()
    const over = counted.filter(({ live }) => !live)
    const serials = new Set(over.map(({ serial }) => serial))
    for (const serial of this.#over.keys()) if (!serials.has(serial)) this.#over.delete(serial)
    for (const serial of serials) if (!this.#over.has(serial)) this.#over.set(serial, nowMs)
    return over.some((one) => !this.#hasEnded(one))
  }

  #hasEnded({ serial, locks }: CountedReplica): boolean {
    return !locks || (this.#over.get(serial) ?? Number.POSITIVE_INFINITY) + GRACE_MS <= performance.now()
  }

  #tell(counted: readonly CountedReplica[]): void {
    const live = counted.filter((one) => one.live).map(({ id, capacity }) => ({ id, capacity }))
    const ended = counted.filter((one) => !one.live && this.#hasEnded(one)).map(({ id }) => id)
    const told = JSON.stringify(live)
    if (told === this.#told && ended.length === 0) return
    this.#told = told
    this.#listener?.onReplicas(live, ended)
  }
}
