import { RouseError } from "./errors.ts"
import type { Json, JsonObject } from "./json.ts"
import type { Where } from "./observe.ts"

/** How deep conditions may be nested. */
const DEPTH_MAX = 8
/** Tests of one condition, all together. */
const TESTS_MAX = 64
/** Values of one `in`. */
const IN_MAX = 256
const PATH_CHARS_MAX = 256

const COMBINATORS: ReadonlySet<string> = new Set(["and", "or", "not"])
const ORDERS: ReadonlySet<string> = new Set(["gt", "gte", "lt", "lte"])

/**
 * Whether a row satisfies a condition. Pure, and total: what cannot be compared is false.
 *
 * @param key The row's key, which `$key` means.
 */
export function matchesWhere(where: Where, row: Json | undefined, key?: string): boolean {
  return Object.entries(where).every(([name, test]) => {
    if (name === "and") return (test as readonly Where[]).every((one) => matchesWhere(one, row, key))
    if (name === "or") return (test as readonly Where[]).some((one) => matchesWhere(one, row, key))
    if (name === "not") return !matchesWhere(test as Where, row, key)
    return passes(name === "$key" ? key : valueAt(row, name), test)
  })
}

function passes(value: Json | undefined, test: Json | undefined): boolean {
  if (!isObject(test)) return value === test
  return Object.entries(test).every(([name, operand]) => passesOne(value, name, operand))
}

function passesOne(value: Json | undefined, name: string, operand: Json | undefined): boolean {
  switch (name) {
    case "eq":
      return equal(value, operand)
    case "ne":
      return !equal(value, operand)
    case "in":
      return (operand as readonly Json[]).some((one) => equal(value, one))
    case "exists":
      return (value !== undefined) === operand
    case "startsWith":
      return typeof value === "string" && value.startsWith(operand as string)
    case "contains":
      return contains(value, operand)
    default:
      return isOrdered(value, name, operand)
  }
}

function contains(value: Json | undefined, operand: Json | undefined): boolean {
  if (typeof value === "string") return typeof operand === "string" && value.includes(operand)
  return Array.isArray(value) && value.some((one) => equal(one as Json, operand))
}

function isOrdered(value: Json | undefined, name: string, operand: Json | undefined): boolean {
  if (typeof value === "number" && typeof operand === "number") return holds(name, Math.sign(value - operand))
  if (typeof value !== "string" || typeof operand !== "string") return false
  return holds(name, value < operand ? -1 : value > operand ? 1 : 0)
}

function holds(name: string, order: number): boolean {
  switch (name) {
    case "gt":
      return order > 0
    case "gte":
      return order >= 0
    case "lt":
      return order < 0
    default:
      return order <= 0
  }
}

function equal(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false
    return a.every((one, index) => equal(one as Json, b[index] as Json))
  }
  if (!isObject(a) || !isObject(b)) return false
  const names = Object.keys(a)
  if (names.length !== Object.keys(b).length) return false
  return names.every((name) => Object.hasOwn(b, name) && equal(a[name], b[name]))
}

/** What lies at a path of names; a number names the element of an array. Undefined when nothing does. */
export function valueAt(row: Json | undefined, path: string): Json | undefined {
  let value = row
  for (const name of path.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined
    value = (value as JsonObject)[name]
  }
  return value
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

/** @throws {RouseError} `INVALID_ARGS` naming where in the condition the fault is. */
export function checkWhere(where: unknown, field = "where"): Where {
  const left = { tests: TESTS_MAX }
  checkCondition(where, field, 0, left)
  return where as Where
}

interface Left {
  tests: number
}

function checkCondition(where: unknown, field: string, depth: number, left: Left): void {
  if (!isObject(where as Json)) throw invalid(field, "must be an object")
  if (depth > DEPTH_MAX) throw invalid(field, `may be nested ${DEPTH_MAX} deep`)
  for (const [name, test] of Object.entries(where as object)) {
    const at = `${field}.${name}`
    left.tests -= 1
    if (left.tests < 0) throw invalid(field, `a condition has at most ${TESTS_MAX} tests`)
    if (!COMBINATORS.has(name)) checkTests(name, test, at)
    else if (name === "not") checkCondition(test, at, depth + 1, left)
    else checkAll(test, at, depth, left)
  }
}

function checkAll(conditions: unknown, at: string, depth: number, left: Left): void {
  if (!Array.isArray(conditions) || conditions.length === 0) throw invalid(at, "must be a list of conditions")
  conditions.forEach((one, index) => checkCondition(one, `${at}[${index}]`, depth + 1, left))
}

function checkTests(path: string, test: unknown, at: string): void {
  if (path.length > PATH_CHARS_MAX) throw invalid(at, `a path has at most ${PATH_CHARS_MAX} characters`)
  if (path.split(".").includes("")) throw invalid(at, "a path is names with dots between them")
  if (Array.isArray(test) || test === undefined)
    throw invalid(at, "must be a value, or tests; to compare a list use eq")
  if (!isObject(test as Json)) return
  const tests = Object.entries(test as object)
  if (tests.length === 0) throw invalid(at, "must have a test; to compare an object use eq")
  for (const [name, operand] of tests) checkTest(name, operand, `${at}.${name}`)
}

function checkTest(name: string, operand: unknown, at: string): void {
  if (ORDERS.has(name)) {
    if (typeof operand !== "number" && typeof operand !== "string") throw invalid(at, "must be a number or a text")
  } else if (name === "exists") {
    if (typeof operand !== "boolean") throw invalid(at, "must be true or false")
  } else if (name === "in") {
    if (!Array.isArray(operand) || operand.length > IN_MAX) throw invalid(at, `must be a list of at most ${IN_MAX}`)
  } else if (name === "startsWith") {
    if (typeof operand !== "string") throw invalid(at, "must be a text")
  } else if (name !== "eq" && name !== "ne" && name !== "contains") {
    throw invalid(at, "is no test; there are eq, ne, gt, gte, lt, lte, in, exists, startsWith and contains")
  }
}

function invalid(field: string, fault: string): RouseError {
  return new RouseError("INVALID_ARGS", `${field}: ${fault}`)
}
