import { ratios, spread, type Spread } from "./stats.ts"

/** What is measured. */
export interface Metric {
  readonly name: string
  readonly unit: string
  /** What the value must not pass: a most, or a least. */
  readonly most?: number
  readonly least?: number
  /** Whose value the target is for; all others are there to compare. */
  readonly of?: string
}

export interface Figure extends Spread {
  readonly system: string
  readonly metric: string
  readonly unit: string
  /** Of every round, in order. */
  readonly values: readonly number[]
  /** To the base system, round by round. */
  readonly ratio?: Spread
  readonly target?: string
  readonly met?: boolean
}

/**
 * Gathers what the rounds of a bench measured.
 *
 * 1. Metrics and systems are shown in the order in which they first came.
 * 2. Round n of one system is compared with round n of the base, measured beside it.
 */
export class Figures {
  readonly #base: string | undefined
  readonly #metrics = new Map<string, { readonly metric: Metric; readonly systems: Map<string, number[]> }>()

  /** @param base The system that the others are compared with. */
  constructor(base?: string) {
    this.#base = base
  }

  add(metric: Metric, system: string, value: number): void {
    const known = this.#metrics.get(metric.name) ?? { metric, systems: new Map<string, number[]>() }
    this.#metrics.set(metric.name, known)
    const values = known.systems.get(system)
    if (values) values.push(value)
    else known.systems.set(system, [value])
  }

  list(): Figure[] {
    return [...this.#metrics.values()].flatMap(({ metric, systems }) => {
      const base = this.#base === undefined ? undefined : systems.get(this.#base)
      return [...systems].map(([system, values]) =>
        figure(metric, system, values, system === this.#base ? undefined : base),
      )
    })
  }
}

function figure(
  metric: Metric,
  system: string,
  values: readonly number[],
  base: readonly number[] | undefined,
): Figure {
  const whole = spread(values)
  const hasTarget = metric.of === undefined || metric.of === system
  const verdict = hasTarget ? judge(metric, whole.median) : {}
  const ratio = base === undefined ? {} : { ratio: spread(ratios(values, base)) }
  return { system, metric: metric.name, unit: metric.unit, ...whole, values, ...ratio, ...verdict }
}

function judge({ most, least }: Metric, value: number): { readonly target?: string; readonly met?: boolean } {
  if (most !== undefined) return { target: `≤ ${most}`, met: value <= most }
  if (least !== undefined) return { target: `≥ ${least}`, met: value >= least }
  return {}
}
