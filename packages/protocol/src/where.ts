import { RouseError } from "./errors.ts"
import type { Json } from "./json.ts"

/**
 * A small predicate on a JSON value, as data: whoever sets it may be anybody, so it is matched and never run.
 *
 * Each field is a path (`body.pull_request.user.login`; a number is a place in a list) and a test of what is there; all must hold. A test is a
 * value, for equal to it, or an object of `Test`. `and` and `or` take lists of conditions, `not` takes one.
 *
 * @example
 * { event: "pull_request", "body.action": { in: ["opened", "reopened"] }, "body.pull_request.draft": false }
 */
export type Where = { readonly [path: string]: Json | Test | Where | readonly Where[] }

/** All that are given must hold. Numbers are compared as numbers, text by code units; what is of another kind is never less or more. */
export interface Test {
  readonly eq?: Json
  readonly ne?: Json
  readonly in?: readonly Json[]
  readonly gt?: number | string
  readonly gte?: number | string
  readonly lt?: number | string
  readonly lte?: number | string
  /** Whether anything is there. `null` is something. */
  readonly exists?: boolean
  readonly startsWith?: string
  /** Of text: a part of it. Of a list: one of its values. */
  readonly contains?: Json
}

/** Tests of one predicate, those of conditions within it counted. */
const TESTS_MAX = 64
const NESTING_MAX = 8
const PATH_LENGTH_MAX = 512
const LIST_MAX = 256

/**
 * Whether a value satisfies a predicate.
 *
 * @param where As `checkWhere` passed it.
 */
export function matchesWhere(where: Where, value: Json): boolean {
  return Object.entries(where).every(([path, test]) => {
    if (path === "and") return (test as readonly Where[]).every((one) => matchesWhere(one, value))
    if (path === "or") return (test as readonly Where[]).some((one) => matchesWhere(one, value))
    if (path === "not") return !matchesWhere(test as Where, value)
    return holds(test as Json | Test, valueAt(value, path))
  })
}

/** What is at a path of a value; undefined when nothing is. */
export function valueAt(value: Json | undefined, path: string): Json | undefined {
  let found: unknown = value
  for (const name of path.split(".")) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, name)) return undefined
    found = (found as Readonly<Record<string, unknown>>)[name]
  }
  return found as Json | undefined
}

/** @throws {RouseError} `INVALID_ARGS` naming the field. */
export function checkWhere(value: unknown, field = "where"): Where {
  const count = { tests: 0 }
  checkConditions(value, field, 0, count)
  return value as Where
}

function checkConditions(value: unknown, field: string, depth: number, count: { tests: number }): void {
  if (!isObject(value)) throw refused(field, "must be an object of paths and tests")
  if (depth > NESTING_MAX) throw refused(field, `is nested deeper than ${NESTING_MAX} levels`)
  for (const [path, test] of Object.entries(value)) {
    const name = `${field}.${path}`
    count.tests += 1
    if (count.tests > TESTS_MAX) throw refused(field, `has more than ${TESTS_MAX} tests`)
    if (path === "and" || path === "or") checkList(test, name, depth, count)
    else if (path === "not") checkConditions(test, name, depth + 1, count)
    else if (path === "" || path.length > PATH_LENGTH_MAX) throw refused(field, "a path is 1 to 512 characters")
    else checkTest(test, name)
  }
}

function checkList(value: unknown, field: string, depth: number, count: { tests: number }): void {
  if (!Array.isArray(value) || value.length === 0) throw refused(field, "must be a list of conditions")
  value.forEach((one: unknown, index) => checkConditions(one, `${field}.${index}`, depth + 1, count))
}

const LISTS: ReadonlySet<string> = new Set(["in"])
const ORDERS: ReadonlySet<string> = new Set(["gt", "gte", "lt", "lte"])
const ANYTHING: ReadonlySet<string> = new Set(["eq", "ne", "contains"])

function checkTest(test: unknown, field: string): void {
  if (Array.isArray(test)) throw refused(field, "is a list: write { in: [...] } or { eq: [...] }")
  if (!isObject(test)) return
  const operators = Object.entries(test)
  if (operators.length === 0) throw refused(field, "tests nothing")
  for (const [operator, operand] of operators) checkOperand(operator, operand, `${field}.${operator}`)
}

function checkOperand(operator: string, operand: unknown, field: string): void {
  if (ANYTHING.has(operator)) return
  if (LISTS.has(operator)) {
    if (!Array.isArray(operand) || operand.length > LIST_MAX)
      throw refused(field, `must be a list of at most ${LIST_MAX}`)
  } else if (ORDERS.has(operator)) {
    if (typeof operand !== "number" && typeof operand !== "string") throw refused(field, "must be a number or text")
  } else if (operator === "exists") {
    if (typeof operand !== "boolean") throw refused(field, "must be true or false")
  } else if (operator === "startsWith") {
    if (typeof operand !== "string") throw refused(field, "must be text")
  } else throw refused(field, "is no test: eq, ne, in, gt, gte, lt, lte, exists, startsWith or contains")
}

function holds(test: Json | Test, found: Json | undefined): boolean {
  if (!isObject(test)) return same(found, test)
  return Object.entries(test as Readonly<Record<string, Json>>).every(([operator, operand]) =>
    operatorHolds(operator, operand, found),
  )
}

function operatorHolds(operator: string, operand: Json, found: Json | undefined): boolean {
  switch (operator) {
    case "eq":
      return same(found, operand)
    case "ne":
      return !same(found, operand)
    case "in":
      return (operand as readonly Json[]).some((one) => same(found, one))
    case "exists":
      return (found !== undefined) === operand
    case "startsWith":
      return typeof found === "string" && found.startsWith(operand as string)
    case "contains":
      if (typeof found === "string") return typeof operand === "string" && found.includes(operand)
      return Array.isArray(found) && found.some((one) => same(one as Json, operand))
    default:
      return isOrdered(operator, operand, found)
  }
}

function isOrdered(operator: string, operand: Json, found: Json | undefined): boolean {
  const isComparable =
    (typeof found === "number" && typeof operand === "number") ||
    (typeof found === "string" && typeof operand === "string")
  if (!isComparable) return false
  if (operator === "gt") return found > operand
  if (operator === "gte") return found >= operand
  return operator === "lt" ? found < operand : found <= operand
}

function same(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (!isObject(a) && !Array.isArray(a)) return false
  if (!isObject(b) && !Array.isArray(b)) return false
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const [left, right] = [Object.entries(a), Object.entries(b)]
  const other = new Map(right)
  return left.length === right.length && left.every(([name, value]) => other.has(name) && same(value, other.get(name)))
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

function refused(field: string, rule: string): RouseError {
  return new RouseError("INVALID_ARGS", `${field}: ${rule}`)
}
