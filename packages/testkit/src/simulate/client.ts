import type { EntityUrl, Offset, Problem, Receipt, Settled, Spawned } from "@rouse/protocol"
import type { SentMessage } from "../crash/core/history.ts"
import { AGENT, SINK } from "../crash/core/work.ts"
import type { PlannedBudget, PlannedMessage, PlannedObserver, PlannedSchedule, PlannedSignal } from "./core/plan.ts"
import type { PlannedFork } from "./core/plan-forks.ts"
import { EXTENSION } from "./core/spend-model.ts"
import type { Fleet } from "./fleet.ts"
import type { Asked } from "./inspect.ts"
import { currentLife } from "./life.ts"
import type { World } from "./world.ts"

const TRIES_MAX = 400
const AGAIN_MS = 150
/** How long a client waits for an answer, beyond what it asked for. */
const PATIENCE_MS = 10_000
const DELAY_MS = 60
const BASE = "http://localhost/v1/entities"

/** No answer came: nobody was there, it was lost on the way, or the client lost patience. */
class NoAnswer extends Error {}

interface Answer {
  readonly status: number
  readonly body: unknown
}

/** A request to a path below the entities'. */
export type Call = { readonly method: string; readonly path: string; readonly body: unknown; readonly key?: string }

/** What clients do over HTTP: every request may be late, lost, answered and its answer lost, or doubled. */
export class Clients {
  readonly sent: Map<string, SentMessage> = new Map()
  /** Forks that were made. */
  readonly forks: { readonly url: EntityUrl; readonly from: EntityUrl; readonly at: Offset }[] = []
  /** By agent: the message that makes it is accepted. */
  readonly #made = new Map<string, Promise<void>>()
  readonly #world: World
  readonly #fleet: Fleet
  readonly #budgets: ReadonlyMap<string, PlannedBudget["limits"]>
  #busy = 0

  constructor(world: World, fleet: Fleet, budgets: readonly PlannedBudget[]) {
    this.#world = world
    this.#fleet = fleet
    this.#budgets = new Map(budgets.map(({ agent, limits }) => [agent, limits]))
  }

  /** Whether a request is under way, or will be. */
  get busy(): boolean {
    return this.#busy > 0
  }

  /** Makes a request until a server answers it. */
  async request(call: Call): Promise<void> {
    await this.#acting(async () => {
      await this.#until(call)
    })
  }

  /** Sends a message of the plan until a server says that it has it. */
  async send(message: PlannedMessage): Promise<void> {
    const { name, agent, mode, way, atMs } = message
    const to = `/${AGENT}/${agent}`
    this.sent.set(name, { name, to, mode, way, accepted: false, tries: 0 })
    const made = this.#acting(async () => {
      await this.#world.sleep(atMs)
      if (way !== "spawn") await this.#made.get(agent)
      await this.#until({ method: "PUT", path: `/${SINK}/${agent}`, body: {}, key: `sink-${agent}-${name}` })
      if (way !== "spawn") await this.#make(agent, name)
      await Promise.all(Array.from({ length: message.copies }, () => this.#sendOnce(message, to)))
    })
    if (way === "spawn") this.#made.set(agent, made)
    await made
  }

  /** Sends an accepted message once more, as a client does that never saw the answer. */
  async repeat(message: PlannedMessage): Promise<void> {
    const sent = this.sent.get(message.name)
    if (!sent?.accepted) return
    await this.#acting(async () => {
      const { body } = await this.#until(callOf({ ...message, wait: false }, sent.to, this.#budgetOf(message.agent)))
      const { message: key } = body as { readonly message?: string }
      if (key !== undefined && sent.key !== undefined) this.sent.set(sent.name, { ...sent, repeatedKey: key })
    })
  }

  async signal({ name, agent, signal, tree, atMs }: PlannedSignal): Promise<void> {
    await this.#acting(async () => {
      await this.#world.sleep(atMs)
      const body = { signal, ...(tree ? { payload: { tree } } : {}) }
      await this.#until({ method: "POST", path: `/${AGENT}/${agent}/signals`, body, key: name })
    })
  }

  /** Lets a paused entity go on. */
  async resume(url: string, again: number): Promise<void> {
    await this.#acting(async () => {
      const body = { signal: "resume" }
      await this.#until({ method: "POST", path: `${url}/signals`, body, key: `resume-${url}-${again}` })
    })
  }

  /** Says yes or no to a call that waits for a person, or for more budget. */
  async decide(url: string, { call, isBudget }: Asked, decision: "allow" | "deny"): Promise<void> {
    const body = { decision, ...(isBudget && decision === "allow" ? { extend: EXTENSION } : {}) }
    await this.#acting(async () => {
      await this.#until({ method: "POST", path: `${url}/approvals/${call}`, body })
    })
  }

  /** Sets a schedule of the plan, and takes it away when its time is over. */
  async schedule({ name, agent, rule, catchUp, atMs, forMs }: PlannedSchedule): Promise<void> {
    const path = `/${AGENT}/${agent}/schedules`
    await this.#acting(async () => {
      await this.#world.sleep(atMs)
      await this.#made.get(agent)
      await this.#make(agent, name)
      const body = { name, ...rule, catchUp, message: `tick ${name}` }
      await this.#until({ method: "POST", path, body, key: `set-${name}` })
      await this.#world.sleep(forMs)
      await this.#unschedule(`${path}/${name}`, name)
    })
  }

  /** Has an agent's sink observe it. */
  async observe({ name, agent, on, debounce, atMs }: PlannedObserver): Promise<void> {
    const path = `/${SINK}/${agent}`
    await this.#acting(async () => {
      await this.#world.sleep(atMs)
      await this.#until({ method: "PUT", path, body: {}, key: `sink-${agent}-${name}` })
      const body = { name, source: `/${AGENT}/${agent}`, on, debounce, from: "beginning" }
      await this.#until({ method: "POST", path: `${path}/observations`, body, key: `observe-${name}` })
    })
  }

  /** Forks an agent at one of the points of its log, and lets the fork go on. */
  async fork(fork: PlannedFork, pointsOf: (url: EntityUrl) => Promise<readonly Offset[]>): Promise<void> {
    const { name, agent, atMs, share, message } = fork
    const from = `/${AGENT}/${agent}`
    await this.#acting(async () => {
      await this.#world.sleep(atMs)
      await this.#made.get(agent)
      await this.#make(agent, name)
      await this.#until({ method: "PUT", path: `/${SINK}/${name}`, body: {}, key: `sink-${name}` })
      const points = await pointsOf(from)
      const at = points[Math.floor(share * points.length)] as Offset
      const body = { id: name, at, ...(message === undefined ? { run: true } : { message }) }
      const { status } = await this.#until({ method: "POST", path: `${from}/fork`, body, key: `fork-${name}` })
      if (status < 300) this.forks.push({ url: `/${AGENT}/${name}`, from, at })
    })
  }

  /** Takes away a schedule whose setting was answered late, after it had been taken away. */
  async tidy(url: string, name: string, again: number): Promise<void> {
    await this.#acting(() => this.#unschedule(`${url}/schedules/${name}`, `${name}-${again}`))
  }

  async #unschedule(path: string, key: string): Promise<void> {
    await this.#until({ method: "DELETE", path, body: undefined, key: `unset-${key}` })
  }

  async #make(agent: string, by: string): Promise<void> {
    const key = `agent-${agent}-${by}`
    await this.#until({ method: "PUT", path: `/${AGENT}/${agent}`, body: this.#budgetOf(agent), key })
  }

  #budgetOf(agent: string): { readonly budget?: PlannedBudget["limits"] } {
    const budget = this.#budgets.get(agent)
    return budget === undefined ? {} : { budget }
  }

  async #sendOnce(message: PlannedMessage, to: string): Promise<void> {
    const { status, body, tries } = await this.#until(callOf(message, to, this.#budgetOf(message.agent)))
    const before = this.sent.get(message.name)
    if (status >= 300 || before === undefined) return
    const { message: key, settled } = body as Partial<Spawned & { settled: Settled }> & Partial<Receipt>
    const told = settled?.status ?? (body as Partial<Settled>).status
    const keyed = message.way === "delayed" || key === undefined ? {} : { key }
    const other = before.key !== undefined && before.key !== key ? { repeatedKey: key ?? "nothing" } : {}
    this.sent.set(message.name, {
      ...before,
      ...keyed,
      ...other,
      ...(told === undefined ? {} : { settled: told }),
      accepted: true,
      tries,
    })
  }

  /** Asks until there is an answer that a repetition would not change. */
  async #until(call: Call): Promise<Answer & { readonly tries: number }> {
    for (let tries = 1; tries <= TRIES_MAX; tries += 1) {
      try {
        const answer = await this.#ask(call)
        if (answer.status < 429) return { ...answer, tries }
        if (answer.status !== 429 && answer.status !== 503) throw new Error(said(call, answer))
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error
      }
      await this.#world.sleep(AGAIN_MS * (1 + this.#world.random.next()) * Math.min(tries, 20))
    }
    throw new Error(`${call.method} ${call.path}: no answer after ${TRIES_MAX} tries`)
  }

  async #ask({ method, path, body, key }: Call): Promise<Answer> {
    const { random, weather } = this.#world
    await this.#world.sleep(this.#world.delay())
    const member = this.#fleet.pick()
    if (member === undefined || random.chance(weather.lost / 2)) throw new NoAnswer()
    const headers = { host: "localhost", ...(key === undefined ? {} : { "idempotency-key": key }) }
    const request = new Request(BASE + path, { method, headers, body: JSON.stringify(body) })
    const answered = currentLife
      .run(member.life, () => member.server.fetch(request))
      .then(async (response) => ({
        status: response.status,
        body: JSON.parse((await response.text()) || "null") as unknown,
      }))
    const gone = member.life.over.then((): never => {
      throw new NoAnswer()
    })
    const patience = this.#world.sleep(PATIENCE_MS).then((): never => {
      throw new NoAnswer()
    })
    gone.catch(ignore)
    patience.catch(ignore)
    const answer = await Promise.race([answered, gone, patience])
    await this.#world.sleep(this.#world.delay())
    if (random.chance(weather.lost)) throw new NoAnswer()
    return answer
  }

  async #acting(work: () => Promise<void>): Promise<void> {
    this.#busy += 1
    await work()
    this.#busy -= 1
  }
}

/** Whoever lost the race is not heard. */
function ignore(): void {
  return undefined
}

function callOf({ name, content, mode, way, wait }: PlannedMessage, to: string, budget: object): Call {
  if (way === "spawn") return { method: "PUT", path: to, body: { message: content, ...budget }, key: name }
  const later = way === "delayed" ? { afterMs: DELAY_MS } : {}
  const query = wait && way === "send" ? "?wait=5s" : ""
  return { method: "POST", path: `${to}/messages${query}`, body: { content, mode, ...later }, key: name }
}

function said({ method, path }: Call, { status, body }: Answer): string {
  return `${method} ${path} was answered ${status}: ${(body as Problem).detail ?? JSON.stringify(body)}`
}
