import {
  entityUrl,
  type EntityUrl,
  isEntityId,
  type Json,
  matchesWhere,
  RouseError,
  type WebhookDelivery,
  type WebhookReceipt,
  type WebhookRoute,
  type WebhookSource,
  webhookStream,
} from "@rouse/protocol"
import { frameJson } from "@rouse/store"
import type { CommitDraft } from "../core/draft.ts"
import { fill, fillArgs, idPart } from "../core/webhook-template.ts"
import { checkQueue, deliver } from "../inbox.ts"
import type { Plane } from "../plane.ts"
import { transactAndRouse } from "../rouse.ts"
import { checkSpawn, planSpawn, type SpawnInput } from "../spawn.ts"
import type { Planning } from "../transactor.ts"

/** How long a delivery is remembered, so that a second one of its id is known: longer than any sender tries. */
const RECEIPT_MS = 7 * 24 * 3_600_000

/** A route with its templates filled. */
interface Target {
  readonly route: number
  readonly url: EntityUrl
  readonly content: Json
  readonly mode: NonNullable<WebhookRoute["mode"]>
  /** How it is made when it is not there; `known`: it was there before the plan. */
  readonly spawn: SpawnInput | "known" | undefined
}

type Passed = NonNullable<WebhookReceipt["passed"]>[number]

/**
 * Gives a delivery to everybody whom it concerns: the row on the source's stream, the messages, the agents that are made for it and the receipt
 * that knows it again are one commit.
 *
 * @throws {RouseError} `RATE_LIMITED` when an inbox is full, `OVERLOADED`: nothing has happened, and the sender may try again.
 */
export async function acceptDelivery(
  plane: Plane,
  source: WebhookSource,
  delivery: WebhookDelivery,
): Promise<WebhookReceipt> {
  const known = { delivery: delivery.delivery }
  const json = delivery as unknown as Json
  if (source.where && !matchesWhere(source.where, json)) return { ...known, status: "filtered" }
  const { targets, passed } = await targetsOf(plane, source, json)
  if (targets.length > 0) checkQueue(plane)
  const key = `webhook\n${source.name}\n${delivery.delivery}`
  if (await plane.store.receipt(key)) return { ...known, status: "duplicate" }
  const accepting = transactAndRouse(
    plane,
    [...new Set(targets.map((target) => target.url))],
    async (planning): Promise<WebhookReceipt> => {
      if (await plane.store.receipt(key)) return { ...known, status: "duplicate" }
      const notes = [...passed]
      const delivered: EntityUrl[] = []
      for (const target of targets) {
        const reason = await planTarget(plane, planning, source, target)
        if (reason === undefined) delivered.push(target.url)
        else notes.push({ route: target.route, reason })
      }
      const receipt: WebhookReceipt = {
        ...known,
        status: "accepted",
        ...(delivered.length > 0 ? { delivered } : {}),
        ...(notes.length > 0 ? { passed: notes } : {}),
      }
      planRecord(planning.draft, source, delivery, receipt, key)
      return receipt
    },
  )
  const { value } = await accepting.catch(async (error: unknown): Promise<{ readonly value: WebhookReceipt }> => {
    // Another replica may have been first with the same delivery: its receipt refuses this commit.
    if (RouseError.is(error, "CONFLICT") && (await plane.store.receipt(key)))
      return { value: { ...known, status: "duplicate" } }
    throw error
  })
  for (const { route, reason } of value.passed ?? [])
    plane.log.warn("a webhook was passed by a route", { source: source.name, ...known, route, reason })
  return value
}

/** The stream's row, and the receipt. */
function planRecord(
  draft: CommitDraft,
  source: WebhookSource,
  delivery: WebhookDelivery,
  receipt: WebhookReceipt,
  key: string,
): void {
  const { nowMs } = draft
  const expiresAtMs = nowMs + RECEIPT_MS
  const stored = { key, fingerprint: "", response: receipt as unknown as Json, expiresAtMs }
  draft.also({ op: "putReceipt", receipt: stored }, { kind: "noReceipt", key })
  if (source.stream === false) return
  const path = webhookStream(source.name)
  const value = { ...delivery, ...(receipt.passed ? { passed: receipt.passed } : {}) }
  const event = { type: "delivery", key: delivery.delivery, value, headers: { operation: "insert" } }
  draft.also({ op: "createStream", path, contentType: "application/json", nowMs })
  draft.also({ op: "append", path, data: frameJson([event]), nowMs })
}

/** Returns why it was not given to the agent. */
async function planTarget(
  plane: Plane,
  planning: Planning,
  source: WebhookSource,
  { url, content, mode, spawn }: Target,
): Promise<string | undefined> {
  const from = { kind: "webhook", id: source.name } as const
  const entity = planning.entity(url)
  if (entity?.record.status === "stopped") {
    entity.refuse({ kind: "message", from, content, mode }, `${url} is stopped`)
    return `${url} is stopped`
  }
  if (!entity && !spawn) return `there is no ${url}`
  // Its arguments were not checked. The sender tries again, and then they are.
  if (!entity && spawn === "known") throw new RouseError("CONFLICT", `${url} was deleted meanwhile; send it again`)
  if (!entity && typeof spawn === "object") await planSpawn(plane, planning, { ...spawn, message: content })
  else if (entity) deliver(plane, entity, { kind: "message", from, content, mode })
  return undefined
}

async function targetsOf(
  plane: Plane,
  source: WebhookSource,
  delivery: Json,
): Promise<{ readonly targets: readonly Target[]; readonly passed: readonly Passed[] }> {
  const targets: Target[] = []
  const passed: Passed[] = []
  for (const [index, route] of (source.to ?? []).entries()) {
    if (route.where && !matchesWhere(route.where, delivery)) continue
    try {
      targets.push(await targetOf(plane, source, route, index, delivery))
    } catch (error) {
      // What the sender sent has no place in this route: nobody can mend it by sending it again.
      if (!RouseError.is(error, "INVALID_ARGS", "BAD_REQUEST", "UNKNOWN_TYPE")) throw error
      passed.push({ route: index, reason: error.message })
    }
  }
  return { targets, passed }
}

async function targetOf(
  plane: Plane,
  source: WebhookSource,
  route: WebhookRoute,
  index: number,
  delivery: Json,
): Promise<Target> {
  const id = fill(route.id, delivery, idPart)
  if (!isEntityId(id)) throw new RouseError("INVALID_ARGS", `id: "${id}" is no id of an entity`)
  const url = entityUrl(route.type, id)
  const content = route.message === undefined ? delivery : fill(route.message, delivery)
  const mode = route.mode ?? "queue"
  if (route.spawn === false) return { route: index, url, content, mode, spawn: undefined }
  const from = { kind: "webhook", id: source.name } as const
  const args = fillArgs(route.args ?? {}, delivery) as SpawnInput["args"]
  const input: SpawnInput = { type: route.type, id, args, tags: {}, wake: "never", parent: null, from }
  // Its arguments matter only where it is not there: one that exists is told whatever they are.
  const isThere = (await plane.transactor.record(url)) !== undefined
  return { route: index, url, content, mode, spawn: isThere ? "known" : await checkSpawn(plane, input) }
}
