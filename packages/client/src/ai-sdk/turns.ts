import type { Item, MessageItem, RunEndItem, StepItem } from "../core/items.ts"

/** Who spoke, in order: what a chat shows as one message each. */
export type Turn = UserTurn | RunTurn

export interface UserTurn {
  readonly kind: "user"
  readonly item: MessageItem
}

/** All of one run: an assistant's message. */
export interface RunTurn {
  readonly kind: "run"
  readonly run: string
  readonly blocks: readonly Block[]
  readonly end?: RunEndItem
}

/** A step, and the messages that joined the run with it. */
export interface Block {
  readonly step: StepItem
  readonly steering: readonly MessageItem[]
}

/** The turns of a timeline. Messages that a run took after its first step are part of it; those still waiting stand where they are. */
export function turnsOf(items: readonly Item[]): readonly Turn[] {
  const turns: (UserTurn | Mutable)[] = []
  const runs = new Map<string, Mutable>()
  const runOfStep = new Map(items.flatMap((item) => (item.kind === "step" ? [[item.key, item.run] as const] : [])))
  let joining: MessageItem[] = []
  const open = (run: string): Mutable => {
    const known = runs.get(run)
    if (known) return known
    const made: Mutable = { kind: "run", run, blocks: [] }
    runs.set(run, made)
    turns.push(made)
    return made
  }
  for (const item of items) {
    if (item.kind === "message" && item.row.kind === "message") {
      const joins = item.step !== undefined && runs.has(runOfStep.get(item.step) ?? "")
      if (joins) joining.push(item)
      else turns.push({ kind: "user", item })
    } else if (item.kind === "step" && item.row?.purpose === undefined) {
      open(item.run).blocks.push({ step: item, steering: joining })
      joining = []
    } else if (item.kind === "runEnd") open(item.run).end = item
  }
  return turns
}

interface Mutable {
  readonly kind: "run"
  readonly run: string
  readonly blocks: Block[]
  end?: RunEndItem
}

/** One run's turn. */
export function turnOfRun(items: readonly Item[], run: string): RunTurn | undefined {
  return turnsOf(items).find((turn): turn is RunTurn => turn.kind === "run" && turn.run === run)
}
