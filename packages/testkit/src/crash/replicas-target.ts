import { openPostgresStore } from "@rouse/store/postgres"
import type { Store } from "@rouse/store"
import { startPostgres } from "../postgres/server.ts"
import type { PostgresServer } from "../postgres/server.ts"
import { RouseTarget } from "./rouse-target.ts"
import type { RouseTargetOptions } from "./rouse-target.ts"

/** Rouse on a Postgres of its own: each launch is one more replica. */
export class ReplicasTarget extends RouseTarget {
  override readonly name: string
  readonly #postgres: PostgresServer

  private constructor(options: RouseTargetOptions, postgres: PostgresServer, replicas: number) {
    super({ ...options, database: postgres.url })
    this.name = `rouse, ${replicas} replicas on Postgres`
    this.#postgres = postgres
  }

  /** Nothing kills the machine: the database need not sync its disk. */
  static async open(options: RouseTargetOptions, replicas: number): Promise<ReplicasTarget> {
    return new ReplicasTarget(options, await startPostgres({ syncs: false }), replicas)
  }

  override async end(): Promise<void> {
    await this.#postgres.stop()
  }

  protected override openStore(): Promise<Store> {
    return openPostgresStore({ url: this.#postgres.url, clock: Date.now })
  }
}
