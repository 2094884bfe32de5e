/** Changes of one table that were taken together, and come again as they are until they are done. */
export interface RowBatch {
  /** The table: `orders`, `sales.orders`. */
  readonly label: string
  readonly epoch: number
  /** Numbers the table's batches from 0 under an epoch. */
  readonly number: number
  /** State Protocol messages as JSON text, each followed by a comma. */
  readonly events: string
}

/** A database whose changed rows rouse agents: see `openPgSource`. */
export interface RowSource {
  /** Names its streams: `pg/{name}/{table}`. */
  readonly name: string
  /** The next batch of each table that has one. */
  take(): Promise<readonly RowBatch[]>
  /** Drops a batch that is durable elsewhere. */
  done(batch: RowBatch): Promise<void>
  /** Numbers anew what was taken, under an epoch above `above`, if it is still numbered as this batch. */
  renew(batch: RowBatch, above: number): Promise<void>
  /** Calls the listener when there may be something to take. Returns what ends it. */
  watch(listener: () => void): () => void
}
