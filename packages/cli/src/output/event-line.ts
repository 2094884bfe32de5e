import type { ChangeEvent } from "@rouse/protocol"
import type { Colors } from "../io.ts"
import { clip, textOf } from "./text.ts"

const VALUE_COLUMNS_MIN = 20

/** One event of a log as a line: when, what it does to which row, and the row. Ends without a line break. */
export function eventLine(event: ChangeEvent, columnsMax: number, color: Colors): string {
  const time = timeOf(event).padEnd(12)
  const operation = OPERATION[event.headers.operation]
  const type = event.type.padEnd(9)
  const head = `${time} ${operation} ${type} ${event.key}`
  const value = clip(summary(event), Math.max(VALUE_COLUMNS_MIN, columnsMax - head.length - 2))
  const painted = [color.dim(time), PAINT[event.headers.operation](color)(operation), color.cyan(type), event.key]
  return `${painted.join(" ")}  ${color.dim(value)}`.trimEnd()
}

const OPERATION = { insert: "+", update: "~", delete: "-" } as const

const PAINT = {
  insert: (color: Colors) => color.green,
  update: (color: Colors) => color.yellow,
  delete: (color: Colors) => color.red,
} as const

/** Fields that say when a row was written, the newest first. */
const TIMES = ["endedAt", "decidedAt", "startedAt", "at", "createdAt"]

function timeOf(event: ChangeEvent): string {
  const value = fieldsOf(event.value)
  const iso = event.headers.timestamp ?? TIMES.map((name) => value[name]).find((time) => typeof time === "string")
  return typeof iso === "string" && !Number.isNaN(Date.parse(iso)) ? localTime(new Date(iso)) : ""
}

function localTime(date: Date): string {
  const pad = (value: number, width = 2): string => String(value).padStart(width, "0")
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}.${pad(date.getMilliseconds(), 3)}`
}

/** What matters of a row first: what was said, what was called, how it stands. */
function summary(event: ChangeEvent): string {
  const value = fieldsOf(event.value)
  switch (event.type) {
    case "text":
    case "reasoning":
    case "delta":
      return textOf(value["text"])
    case "message":
      return `${textOf(value["status"])}  ${textOf(value["content"])}`
    case "tool_call":
      return `${textOf(value["status"])}  ${textOf(value["name"])} ${textOf(value["input"])}`
    case "wake":
      return `${textOf(value["outcome"] ?? "begun")}  attempt ${textOf(value["attempt"])}, epoch ${textOf(value["epoch"])}`
    case "run":
    case "step":
      return `${textOf(value["status"])}  ${textOf(value["model"] ?? value["reply"] ?? "")}`
    default:
      return textOf(event.value)
  }
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
}
