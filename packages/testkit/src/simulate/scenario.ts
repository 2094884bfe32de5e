import type { EntityDefinition } from "@rouse/agents"
import {
  type EntityUrl,
  type Json,
  type JsonObject,
  type MessageRow,
  type RunRow,
  sharedStreamPath,
} from "@rouse/protocol"
import { openMemoryStore, type Store } from "@rouse/store"
import { EffectBook } from "../crash/core/effect-book.ts"
import type { Violation } from "../crash/core/history.ts"
import { Clients } from "./client.ts"
import { type Plan, partsOf, planOf, without } from "./core/plan.ts"
import { SpendModel } from "./core/spend-model.ts"
import { Fleet } from "./fleet.ts"
import { entitiesIn } from "./inspect.ts"
import { Monitor } from "./monitor.ts"
import { unrest, untilQuiet } from "./simulation.ts"
import { withVirtualGlobals } from "./virtual-globals.ts"
import { World } from "./world.ts"

/** Rows of one collection that are looked at. */
const ROWS_MAX = 1_000

/** A message to an agent that is made for it. */
export interface Asking {
  readonly to: EntityUrl
  readonly args?: JsonObject
  readonly content: Json
}

/** Agents of somebody's own, and what they are asked. */
export interface Scenario {
  readonly entities: readonly EntityDefinition[]
  readonly asks: readonly Asking[]
  /** Shared spaces whose rows are part of what comes of it, with their collections. */
  readonly shared?: Readonly<Record<string, readonly string[]>>
}

/** What came of a scenario, without what may differ from world to world: times, addresses on logs, attempts. */
export interface ScenarioOutcome {
  /** What each ask was answered. */
  readonly replies: Readonly<Record<string, Json>>
  /** How each agent was left. */
  readonly agents: Readonly<Record<string, string>>
  /** The rows of the shared spaces. */
  readonly shared: Readonly<Record<string, readonly Json[]>>
  readonly violations: readonly Violation[]
  /** Servers that were started. */
  readonly lives: number
}

/**
 * Runs agents in a virtual world until all is quiet, with the faults and the weather of a seed, or with none.
 *
 * @param seed Undefined: nothing goes wrong.
 */
export async function simulateScenario(scenario: Scenario, seed?: number): Promise<ScenarioOutcome> {
  const plan = worldOf(seed)
  const world = new World(plan.seed, plan.weather)
  const store = await openMemoryStore({ clock: () => world.nowMs, random: () => world.random.next() })
  try {
    return await withVirtualGlobals(world, () => live(scenario, plan, world, store))
  } finally {
    await store.close()
  }
}

/** A seed's faults and weather, and nothing else of its plan. */
function worldOf(seed: number | undefined): Plan {
  const plan = planOf(seed ?? 0)
  const kept = seed === undefined ? new Set<string>() : new Set([...plan.faults.map(({ name }) => name), "weather"])
  return { ...without(plan, new Set(partsOf(plan).filter((name) => !kept.has(name)))), loose: false, joint: false }
}

async function live(scenario: Scenario, plan: Plan, world: World, store: Store): Promise<ScenarioOutcome> {
  const outside = { book: new EffectBook(), askedBy: new Map(), raced: new Set<string>() }
  const monitor = new Monitor(new SpendModel([]))
  const { entities } = scenario
  const fleet = new Fleet({ world, store, outside, monitor, faults: plan.faults, plant: undefined, entities })
  const clients = new Clients(world, fleet, [])
  const troubles: Violation[] = []
  const act = (work: Promise<void>): void => {
    work.catch((error: unknown) => troubles.push({ rule: "rest", where: "a client", what: String(error) }))
  }
  fleet.launch()
  for (const [n, { to, args = {}, content }] of scenario.asks.entries())
    act(clients.request({ method: "PUT", path: to, body: { args, message: content }, key: `ask-${n}` }))
  const isQuiet = await untilQuiet({ plan, world, store, clients, act }, troubles)
  fleet.end()
  if (!isQuiet && troubles.length === 0) troubles.push(await unrest(store, world))
  return {
    replies: await repliesIn(store, scenario.asks),
    agents: Object.fromEntries((await entitiesIn(store)).map(({ url, status }) => [url, status])),
    shared: await sharedIn(store, scenario.shared ?? {}),
    violations: [...troubles, ...monitor.violations],
    lives: fleet.members.length,
  }
}

async function repliesIn(store: Store, asks: readonly Asking[]): Promise<Readonly<Record<string, Json>>> {
  const replies: Record<string, Json> = {}
  for (const { to } of asks) {
    const [message] = (await store.rows(to, "message")).map(({ value }) => value as unknown as MessageRow)
    const runs = await store.rows(to, "run")
    const run = runs.find(({ key }) => key === message?.run)?.value as unknown as RunRow | undefined
    replies[to] = message?.status === "processed" ? (run?.reply ?? null) : `the message is ${message?.status ?? "lost"}`
  }
  return replies
}

async function sharedIn(
  store: Store,
  wanted: NonNullable<Scenario["shared"]>,
): Promise<Readonly<Record<string, readonly Json[]>>> {
  const found: Record<string, readonly Json[]> = {}
  for (const [space, collections] of Object.entries(wanted))
    for (const collection of collections) {
      const { rows } = await store.spaceRows(sharedStreamPath(space), { collection, limit: ROWS_MAX })
      found[`${space}/${collection}`] = rows.map(({ value }) => JSON.parse(value) as Json)
    }
  return found
}
