import { execFileSync } from "node:child_process"
import { appendFileSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { START } from "@rouse/protocol"
import { openStore } from "@rouse/store"
import type { Store, StoreOptions } from "@rouse/store"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { makeDirectory } from "./file-store.ts"

let directory = ""
const undo: (() => void)[] = []

beforeEach(() => {
  directory = makeDirectory()
})

afterEach(() => {
  for (const one of undo.splice(0).reverse()) one()
  rmSync(directory, { recursive: true, force: true })
})

const open = (changes: Partial<StoreOptions> = {}): Promise<Store> =>
  openStore({ directory, clock: () => 0, ...changes })
const database = (): string => join(directory, "rouse.db")

async function fill(store: Store, bytes: number): Promise<void> {
  await store.commit({ ops: [{ op: "append", path: "a", data: new Uint8Array(bytes).fill(7), nowMs: 0 }] })
}

async function makeStore(): Promise<void> {
  const store = await open()
  await store.commit({ ops: [{ op: "createStream", path: "a", contentType: "x/y", nowMs: 0 }] })
  for (let n = 0; n < 50; n += 1) await fill(store, 1_000)
  await store.close()
}

describe("a directory that cannot be used", () => {
  it("is a file", async () => {
    writeFileSync(database(), "")
    const wrong = open({ directory: database() })
    await expect(wrong).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
      message: expect.stringContaining(database()),
    })
  })

  it("cannot be made", async () => {
    const wrong = open({ directory: "/proc/rouse/data" })
    await expect(wrong).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
      message: expect.stringContaining("/proc/rouse/data"),
    })
  })

  it("is read-only", async ({ skip }) => {
    await makeStore()
    if (!mount(["--bind", directory], ["-o", "remount,bind,ro"])) skip("cannot mount here")
    await expect(open()).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
      message: expect.stringContaining(directory),
    })
  })
})

describe("a file that cannot be trusted", () => {
  const refuses = async (words: RegExp): Promise<void> => {
    const before = readFileSync(database())
    await expect(open()).rejects.toMatchObject({ code: "STORE_DAMAGED", message: expect.stringMatching(words) })
    expect(readFileSync(database())).toEqual(before)
  }

  it("is not a database", async () => {
    writeFileSync(database(), "hello, I am somebody's notes")
    await refuses(/not a Rouse store/)
  })

  it("is another program's database", async () => {
    const db = new DatabaseSync(database())
    db.exec("CREATE TABLE notes (a); PRAGMA application_id = 7")
    db.close()
    await refuses(/not a Rouse store/)
  })

  it("was cut short", async () => {
    await makeStore()
    truncateSync(database(), 20_000)
    await refuses(/damaged/)
  })

  it("has lost its first table", async () => {
    await makeStore()
    const bytes = readFileSync(database())
    writeFileSync(database(), bytes.fill(0xff, 100, 4_096))
    await refuses(/damaged/)
  })

  it("is of a newer version", async () => {
    await makeStore()
    const db = new DatabaseSync(database())
    db.exec("PRAGMA user_version = 1000")
    db.close()
    await refuses(/newer Rouse/)
  })

  it("is damaged in the middle: what is there is read, what is not is an error", async () => {
    await makeStore()
    const bytes = readFileSync(database())
    writeFileSync(database(), bytes.fill(0xff, 140_000, 150_000))
    const store = await open()
    expect(await store.stream("a")).toBeDefined()
    await expect(store.read("a", START, 1_000_000)).rejects.toMatchObject({ code: "STORE_DAMAGED" })
    await store.close()
  })
})

describe("a full disk", () => {
  it("fails writes, keeps reading, and writes again when there is space", async ({ skip }) => {
    if (!mount(["-t", "tmpfs", "-o", "size=600k", "tmpfs"])) skip("cannot mount here")
    const store = await open()
    await store.commit({ ops: [{ op: "createStream", path: "a", contentType: "x/y", nowMs: 0 }] })
    const ballast = join(directory, "ballast")
    writeFileSync(ballast, Buffer.alloc(200_000))
    const failure = await repeatUntilRefused(() => fill(store, 10_000))
    expect(failure).toMatchObject({ code: "STORE_UNAVAILABLE", message: expect.stringContaining(directory) })
    fillUp(join(directory, "more"))
    expect(await repeatUntilRefused(() => store.check())).toMatchObject({ code: "STORE_UNAVAILABLE" })
    const before = await store.read("a", START, 10_000_000)
    expect(before.upToDate).toBe(true)
    rmSync(ballast)
    rmSync(join(directory, "more"))
    await fill(store, 10_000)
    await store.check()
    const after = await store.read("a", START, 10_000_000)
    expect(after.chunks.length).toBe(before.chunks.length + 1)
    await store.close()
  })

  it("is known also by the bound on the file", async () => {
    const store = await open({ pagesMax: 60 })
    await store.commit({ ops: [{ op: "createStream", path: "a", contentType: "x/y", nowMs: 0 }] })
    expect(await repeatUntilRefused(() => fill(store, 10_000))).toMatchObject({ code: "STORE_UNAVAILABLE" })
    expect((await store.read("a", START, 10_000_000)).upToDate).toBe(true)
    await store.commit({ ops: [{ op: "deleteStream", path: "a" }] })
    while ((await store.sweep(0)) > 0);
    await store.commit({ ops: [{ op: "createStream", path: "a", contentType: "x/y", nowMs: 0 }] })
    await fill(store, 10_000)
    await store.close()
  })
})

describe("a directory in order", () => {
  it("holds the database and the lock, and nothing else when closed", async () => {
    await makeStore()
    expect(readdirSync(directory).sort()).toEqual(["rouse.db", "rouse.lock"])
  })

  it("is made when it is not there", async () => {
    const deep = join(directory, "a", "b")
    await (await open({ directory: deep })).close()
    expect(readdirSync(deep)).toContain("rouse.db")
  })

  it("opens an empty file as a new store", async () => {
    writeFileSync(database(), "")
    await makeStore()
  })
})

describe("a queue that is full", () => {
  it("counts bytes too", async () => {
    const store = await open({ sync: "off" })
    await store.commit({ ops: [{ op: "createStream", path: "a", contentType: "x/y", nowMs: 0 }] })
    const results = await Promise.allSettled(Array.from({ length: 12 }, () => fill(store, 8 * 1_024 * 1_024)))
    expect(results.map(({ status }) => status)).toEqual(
      Array.from({ length: 12 }, (_, n) => (n < 8 ? "fulfilled" : "rejected")),
    )
    await store.close()
  })

  it("refuses more commits, and takes them again later", async () => {
    const store = await open({ commitsQueuedMax: 10 })
    await store.commit({ ops: [{ op: "createStream", path: "a", contentType: "x/y", nowMs: 0 }] })
    const results = await Promise.allSettled(Array.from({ length: 15 }, () => fill(store, 10)))
    const refusals = results.filter((result) => result.status === "rejected")
    expect(refusals.map(({ reason }) => reason)).toMatchObject(
      Array.from({ length: 5 }, () => ({ code: "OVERLOADED" })),
    )
    await fill(store, 10)
    expect((await store.read("a", START, 1_000)).chunks).toHaveLength(11)
    await store.close()
  })
})

/** Takes what the disk has left. */
function fillUp(file: string): void {
  try {
    for (;;) appendFileSync(file, Buffer.alloc(512))
  } catch (error) {
    expect(error).toMatchObject({ code: "ENOSPC" })
  }
}

async function repeatUntilRefused(attempt: () => Promise<void>): Promise<unknown> {
  for (let n = 0; n < 200; n += 1) {
    try {
      await attempt()
    } catch (error) {
      return error
    }
  }
  return undefined
}

/** Mounts on the directory, where the machine allows it. */
function mount(...steps: readonly (readonly string[])[]): boolean {
  try {
    for (const step of steps) {
      execFileSync("mount", [...step, directory], { stdio: "ignore" })
      if (undo.length === 0) undo.push(() => execFileSync("umount", ["--lazy", directory]))
    }
    return true
  } catch {
    return false
  }
}
