import type { StreamOutcome } from "../commit.ts"
import type { SpaceResult } from "../space.ts"
import type { EncodedCommit } from "./encoded.ts"
import { ObservationPlan } from "./observation-plan.ts"
import { Overlay } from "./overlay.ts"
import type { SpacePlan } from "./space-plan.ts"
import type { StreamState } from "./stream-state.ts"
import { SubscriptionPlan } from "./subscription-plan.ts"
import type { StoreView } from "./view.ts"
import type { Write } from "./write.ts"

/** What the plan of a commit has come to so far: what its operations so far leave, and the writes that bring it about. */
export class Draft {
  readonly commit: EncodedCommit
  readonly view: Overlay
  readonly writes: Write[] = []
  readonly streams: Record<string, StreamOutcome> = {}
  /** The version that each `putEntity` got, in order. */
  readonly versions: number[] = []
  /** Operations begun. */
  begun = 0
  /** Made when a commit first concerns a space. */
  spaces: SpacePlan | undefined
  #subscriptions: SubscriptionPlan | undefined
  #observations: ObservationPlan | undefined

  constructor(commit: EncodedCommit, view: StoreView) {
    this.commit = commit
    this.view = new Overlay(view)
  }

  write(write: Write | undefined): void {
    if (write !== undefined) this.writes.push(write)
  }

  /** Made when it is first needed: few commits concern a subscription. */
  get subscriptions(): SubscriptionPlan {
    return (this.#subscriptions ??= new SubscriptionPlan(
      this.view.subscriptions,
      (path) => this.view.stream(path),
      (write) => this.write({ kind: "subscription", write }),
    ))
  }

  get spaceResults(): readonly SpaceResult[] {
    return this.spaces?.results ?? []
  }

  get subscriptionDueAtMs(): number | null {
    return this.#subscriptions?.dueAtMs ?? null
  }

  /** The same of observations. */
  get observations(): ObservationPlan {
    return (this.#observations ??= new ObservationPlan(
      this.view.observations,
      (path) => this.view.stream(path),
      (write) => this.write({ kind: "observation", write }),
    ))
  }

  get observationDueAtMs(): number | null {
    return this.#observations?.dueAtMs ?? null
  }

  /** Tells a stream's subscriptions and observations that it grew by `data`, where that is known. `before` is where it ended. */
  grown(before: number, next: StreamState, data: Uint8Array | undefined, nowMs: number): void {
    if (next.tail <= before) return
    if (this.#hasSubscribers(next.path)) this.subscriptions.grown(next.path, before, nowMs)
    if (this.isObserved(next.path)) this.observations.grown(before, next, data, nowMs)
  }

  /** Tells a stream's subscriptions and observations that it is gone. */
  gone(path: string): void {
    if (this.#hasSubscribers(path)) this.subscriptions.gone(path)
    if (this.isObserved(path)) this.observations.gone(path)
  }

  /** Whether there is any observation at all, also by what this commit did. */
  get hasObservations(): boolean {
    return this.#observations !== undefined || this.view.base.observations.any
  }

  /** Whether a stream has an observation. */
  isObserved(path: string): boolean {
    if (!this.hasObservations) return false
    const view = this.#observations === undefined ? this.view.base.observations : this.view.observations
    return view.observers(path).length > 0
  }

  /** Whether anybody wants to know of a stream. What this commit did to subscriptions is not known without looking closer. */
  #hasSubscribers(path: string): boolean {
    if (this.#subscriptions !== undefined) return true
    const { subscriptions } = this.view.base
    return subscriptions.any && subscriptions.subscribers(path).length > 0
  }
}
