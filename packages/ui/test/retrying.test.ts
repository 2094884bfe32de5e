import { RouseError } from "@rouse/client"
import { expect, test } from "vitest"
import { keepLive } from "../src/data/retrying.ts"
import { createStore } from "../src/data/store.ts"

/** A run that goes on until its signal aborts, and says how often it began. */
function endless(): { readonly run: (signal: AbortSignal) => Promise<void>; readonly begun: () => number } {
  let begun = 0
  const run = (signal: AbortSignal): Promise<void> => {
    begun++
    return new Promise((resolve) => signal.addEventListener("abort", () => resolve()))
  }
  return { run, begun: () => begun }
}

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve))

test("nothing runs while it is not wanted, and it begins again at once when it is", async () => {
  const wanted = createStore(false)
  const stop = new AbortController()
  const { run, begun } = endless()
  const over = keepLive({ run, failed: (error) => expect.unreachable(String(error)), signal: stop.signal, wanted })
  await settle()
  expect(begun()).toBe(0)
  wanted.set(true)
  await settle()
  expect(begun()).toBe(1)
  wanted.set(false)
  await settle()
  wanted.set(true)
  await settle()
  expect(begun()).toBe(2)
  stop.abort()
  await over
})

test("a failure because it is not wanted any more is none", async () => {
  const wanted = createStore(true)
  const stop = new AbortController()
  const run = (signal: AbortSignal): Promise<void> =>
    new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new Error("cut"))))
  const over = keepLive({ run, failed: (error) => expect.unreachable(String(error)), signal: stop.signal, wanted })
  wanted.set(false)
  await settle()
  stop.abort()
  await over
})

test("it is tried again after a passing failure, and not after a refusal", async () => {
  const failures: [string, boolean][] = []
  const errors = [new TypeError("network"), new RouseError("FORBIDDEN", "no")]
  await keepLive({
    run: () => Promise.reject(errors.shift() ?? new Error("one too many")),
    failed: (error, again) => failures.push([(error as Error).message, again]),
    signal: new AbortController().signal,
    wanted: createStore(true),
  })
  expect(failures).toEqual([
    ["network", true],
    ["no", false],
  ])
})
