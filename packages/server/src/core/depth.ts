/** How deep a JSON body may be nested: far more than data is, far less than a stack holds. */
export const DEPTH_MAX = 128

/** Whether a JSON value is nested deeper than `max`. Walks without recursion, so that no depth harms it. */
export function isDeeperThan(value: unknown, max: number): boolean {
  let level: unknown[] = [value]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > max) return true
    level = level.flatMap((one) => (typeof one === "object" && one !== null ? (Object.values(one) as unknown[]) : []))
  }
  return false
}
