/**
 * What things cost, measured on this project's bench machine by `npm run bench -- postgres-cost postgres-turn`. CPU in milliseconds of one core of
 * that machine.
 */
export interface Costs {
  /** A replica's CPU to accept a message, and to run the wake and write what it left, without the model. */
  readonly acceptMs: number
  readonly finishMs: number
  /** A replica's CPU to look one agent up, to tell of what changed in one notification, and to hear one. */
  readonly lookUpMs: number
  readonly tellMs: number
  readonly hearMs: number
  /** Postgres' CPU for a group, for each commit of it, and for one thing that is looked up. */
  readonly groupMs: number
  readonly commitMs: number
  readonly readMs: number
  /** Postgres' CPU for a notification, one at a time in the whole database; and for each that listens. */
  readonly notifyMs: number
  readonly notifiedMs: number
  /** Bytes of WAL of one commit. A turn has two. */
  readonly walBytes: number
  readonly connections: number
}

export const MEASURED: Costs = {
  acceptMs: 0.33,
  finishMs: 0.34,
  lookUpMs: 0.4,
  tellMs: 0.15,
  hearMs: 0.1,
  groupMs: 0.5,
  commitMs: 0.06,
  readMs: 0.05,
  notifyMs: 0.07,
  notifiedMs: 0.015,
  walBytes: 13_000,
  connections: 10,
}

/** The machines, which are whatever one buys. Nothing here is measured. */
export interface Machines {
  readonly databaseCores: number
  /** A sync of the WAL, and how fast its disk writes, megabytes (10^6) a second. */
  readonly syncMs: number
  readonly walMbPerSecond: number
  /** Between a replica and the database and back. */
  readonly roundTripMs: number
  /** How long the model of a turn takes. */
  readonly modelMs: number
  /** Wakes at once in a replica: the default of `wakesMax`. */
  readonly wakesMax: number
}

export const MACHINES: Machines = {
  databaseCores: 16,
  syncMs: 1,
  walMbPerSecond: 500,
  roundTripMs: 0.5,
  modelMs: 1_000,
  wakesMax: 2_048,
}

export interface ScaleOptions {
  readonly replicas: number
  readonly agents: number
  /** Offered. */
  readonly turnsPerSecond: number
  /** Of the virtual time that counts, after as much as a turn takes. */
  readonly measuredMs: number
  readonly seed: number
  readonly costs?: Partial<Costs>
  readonly machines?: Partial<Machines>
}
