import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { RouseError, secret } from "../src/index.ts"
import { daytonaSandbox } from "../src/sandbox-daytona.ts"
import type { DaytonaSandboxOptions } from "../src/sandbox-daytona.ts"
import { e2bSandbox } from "../src/sandbox-e2b.ts"
import type { E2bSandboxOptions } from "../src/sandbox-e2b.ts"
import type { SandboxProvider } from "../src/sandbox.ts"
import { loaded } from "../src/sandbox/service.ts"
import { DaytonaService } from "./support/daytona-service.ts"
import { E2bService } from "./support/e2b-service.ts"
import type { StandIn } from "./support/machines.ts"
import { isRunning, refused, wakeOf } from "./support/sandbox-contract.ts"

const KEY = "resolved-secret-key"
let directory: string
let e2b: E2bService
let daytona: DaytonaService

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "rouse-services-"))
  e2b = await new E2bService(join(directory, "e2b"), KEY).open()
  daytona = await new DaytonaService(join(directory, "daytona"), KEY).open()
})
afterEach(async () => {
  await e2b[Symbol.asyncDispose]()
  await daytona[Symbol.asyncDispose]()
  await rm(directory, { recursive: true, force: true })
})

const ofE2b = (options: E2bSandboxOptions = {}): SandboxProvider =>
  e2bSandbox({ apiKey: KEY, apiUrl: e2b.url, sandboxUrl: e2b.url, ...options })
const ofDaytona = (options: DaytonaSandboxOptions = {}): SandboxProvider =>
  daytonaSandbox({ apiKey: KEY, apiUrl: `${daytona.url}/api`, target: "us", ...options })

/** Both services, as one table sees them. */
const SERVICES = [
  { name: "E2B", service: (): StandIn => e2b, provider: ofE2b, keyName: "E2B_API_KEY" },
  { name: "Daytona", service: (): StandIn => daytona, provider: ofDaytona, keyName: "DAYTONA_API_KEY" },
] as const

describe.each(SERVICES)("$name", ({ service, provider, keyName }) => {
  test.each([
    [401, "BACKEND_REFUSED", new RegExp(`does not accept the key \\(${keyName}\\)`)],
    [402, "BACKEND_REFUSED", /wants to be paid first/],
    [403, "BACKEND_REFUSED", /a quota of its plan is used up: .*quota of 10/],
    [429, "RATE_LIMITED", /at a limit of its plan, or asked too often/],
    [500, "BACKEND_FAILED", /failed/],
    [503, "BACKEND_FAILED", /failed/],
  ] as const)("what it answers with %i is told in clear words, without the key", async (status, code, words) => {
    const message = `quota of 10 sandboxes, said to ${KEY}`
    service().failure = { status, body: { code: status, statusCode: status, message }, times: 100 }
    const { call } = wakeOf(provider(), "one")
    const error = await call("shell", { command: "true" }).then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    expect(error).toSatisfy(refused(code))
    expect((error as Error).message).toMatch(words)
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error)) + String((error as Error).cause)).not.toContain(KEY)
  })

  test("a key may be a secret: the wake's, or the resolver's own", async () => {
    const wanted = provider({ apiKey: secret("BOX_KEY") })
    expect(await wakeOf(wanted, "one").call("shell", { command: "echo ok" })).toMatchObject({ stdout: "ok\n" })
    await expect(wanted.remove("x")).rejects.toThrow(/secret BOX_KEY is not set/)
    await provider({ apiKey: secret("BOX_KEY", () => KEY) }).remove("x")
    const wrong = provider({ apiKey: "wrong-key-of-nobody" })
    const error = await wrong.open("x").catch((thrown: unknown) => thrown)
    expect((error as Error).message).toMatch(/\[redacted\]/)
  })

  test("a sandbox that somebody removed is made anew", async () => {
    const one = provider()
    await wakeOf(one, "one").call("write_file", { path: "a", content: "a" })
    await provider().remove("/agent/one@2026-01-01T00:00:00.000Z")
    await expect(wakeOf(one, "one").call("read_file", { path: "a" })).rejects.toSatisfy(refused("NOT_FOUND"))
    expect(await wakeOf(one, "one").call("shell", { command: "echo new" })).toMatchObject({ stdout: "new\n" })
  })

  test("nobody knows what became of a command whose sandbox was lost", async () => {
    const workspace = await provider().open("lost")
    const { signal } = new AbortController()
    // No other's: nobody ends it when its sandbox is lost, but its own time.
    const nap = `sleep 30.${Date.now()}`
    const running = workspace.run(nap, { timeoutMs: 20_000, outputCharsMax: 1_000, signal })
    running.catch(() => undefined)
    await expect.poll(() => isRunning(nap), { timeout: 10_000 }).toBe(true)
    service().failure = { status: 502, body: { message: "no such sandbox" }, times: 100 }
    service().dropConnections()
    await expect(running).rejects.toSatisfy(refused("OUTCOME_UNKNOWN"))
  })

  test("options that cannot be are refused by their names", () => {
    expect(() => provider({ apiKey: "" })).toThrow(/apiKey must be/)
    expect(() => provider({ app: "no spaces" })).toThrow(/app must be/)
    expect(() => provider({ directory: "../up" })).toThrow(/directory must be/)
  })
})

describe("E2B", () => {
  test("a command that floods is killed", async () => {
    const workspace = await ofE2b().open("flood")
    const signal = new AbortController().signal
    const flood = "exec yes 0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567"
    const ran = await workspace.run(flood, { timeoutMs: 60_000, outputCharsMax: 1_000, signal })
    expect(ran).toMatchObject({ exitCode: null, timedOut: false })
    expect(ran.stdout.length).toBeLessThan(1_100)
    await expect.poll(() => isRunning(flood.slice(5))).toBe(false)
  })

  test("a sandbox pauses when it is not used, and is roused by the next wake", async () => {
    const provider = ofE2b({ pauseAfterMs: 90_000, env: { GIVEN: "yes" }, network: false })
    await wakeOf(provider, "one").call("write_file", { path: "a", content: "kept" })
    const [box] = e2b.boxes.values()
    expect(box?.created).toMatchObject({
      templateID: "base",
      timeout: 90,
      autoPause: true,
      allow_internet_access: false,
      envVars: { GIVEN: "yes" },
      metadata: { "rouse-app": "rouse", "rouse-workspace": "/agent/one@2026-01-01T00:00:00.000Z" },
    })
    for (const next of [provider, ofE2b()]) {
      e2b.pauseAll()
      expect(await wakeOf(next, "one").call("read_file", { path: "a" })).toBe("kept")
    }
    expect(e2b.boxes.size).toBe(1)
    // A command that takes longer than the pause would let it.
    await wakeOf(provider, "one", { timeoutMs: 600_000 }).call("shell", { command: "true" })
    expect(box?.timeout).toBeGreaterThan(600)
  })

  test("a wake that knows its sandbox asks once before it works", async () => {
    const provider = ofE2b()
    await wakeOf(provider, "one").call("shell", { command: "true" })
    e2b.asked.length = 0
    await wakeOf(provider, "one", { timeoutMs: 60_000 }).call("shell", { command: "true" })
    expect(e2b.asked.map((line) => line.replace(/i\d[0-9a-f]+/, "…"))).toEqual([
      "POST /v2/sandboxes/…/connect",
      "POST /process.Process/Start",
    ])
  })

  test("of two sandboxes that were made at once one stays, also when the other's maker died", async () => {
    let looking = 0
    let go = (): void => undefined
    const both = new Promise<void>((resolve) => (go = resolve))
    e2b.beforeList = async () => {
      looking += 1
      if (looking >= 2) go()
      await both
    }
    const files = ["a", "b"]
    await Promise.all(files.map((path) => wakeOf(ofE2b(), "one").call("write_file", { path, content: path })))
    expect(e2b.boxes.size).toBe(1)
    expect(await wakeOf(ofE2b(), "one").call("shell", { command: "cat a b; echo" })).toMatchObject({ stdout: "ab\n" })
  })

  test("a template that is not there is told, and other applications' sandboxes are left alone", async () => {
    await expect(ofE2b({ template: "missing" }).open("x")).rejects.toThrow(/is there a template missing\?/)
    const other = ofE2b({ app: "other" })
    await other.open("/agent/one@t")
    expect(await ofE2b().list?.()).toEqual([])
    expect(await other.list?.()).toEqual(["/agent/one@t"])
    await ofE2b().remove("/agent/one@t")
    expect(e2b.boxes.size).toBe(1)
  })
})

describe("Daytona", () => {
  test("a sandbox stops when it is not used, and is started by the next wakes, two at once", async () => {
    const provider = ofDaytona({ stopAfterMinutes: 5, deleteAfterMinutes: 60, network: false, env: { GIVEN: "yes" } })
    await wakeOf(provider, "one").call("write_file", { path: "a", content: "kept" })
    const [box] = daytona.boxes.values()
    expect(box?.created).toMatchObject({
      name: expect.stringMatching(/^rouse-agent-one-[a-z0-9-]+-[0-9a-f]{16}$/) as string,
      autoStopInterval: 5,
      autoDeleteInterval: 60,
      networkBlockAll: true,
      env: { GIVEN: "yes" },
      labels: { "rouse-app": "rouse", "rouse-workspace": "/agent/one@2026-01-01T00:00:00.000Z" },
    })
    daytona.stopAll()
    daytona.starting = 3
    const read = (): Promise<unknown> => wakeOf(ofDaytona(), "one").call("read_file", { path: "a" })
    expect(await Promise.all([read(), read()])).toEqual(["kept", "kept"])
    expect(daytona.boxes.size).toBe(1)
  })

  test("one that is broken, and one that cannot be made, are told", async () => {
    await expect(ofDaytona({ snapshot: "missing" }).open("x")).rejects.toThrow(/no snapshot missing/)
    await ofDaytona().open("x")
    for (const box of daytona.boxes.values()) box.state = "error"
    await expect(ofDaytona().open("x")).rejects.toThrow(/is broken/)
    await ofDaytona().remove("x")
    expect(daytona.boxes.size).toBe(0)
  })

  test("a command is followed on when its connection breaks", async () => {
    const running = wakeOf(ofDaytona(), "one").call("shell", {
      command: "echo one; echo two >&2; until [ -f go ]; do sleep 0.05; done; echo three",
    })
    await expect.poll(() => daytona.asked.filter((line) => line.startsWith("WS")).length).toBe(1)
    daytona.dropConnections()
    await expect.poll(() => daytona.asked.filter((line) => line.startsWith("WS")).length, { timeout: 5_000 }).toBe(2)
    await wakeOf(ofDaytona(), "one").call("write_file", { path: "go", content: "" })
    expect(await running).toEqual({ exitCode: 0, stdout: "one\nthree\n", stderr: "two\n", timedOut: false })
  })

  test("a command leaves no session behind", async () => {
    const { call } = wakeOf(ofDaytona(), "one")
    await call("shell", { command: "echo one; echo two >&2" })
    await expect.poll(() => daytona.sessions.size).toBe(0)
  })
})

test("a package that is not installed is named", async () => {
  const missing = loaded("e2b", () => Promise.reject(new Error("Cannot find package")))
  await expect(missing).rejects.toThrow(/npm install e2b/)
  await expect(missing).rejects.toSatisfy((error) => RouseError.is(error, "BACKEND_FAILED"))
})
