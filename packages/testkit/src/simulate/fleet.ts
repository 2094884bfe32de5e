import { type EntityDefinition, silentLog } from "@rouse/agents/runtime"
import { createServer, type Server } from "@rouse/server"
import type { Store } from "@rouse/store"
import { entitiesOf } from "../crash/program/entities.ts"
import type { PlannedFault } from "./core/plan.ts"
import { lifeStore } from "./life-store.ts"
import { currentLife, Life } from "./life.ts"
import type { Monitor } from "./monitor.ts"
import type { Plant } from "./plants.ts"
import { type Outside, simulatedModels, simulatedTools } from "./program.ts"
import type { World } from "./world.ts"

/** The longest that a server which was taken for dead goes on beside the new one. */
const GHOST_MS_MAX = 40_000
/** How soon a new server takes the place of one that is frozen. */
const TAKEOVER_MS_MAX = 4_000
const GRACE_MS = 1_000
const RESTART_MS = 200

/** A server and the life it has. */
export interface Member {
  readonly life: Life
  readonly server: Server
  serves: boolean
}

export interface FleetOptions {
  readonly world: World
  readonly store: Store
  readonly outside: Outside
  readonly monitor: Monitor
  readonly faults: readonly PlannedFault[]
  readonly plant: Plant | undefined
  /** Whether the program's agents ask one another and share a space. */
  readonly joint?: boolean
  /** What is served in place of the program's types. */
  readonly entities?: readonly EntityDefinition[] | undefined
}

/**
 * The servers, one after another and now and then two at a time, on one store. Faults of the plan happen at their gate, to the life
 * whose gate it is.
 */
export class Fleet {
  readonly members: Member[] = []
  readonly #options: FleetOptions
  readonly #faults: ReadonlyMap<number, PlannedFault>
  #gates = 0
  #lives = 0
  #isOver = false

  constructor(options: FleetOptions) {
    this.#options = options
    this.#faults = new Map(options.faults.map((fault) => [fault.atGate, fault]))
  }

  get gates(): number {
    return this.#gates
  }

  /** A server that answers, or seems to; undefined while there is none. */
  pick(): Member | undefined {
    const serving = this.members.filter(({ life, serves }) => life.isAlive && serves)
    return serving.length === 0 ? undefined : this.#options.world.random.pick(serving)
  }

  launch(): void {
    if (this.#isOver) return
    const { world, store, outside, monitor, plant, joint = false, entities } = this.#options
    const life = new Life((this.#lives += 1), world, (at) => this.#onGate(at))
    const random = world.random.split()
    const roll = (): number => random.next()
    const clock = (): number => world.nowMs
    const server = createServer({
      store: lifeStore(plant?.store?.(store, world) ?? store, life, world, monitor),
      entities:
        entities ?? entitiesOf({ tools: simulatedTools(life, outside, plant?.tools ?? {}), random: roll, joint }),
      clock,
      random: roll,
      defer: (ms, fn) => life.defer(ms, fn),
      log: silentLog,
      host: { clock, random: roll, log: silentLog, env: {}, deltaMs: 5, models: simulatedModels(life, world) },
    })
    const member: Member = { life, server: plant?.server?.(server) ?? server, serves: false }
    this.members.push(member)
    currentLife
      .run(life, () => server.start())
      .then(
        () => {
          member.serves = true
        },
        // A process that cannot start ends, and is started again.
        () => this.#end(member, RESTART_MS),
      )
  }

  /** No more faults, and one server. */
  end(): void {
    this.#isOver = true
    for (const { life } of this.members) life.crash()
  }

  #onGate(life: Life): void {
    this.#gates += 1
    const fault = this.#faults.get(this.#gates)
    const member = fault && this.members.find((one) => one.life === life)
    if (fault && member) this.#happen(fault, member)
  }

  #happen(fault: PlannedFault, member: Member): void {
    const { world } = this.#options
    switch (fault.kind) {
      case "crash":
        return this.#end(member, fault.ms)
      case "stop":
        member.server.close({ graceMs: GRACE_MS }).then(
          () => this.#end(member, fault.ms),
          () => this.#end(member, fault.ms),
        )
        return
      case "freeze":
        return this.#freeze(member, fault.ms)
      case "jump":
        return world.jump(fault.ms)
      case "refuse":
        return member.life.refuse(fault.ms)
    }
  }

  #end(member: Member, restartMs: number): void {
    if (!member.life.isAlive) return
    member.life.crash()
    this.#options.world.after(restartMs, () => {
      if (!this.members.some(({ life }) => life.isAlive)) this.launch()
    })
  }

  /** A server that hangs: another one takes over, and then it goes on for a while as if nothing had happened. */
  #freeze(member: Member, ms: number): void {
    const { world } = this.#options
    member.life.freeze(ms)
    const takeover = world.random.next() * TAKEOVER_MS_MAX
    world.after(takeover, () => {
      if (!member.life.isFrozen || !member.life.isAlive) return
      this.launch()
      world.after(ms - takeover + world.random.next() * GHOST_MS_MAX, () => this.#end(member, RESTART_MS))
    })
  }
}
