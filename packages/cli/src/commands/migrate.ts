import { RouseError } from "@rouse/protocol"
import { moveStore } from "@rouse/store/move"
import type { MovePlace, MoveProgress, MoveReport } from "@rouse/store/move"
import { setTimeout as pause } from "node:timers/promises"
import { resolve } from "node:path"
import { usage } from "../core/failure.ts"
import { placeNamed } from "../core/move-place.ts"
import { flagOf } from "../host/data.ts"
import type { Io } from "../io.ts"
import { movedText, progressLine } from "../output/moved.ts"

export interface MigrateFlags {
  readonly from: string
  readonly to: string
  readonly replace?: boolean
  /** Seconds. */
  readonly wait: number
  readonly json?: boolean
}

/** How often a place that is in use is looked at again. */
const AGAIN_MS = 200
/** How often progress is shown. */
const SHOW_MS = 100

/** `rouse migrate --from <place> --to <place>`. */
export async function migrate(flags: MigrateFlags, io: Io): Promise<void> {
  const from = placeOf("--from", flags.from, io)
  const to = placeOf("--to", flags.to, io)
  const onProgress = shownProgress(io)
  const options = { from, to, replace: flags.replace === true, clock: io.now, random: io.random, onProgress }
  const report = await patiently(flags.wait, io, () => moveStore(options))
  if (io.errIsTty) io.err("\r\u001b[K")
  if (flags.json === true) io.out(`${JSON.stringify(report)}\n`)
  else io.out(movedText(report, io.color))
}

/** @throws {RouseError} `BAD_REQUEST` that names the flag. */
function placeOf(flag: string, text: string, io: Io): MovePlace {
  const named = placeNamed(flag, text, io.env["ROUSE_DATABASE_URL"])
  if ("directory" in named) return { directory: resolve(io.cwd, named.directory) }
  const schema = io.env["ROUSE_DATABASE_SCHEMA"]
  const pooled = flagOf(io, "ROUSE_DATABASE_POOLED")
  return { ...named, pooled, ...(schema === undefined || schema === "" ? {} : { schema }) }
}

/** Tries again while one of the places is in use. */
async function patiently(seconds: number, io: Io, work: () => Promise<MoveReport>): Promise<MoveReport> {
  const untilMs = io.now() + seconds * 1_000
  for (let isTold = false; ; isTold = true) {
    try {
      return await work()
    } catch (error) {
      if (!RouseError.is(error, "CONFLICT") || error.details["busy"] !== true) throw error
      if (io.now() >= untilMs || io.stop.aborted) throw error
      if (!isTold) io.err(`${error.message}; waiting up to ${seconds} s\n`)
      await pause(AGAIN_MS)
    }
  }
}

/** A line on a terminal, and nothing elsewhere. An interruption ends the work at its next batch, and leaves the source as it was. */
function shownProgress(io: Io): (progress: MoveProgress) => void {
  let shownMs = 0
  return (progress) => {
    if (progress.phase !== "publish" && io.stop.aborted) throw usage("interrupted")
    const nowMs = io.now()
    if (!io.errIsTty || (nowMs - shownMs < SHOW_MS && progress.phase !== "publish")) return
    shownMs = nowMs
    io.err(`\r\u001b[K${io.errColor.dim(progressLine(progress))}`)
  }
}
