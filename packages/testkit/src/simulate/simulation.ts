import { openMemoryStore, type Store } from "@rouse/store"
import { EffectBook } from "../crash/core/effect-book.ts"
import type { ForkLog, History, Violation } from "../crash/core/history.ts"
import { judge } from "../crash/core/judge.ts"
import { Clients } from "./client.ts"
import type { Plan } from "./core/plan.ts"
import { Crew } from "./crew.ts"
import { SpendModel } from "./core/spend-model.ts"
import { Fleet } from "./fleet.ts"
import { eventsUpTo, isWorkedOn, jointIn, logsIn, pointsIn, restIn, schedulesIn, waitingIn } from "./inspect.ts"
import { Monitor } from "./monitor.ts"
import type { Plant } from "./plants.ts"
import type { Outside } from "./program.ts"
import { withVirtualGlobals } from "./virtual-globals.ts"
import { World } from "./world.ts"

/** A world that has not come to rest by then never will. */
const STEPS_MAX = 60_000
const VIRTUAL_MS_MAX = 4 * 3_600_000
/** How often it is looked whether all is over, in happenings. */
const LOOK_EVERY = 40
/** Messages that are sent once more at the end. */
const REPEATS = 3

/** What one seed came to. */
export interface Simulated {
  readonly violations: readonly Violation[]
  readonly history: History
  /** Happenings, and waits of servers among them. */
  readonly steps: number
  readonly gates: number
  readonly lives: number
  readonly virtualMs: number
}

/**
 * Runs the whole control plane, its handlers and its store in one virtual world, with everything going wrong that the plan says, until
 * all is quiet, and judges what is left. The same plan gives the same history.
 *
 * @see DESIGN §9
 */
export async function simulate(plan: Plan, plant?: Plant): Promise<Simulated> {
  const world = new World(plan.seed, plan.weather)
  const store = await openMemoryStore({ clock: () => world.nowMs, random: () => world.random.next() })
  try {
    return await withVirtualGlobals(world, () => live(plan, world, store, plant))
  } finally {
    await store.close()
  }
}

async function live(plan: Plan, world: World, store: Store, plant: Plant | undefined): Promise<Simulated> {
  const outside: Outside = { book: new EffectBook(), askedBy: new Map(), raced: new Set() }
  const monitor = new Monitor(new SpendModel(plan.budgets))
  const fleet = new Fleet({ world, store, outside, monitor, faults: plan.faults, plant, joint: plan.joint })
  const clients = new Clients(world, fleet, plan.budgets)
  const crew = new Crew(world, fleet, outside)
  const startedMs = world.nowMs
  const troubles: Violation[] = []
  const act = (work: Promise<void>): void => {
    work.catch((error: unknown) => troubles.push({ rule: "rest", where: "a client", what: String(error) }))
  }
  fleet.launch()
  if (plan.crewed) crew.start(plan.workerFaults)
  for (const message of plan.messages) act(clients.send(message))
  for (const signal of plan.signals) act(clients.signal(signal))
  for (const schedule of plan.schedules) act(clients.schedule(schedule))
  for (const observer of plan.observers) act(clients.observe(observer))
  for (const fork of plan.forks) act(clients.fork(fork, (url) => pointsIn(store, url)))
  const people = { plan, world, store, clients, act }
  let isQuiet = await untilQuiet(people, troubles)
  for (const message of plan.messages.slice(0, isQuiet ? REPEATS : 0)) act(clients.repeat(message))
  isQuiet &&= await untilQuiet(people, troubles)
  fleet.end()
  crew.end()
  if (!isQuiet && troubles.length === 0) troubles.push(await unrest(store, world))
  const history: History = {
    sent: [...clients.sent.values()],
    effects: outside.book.report(),
    logs: await logsIn(store),
    lives: [],
    rest: await restIn(store),
    nextDueAtMs: await store.nextDueAtMs(),
    loose: plan.loose,
    raced: outside.raced,
    forks: await forksOf(store, clients),
    ...(plan.joint ? { joint: await jointIn(store) } : {}),
  }
  return {
    violations: [...troubles, ...monitor.violations, ...(isQuiet ? judge(accepted(history)) : [])],
    history,
    steps: world.steps,
    gates: fleet.gates,
    lives: fleet.members.length,
    virtualMs: world.nowMs - startedMs,
  }
}

async function forksOf(store: Store, { forks }: Clients): Promise<readonly ForkLog[]> {
  return Promise.all(forks.map(async ({ url, from, at }) => ({ url, from, before: await eventsUpTo(store, from, at) })))
}

/** In a loose plan a message may be refused: its agent was stopped before it came. */
function accepted(history: History): History {
  return history.loose ? { ...history, sent: history.sent.filter((sent) => sent.accepted) } : history
}

export interface People {
  readonly plan: Plan
  readonly world: World
  readonly store: Store
  readonly clients: Clients
  readonly act: (work: Promise<void>) => void
}

/** Lets things happen until nothing is left to happen; people answer what waits for them. False when it takes too long. */
export async function untilQuiet(people: People, troubles: readonly Violation[]): Promise<boolean> {
  const { world, store, clients } = people
  const stepsMax = world.steps + STEPS_MAX
  const msMax = world.nowMs + VIRTUAL_MS_MAX
  while (troubles.length === 0 && world.steps < stepsMax && world.nowMs < msMax) {
    if (!(await world.step())) return false
    if (clients.busy || world.steps % LOOK_EVERY !== 0) continue
    if (await tidies(people)) continue
    if ((await store.nextDueAtMs()) !== undefined || (await store.nextObservationDueAtMs()) !== undefined) continue
    if (!(await attend(people)) && !(await isWorkedOn(store))) return true
  }
  return false
}

/** People take away what was set late, by a server that had hung. False when there is none. */
async function tidies({ world, store, clients, act }: People): Promise<boolean> {
  const left = await schedulesIn(store)
  for (const { url, name } of left) act(clients.tidy(url, name, world.steps))
  return left.length > 0
}

/** People look at what waits for them. False when nothing does. */
async function attend({ plan, world, store, clients, act }: People): Promise<boolean> {
  const { paused, approvals } = await waitingIn(store)
  for (const url of paused) act(clients.resume(url, world.steps))
  for (const asked of approvals) {
    const decision = plan.loose && world.random.chance(0.3) ? "deny" : "allow"
    act(clients.decide(asked.url, asked, decision))
    if (world.random.chance(0.3)) act(clients.decide(asked.url, asked, decision))
  }
  return paused.length + approvals.length > 0
}

export async function unrest(store: Store, world: World): Promise<Violation> {
  const busy = (await restIn(store))
    .filter(({ dueAtMs }) => dueAtMs !== null)
    .map(({ url, status }) => `${url} ${status}`)
  const what = `never came to rest, after ${world.steps} happenings: ${busy.join(", ") || "clients still ask"}`
  return { rule: "P1", where: "the world", what }
}
