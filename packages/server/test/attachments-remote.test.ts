import { defineEntity } from "@rouse/agents"
import { expect, test } from "vitest"
import { Harness } from "./harness.ts"
import { Network } from "./support/remote.ts"

const URL_1 = "http://127.0.0.1:1/agents"

test("a handler behind a webhook puts, lists and reads attachments as one in process does", async () => {
  const filer = defineEntity("filer", {
    async handler(ctx) {
      const big = new Uint8Array(600_000).fill(7)
      const put = await ctx.attachments.put(new Blob([big]).stream(), { name: "big one.bin" })
      const text = await ctx.attachments.put("héllo", { name: "t.txt" })
      const found = await ctx.attachments.get(text.id)
      const part = await (await ctx.attachments.get(put.id))?.stream({ start: 599_990, end: 599_995 })
      ctx.reply({
        text: (await found?.text()) ?? null,
        part: new Uint8Array(await new Response(part as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer()).length,
        names: (await ctx.attachments.list()).map(({ name, size }) => `${name} ${size}`).toSorted(),
        none: (await ctx.attachments.get("0".repeat(64))) === undefined,
        bad: await ctx.attachments
          .put("x", { name: "../x" })
          .catch((error: Error & { code?: string }) => error.code ?? ""),
      })
    },
  })
  const network = new Network()
  const harness = await Harness.open({ entities: [], endpoints: network.webhooks })
  try {
    network.serve(URL_1, () => harness, { entities: [filer], version: "v1" })
    await harness.call("POST", "/v1/types", { url: URL_1 })
    await harness.spawn("/filer/a")
    const expected = {
      text: "héllo",
      part: 5,
      names: ["big one.bin 600000", "t.txt 6"],
      none: true,
      bad: "INVALID_ARGS",
    }
    expect(await harness.ask("/filer/a", "go")).toMatchObject({ status: "processed", reply: expected })
    // Again: the same bytes are the same attachments.
    expect(await harness.ask("/filer/a", "go")).toMatchObject({ status: "processed", reply: expected })
    expect((await harness.call("GET", "/v1/claims/attachments")).status).toBe(401)
  } finally {
    await harness.close()
  }
})
