import { createHmac } from "node:crypto"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { afterAll, beforeAll, expect, test } from "vitest"
import { directory, served } from "./harness.ts"
import type { Served } from "./harness.ts"

const AGENTS = `import { defineEntity } from "@rouse/agents"
export const triage = defineEntity("triage", { handler: (ctx, wake) => ctx.reply("got " + wake.messages.length) })
`
const SECRET = "a secret of eight or more"

let place: Awaited<ReturnType<typeof directory>>
let server: Served

beforeAll(async () => {
  const sources = { standing: { kind: "github", secrets: ["HOOK_SECRET"], to: [{ type: "triage", id: "file" }] } }
  place = await directory({ "a.ts": AGENTS, "hooks.json": JSON.stringify(sources) })
  server = await served(place.path, ["dev", "a.ts"], { HOOK_SECRET: SECRET, ROUSE_WEBHOOKS_FILE: "hooks.json" })
})

afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await place[Symbol.asyncDispose]()
})

async function deliver(source: string, body: string): Promise<number> {
  const signature = `sha256=${createHmac("sha256", SECRET).update(body).digest("hex")}`
  const headers = {
    "content-type": "application/json",
    "x-hub-signature-256": signature,
    "x-github-delivery": body,
    "x-github-event": "issues",
  }
  return (await fetch(`${server.url}/v1/webhooks/${source}`, { method: "POST", headers, body })).status
}

test("a source is added, used, listed and removed", async () => {
  const to = [
    "--to",
    "/triage/{body.issue.number}",
    "--message",
    "{event} {body.action}",
    "--where",
    '{"event":"issues"}',
  ]
  const added = await server.rouse("webhooks", "add", "gh", "--kind", "github", "--secret", "HOOK_SECRET", ...to)
  expect([added.code, added.out]).toEqual([0, `gh is set: have github send to ${server.url}/v1/webhooks/gh\n`])
  expect(await deliver("gh", JSON.stringify({ action: "opened", issue: { number: 7 } }))).toBe(202)
  expect(await deliver("standing", "{}")).toBe(202)
  expect((await server.rouse("ps")).out).toMatch(/\/triage\/7[^]*\/triage\/file|\/triage\/file[^]*\/triage\/7/)
  const { out } = await server.rouse("webhooks", "ls")
  expect(out).toMatch(/gh\s+github\s+HOOK_SECRET\s+\/triage\/\{body.issue.number\}/)
  expect(out).toMatch(/standing\s+github/)
  expect((await server.rouse("webhooks", "rm", "standing")).err).toMatch(/configuration/)
  expect((await server.rouse("webhooks", "rm", "gh")).code).toBe(0)
  expect(await deliver("gh", "{}")).toBe(404)
})

test("what is wrong is one line that names the option or the field", async () => {
  await writeFile(join(place.path, "bad.json"), JSON.stringify({ kind: "github", secrets: ["not a name"] }))
  const cases: [string[], RegExp][] = [
    [[], /--kind/],
    [["--kind", "github"], /--secret/],
    [["--kind", "github", "--secret", "A", "--to", "triage"], /--to/],
    [["--kind", "github", "--secret", "A", "--message", "hi"], /--message/],
    [["--kind", "github", "--secret", "A", "--where", "x"], /--where/],
    [["--kind", "github", "--secret", "A", "--where", '{"a":{"near":1}}'], /where/],
    [["--file", "none.json"], /none.json/],
    [["--file", "bad.json"], /secrets\.0/],
  ]
  for (const [args, says] of cases) {
    const { code, err } = await server.rouse("webhooks", "add", "x", ...args)
    expect([args, code !== 0, err]).toEqual([args, true, expect.stringMatching(says)])
  }
})
