import { entityStreamPath, setStreamPath } from "@rouse/protocol"
import type { EncodedCommit, EncodedOp } from "../core/encoded.ts"
import { homeOfEntity, homeOfReceipt, homeOfSecret, homeOfStream, homeOfSubscription } from "../core/home.ts"
import type { Home } from "../core/home.ts"
import type { Guard } from "../commit.ts"
import type { Need } from "./facts.ts"
import { needsOfSpace } from "./space-needs.ts"

/** What planning a commit will ask for, as far as the commit itself tells. The rest is asked for when it is missed. */
export function needsOf(commit: EncodedCommit, hasSubscriptions: boolean): Need[] {
  return [
    ...commit.guards.flatMap((guard) => needsOfGuard(guard)),
    ...commit.ops.flatMap((op) => needsOfOp(op, hasSubscriptions)),
  ]
}

function needsOfGuard(guard: Guard): Need[] {
  switch (guard.kind) {
    case "version":
    case "lease":
      return [{ kind: "entities", name: guard.url }]
    case "timer":
      return [{ kind: "timers", name: guard.id }]
    case "noReceipt":
      return [{ kind: "receipts", name: guard.key }]
    case "subscription":
      return [{ kind: "subscriptions", name: guard.id }]
    case "work":
      return [{ kind: "works", name: guard.id }]
    case "observation":
      return [{ kind: "observations", name: guard.url, id: guard.name }]
  }
}

function needsOfOp(op: EncodedOp, hasSubscriptions: boolean): Need[] {
  switch (op.op) {
    case "append": {
      const needs = needsOfStream(op.path, hasSubscriptions)
      if (op.producer !== undefined) needs.push({ kind: "producers", name: op.path, id: op.producer.id })
      return needs
    }
    case "createStream":
    case "deleteStream":
    case "touchStream":
    case "putSnapshot":
    case "trimStream":
    case "putPin":
    case "dropPin":
      return needsOfStream(op.path, hasSubscriptions)
    case "forkStream":
      return [...needsOfStream(op.path, hasSubscriptions), { kind: "streams", name: op.source }]
    case "putEntity": {
      const { url, parent, type } = op.record
      const own: Need[] = [
        { kind: "entities", name: url },
        { kind: "observers", name: setStreamPath(type) },
      ]
      // Whether anything is at home there already: a child's place is its parent's.
      return parent === null
        ? own
        : [...own, { kind: "streams", name: entityStreamPath(url) }, { kind: "entities", name: parent }]
    }
    case "deleteEntity":
      return [
        { kind: "entities", name: op.url },
        { kind: "observing", name: op.url },
      ]
    case "putRow":
    case "deleteRow":
      return [{ kind: "entities", name: op.url }]
    case "putTimer":
      return [{ kind: "entities", name: op.timer.url }]
    case "deleteTimer":
      return [{ kind: "timers", name: op.id }]
    case "putWork":
      return [
        { kind: "entities", name: op.item.url },
        { kind: "works", name: op.item.id },
      ]
    case "dropWork":
      return [{ kind: "works", name: op.id }]
    case "putReceipt":
    case "secret":
      return []
    case "subscription": {
      const { change } = op
      const own: Need = { kind: "subscriptions", name: change.kind === "put" ? change.record.id : change.id }
      return "path" in change ? [own, ...needsOfStream(change.path, true)] : [own]
    }
    case "observation": {
      const { change } = op
      const { url, name } = change.kind === "put" ? change.record : change
      const own: Need = { kind: "observations", name: url, id: name }
      return change.kind === "put" ? [own, ...needsOfStream(change.record.path, false)] : [own]
    }
    case "space":
      return [...needsOfStream(op.path, hasSubscriptions), ...needsOfSpace(op)]
  }
}

function needsOfStream(path: string, hasSubscriptions: boolean): Need[] {
  const own: Need[] = [
    { kind: "streams", name: path },
    { kind: "observers", name: path },
  ]
  return hasSubscriptions ? [...own, { kind: "links", name: path }] : own
}

/** The homes that a commit is known to touch. Commits with a home in common follow one another. */
export function homesOf(commit: EncodedCommit): Set<Home> {
  const homes = new Set<Home>()
  for (const guard of commit.guards) homes.add(homeOfGuard(guard))
  for (const op of commit.ops) for (const home of homesOfOp(op)) homes.add(home)
  return homes
}

function homeOfGuard(guard: Guard): Home {
  switch (guard.kind) {
    case "version":
    case "lease":
    case "observation":
      return homeOfEntity(guard.url)
    case "timer":
      return `t:${guard.id}`
    case "noReceipt":
      return homeOfReceipt(guard.key)
    case "subscription":
      return homeOfSubscription(guard.id)
    case "work":
      return `w:${guard.id}`
  }
}

function homesOfOp(op: EncodedOp): Home[] {
  switch (op.op) {
    case "append":
    case "createStream":
    case "deleteStream":
    case "touchStream":
    case "putSnapshot":
    case "trimStream":
    case "putPin":
    case "dropPin":
      return [homeOfStream(op.path)]
    case "forkStream":
      return [homeOfStream(op.path), homeOfStream(op.source)]
    case "putEntity":
      return [homeOfEntity(op.record.url)]
    case "deleteEntity":
    case "putRow":
    case "deleteRow":
      return [homeOfEntity(op.url)]
    case "putTimer":
      return [homeOfEntity(op.timer.url), `t:${op.timer.id}`]
    case "deleteTimer":
      return [`t:${op.id}`]
    case "putWork":
      return [homeOfEntity(op.item.url), `w:${op.item.id}`]
    case "dropWork":
      return [`w:${op.id}`]
    case "putReceipt":
      return [homeOfReceipt(op.receipt.key)]
    case "secret":
      return [homeOfSecret(op.name)]
    case "subscription": {
      const { change } = op
      const home = homeOfSubscription(change.kind === "put" ? change.record.id : change.id)
      return "path" in change ? [home, homeOfStream(change.path)] : [home]
    }
    case "observation": {
      const { change } = op
      if (change.kind === "drop") return [homeOfEntity(change.url)]
      return [homeOfEntity(change.record.url), homeOfStream(change.record.path)]
    }
    case "space":
      return [homeOfStream(op.path)]
  }
}

/** Whether a commit says who is to be woken by which streams: such a one is done by itself. */
export function changesSubscriptions(commit: EncodedCommit): boolean {
  return commit.ops.some((op) => op.op === "subscription" && op.change.kind !== "ack")
}
