import type { Figure } from "./figures.ts"

export interface BenchContext {
  /** How often everything is measured; undefined: as the bench finds right. */
  readonly rounds: number | undefined
  /** How long each measurement lasts; undefined: as the bench finds right. */
  readonly seconds: number | undefined
  /** How many agents, where that is the question. */
  readonly agents: number | undefined
  /** The program of the `rouse` command. */
  readonly rouse: string
  /** Another build of it to compare with. */
  readonly against: string | undefined
  /** Tells a person what is going on. */
  readonly say: (line: string) => void
}

export interface BenchResult {
  readonly figures: readonly Figure[]
  /** What one must know to read the figures. */
  readonly notes: readonly string[]
}

export interface Bench {
  readonly name: string
  /** One line. */
  readonly summary: string
  run(context: BenchContext): Promise<BenchResult>
}
