import type { EntityUrl } from "@rouse/protocol"
import type { Control } from "./control.ts"
import { stepWake, type WakeState } from "./wake-state.ts"

export interface ImportTerms {
  readonly renamed: ReadonlyMap<EntityUrl, EntityUrl>
  /** Who comes with it, by the address that the bundle has. */
  readonly arrived: ReadonlySet<EntityUrl>
  /** Whether its parent is there. */
  readonly hasParent: boolean
  /** What was under way goes on at once. */
  readonly run: boolean
  readonly nowMs: number
}

/**
 * The control of an entity that comes out of a bundle. Pure. Nobody holds its lease any more; what was under way is the wake's next attempt,
 * and is paused unless it is to run: the one that was exported may still be at it.
 */
export function importedControl(control: Control, { renamed, arrived, hasParent, run, nowMs }: ImportTerms): Control {
  const { root, budget, remote: _remote, asked, ...rest } = control
  const to = (url: EntityUrl): EntityUrl => renamed.get(url) ?? url
  const from = budget?.from === undefined || budget.from === null || !hasParent ? null : to(budget.from)
  // Who is not in the bundle waits for the original's answer.
  const waiting = Object.entries(asked ?? {}).filter(([, { by }]) => arrived.has(by))
  return {
    ...rest,
    ...(waiting.length > 0
      ? { asked: Object.fromEntries(waiting.map(([key, one]) => [key, { ...one, by: to(one.by) }])) }
      : {}),
    wake: importedWake(control.wake, run, nowMs),
    notify: control.notify && hasParent,
    depth: hasParent ? control.depth : 0,
    ...(root !== undefined && renamed.has(root) ? { root: to(root) } : {}),
    ...(budget ? { budget: { ...budget, from } } : {}),
  }
}

function importedWake(state: WakeState, run: boolean, nowMs: number): WakeState {
  const { phase, epoch } = state
  const free = phase.kind === "running" ? stepWake(state, { kind: "release", epoch, nowMs }) : state
  return free.phase.kind === "queued" && !run ? stepWake(free, { kind: "pause" }) : free
}
