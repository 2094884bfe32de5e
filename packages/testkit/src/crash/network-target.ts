import { randomUUID } from "node:crypto"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { openPostgresStore } from "@rouse/store/postgres"
import type { Store } from "@rouse/store"
import { startPostgres } from "../postgres/server.ts"
import type { PostgresServer } from "../postgres/server.ts"
import type { SeededRandom } from "./core/random.ts"
import { here, Network, there } from "./network.ts"
import type { Link, Loss } from "./network.ts"
import { startProcess } from "./process.ts"
import type { Running } from "./process.ts"
import { RouseTarget } from "./rouse-target.ts"
import type { RouseTargetOptions } from "./rouse-target.ts"

/** A request that is unanswered for so long is given up, as load balancers do, milliseconds. */
const ANSWER_MS_MAX = 8_000
/** Cuts are by turns shorter than the time after which others take over, about 11 s, and longer. */
const SHORT_MS_MAX = 4_000
const LONG_MS_MIN = 12_000
const LONG_MS_MAX = 18_000
const CUT: readonly Link[] = ["database", "database", "balancer"]
const LOSSES: readonly Loss[] = ["both", "to", "from"]

/** Rouse in network namespaces, a server in each, on a Postgres here: what is harmed is the network. No server is killed. */
export class NetworkTarget extends RouseTarget {
  override readonly name: string
  readonly #options: RouseTargetOptions
  readonly #network: Network
  readonly #postgres: PostgresServer
  readonly #token: string
  readonly #rooms: number
  #launched = 0
  #strikes = 0

  private constructor(
    options: RouseTargetOptions,
    rooms: number,
    parts: { readonly network: Network; readonly postgres: PostgresServer; readonly token: string },
  ) {
    super({ ...options, http: { headers: { authorization: `Bearer ${parts.token}` }, answerMsMax: ANSWER_MS_MAX } })
    this.name = `rouse, ${rooms} replicas on Postgres, harm to the network`
    this.#options = options
    this.#rooms = rooms
    this.#network = parts.network
    this.#postgres = parts.postgres
    this.#token = parts.token
  }

  static async open(options: RouseTargetOptions, rooms: number): Promise<NetworkTarget> {
    const network = await Network.open(rooms)
    const addresses = Array.from({ length: rooms }, (_, room) => here(room, "database"))
    const postgres = await startPostgres({ syncs: false, network: { addresses, from: "10.0.0.0/8" } })
    return new NetworkTarget(options, rooms, { network, postgres, token: randomUUID() })
  }

  override launch(): Running {
    const room = this.#launched
    this.#launched += 1
    const { directory, ledgerUrl } = this.#options
    return startProcess({
      module: "./program/server-main",
      args: [join(directory, "data"), ledgerUrl.replace("127.0.0.1", here(room, "witness"))],
      within: this.#network.within(room),
      env: {
        NODE_COMPILE_CACHE: join(directory, "compiled"),
        ROUSE_DATABASE_URL: this.#postgres.url.replace("127.0.0.1", here(room, "database")),
        ROUSE_CRASH_HOST: there(room, "balancer"),
        ROUSE_CRASH_TOKEN: this.#token,
      },
    })
  }

  /** Cuts a link of one server, now and then two, and heals it. */
  async strike(random: SeededRandom): Promise<void> {
    this.#strikes += 1
    const isLong = this.#strikes % 2 === 0
    const ms = isLong ? LONG_MS_MIN + random.below(LONG_MS_MAX - LONG_MS_MIN) : random.below(SHORT_MS_MAX)
    const room = random.below(this.#rooms)
    const cuts = [{ room, link: random.pick(CUT), loss: random.pick(LOSSES) }]
    if (random.chance(0.25))
      cuts.push({ room: (room + 1) % this.#rooms, link: random.pick(CUT), loss: random.pick(LOSSES) })
    for (const cut of cuts) await this.#network.cut(cut.room, cut.link, cut.loss)
    await sleep(ms)
    for (const cut of cuts) await this.#network.heal(cut.room, cut.link, cut.loss)
  }

  override async end(): Promise<void> {
    await this.#postgres.stop()
    this.#network.close()
  }

  protected override openStore(): Promise<Store> {
    return openPostgresStore({ url: this.#postgres.url, clock: Date.now })
  }
}
