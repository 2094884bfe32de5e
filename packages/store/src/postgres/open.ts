import { Announcer } from "./announcer.ts"
import { Audience } from "./audience.ts"
import { Hearing } from "./hearing.ts"
import { Watcher } from "./watcher.ts"
import { OFFLOAD_SIZES } from "../core/offload.ts"
import type { OffloadSizes } from "../core/offload.ts"
import type { Offload, OffloadBucket } from "../offload.ts"
import { MOVE_KEY, refuseMoved } from "../core/move-mark.ts"
import type { Store } from "../store.ts"
import { CommitLanes } from "./commit-lanes.ts"
import { Committer } from "./committer.ts"
import { Connection } from "./connection.ts"
import { EntityReader } from "./entity-reader.ts"
import { FactCache } from "./fact-cache.ts"
import { Ids } from "./ids.ts"
import { Loader } from "./loader.ts"
import { migrate } from "./migrate.ts"
import { ObservationReader } from "./observation-reader.ts"
import { LooseObjects } from "./offload/loose-objects.ts"
import { ObjectReader } from "./offload/object-reader.ts"
import { OffloadedReader } from "./offload/offloaded-reader.ts"
import { Offloader } from "./offload/offloader.ts"
import type { OffloadStage } from "./offload/offloader.ts"
import { Outcomes } from "./outcomes.ts"
import { PostgresReplicas } from "./replicas.ts"
import { PostgresStore } from "./postgres-store.ts"
import { RetentionReader } from "./retention-reader.ts"
import { MIGRATIONS } from "./schema.ts"
import type { Migration } from "./schema.ts"
import { checkSchema, DEFAULT_SCHEMA } from "./schema-name.ts"
import { SpaceReader } from "./space-reader.ts"
import { StreamReader } from "./stream-reader.ts"
import { WorkReader } from "./work-reader.ts"
import { SubscriptionReader } from "./subscription-reader.ts"

/** Groups of commits under way at once. */
const LANES = 4
const READERS = 4

export interface PostgresStoreOptions {
  /** `postgres://user:password@host:port/database`. Its password is in no error and no log. */
  readonly url: string
  /** Where the tables are. Default `rouse`. */
  readonly schema?: string
  /** Whether a pooler in transaction mode is in between, such as PgBouncer. */
  readonly pooled?: boolean
  /** Straight to the database, to listen on. Default: `url`, but none behind a pooler: there this replica looks for what others did. */
  readonly listenUrl?: string
  /** Milliseconds since the Unix epoch. */
  readonly clock: () => number
  /** From 0 to 1. Used once in a store's life, to tell its offsets from another's, and for the names of objects. */
  readonly random?: () => number
  /** Commits that may wait for the database; beyond it they are refused with `OVERLOADED`. */
  readonly commitsQueuedMax?: number
  /** Where old parts of logs go. Without it they stay; what is in a bucket already cannot be read. */
  readonly offload?: OffloadOptions
}

/** @see docs/offload.md */
export interface OffloadOptions {
  readonly bucket: OffloadBucket
  /** How old batches must be to go: milliseconds, give or take an hour. 0: whatever their age. */
  readonly afterMs: number
  readonly sizes?: Partial<OffloadSizes>
  /** For tests: told of each stage of an object. What it throws ends the step there. */
  readonly onStage?: (stage: OffloadStage, key: string) => void
}

/**
 * Opens the distributed engine. Makes or changes its tables when the role may.
 *
 * @throws {RouseError} `BAD_REQUEST` for a schema that is no plain name; `STORE_UNAVAILABLE` when the database cannot be reached or used;
 *   `STORE_MOVED` when what is there was moved elsewhere, or is no whole copy.
 * @see docs/postgres.md
 */
export function openPostgresStore(options: PostgresStoreOptions): Promise<Store> {
  return openAtVersion(options, MIGRATIONS)
}

/** As a Rouse that has these migrations opens it. For tests of upgrades, and not public. */
export async function openAtVersion(options: PostgresStoreOptions, migrations: readonly Migration[]): Promise<Store> {
  const { url, schema = DEFAULT_SCHEMA, pooled = false, clock, random = Math.random } = options
  checkSchema(schema)
  const connection = await Connection.open({ url, schema, pooled, connectionsMax: LANES + READERS })
  try {
    const seed = random()
    const nonce = await connection.repeat(() => migrate(connection, schema, seed, migrations))
    const [mark] = await connection.read("SELECT value FROM ~meta WHERE key = $1", [MOVE_KEY])
    refuseMoved(mark?.["value"], connection.where)
    const outcomes = new Outcomes(connection)
    const cache = new FactCache()
    const old = new OffloadedReader(connection, new ObjectReader(options.offload?.bucket))
    const lanes = Array.from({ length: LANES }, () => {
      const ids = new Ids()
      const loader = new Loader({ connection, nonce, ids, old, version: migrations.length })
      return new Committer({ connection, loader, outcomes, cache, ids, nonce })
    })
    const streams = new StreamReader(connection, clock, nonce, old)
    let greeted: Promise<void> = Promise.resolve()
    const audience = new Audience({
      clock,
      greet: (asks) => {
        greeted = announcer.greet(asks)
      },
      onNewcomer: () => watcher.look(),
    })
    const announcer = new Announcer(connection, `${schema}_changes`, () => audience.mayHear)
    const watcher = new Watcher({
      connection,
      nonce,
      replica: announcer.replica,
      clock,
      isHeard: () => hearing?.isListening === true,
      onHeard: ({ entities, greets }) => {
        cache.forget(entities)
        audience.heard(greets === "asks")
      },
    })
    const listenUrl = options.listenUrl ?? (pooled ? undefined : url)
    const hearing =
      listenUrl === undefined
        ? undefined
        : new Hearing({
            url: listenUrl,
            channel: `${schema}_changes`,
            onMessage: (payload) => watcher.hear(payload),
            onListening: () => {
              audience.listening()
              watcher.look()
            },
            onLost: () => audience.deaf(),
          })
    await hearing?.tried
    await greeted
    const onAnew = (): void => hearing?.renew()
    const replicas = new PostgresReplicas({ connection, announcer, watcher, schema, listenUrl, onAnew })
    const release = async (): Promise<void> => {
      outcomes.close()
      await replicas.close()
      audience.close()
      await hearing?.close()
      await announcer.close()
      await watcher.close()
      await connection.close()
    }
    return new PostgresStore({
      lanes: new CommitLanes(lanes, options.commitsQueuedMax),
      connection,
      streams,
      retention: new RetentionReader(connection, streams),
      entities: new EntityReader(connection, nonce, (url, entity, log) => cache.learn(url, entity, log)),
      subscriptions: new SubscriptionReader(connection, streams),
      observations: new ObservationReader(connection, streams),
      spaces: new SpaceReader(connection, streams),
      work: new WorkReader(connection),
      watcher,
      announcer,
      replicas,
      offload: offloaderOf(connection, nonce, random, options.offload),
      release,
    })
  } catch (error) {
    await connection.close()
    throw error
  }
}

function offloaderOf(
  connection: Connection,
  nonce: string,
  random: () => number,
  options: OffloadOptions | undefined,
): Offload | undefined {
  if (options === undefined) return undefined
  const { bucket, afterMs, sizes, onStage } = options
  return new Offloader({
    connection,
    bucket,
    loose: new LooseObjects(connection, bucket),
    nonce,
    random,
    afterMs,
    sizes: { ...OFFLOAD_SIZES, ...sizes },
    ...(onStage === undefined ? {} : { onStage }),
  })
}
