import { openPostgresStore } from "@rouse/store/postgres"
import type { Store } from "@rouse/store"
import { openGround } from "./ground.ts"
import type { Ground, GroundVictim } from "./ground.ts"
import { RouseTarget } from "./rouse-target.ts"
import type { RouseTargetOptions } from "./rouse-target.ts"

/** Rouse on a Postgres of its own: each launch is one more replica. */
export class ReplicasTarget extends RouseTarget {
  override readonly name: string
  readonly #ground: Ground

  private constructor(options: RouseTargetOptions, ground: Ground, name: string) {
    super({ ...options, database: ground.url })
    this.name = name
    this.#ground = ground
  }

  static async open(options: RouseTargetOptions, replicas: number, victim: GroundVictim): Promise<ReplicasTarget> {
    const name = `rouse, ${replicas} replicas on Postgres${victim === "server" ? "" : `, harm to ${HARM[victim]}`}`
    return new ReplicasTarget(options, await openGround(victim), name)
  }

  /** Harms what the servers stand on, and mends it; undefined where the servers are the victims. */
  get strike(): Ground["strike"] {
    return this.#ground.strike
  }

  override async end(): Promise<void> {
    await this.#ground.stop()
  }

  protected override openStore(): Promise<Store> {
    return openPostgresStore({ url: this.#ground.url, clock: Date.now })
  }
}

const HARM: Readonly<Record<Exclude<GroundVictim, "server">, string>> = {
  database: "the database",
  failover: "the primary",
  connections: "connections",
}
