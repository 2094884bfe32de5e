import { problemOf, RouseError, SIGNATURE_HEADER } from "@rouse/protocol"
import type { HandlerManifest, ManifestRequest, WakeAnswer, WakeDelivery } from "@rouse/protocol"
import { typeManifest } from "../definition.ts"
import type { EntityDefinition } from "../entity.ts"
import type { Env } from "../env.ts"
import { runAttempt } from "./attempt.ts"
import { ServerKeys } from "./keys.ts"
import type { PublicKeyInfo } from "./keys.ts"
import { readDelivery } from "./read-delivery.ts"
import { entitiesOf, Hosts, serverOf } from "./options.ts"
import type { ModelsIn, RemoteOptions } from "./options.ts"
import { RemoteBackend } from "./remote-backend.ts"
import { ServerCalls } from "./server-calls.ts"
import { SeenDeliveries, verify } from "./verify.ts"

const decoder = new TextDecoder()

export interface HandlerOptions extends RemoteOptions {
  /** How long one invocation may take on this host, milliseconds: at the step boundary before it the wake goes on in the next one. */
  readonly deadlineMs?: number
  /**
   * Where the host can go on after its answer (`waitUntil`): answer after so many milliseconds, and go on under the lease. Without it the
   * answer waits for the wake.
   */
  readonly detachMs?: number
  /** Keys of the server that need not be asked for: what it publishes at `/.well-known/jwks.json`. Others are still asked for. */
  readonly keys?: readonly PublicKeyInfo[]
}

/** What one invocation knows of its host. All of it may be left out. */
export interface Invocation {
  /** Keeps the host alive for work that goes on after the answer. */
  readonly waitUntil?: (work: Promise<unknown>) => void
  /** When the host ends this invocation, milliseconds since the Unix epoch. */
  readonly deadlineAtMs?: number
  /** Environment variables, where the runtime passes them with each request. */
  readonly env?: Env
}

export type FetchHandler = (request: Request, invocation?: Invocation) => Promise<Response>

/**
 * A fetch handler that runs wakes. It takes only what its server signed, and asks nothing of its host but `fetch` and Web Crypto.
 *
 * @param modelsIn The providers that names of models are looked up in. Without it there are none.
 * @throws {RouseError} `INVALID_ARGS` naming the option that is wrong.
 */
export function fetchHandler(options: HandlerOptions, modelsIn?: ModelsIn): FetchHandler {
  const handler = new Handler(options, modelsIn)
  return (request, invocation = {}) => handler.answer(request, invocation)
}

class Handler {
  readonly #options: HandlerOptions
  readonly #hosts: Hosts
  readonly #entities: ReadonlyMap<string, EntityDefinition>
  readonly #keys: ServerKeys
  readonly #calls: ServerCalls
  readonly #seen = new SeenDeliveries()

  constructor(options: HandlerOptions, modelsIn: ModelsIn | undefined) {
    const server = serverOf(options, "createHandler")
    const fetcher = options.fetch ?? globalThis.fetch
    this.#options = options
    this.#hosts = new Hosts(options, modelsIn)
    this.#entities = entitiesOf(options, "createHandler")
    this.#keys = new ServerKeys(server, fetcher, Date.now, options.keys)
    this.#calls = new ServerCalls(server, fetcher)
  }

  async answer(request: Request, invocation: Invocation): Promise<Response> {
    try {
      if (request.method !== "POST") throw new RouseError("METHOD_NOT_ALLOWED", "a server posts wakes here")
      const body = await readDelivery(request)
      await verify(request.headers.get(SIGNATURE_HEADER), body, this.#keys, Date.now())
      const message = parse(body)
      if (message.kind === "manifest") return json(this.#manifest())
      return json(await this.#wake(message, request.signal, invocation))
    } catch (error) {
      const problem = problemOf(error)
      if (problem.code === "INTERNAL") this.#options.log?.error("a delivery failed", { error: String(error) })
      return json(problem, problem.status, "application/problem+json")
    }
  }

  #manifest(): HandlerManifest {
    const { version } = this.#options
    return { types: [...this.#entities.values()].map(typeManifest), ...(version === undefined ? {} : { version }) }
  }

  async #wake(delivery: WakeDelivery, gone: AbortSignal, invocation: Invocation): Promise<WakeAnswer> {
    const definition = this.#entities.get(delivery.request.entity.type)
    if (!definition) throw new RouseError("UNKNOWN_TYPE", `this handler has no type "${delivery.request.entity.type}"`)
    this.#seen.note(delivery.delivery, Date.now())
    const backend = new RemoteBackend(delivery, this.#calls, Date.now, true)
    gone.addEventListener("abort", () => backend.post(), { once: true })
    const host = this.#hosts.of(invocation.env)
    const work = runAttempt(definition, delivery, backend, host, this.#deadline(invocation))
    return await this.#orDetach(work, delivery, backend, invocation)
  }

  #deadline({ deadlineAtMs }: Invocation): number | null {
    const { deadlineMs } = this.#options
    const own = deadlineMs === undefined ? Number.POSITIVE_INFINITY : Date.now() + deadlineMs
    const first = Math.min(own, deadlineAtMs ?? Number.POSITIVE_INFINITY)
    return Number.isFinite(first) ? first : null
  }

  async #orDetach(
    work: Promise<WakeAnswer>,
    delivery: WakeDelivery,
    backend: RemoteBackend,
    { waitUntil }: Invocation,
  ): Promise<WakeAnswer> {
    const { detachMs } = this.#options
    if (detachMs === undefined || !waitUntil) return await work
    let timer: ReturnType<typeof setTimeout> | undefined
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), detachMs)
    })
    const early = await Promise.race([work, late])
    clearTimeout(timer)
    if (early) return early
    // What was kept for the answer by now goes with it.
    if (backend.last) return { kind: "finished", commit: backend.last }
    backend.post()
    backend.keep()
    waitUntil(work.then((answer) => this.#report(answer, delivery)))
    return { kind: "continues" }
  }

  /** How the attempt ended, once nobody waits for the answer. */
  async #report(answer: WakeAnswer, { claim }: WakeDelivery): Promise<void> {
    await reportEnd(this.#calls, claim, answer).catch((error: unknown) =>
      this.#options.log?.warn("a wake's end could not be told", { error: String(error) }),
    )
  }
}

/** Tells the server of an attempt that ended without a finish. One that it cannot be told of ends with its lease. */
export async function reportEnd(calls: ServerCalls, claim: string, answer: WakeAnswer): Promise<void> {
  if (answer.kind === "failed" || answer.kind === "released") {
    await calls.post("/v1/claims/end", claim, answer).catch((error: unknown) => {
      if (!RouseError.is(error, "FENCED")) throw error
    })
  }
}

/** Signed by the server, so only its shape at the top is looked at. */
function parse(body: Uint8Array): WakeDelivery | ManifestRequest {
  let message: Partial<WakeDelivery | ManifestRequest> | null
  try {
    message = JSON.parse(decoder.decode(body)) as typeof message
  } catch (cause) {
    throw new RouseError("BAD_JSON", "the body is not valid JSON", { cause })
  }
  if (message?.kind === "manifest" || (message?.kind === "wake" && typeof message.claim === "string"))
    return message as WakeDelivery | ManifestRequest
  throw new RouseError("BAD_REQUEST", "kind: must be wake or manifest; the server may be newer than this handler")
}

function json(body: unknown, status = 200, type = "application/json"): Response {
  return new Response(JSON.stringify(body), { status, headers: { "content-type": type, "cache-control": "no-store" } })
}
