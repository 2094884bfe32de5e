import type { CatchUp } from "@rouse/protocol"
import { SeededRandom } from "../../crash/core/random.ts"
import { scriptOf } from "../../crash/core/script.ts"
import { type PlannedFork, withForks } from "./plan-forks.ts"
import { type PlannedWorkerFault, withWorkers } from "./plan-workers.ts"

/** Everything that a simulation does from outside, as a seed decides it. Each part has a name, so that it can be left out. */
export interface Plan {
  readonly seed: number
  /** Whether people interrupt, deny, pause and stop: messages may then end otherwise than processed. */
  readonly loose: boolean
  readonly messages: readonly PlannedMessage[]
  readonly signals: readonly PlannedSignal[]
  readonly budgets: readonly PlannedBudget[]
  readonly schedules: readonly PlannedSchedule[]
  readonly observers: readonly PlannedObserver[]
  readonly faults: readonly PlannedFault[]
  readonly forks: readonly PlannedFork[]
  /** Whether tool workers are there; messages then have calls for them. */
  readonly crewed: boolean
  readonly workerFaults: readonly PlannedWorkerFault[]
  /** Whether agents ask one another and share a space. */
  readonly joint: boolean
  readonly weather: Weather
}

export interface PlannedMessage {
  readonly name: string
  readonly agent: string
  readonly content: string
  readonly mode: "queue" | "steer" | "interrupt"
  readonly way: "send" | "delayed" | "spawn"
  readonly atMs: number
  /** How often the client sends the same request at the same time. */
  readonly copies: number
  /** Whether the client waits for what comes of it. */
  readonly wait: boolean
}

export interface PlannedSignal {
  readonly name: string
  readonly agent: string
  readonly signal: "interrupt" | "pause" | "resume" | "kill" | "poke"
  /** Whether it goes down to the agent's children and theirs. */
  readonly tree: boolean
  readonly atMs: number
}

/** What an agent and its tree may use, until people allow more. */
export interface PlannedBudget {
  readonly name: string
  readonly agent: string
  readonly limits: { readonly steps?: number; readonly tokens?: number }
}

/** A schedule that somebody sets and later takes away. */
export interface PlannedSchedule {
  readonly name: string
  readonly agent: string
  readonly rule: { readonly every: number } | { readonly cron: string }
  readonly catchUp: CatchUp
  readonly atMs: number
  readonly forMs: number
}

/** Somebody who is told of what an agent does, from the beginning of its log. */
export interface PlannedObserver {
  readonly name: string
  readonly agent: string
  readonly on: readonly string[]
  readonly debounce: number
  readonly atMs: number
}

/** Something that goes wrong at the server's nth await. */
export interface PlannedFault {
  readonly name: string
  readonly kind: "crash" | "stop" | "freeze" | "jump" | "refuse"
  readonly atGate: number
  /** How long it lasts; for a crash or stop, until the next server starts. Milliseconds. */
  readonly ms: number
}

/** How the world is by itself. Probabilities, and the longest of the usual delays. */
export interface Weather {
  readonly delayMsMax: number
  readonly slow: number
  readonly slowMsMax: number
  readonly refused: number
  readonly lost: number
  readonly modelFails: number
}

const AGENTS_MAX = 3
const MESSAGES_MAX = 7
const FAULTS_MAX = 6
const SCHEDULES_MAX = 2
/** How long a schedule is there, and how long nobody is to serve it. */
const FOR_MS_MAX = 60_000
const OUTAGE_MS_MAX = 90_000
const OUTAGE_GATE_MIN = 40
const GATES_MAX = 700
/** Past the lease's minute, so that what is slow is taken for dead. */
const FREEZE_MS_MAX = 150_000

/** What a seed stands for. Pure. */
export function planOf(seed: number): Plan {
  const random = new SeededRandom(Math.imul(seed + 1, 0x9e37_79b1))
  const loose = random.chance(0.4)
  const agents = 1 + random.below(AGENTS_MAX)
  const count = 1 + random.below(MESSAGES_MAX)
  const spanMs = random.pick([50, 400, 3_000])
  const firsts = new Set<string>()
  const messages = Array.from({ length: count }, (_, at): PlannedMessage => {
    const agent = `a${random.below(agents)}`
    const isFirst = !firsts.has(agent)
    firsts.add(agent)
    return messageOf(`m${at + 1}`, agent, isFirst, spanMs, loose, random)
  })
  const signals = loose ? Array.from({ length: random.below(4) }, (_, at) => signalOf(at, agents, spanMs, random)) : []
  const faults = Array.from({ length: random.below(FAULTS_MAX + 1) }, (_, at) => faultOf(at, random))
  const weather = weatherOf(random)
  const budgets = [...firsts].flatMap((agent) => (random.chance(0.3) ? [budgetOf(agent, random)] : []))
  const schedules = random.chance(0.3)
    ? Array.from({ length: 1 + random.below(SCHEDULES_MAX) }, (_, at) => scheduleOf(at, [...firsts], spanMs, random))
    : []
  // Something for them to miss.
  if (schedules.length > 0) faults.push(outageOf(random))
  // Decided apart, so that the rest of a seed's world does not depend on it.
  const apart = new SeededRandom(Math.imul(seed + 1, 0x85eb_ca6b))
  const observers = [...firsts].flatMap((agent, at) =>
    apart.chance(0.4) ? [observerOf(at, agent, spanMs, apart)] : [],
  )
  const plan = { seed, loose, messages, signals, budgets, schedules, observers, faults, weather }
  const worked = withWorkers(plan, spanMs, new SeededRandom(Math.imul(seed + 1, 0xc2b2_ae35)))
  const forked = withForks(worked, spanMs, new SeededRandom(Math.imul(seed + 1, 0x27d4_eb2f)))
  // A fork would do what its original did once more, in the same space.
  const joint = forked.forks.length === 0 && new SeededRandom(Math.imul(seed + 1, 0x1656_67b1)).chance(0.3)
  return { ...forked, joint }
}

function messageOf(
  name: string,
  agent: string,
  isFirst: boolean,
  spanMs: number,
  loose: boolean,
  random: SeededRandom,
): PlannedMessage {
  const lines = [scriptOf(name, agent, random)]
  if (random.chance(0.2)) lines.push(`/call wire {"ref":"${name}.wire"}`)
  if (loose && random.chance(0.08)) lines.push("/fail 400")
  const spawns = isFirst && random.chance(0.3)
  return {
    name,
    agent,
    content: lines.join("\n"),
    mode: loose && random.chance(0.2) ? "interrupt" : random.chance(0.6) ? "queue" : "steer",
    way: spawns ? "spawn" : random.chance(0.12) ? "delayed" : "send",
    atMs: isFirst ? 0 : random.below(spanMs),
    copies: random.chance(0.15) ? 2 : 1,
    wait: random.chance(0.3),
  }
}

function signalOf(at: number, agents: number, spanMs: number, random: SeededRandom): PlannedSignal {
  const signal = random.pick(["interrupt", "interrupt", "pause", "resume", "kill", "poke"] as const)
  const agent = `a${random.below(agents)}`
  const tree = signal !== "poke" && random.chance(0.4)
  return { name: `s${at + 1}`, agent, signal, tree, atMs: random.below(spanMs * 2) }
}

function budgetOf(agent: string, random: SeededRandom): PlannedBudget {
  const limits = random.chance(0.7) ? { steps: random.below(7) } : { tokens: random.below(12_000) }
  return { name: `b-${agent}`, agent, limits }
}

function scheduleOf(at: number, agents: readonly string[], spanMs: number, random: SeededRandom): PlannedSchedule {
  const every = random.pick([2_000, 9_000, 90_000])
  return {
    name: `t${at + 1}`,
    agent: random.pick(agents),
    rule: random.chance(0.2) ? { cron: "* * * * *" } : { every },
    catchUp: random.pick(["skip", "once", "all"] as const),
    atMs: random.below(spanMs),
    forMs: Math.ceil(Math.max(FOR_MS_MAX, 3 * every) * random.next()),
  }
}

function observerOf(at: number, agent: string, spanMs: number, random: SeededRandom): PlannedObserver {
  const on = random.pick([["finished"], ["run", "message:update"], ["tool_call", "step"], ["answered"]] as const)
  const debounce = random.pick([0, 0, 40, 2_000])
  return { name: `o${at + 1}`, agent, on, debounce, atMs: random.below(spanMs) }
}

function faultOf(at: number, random: SeededRandom): PlannedFault {
  const kind = random.pick(["crash", "crash", "crash", "stop", "freeze", "freeze", "jump", "refuse"] as const)
  const atGate = Math.floor(random.next() ** 1.5 * GATES_MAX)
  const ms = kind === "refuse" ? random.below(300) : random.pick([5, 500, 20_000, FREEZE_MS_MAX]) * random.next()
  return { name: `f${at + 1}`, kind, atGate, ms: Math.ceil(ms) }
}

function outageOf(random: SeededRandom): PlannedFault {
  const kind = random.pick(["crash", "freeze", "jump"] as const)
  return { name: "f0", kind, atGate: OUTAGE_GATE_MIN + random.below(GATES_MAX / 2), ms: random.below(OUTAGE_MS_MAX) }
}

function weatherOf(random: SeededRandom): Weather {
  return {
    delayMsMax: random.pick([0.2, 2, 20]),
    slow: random.pick([0, 0.02, 0.1]),
    slowMsMax: random.pick([20, 300]),
    refused: random.pick([0, 0, 0.02]),
    lost: random.pick([0, 0.1, 0.3]),
    modelFails: random.pick([0, 0, 0.2]),
  }
}

/** The plan without the parts of these names. */
export function without(plan: Plan, names: ReadonlySet<string>): Plan {
  const kept = <T extends { readonly name: string }>(parts: readonly T[]): readonly T[] =>
    parts.filter(({ name }) => !names.has(name))
  const calm = names.has("weather")
    ? { delayMsMax: 0.2, slow: 0, slowMsMax: 0, refused: 0, lost: 0, modelFails: 0 }
    : plan.weather
  return {
    ...plan,
    messages: kept(plan.messages),
    signals: kept(plan.signals),
    budgets: kept(plan.budgets),
    schedules: kept(plan.schedules),
    observers: kept(plan.observers),
    faults: kept(plan.faults),
    workerFaults: kept(plan.workerFaults),
    forks: kept(plan.forks),
    joint: plan.joint && !names.has("joint"),
    weather: calm,
  }
}

/** The names of all that a plan can be without. */
export function partsOf(plan: Plan): readonly string[] {
  const { faults, workerFaults, forks, signals, budgets, schedules, observers, messages } = plan
  return [...faults, ...workerFaults, ...forks, ...signals, ...schedules, ...observers, ...budgets, ...messages]
    .map(({ name }) => name)
    .concat(plan.joint ? ["joint", "weather"] : ["weather"])
}
