import { RouseError, type ScheduleRule } from "@rouse/protocol"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { defineEntity } from "../src/index.ts"
import { createTestRouse } from "../src/testing.ts"
import { cronFault } from "../src/core/cron-text.ts"
import { checkRule as checkText, checkScheduleName, EVERY_MS_MIN } from "../src/core/schedule-rule.ts"
import { CATCH_UP_MAX, checkRule, dueNow, firstDueAtMs } from "../src/schedule.ts"

const at = (iso: string): number => Date.parse(iso)
const iso = (ms: number | undefined): string | undefined => (ms === undefined ? undefined : new Date(ms).toISOString())

/** The next occurrences of a rule, as a server that is always up would have them. */
function following(rule: ScheduleRule, from: string, count: number): readonly (string | undefined)[] {
  const found: number[] = [firstDueAtMs(rule, at(from))]
  while (found.length < count)
    found.push(dueNow(rule, "once", found.at(-1) ?? 0, found.at(-1) ?? 0).nextMs ?? Number.NaN)
  return found.map(iso)
}

describe("daylight saving", () => {
  const nightly = { cron: "30 2 * * *", timezone: "Europe/Berlin" }

  test("a time that the spring gap leaves out comes due when the clocks have moved", () => {
    expect(following(nightly, "2026-03-28T12:00:00Z", 2)).toEqual([
      "2026-03-29T01:00:00.000Z",
      "2026-03-30T00:30:00.000Z",
    ])
  })

  test("a time that autumn has twice comes due once", () => {
    expect(following(nightly, "2026-10-24T12:00:00Z", 2)).toEqual([
      "2026-10-25T00:30:00.000Z",
      "2026-10-26T01:30:00.000Z",
    ])
  })

  test("an interval goes on through the hour that autumn has twice", () => {
    expect(following({ cron: "*/30 * * * *", timezone: "Europe/Berlin" }, "2026-10-24T23:50:00Z", 5)).toEqual([
      "2026-10-25T00:00:00.000Z",
      "2026-10-25T00:30:00.000Z",
      "2026-10-25T01:00:00.000Z",
      "2026-10-25T01:30:00.000Z",
      "2026-10-25T02:00:00.000Z",
    ])
  })

  test("the zone decides, and UTC when there is none", () => {
    const noon = "0 12 * * *"
    expect(following({ cron: noon }, "2026-07-01T00:00:00Z", 1)).toEqual(["2026-07-01T12:00:00.000Z"])
    expect(following({ cron: noon, timezone: "America/New_York" }, "2026-07-01T00:00:00Z", 1)).toEqual([
      "2026-07-01T16:00:00.000Z",
    ])
  })
})

describe("catching up", () => {
  const hourly = { cron: "0 * * * *" }
  const due = at("2026-06-01T10:00:00Z")
  const later = at("2026-06-01T13:30:00Z")

  test("skip sends nothing that is late, and what has just come due", () => {
    expect(dueNow(hourly, "skip", due, later)).toEqual({ sends: [], nextMs: at("2026-06-01T14:00:00Z") })
    expect(dueNow(hourly, "skip", due, due + 500).sends).toEqual([due])
    expect(dueNow(hourly, "skip", due, at("2026-06-01T13:00:05Z")).sends.map(iso)).toEqual(["2026-06-01T13:00:00.000Z"])
  })

  test("once sends the newest", () => {
    expect(dueNow(hourly, "once", due, later).sends.map(iso)).toEqual(["2026-06-01T13:00:00.000Z"])
  })

  test("all sends each, oldest first, up to the bound", () => {
    expect(dueNow(hourly, "all", due, later).sends.map(iso)).toEqual(
      [10, 11, 12, 13].map((h) => `2026-06-01T${h}:00:00.000Z`),
    )
    expect(dueNow(hourly, "all", due, due + 365 * 86_400_000).sends).toHaveLength(CATCH_UP_MAX)
    expect(dueNow({ every: 1_000 }, "all", due, due + 86_400_000).sends).toHaveLength(CATCH_UP_MAX)
  })

  test("one time is sent however late it is, unless late ones are skipped", () => {
    const rule = { at: new Date(due).toISOString() }
    expect(dueNow(rule, "once", due, later)).toEqual({ sends: [due], nextMs: undefined })
    expect(dueNow(rule, "skip", due, later)).toEqual({ sends: [], nextMs: undefined })
  })

  test("whatever was missed: what is sent was due, in order, and the next is the first to come", () => {
    const rules = fc.constantFrom<ScheduleRule>(
      { every: 7_000 },
      { cron: "*/7 * * * *" },
      { cron: "*/20 * * * * *" },
      { cron: "30 2 * * *", timezone: "Europe/Berlin" },
      { cron: "0 */3 * * *", timezone: "America/New_York" },
    )
    const start = fc.integer({ min: at("2026-01-01T00:00:00Z"), max: at("2026-12-31T00:00:00Z") })
    fc.assert(
      fc.property(rules, start, fc.integer({ min: 0, max: 10 * 86_400_000 }), (rule, startMs, downMs) => {
        const dueAtMs = firstDueAtMs(rule, startMs)
        const nowMs = dueAtMs + downMs
        const { sends, nextMs } = dueNow(rule, "all", dueAtMs, nowMs)
        expect(sends.length).toBeGreaterThan(0)
        expect(sends.every((ms, index) => ms <= nowMs && ms >= dueAtMs && ms > (sends[index - 1] ?? 0))).toBe(true)
        expect(nextMs).toBeGreaterThan(nowMs)
        expect(dueNow(rule, "once", sends.at(-1) ?? 0, sends.at(-1) ?? 0).nextMs).toBe(nextMs)
        if (sends.length < CATCH_UP_MAX) expect(sends[0]).toBe(dueAtMs)
      }),
      { numRuns: 60 },
    )
  })
})

describe("what is refused", () => {
  const now = at("2026-06-01T00:00:00Z")
  test.each([
    [{ cron: "99 * * * *" }, /^cron: "99 \* \* \* \*" cannot be read/],
    [{ cron: "hello" }, /^cron: /],
    [{ cron: "* * * * * * *" }, /^cron: /],
    [{ cron: "0 0 30 2 *" }, /^cron: .*never comes due/],
    [{ cron: 7 }, /^cron: /],
    [{ cron: "* * * * *", timezone: "Mars/Olympus" }, /^timezone: "Mars\/Olympus" is not a time zone/],
    [{ every: EVERY_MS_MIN - 1 }, /^every: must be whole milliseconds from 1000/],
    [{ every: 1_500.5 }, /^every: /],
    [{ every: "1m" }, /^every: /],
    [{ every: 5_000, timezone: "UTC" }, /^timezone: /],
    [{ at: "2026-05-31T23:59:59Z" }, /^at: .* is in the past/],
    [{ at: "soon" }, /^at: "soon" is not a time/],
    [{}, /^cron, every, at: give exactly one/],
    [{ every: 5_000, at: "2027-01-01T00:00:00Z" }, /^cron, every, at: /],
    [null, /^cron, every, at: /],
  ])("%j", (rule, message) => {
    for (const checked of [checkRule, checkText]) {
      const check = (): void => checked(rule as ScheduleRule, now)
      expect(check).toThrow(message)
      expect(check).toThrow(RouseError)
    }
  })

  test("a name that could not stand in an address", () => {
    for (const name of ["", "a/b", " ", "x".repeat(129), "é"]) expect(() => checkScheduleName(name)).toThrow(/^name: /)
  })
})

test("the in-memory Rouse keeps schedules, and moves its clock to them", async () => {
  const told: string[] = []
  const planner = defineEntity("planner", {
    handler(ctx, wake) {
      if (wake.first) ctx.schedule("hourly", { cron: "0 * * * *" }, "tick")
      for (const message of wake.messages) told.push(message.schedule?.dueAt ?? String(message.content))
      if (told.length === 3) ctx.unschedule("hourly")
    },
  })
  const rouse = createTestRouse({ entities: [planner] })
  await rouse.spawn("/planner/a", { message: "go" })
  await rouse.advance(5 * 3_600_000)
  expect(told).toEqual(["go", "2026-01-01T01:00:00.000Z", "2026-01-01T02:00:00.000Z"])
})

describe("a cron expression without a calendar", () => {
  const value = fc.oneof(
    fc.integer({ min: 0, max: 70 }).map(String),
    fc.constantFrom("MON", "sun", "Feb", "DEC", "x", ""),
  )
  const whole = fc.oneof(
    fc.constantFrom("*", "?", "L", "LW", "15W", "5#2", "MON#L", "5L", "+1", "**", "1-2-3"),
    value,
    fc.tuple(value, value).map(([from, to]) => `${from}-${to}`),
  )
  const part = fc.oneof(
    whole,
    fc.tuple(whole, fc.integer({ min: 0, max: 12 })).map(([from, step]) => `${from}/${step}`),
  )
  const field = fc.array(part, { minLength: 1, maxLength: 2 }).map((parts) => parts.join(","))
  const kept = fc.constantFrom("*", "1", "*/5")
  const expression = fc
    .tuple(fc.array(fc.oneof({ weight: 4, arbitrary: kept }, field), { minLength: 4, maxLength: 7 }))
    .map(([fields]) => fields.join(" "))

  test("what can be read is never refused", () => {
    let read = 0
    fc.assert(
      fc.property(expression, (cron) => {
        try {
          checkRule({ cron })
        } catch {
          return
        }
        read += 1
        expect([cron, cronFault(cron)]).toEqual([cron, undefined])
      }),
      { numRuns: 2_000 },
    )
    expect(read).toBeGreaterThan(100)
  })

  test.each([
    "@daily",
    "0 0 29 2 *",
    "0 0 31 1,3 *",
    "*/5 9-17 * * MON-FRI",
    "0 0 L * *",
    "0 0 * * 5#2",
    "0 0 1 JAN ?",
  ])("%s is read", (cron) => {
    checkRule({ cron })
    expect(cronFault(cron)).toBeUndefined()
  })

  test.each([
    ["60 * * * *", /"60" is no minute/],
    ["* 24 * * *", /"24" is no hour/],
    ["* * 0 * *", /"0" is no day of the month/],
    ["* * * FOO *", /"FOO" is no month/],
    ["* * * * 8", /"8" is no day of the week/],
    ["*/0 * * * *", /"\*\/0" is no minute/],
    ["5/10 * * * *", /"5\/10" is no minute/],
    ["* * * *", /five or six fields/],
    ["0 0 31 4,6 *", /never comes due/],
  ])("%s is not", (cron, fault) => {
    expect(() => checkRule({ cron })).toThrow()
    expect(cronFault(cron)).toMatch(fault)
  })
})
