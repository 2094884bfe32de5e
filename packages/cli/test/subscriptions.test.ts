import { expect, test } from "vitest"
import { assistant, directory, served } from "./harness.ts"

const PUBLIC_URL = "https://rouse.example.com"

test.each([
  ["dev", [], 400, undefined],
  ["dev", ["--allow-loopback-webhooks", "--retention", "entities/=90d"], 201, undefined],
  ["start", ["--public-url", PUBLIC_URL], 400, undefined],
  ["start", ["--public-url", PUBLIC_URL, "--allow-loopback-webhooks"], 201, PUBLIC_URL],
] as const)("rouse %s %j answers %i to a webhook on this machine", async (command, flags, status, origin) => {
  await using place = await directory({ "agents.ts": assistant() })
  await using server = await served(place.path, [command, ...flags])
  const made = await fetch(`${server.url}/v1/stream/__ds/subscriptions/s`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ type: "webhook", pattern: "entities/**", webhook: { url: "http://127.0.0.1:9/" } }),
  })
  const body = (await made.json()) as { webhook?: { signing: { jwks_url: string } }; error?: { code: string } }
  expect(made.status).toBe(status)
  if (status === 400) expect(body.error?.code).toBe("WEBHOOK_URL_REJECTED")
  else expect(body.webhook?.signing.jwks_url).toBe(`${origin ?? server.url}/v1/stream/__ds/jwks.json`)
})
