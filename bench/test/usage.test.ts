import { expect, test } from "vitest"
import { urlIn } from "../src/lib/child.ts"
import { parseMachineTicks, watchOthers } from "../src/lib/others.ts"
import { cpuMs, parseCpuMs, parseResidentMb, parseTicks, residentMb } from "../src/lib/usage.ts"

test("CPU time is user and system, whatever the program is called", () => {
  const rest = "S 1 2 3 0 -1 4194560 10 0 0 0 250 130 0 0 20 0 12 0 100"
  expect(parseCpuMs(`42 (node) ${rest}`)).toBe(3_800)
  expect(parseCpuMs(`42 (a) b (c) ${rest}`)).toBe(3_800)
})

test("resident memory is read in KiB", () => {
  expect(parseResidentMb("Name:\tnode\nVmHWM:\t  99 kB\nVmRSS:\t  2048 kB\nThreads:\t1\n")).toBe(2)
  expect(() => parseResidentMb("Name:\tnode\n")).toThrow("VmRSS")
})

test.runIf(process.platform === "linux")("this process has used both", () => {
  expect(cpuMs(process.pid)).toBeGreaterThan(0)
  expect(residentMb(process.pid)).toBeGreaterThan(1)
})

test("a ready line is JSON with an address", () => {
  expect(urlIn('{"url":"http://127.0.0.1:1"}')).toBe("http://127.0.0.1:1")
  expect(urlIn('{"url":1}')).toBeUndefined()
  expect(urlIn("{not json")).toBeUndefined()
  expect(urlIn("listening on http://127.0.0.1:1")).toBeUndefined()
})

test("what others used is all but ours and our ended children's", () => {
  expect(parseTicks("42 (node) S 1 2 3 0 -1 4194560 10 0 0 0 250 130 7 3 20 0 12 0 100")).toBe(390)
  expect(parseMachineTicks("cpu  10 1 5 100 20 2 3 4 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n")).toEqual({ busy: 25, idle: 120 })
})

test.runIf(process.platform === "linux")("their share is a share", () => {
  const share = watchOthers()()
  expect(share).toBeGreaterThanOrEqual(0)
  expect(share).toBeLessThanOrEqual(1)
})
