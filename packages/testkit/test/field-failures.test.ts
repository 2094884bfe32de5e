import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { MessageRow, WakeRow } from "@rouse/protocol"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import type { EntityLog } from "../src/crash/core/history.ts"
import { valuesOf } from "../src/crash/core/replay.ts"
import { LedgerClient } from "../src/crash/ledger-client.ts"
import { startProcess, type Running } from "../src/crash/process.ts"
import { RouseTarget } from "../src/crash/rouse-target.ts"

/**
 * What other systems of this kind were seen to do when a process was killed or restarted, and this one must not: real processes, real
 * signals, an outside ledger. (A cron that was deleted and made again: packages/server/test/schedules.test.ts. Four updates of one row:
 * packages/streams/test/field-failures.test.ts.)
 */

/** Bounds, not measures: a machine may be busy. */
const LONG_MS_MAX = 120_000
/** A lease is a minute: what goes on sooner did not wait for it. */
const LEASE_MS = 60_000
const PIECE = "one two three four five six seven eight nine ten "

let directory: string
let ledgerProcess: Running
let ledger: LedgerClient
let target: RouseTarget
let running: Running[]

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "rouse-field-"))
  ledgerProcess = startProcess({ module: "./program/ledger-main", args: [join(directory, "effects.jsonl")] })
  const { url } = await ledgerProcess.ready
  ledger = new LedgerClient(url)
  target = new RouseTarget({ directory, ledgerUrl: url })
  running = []
})

afterEach(async () => {
  for (const one of running) if (one.isAlive) await one.kill()
  target.close()
  ledger.close()
  await ledgerProcess.kill()
  await rm(directory, { recursive: true, force: true })
})

interface Serving {
  readonly process: Running
  readonly url: string
  readonly resumed: number | undefined
}

async function serve(): Promise<Serving> {
  const process = target.launch()
  running.push(process)
  const { url, resumed } = await process.ready
  return { process, url, resumed }
}

async function send(base: string, name: string, ...lines: readonly string[]): Promise<void> {
  const content = [name, ...lines].join("\n")
  await target.send(base, { name, agent: "a", content, mode: "queue", way: "send", wait: false })
}

async function logOf(base: string, url = "/agent/a"): Promise<EntityLog> {
  const log = (await target.logs(base)).find((one) => one.url === url)
  if (log === undefined) throw new Error(`there is no ${url}`)
  return log
}

function messagesIn(log: EntityLog): readonly MessageRow[] {
  return [...valuesOf(log, "message").values()].flatMap((values) => values.flatMap((row) => row ?? []))
}

function wakesIn(log: EntityLog): readonly WakeRow[] {
  return log.events.filter(({ type }) => type === "wake").map(({ value }) => value as unknown as WakeRow)
}

async function until(check: () => Promise<boolean>, what: string): Promise<void> {
  for (let look = 0; look < 1_000; look += 1) {
    if (await check()) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(`never happened: ${what}`)
}

/** Waits until nothing is under way, and says what came of the agent's messages. */
async function atRest(base: string): Promise<{ readonly log: EntityLog; readonly ends: readonly string[] }> {
  await until(async () => (await target.busy(base)).length === 0, "all is at rest")
  const log = await logOf(base)
  const ends = messagesIn(log).filter(({ status }) => status !== "accepted" && status !== "taken")
  return { log, ends: ends.map(({ status }) => status) }
}

/** Between the end of a wake's first attempt and the beginning of its next. */
function pauseMs(log: EntityLog): number {
  const wakes = wakesIn(log)
  const cut = wakes.findIndex(({ outcome }) => outcome === "lost" || outcome === "released")
  return Date.parse(wakes[cut + 1]?.at ?? "") - Date.parse(wakes[cut]?.endedAt ?? "")
}

describe("the field's failure, a handler killed in its run leaves its wake acknowledged and its work lost", () => {
  test(
    "the wake is tried again, the work is done, and each effect happens once",
    { timeout: LONG_MS_MAX },
    async () => {
      const first = await serve()
      await target.prepare(first.url, "a")
      await send(first.url, "m1", '/call charge {"ref":"m1.charge"}', "/then", "/slow 40", `/say ${PIECE.repeat(6)}`)
      await until(async () => (await ledger.report()).length === 1, "the tool had its effect")
      await first.process.kill()

      const second = await serve()
      expect(second.resumed).toBe(1)
      const { log, ends } = await atRest(second.url)
      expect(ends).toEqual(["processed"])
      expect(wakesIn(log).flatMap(({ outcome }) => outcome ?? [])).toEqual(["lost", "completed"])
      expect(await ledger.report()).toMatchObject([{ ref: "m1.charge", effects: 1, executions: 1 }])
      // What the handler itself owes for the message: sent once, before the kill or after it.
      const sink = messagesIn(await logOf(second.url, "/sink/a"))
      const notes = sink
        .filter(({ kind, status }) => kind === "message" && status === "accepted")
        .map(({ content }) => content as { ref: string })
      expect(notes.map(({ ref }) => ref).sort()).toEqual(["m1.after", "m1.before"])
    },
  )
})

describe("the field's failure, a killed server leaves an agent running for ever", () => {
  test("it goes on at once, without waiting for the dead process's lease", { timeout: LONG_MS_MAX }, async () => {
    const first = await serve()
    await target.prepare(first.url, "a")
    await send(first.url, "m1", "/slow 40", `/say ${PIECE.repeat(6)}`)
    await until(async () => (await logOf(first.url)).status === "running", "the agent is running")
    await first.process.kill()

    const second = await serve()
    const { log, ends } = await atRest(second.url)
    expect(log.status).toBe("idle")
    expect(ends).toEqual(["processed"])
    expect(pauseMs(log)).toBeLessThan(LEASE_MS / 2)
  })

  test("messages that waited behind the run are handled too", { timeout: LONG_MS_MAX }, async () => {
    const first = await serve()
    await target.prepare(first.url, "a")
    await send(first.url, "m1", "/slow 40", `/say ${PIECE.repeat(4)}`)
    for (const name of ["m2", "m4"]) await send(first.url, name)
    await first.process.kill()
    const second = await serve()
    expect((await atRest(second.url)).ends).toEqual(["processed", "processed", "processed"])
  })
})

describe("the field's failure, a clean restart delays a message by minutes", () => {
  test("a run that was under way goes on as soon as the next server serves", { timeout: LONG_MS_MAX }, async () => {
    const first = await serve()
    await target.prepare(first.url, "a")
    // Longer than a server that is asked to end waits.
    await send(first.url, "m1", "/slow 600", `/say ${PIECE.repeat(2)}`)
    await send(first.url, "m2")
    await until(async () => (await logOf(first.url)).status === "running", "the agent is running")
    expect(await first.process.stop()).toBe(0)

    const second = await serve()
    const { log, ends } = await atRest(second.url)
    expect(ends).toEqual(["processed", "processed"])
    expect(pauseMs(log)).toBeLessThan(LEASE_MS / 2)
  })

  test("a message that arrives right after it is handled", { timeout: LONG_MS_MAX }, async () => {
    const first = await serve()
    await target.prepare(first.url, "a")
    await send(first.url, "m1")
    await atRest(first.url)
    expect(await first.process.stop()).toBe(0)
    const second = await serve()
    const settled = await target.send(second.url, {
      name: "m2",
      agent: "a",
      content: "m2",
      mode: "queue",
      way: "send",
      wait: true,
    })
    expect(settled.settled).toBe("processed")
  })
})
