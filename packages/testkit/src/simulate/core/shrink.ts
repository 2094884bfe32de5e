import { partsOf, type Plan } from "./plan.ts"

/**
 * Looks for a smaller plan that fails too: halves of what is left are left out, then quarters, down to single parts.
 *
 * @param fails Runs the plan without the parts of these names.
 * @param triesMax Bounds the runs.
 * @returns The names of the parts that are not needed.
 */
export async function shrink(
  plan: Plan,
  fails: (leftOut: ReadonlySet<string>) => Promise<boolean>,
  triesMax: number,
): Promise<ReadonlySet<string>> {
  const leftOut = new Set<string>()
  let tries = 0
  for (let size = Math.ceil(partsOf(plan).length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (const part of chunks(partsOf(plan), size)) {
      const more = part.filter((name) => !leftOut.has(name))
      if (more.length === 0 || tries >= triesMax) continue
      tries += 1
      if (!(await fails(new Set([...leftOut, ...more])))) continue
      for (const name of more) leftOut.add(name)
    }
  }
  return leftOut
}

function chunks(names: readonly string[], size: number): readonly (readonly string[])[] {
  return Array.from({ length: Math.ceil(names.length / size) }, (_, at) => names.slice(at * size, (at + 1) * size))
}
