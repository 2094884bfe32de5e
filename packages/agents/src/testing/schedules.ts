import type { EntityUrl, Json, ScheduleRequest, ScheduleRow } from "@rouse/protocol"
import { dueNow, firstDueAtMs } from "../schedule.ts"
import type { TestEntity } from "./entity.ts"

/** Applies what a handler did to its schedules, as the server would. */
export function applySchedules(entity: TestEntity, requests: readonly ScheduleRequest[], nowMs: number): void {
  for (const request of requests) {
    const { name } = request
    const known = entity.rows.get("schedule", name)
    if ("remove" in request) {
      if (known) entity.apply({ type: "schedule", key: name, headers: { operation: "delete" } })
      continue
    }
    const { rule, content, catchUp = "once" } = request
    if (known && definitionOf(known) === definitionOf({ rule, content, catchUp })) continue
    const dueAt = new Date(firstDueAtMs(rule, nowMs)).toISOString()
    entity.put("schedule", name, { to: entity.url, content, dueAt, rule, catchUp } satisfies ScheduleRow)
  }
}

/** The earliest time that a schedule of these entities is due. */
export function nextScheduleMs(entities: Iterable<TestEntity>): number | undefined {
  const due = [...entities].flatMap((entity) =>
    [...entity.rows.entries("schedule")].map(([, row]) => Date.parse(row.dueAt)),
  )
  return due.length === 0 ? undefined : Math.min(...due)
}

/** Sends what is due. */
export function fireSchedules(
  entities: Iterable<TestEntity>,
  nowMs: number,
  send: (to: EntityUrl, content: Json, schedule: { readonly name: string; readonly dueAt: string }) => void,
): void {
  for (const entity of entities) {
    for (const [name, row] of [...entity.rows.entries("schedule")]) {
      if (!row.rule || Date.parse(row.dueAt) > nowMs) continue
      const { sends, nextMs } = dueNow(row.rule, row.catchUp ?? "once", Date.parse(row.dueAt), nowMs)
      for (const ms of sends) send(entity.url, row.content, { name, dueAt: new Date(ms).toISOString() })
      if (nextMs === undefined) entity.apply({ type: "schedule", key: name, headers: { operation: "delete" } })
      else entity.put("schedule", name, { ...row, dueAt: new Date(nextMs).toISOString() })
    }
  }
}

function definitionOf({ rule, content, catchUp }: Partial<ScheduleRow>): string {
  return JSON.stringify([rule, content, catchUp])
}
