import { defineEntity } from "@rouse/agents"
import type { AttachmentPage, AttachmentRow, EntityUrl, MessageRow } from "@rouse/protocol"
import { openMemoryStore, type Store } from "@rouse/store"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { attachmentsBucket } from "../src/attachments/bucket/open.ts"
import { Harness } from "./harness.ts"
import { ACCESS_KEY, S3Server, SECRET_KEY } from "@rouse/testkit/s3"

/** Makes two files, and sends them to whom its message names. */
const sender = defineEntity("sender", {
  async handler(ctx, wake) {
    const { to = [], spawn, after, missing } = (wake.messages[0]?.content ?? {}) as unknown as Order
    const small = await ctx.attachments.put("small", { name: "small.txt" })
    const large = await ctx.attachments.put(new Uint8Array(600_000).fill(7), { name: "large.bin" })
    const files = missing ? ["0".repeat(64)] : [small, large.id]
    const when = after === undefined ? {} : { after }
    for (const url of to) ctx.send(url, "See these", { files, ...when })
    if (spawn !== undefined) ctx.spawn("receiver", spawn, {}, { message: "Look", files, wake: "never" })
    ctx.reply("sent")
  },
})

const receiver = defineEntity("receiver", {
  async handler(ctx, wake) {
    const files = wake.messages.flatMap(({ attachments = [] }) => attachments)
    const read = await Promise.all(files.map(async ({ id }) => (await ctx.attachments.get(id))?.bytes()))
    ctx.tag("read", read.map((bytes) => bytes?.length ?? "nothing").join())
  },
})

interface Order {
  readonly to?: readonly EntityUrl[]
  readonly spawn?: string
  readonly after?: number
  readonly missing?: boolean
}

let harness: Harness
let s3: S3Server

async function rows<T>(url: string, collection: string): Promise<readonly T[]> {
  return (await harness.rows<T>(url, collection)).map(({ value }) => value)
}

/** What the receiver read in its last wake, and what became of its messages. */
async function arrived(url: string): Promise<readonly (string | undefined)[]> {
  const [read] = await rows<{ value: string }>(url, "tag")
  return [read?.value, ...(await rows<MessageRow>(url, "message")).map(({ status }) => status)]
}

describe.each(["store", "bucket"] as const)("files that agents send each other, kept in the %s", (where) => {
  beforeEach(async () => {
    s3 = await S3Server.open()
    const store: Store = await openMemoryStore({ clock: Date.now })
    const env = { AWS_ACCESS_KEY_ID: ACCESS_KEY, AWS_SECRET_ACCESS_KEY: SECRET_KEY }
    const address = `s3://files/of/rouse?endpoint=${s3.url}`
    const sleep = async (): Promise<void> => undefined
    const bucket = { address, env, store, clock: Date.now, random: Math.random, fetch, sleep }
    const attachments = where === "bucket" ? { attachments: attachmentsBucket(bucket) } : {}
    harness = await Harness.open({ entities: [sender, receiver], store, ...attachments })
    for (const url of ["/sender/s", "/receiver/a", "/receiver/b"] as const) await harness.spawn(url)
  })
  afterEach(async () => {
    await harness.close()
    s3.close()
  })

  test("the receivers have them as their own, also when the sender is gone", async () => {
    await harness.ask("/sender/s", { to: ["/receiver/a", "/receiver/b", "/receiver/a"] })
    await expect
      .poll(() => arrived("/receiver/a"))
      .toEqual([expect.stringContaining("5,600000"), "processed", "processed"])
    await expect.poll(() => arrived("/receiver/b")).toEqual(["5,600000", "processed"])
    const [first] = await rows<MessageRow>("/receiver/b", "message")
    expect(first?.attachments).toMatchObject([
      { name: "small.txt", size: 5 },
      { name: "large.bin", size: 600_000 },
    ])
    expect(await rows<AttachmentRow>("/receiver/a", "attachment")).toMatchObject([
      { by: { kind: "agent", id: "/sender/s" } },
      { by: { kind: "agent", id: "/sender/s" } },
    ])
    await harness.call("DELETE", "/v1/entities/sender/s?purge=true")
    const { body } = await harness.call<AttachmentPage>("GET", "/v1/entities/receiver/a/attachments")
    for (const { id, size } of body.attachments) {
      const request = new Request(`http://localhost/v1/entities/receiver/a/attachments/${id}`, {
        headers: { host: "localhost" },
      })
      const bytes = new Uint8Array(await (await harness.server.fetch(request)).arrayBuffer())
      expect(bytes.length).toBe(size)
    }
    expect(body.attachments).toHaveLength(2)
  })

  test("a child gets them with its first message, and a later message brings them too", async () => {
    await harness.ask("/sender/s", { to: ["/receiver/a"], spawn: "child", after: 50 })
    await expect.poll(() => arrived("/receiver/child")).toEqual(["5,600000", "processed"])
    await expect.poll(() => arrived("/receiver/a"), { timeout: 5_000 }).toEqual(["5,600000", "processed"])
  })

  test("a file that the sender does not have sends nothing", async () => {
    await harness.call("POST", "/v1/entities/sender/s/messages", { content: { to: ["/receiver/a"], missing: true } })
    await expect
      .poll(async () => (await rows<MessageRow>("/sender/s", "message"))[0]?.reason, { timeout: 20_000 })
      .toMatch(/has no attachment 0000/)
    expect(await rows("/receiver/a", "message")).toEqual([])
  })
})
