import { createClient } from "@rouse/client"
import type { Client } from "@rouse/client"

/** Agents that have done, and are doing, everything a page has to show. */
export interface Scene {
  readonly client: Client
  /** An offset in the middle of `/assistant/planner`'s log. */
  readonly past: string
}

const PLAN = `a weekend in Rome, for two.

| day | morning | evening |
| --- | --- | --- |
| one | Forum, Palatine | Trastevere |
| two | Vatican museums | Testaccio |

Book the museums **before** you go:

\`\`\`ts
await museums.book({ day: 2, people: 2 })
\`\`\``

export async function makeScene(url: string): Promise<Scene> {
  const client = createClient({ url })
  await client.spawn("/assistant/planner", { tags: { team: "travel", tier: "gold" } })
  await client.ask("/assistant/planner", PLAN)
  await client.ask(
    "/assistant/planner",
    "/think Museums close early on Sundays.\n/say Go to the museums on **Saturday**.",
  )
  await client.ask("/assistant/planner", '/call add {"a":120,"b":85}\n/call broken\n/then\n/say 205 in all.')
  const { batches } = await client.log("/assistant/planner", { collection: "run" })
  const past = batches.find(({ events }) => events.some(({ value }) => (value as { endedAt?: string }).endedAt))
  await client.fork("/assistant/planner", {
    id: "cheaper",
    at: past!.offset,
    message: "/say The same, by bus and tent.",
  })
  await client.spawn("/clerk/ann", { args: { customer: "Ann" } })
  await client.send("/clerk/ann", '/call refund {"order":"20417","cents":12900}\n/then\n/say It is refunded.')
  await client.spawn("/assistant/buyer")
  await client.send(
    "/assistant/buyer",
    '/call ask_person {"question":"Which sofa fits through the door?"}\n/then\n/say ok',
  )
  await client.spawn("/assistant/treasurer")
  await client.send("/assistant/treasurer", '/call wire {"to":"DE02 1203 0000","cents":900000}')
  await client.spawn("/crasher/night-shift")
  await client.ask("/crasher/night-shift", "Close the books")
  await client.schedule(
    "/assistant/planner",
    "monday",
    { cron: "0 9 * * 1", timezone: "Europe/Berlin" },
    "What is new?",
  )
  await client.schedule("/clerk/ann", "hourly", { every: 3_600_000 }, { check: "inbox" })
  await client.send("/assistant/buyer", "Ask again, politely", { after: "2h" })
  await client.spawn("/assistant/lead")
  await client.ask("/assistant/lead", "/say Ready.")
  for (const id of ["reader", "writer", "checker"]) {
    await client.spawn(`/assistant/${id}`, { parent: "/assistant/lead", message: "/say My part is done." })
  }
  await client.ask(
    "/assistant/reader",
    '/call send {"to":"/assistant/writer","content":"/say Noted."}\n/then\n/say Told.',
  )
  await client.spawn("/assistant/intern", { parent: "/assistant/writer", message: "/say Copied." })
  await client.setWebhookSource("repo", {
    kind: "github",
    secrets: ["GITHUB"],
    to: [{ type: "assistant", id: "lead" }],
  })
  for (let n = 0; n < 40; n++) await client.spawn(`/clerk/c-${1_000 + n}`, { args: { customer: `Customer ${n}` } })
  return { client, past: past!.offset }
}
