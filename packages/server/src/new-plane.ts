import { randomBytes } from "node:crypto"
import { redactionOf } from "@rouse/agents/runtime"
import { Keyring } from "@rouse/streams"
import type { Clock } from "@rouse/streams"
import { Circuits } from "./dispatch/circuits.ts"
import { ClaimTokens } from "./dispatch/claim-token.ts"
import { Deliveries } from "./dispatch/deliveries.ts"
import { PullDesk } from "./dispatch/pull-desk.ts"
import { Registry } from "./dispatch/registry.ts"
import type { RemoteHandlers } from "./dispatch/remote-handlers.ts"
import { AttachmentDesk } from "./attachments/desk.ts"
import { storeContents } from "./attachments/store-contents.ts"
import { tellAskers } from "./asks.ts"
import { TreeRates } from "./breakers.ts"
import { newId } from "./core/id.ts"
import { Dispatcher } from "./dispatcher.ts"
import { freezeTree } from "./freeze-tree.ts"
import { DEFAULT_LIMITS, type Limits } from "./limits.ts"
import type { DueLoop } from "./due-loop.ts"
import { Peers } from "./peers.ts"
import type { Plane } from "./plane.ts"
import { Settlements } from "./settlements.ts"
import { newClaimLoop } from "./shared/claim-loop.ts"
import { newTicker } from "./ticker.ts"
import { Transactor } from "./transactor.ts"
import { Types } from "./types.ts"
import { WorkDesk } from "./work/desk.ts"
import type { ServerOptions } from "./server-options.ts"

function attachmentDesk({ store, clock, random, limits, attachments }: ServerOptions): AttachmentDesk {
  const { attachmentBytesMax, uploadsMax } = { ...DEFAULT_LIMITS, ...limits }
  const kept = storeContents({ store, clock, newKey: () => newId(clock(), random) })
  return new AttachmentDesk(attachments?.(kept) ?? kept, attachmentBytesMax, uploadsMax)
}

interface Loops {
  readonly ticker: DueLoop
  readonly claimLoop: DueLoop
}

/** The server's parts, which know one another by it. */
export function planeOf(options: ServerOptions): Plane & Loops {
  const { store, clock, random, defer, log } = options
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const ticker: DueLoop = newTicker(() => plane)
  const dispatcher: Dispatcher = new Dispatcher(
    () => plane,
    options.host,
    () => ticker.poke(),
  )
  const claimLoop = newClaimLoop(() => plane)
  const plane: Plane & Loops = {
    store,
    clock,
    random,
    defer,
    log,
    transactor: new Transactor(store, clock),
    settlements: new Settlements(),
    types: new Types(options.entities),
    limits,
    dispatcher,
    peers: new Peers(() => plane),
    remote: remoteOf(options, ticker, limits),
    dueAt: (ms) => ticker.dueAt(ms),
    claimDueAt: (ms) => claimLoop.dueAt(ms),
    abort: (url, reason) => dispatcher.abort(url, reason),
    tellAskers: (planning) => tellAskers(plane, planning),
    treeRates: new TreeRates(),
    work: new WorkDesk(() => plane, clock()),
    redaction: redactionOf(options.host),
    policy: options.policy ?? [],
    attachments: attachmentDesk(options),
    freezeTree: (root, cause) => {
      log.warn("a breaker froze a tree", { root, cause })
      freezeTree(plane, root, cause).catch((error: unknown) =>
        log.error("a tree could not be frozen whole", { root, error: String(error) }),
      )
    },
    ticker,
    claimLoop,
  }
  plane.types.follow(() => plane.remote.registry.catalog)
  return plane
}

/** What an answer may have beside its commit. */
const ANSWER_BYTES_MORE = 1_048_576

function remoteOf(options: ServerOptions, ticker: DueLoop, limits: Limits): RemoteHandlers {
  const { store, clock, random, defer, webhooks } = options
  const now: Clock = { now: clock, after: defer }
  const poke = (): void => ticker.poke()
  return {
    registry: new Registry(store, clock, poke),
    claims: new ClaimTokens(store, clock, webhooks?.randomBytes ?? randomBytes),
    circuits: new Circuits(clock, random, (ms) => ticker.dueAt(ms)),
    pulls: new PullDesk(clock, defer, poke),
    deliveries:
      webhooks &&
      new Deliveries(webhooks, new Keyring(store, now, webhooks), limits.commitBytesMax + ANSWER_BYTES_MORE),
  }
}
