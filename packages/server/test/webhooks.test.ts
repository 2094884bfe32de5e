import { createHmac } from "node:crypto"
import { defineEntity } from "@rouse/agents"
import type { MessageRow, Problem, WebhookReceipt } from "@rouse/protocol"
import { openStore } from "@rouse/store"
import { afterEach, describe, expect, onTestFinished, test } from "vitest"
import { z } from "zod"
import { parseTokens } from "../src/index.ts"
import { Harness, temporaryStore } from "./harness.ts"

/** Webhooks of others: real payloads' shapes, signatures made by Node's crypto and not by what is tested. */

const seen = defineEntity("seen", { handler: (ctx) => ctx.reply("ok") })
const strict = defineEntity("strict", { args: z.object({ repo: z.string() }), handler: (ctx) => ctx.reply("ok") })

const ENV = {
  GITHUB_SECRET: "It's a Secret to Everybody",
  STRIPE_SECRET: "whsec_test_1234567890",
  OLD_STRIPE: "whsec_old_1234567890",
  SLACK_SECRET: "8f742231b10e8888abcd99yyyzzz85a5",
  STANDARD: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
  GENERIC: "generic-secret",
  TINY: "tiny",
}
const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5)
const NOW = Math.floor(NOW_MS / 1_000)

const open: Harness[] = []
afterEach(async () => {
  for (const harness of open.splice(0)) await harness.close()
})

async function serve(more: Partial<Parameters<typeof Harness.open>[0]> = {}): Promise<Harness> {
  const harness = await Harness.open({ entities: [seen, strict], env: ENV, clock: () => NOW_MS, ...more })
  open.push(harness)
  return harness
}

const hmac = (algorithm: string, key: string | Buffer, text: string, encoding: "hex" | "base64" = "hex"): string =>
  createHmac(algorithm, key).update(text).digest(encoding)

const put = (harness: Harness, name: string, body: object) => harness.call("PUT", `/v1/webhook-sources/${name}`, body)
const post = <T = WebhookReceipt>(harness: Harness, name: string, body: string, headers: Record<string, string>) =>
  harness.call<T>("POST", `/v1/webhooks/${name}`, body, { "content-type": "application/json", ...headers })

const GITHUB = { kind: "github", secrets: ["GITHUB_SECRET"] }
const PUSH = JSON.stringify({
  action: "opened",
  issue: { number: 7, title: "It breaks", user: { login: "mona" } },
  repository: { full_name: "acme/shop" },
})
function github(body: string, id = "72d3162e-cc78-11e3-81ab-4c9367dc0958"): Record<string, string> {
  return {
    "x-github-event": "issues",
    "x-github-delivery": id,
    "x-hub-signature-256": `sha256=${hmac("sha256", ENV.GITHUB_SECRET, body)}`,
  }
}

const messages = async (harness: Harness, url: string) =>
  (await harness.rows<MessageRow>(url, "message")).map((row) => row.value)

async function streamed(harness: Harness, name: string): Promise<readonly { key: string; value: { event: string } }[]> {
  const { status, body } = await harness.call<never>("GET", `/v1/stream/webhooks/${name}`)
  return status === 404 ? [] : body
}

describe("whose signatures hold", () => {
  test("GitHub's published example", async () => {
    const harness = await serve()
    await put(harness, "gh", GITHUB)
    const signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    const headers = { "x-hub-signature-256": signature, "x-github-delivery": "1", "content-type": "text/plain" }
    expect((await post(harness, "gh", "Hello, World!", headers)).status).toBe(202)
    expect((await post(harness, "gh", "Hello, World?", headers)).status).toBe(401)
  })

  test("Slack's published example, its challenge, and a clock that is off", async () => {
    let seconds = 1_531_420_618
    const harness = await serve({ clock: () => seconds * 1_000 })
    await put(harness, "slack", { kind: "slack", secrets: ["SLACK_SECRET"] })
    const body =
      "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    const headers = {
      "x-slack-request-timestamp": "1531420618",
      "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
      "content-type": "application/x-www-form-urlencoded",
    }
    expect(await post(harness, "slack", body, headers)).toMatchObject({ status: 200, body: null })
    const [row] = await streamed(harness, "slack")
    expect(row).toMatchObject({
      key: "398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c",
      value: { event: "/webhook-collect", body: { user_name: "roadrunner" } },
    })
    seconds += 301
    expect((await post(harness, "slack", body, headers)).status).toBe(401)
    const challenge = JSON.stringify({
      type: "url_verification",
      challenge: "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P",
    })
    const signed = {
      "x-slack-request-timestamp": `${seconds}`,
      "x-slack-signature": `v0=${hmac("sha256", ENV.SLACK_SECRET, `v0:${seconds}:${challenge}`)}`,
    }
    const { status, body: answer } = await post<{ challenge: string }>(harness, "slack", challenge, signed)
    expect([status, answer.challenge]).toEqual([200, JSON.parse(challenge).challenge])
    expect(await streamed(harness, "slack")).toHaveLength(1)
  })

  test("Standard Webhooks' published example", async () => {
    const harness = await serve({ clock: () => 1_614_265_330_000 })
    await put(harness, "std", { kind: "standard", secrets: ["STANDARD"] })
    const headers = {
      "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
      "webhook-timestamp": "1614265330",
      "webhook-signature": "v1a,AAAA v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    const { status, body } = await post(harness, "std", '{"test": 2432232314}', headers)
    expect([status, body.delivery]).toEqual([202, "msg_p5jXN8AQM9LWM0D4loKWxJek"])
    expect((await post(harness, "std", '{"test": 2432232314}', { ...headers, "webhook-id": "other" })).status).toBe(401)
  })

  test("Stripe's, with either secret while one replaces the other, and not when they are old", async () => {
    const harness = await serve()
    await put(harness, "stripe", { kind: "stripe", secrets: ["STRIPE_SECRET", "OLD_STRIPE"], toleranceSeconds: 60 })
    const body = JSON.stringify({
      id: "evt_1",
      object: "event",
      type: "charge.refunded",
      data: { object: { amount: 999 } },
    })
    const signed = (at: number, key: string, what = body): Record<string, string> => ({
      "stripe-signature": `t=${at},v1=${hmac("sha256", "not the secret", `${at}.${what}`)},v1=${hmac("sha256", key, `${at}.${what}`)},v0=00`,
    })
    expect((await post(harness, "stripe", body, signed(NOW, ENV.OLD_STRIPE))).body).toEqual({
      delivery: "evt_1",
      status: "accepted",
    })
    expect((await post(harness, "stripe", body, signed(NOW - 59, ENV.STRIPE_SECRET))).body.status).toBe("duplicate")
    expect((await post(harness, "stripe", body, signed(NOW - 61, ENV.STRIPE_SECRET))).status).toBe(401)
    expect((await post(harness, "stripe", body, signed(NOW + 61, ENV.STRIPE_SECRET))).status).toBe(401)
    expect((await post(harness, "stripe", body, signed(NOW, ENV.GENERIC))).status).toBe(401)
    // A signed time is no time of another's choice.
    const moved = signed(NOW - 600, ENV.STRIPE_SECRET)["stripe-signature"]?.replace(`t=${NOW - 600}`, `t=${NOW}`) ?? ""
    expect((await post(harness, "stripe", body, { "stripe-signature": moved })).status).toBe(401)
  })

  test("any other HMAC, as it is described", async () => {
    const harness = await serve()
    const scheme = {
      header: "X-Sig",
      algorithm: "sha512",
      encoding: "base64",
      prefix: "hmac ",
      timestampHeader: "X-At",
      signed: "{timestamp}:{body}!",
      idHeader: "X-Id",
      eventHeader: "X-Event",
    }
    await put(harness, "other", { kind: "hmac", secrets: ["GENERIC"], hmac: scheme })
    await put(harness, "bare", { kind: "hmac", secrets: ["GENERIC"], hmac: { header: "x-sig", algorithm: "sha1" } })
    const headers = {
      "x-sig": `hmac ${hmac("sha512", ENV.GENERIC, `${NOW}:{}!`, "base64")}`,
      "x-at": `${NOW}`,
      "x-id": "a",
      "x-event": "paid",
    }
    expect((await post(harness, "other", "{}", headers)).body).toEqual({ delivery: "a", status: "accepted" })
    expect((await streamed(harness, "other"))[0]?.value.event).toBe("paid")
    const bare = { "x-sig": hmac("sha1", ENV.GENERIC, '{"a":1}') }
    expect((await post(harness, "bare", '{"a":1}', bare)).body.status).toBe("accepted")
    // Without an id, the same body is the same delivery.
    expect((await post(harness, "bare", '{"a":1}', bare)).body.status).toBe("duplicate")
  })

  test("bytes are what is signed, also a byte order mark", async () => {
    const harness = await serve()
    await put(harness, "gh", GITHUB)
    const body = "\uFEFFhello"
    expect((await post(harness, "gh", body, { ...github(body), "content-type": "text/plain" })).status).toBe(202)
  })
})

describe("where a delivery goes", () => {
  test("to the agent that its body names, which is made for it; once, also after a restart", async () => {
    const place = await temporaryStore()
    onTestFinished(() => place.remove())
    const first = await serve({ store: place.store })
    const to = [
      {
        type: "strict",
        id: "{body.repository.full_name}-{body.issue.number}",
        args: { repo: "{body.repository.full_name}" },
        message: "{event} {body.action}: {body.issue.title}",
      },
    ]
    expect((await put(first, "gh", { ...GITHUB, to })).status).toBe(201)
    const url = "/strict/acme~2Fshop-7"
    const { status, body } = await post(first, "gh", PUSH, github(PUSH))
    expect([status, body.delivered]).toEqual([202, [url]])
    expect(await messages(first, url)).toMatchObject([
      { content: "issues opened: It breaks", from: { kind: "webhook", id: "gh" } },
    ])
    await first.until(async () => (await messages(first, url))[0]?.status === "processed", "it is worked on")
    const log = await first.log(url)
    expect(log.find((event) => event.type === "wake")?.value).toMatchObject({ reasons: ["webhook"] })
    open.splice(0)
    await first.close()

    const second = await serve({ store: await openStore({ directory: place.directory, clock: () => NOW_MS }) })
    expect(await post(second, "gh", PUSH, github(PUSH))).toMatchObject({ status: 200, body: { status: "duplicate" } })
    await post(second, "gh", PUSH, github(PUSH, "another"))
    expect(await messages(second, url)).toHaveLength(2)
    expect((await streamed(second, "gh")).map((row) => row.key)).toEqual([
      "72d3162e-cc78-11e3-81ab-4c9367dc0958",
      "another",
    ])
  })

  test("once, when a hundred copies of it arrive together", async () => {
    const harness = await serve()
    await put(harness, "gh", { ...GITHUB, to: [{ type: "seen", id: "all" }] })
    const answers = await Promise.all(Array.from({ length: 100 }, () => post(harness, "gh", PUSH, github(PUSH))))
    expect(answers.filter(({ body }) => body.status === "accepted")).toHaveLength(1)
    expect(answers.filter(({ body }) => body.status === "duplicate")).toHaveLength(99)
    expect(await messages(harness, "/seen/all")).toHaveLength(1)
    expect(await streamed(harness, "gh")).toHaveLength(1)
  })

  test("nowhere when it does not match, and by each route's own condition", async () => {
    const harness = await serve()
    const where = { event: { in: ["issues", "push"] }, "body.issue.number": { gt: 5 } }
    const to = [
      { type: "seen", id: "bugs", where: { "body.issue.title": { contains: "breaks" } } },
      { type: "seen", id: "mona", where: { not: { "body.issue.user.login": "mona" } } },
    ]
    await put(harness, "gh", { ...GITHUB, where, to })
    expect((await post(harness, "gh", PUSH, github(PUSH))).body.delivered).toEqual(["/seen/bugs"])
    const small = PUSH.replace('"number":7', '"number":5')
    expect(await post(harness, "gh", small, github(small, "b"))).toMatchObject({
      status: 200,
      body: { status: "filtered" },
    })
    expect(await streamed(harness, "gh")).toHaveLength(1)
  })

  test("past what cannot take it, and says so", async () => {
    const harness = await serve()
    await harness.spawn("/seen/gone")
    await harness.call("POST", "/v1/entities/seen/gone/signals", { signal: "kill" })
    const to = [
      { type: "seen", id: "{body.nothing}" },
      { type: "seen", id: "-{body.issue.number}" },
      { type: "seen", id: "{body.issue}" },
      { type: "strict", id: "a", args: { repo: "{body.issue.number}" } },
      { type: "seen", id: "gone" },
      { type: "seen", id: "absent", spawn: false },
      { type: "seen", id: "one" },
    ]
    await put(harness, "gh", { ...GITHUB, to })
    const { status, body } = await post(harness, "gh", PUSH, github(PUSH))
    expect([status, body.delivered]).toEqual([202, ["/seen/one"]])
    expect(body.passed?.map(({ route }) => route)).toEqual([0, 1, 2, 3, 4, 5])
    expect(await streamed(harness, "gh")).toMatchObject([{ value: { passed: [{ route: 0 }, {}, {}, {}, {}, {}] } }])
    expect((await harness.call("GET", "/v1/entities/seen/absent")).status).toBe(404)
  })

  test("back to the sender while the inbox is full, and then through", async () => {
    const harness = await serve({ limits: { pendingMax: 1, wakesMax: 0 } })
    await harness.spawn("/seen/a", { message: "first" })
    await put(harness, "gh", { ...GITHUB, to: [{ type: "seen", id: "a" }] })
    expect((await post(harness, "gh", PUSH, github(PUSH))).status).toBe(429)
    expect(await streamed(harness, "gh")).toEqual([])
  })
})

describe("what is refused", () => {
  test("requests that prove nothing", async () => {
    const harness = await serve()
    await put(harness, "gh", GITHUB)
    await put(harness, "tiny", { kind: "github", secrets: ["TINY", "UNSET"] })
    const good = github(PUSH)
    const cases: [string, string, Record<string, string>, number, string][] = [
      ["nowhere", PUSH, good, 404, "UNKNOWN_WEBHOOK_SOURCE"],
      ["gh", PUSH, {}, 401, "SIGNATURE_INVALID"],
      ["gh", `${PUSH} `, good, 401, "SIGNATURE_INVALID"],
      ["gh", PUSH, { "x-hub-signature-256": "sha256=" }, 401, "SIGNATURE_INVALID"],
      ["gh", PUSH, { "x-hub-signature-256": "sha256=zz" }, 401, "SIGNATURE_INVALID"],
      ["gh", PUSH, { "x-hub-signature-256": good["x-hub-signature-256"]?.slice(7) ?? "" }, 401, "SIGNATURE_INVALID"],
      ["gh", "{", github("{"), 400, "BAD_JSON"],
      ["gh", "[".repeat(300) + "]".repeat(300), github("[".repeat(300) + "]".repeat(300)), 400, "BAD_JSON"],
      ["gh", "x".repeat(1_048_577), {}, 413, "TOO_LARGE"],
      ["tiny", PUSH, good, 500, "SECRET_MISSING"],
    ]
    for (const [source, body, headers, status, code] of cases) {
      const answer = await post<Problem>(harness, source, body, headers)
      expect([source, headers, answer.status, answer.body.code]).toEqual([source, headers, status, code])
      expect(JSON.stringify(answer.body)).not.toContain("Everybody")
    }
    expect(await streamed(harness, "gh")).toEqual([])
  })

  test("sources that are none, naming the field", async () => {
    const harness = await serve()
    const cases: [object, string][] = [
      [{ secrets: ["A"] }, "kind"],
      [{ kind: "gitlab", secrets: ["A"] }, "kind"],
      [{ kind: "github" }, "secrets"],
      [{ kind: "github", secrets: [] }, "secrets"],
      [{ kind: "github", secrets: ["It's a Secret to Everybody"] }, "secrets.0"],
      [{ kind: "hmac", secrets: ["A"] }, "hmac"],
      [{ ...GITHUB, hmac: { header: "x" } }, "hmac"],
      [{ kind: "hmac", secrets: ["A"], hmac: { header: "x y" } }, "hmac.header"],
      [{ kind: "hmac", secrets: ["A"], hmac: { header: "x", signed: "{timestamp}" } }, "hmac.signed"],
      [{ kind: "hmac", secrets: ["A"], hmac: { header: "x", signed: "{timestamp}{body}" } }, "hmac.signed"],
      [{ kind: "hmac", secrets: ["A"], hmac: { header: "x", signed: "{body}", timestampHeader: "t" } }, "hmac.signed"],
      [{ ...GITHUB, toleranceSeconds: 0 }, "toleranceSeconds"],
      [{ ...GITHUB, where: { a: { near: 1 } } }, "where"],
      [{ ...GITHUB, where: { a: [1] } }, "where"],
      [{ ...GITHUB, stream: false }, "to"],
      [{ ...GITHUB, to: [{ type: "Seen", id: "a" }] }, "to.0.type"],
      [{ ...GITHUB, to: [{ type: "none", id: "a" }] }, "to.0.type"],
      [{ ...GITHUB, to: [{ type: "seen", id: "a", where: 1 }] }, "to.0.where"],
      [{ ...GITHUB, too: [] }, ""],
    ]
    for (const [body, field] of cases) {
      const { status, body: problem } = await harness.call<Problem>("PUT", "/v1/webhook-sources/a", body)
      expect([body, status >= 400 && status < 500, problem.detail]).toEqual([
        body,
        true,
        expect.stringContaining(field),
      ])
    }
    expect((await put(harness, "Bad%20name", GITHUB)).status).toBe(400)
    expect((await harness.call("GET", "/v1/webhook-sources")).body).toEqual({ sources: [] })
    expect((await harness.call("DELETE", "/v1/webhook-sources/a")).status).toBe(404)
  })

  test("writing the stream by hand, and setting sources without the right", async () => {
    const tokens = parseTokens(
      JSON.stringify({ tokens: [{ name: "w", token: "write-token-0123456789", scope: "write" }] }),
    )
    const harness = await serve({ tokens, webhookSources: { gh: GITHUB as never } })
    const bearer = { authorization: "Bearer write-token-0123456789", "content-type": "application/json" }
    expect((await harness.call("PUT", "/v1/webhook-sources/a", GITHUB, bearer)).status).toBe(403)
    expect((await harness.call("PUT", "/v1/stream/webhooks/gh", undefined, bearer)).status).toBeGreaterThanOrEqual(400)
    // The sender has no token, and needs none.
    expect((await post(harness, "gh", PUSH, github(PUSH))).status).toBe(202)
    expect((await harness.call("POST", "/v1/webhooks/gh/more", PUSH, github(PUSH))).status).toBe(401)
  })
})

test("sources of the configuration are used, shown, and not changed over the API", async () => {
  const harness = await serve({ webhookSources: { gh: GITHUB as never } })
  expect((await harness.call("GET", "/v1/webhook-sources/gh")).body).toEqual({ ...GITHUB, name: "gh", from: "file" })
  expect((await put(harness, "gh", { ...GITHUB, stream: true })).status).toBe(409)
  expect((await harness.call("DELETE", "/v1/webhook-sources/gh")).status).toBe(409)
  await put(harness, "other", GITHUB)
  expect((await put(harness, "other", { ...GITHUB, toleranceSeconds: 9 })).status).toBe(200)
  expect((await harness.call("DELETE", "/v1/webhook-sources/other")).status).toBe(204)
  expect((await post(harness, "other", PUSH, github(PUSH))).status).toBe(404)
})
