import type { MoveProgress, MoveReport } from "@rouse/store/move"
import type { Colors } from "../io.ts"
import { bytesText } from "./bytes.ts"

const COUNT = new Intl.NumberFormat("en-US")

/** What was moved, for people: a line for each table. */
export function movedText(report: MoveReport, { bold, dim, green }: Colors): string {
  const { from, to, tables, finished, copyMs, verifyMs } = report
  const head = `${green("✓")} ${bold(from)} is now in ${bold(to)}\n`
  if (finished) return `${head}${dim("It had been copied before; the move is finished.")}\n`
  const lines = tables.map(
    ({ table, records, bytes, checksum }) =>
      `  ${table.padEnd(12)} ${COUNT.format(records).padStart(13)}  ${bytesText(bytes).padStart(9)}  ${dim(checksum.slice(0, 16))}\n`,
  )
  const seconds = (ms: number): string => (ms / 1_000).toFixed(1)
  return `${head}${lines.join("")}${dim(`copied in ${seconds(copyMs)} s, read back and found the same in ${seconds(verifyMs)} s`)}\n`
}

export function progressLine(progress: MoveProgress): string {
  if (progress.phase === "publish") return "publishing"
  const { phase, table, records, bytes } = progress
  return `${phase === "copy" ? "copying" : "checking"} ${table}: ${COUNT.format(records)} records, ${bytesText(bytes)}`
}
