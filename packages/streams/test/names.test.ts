import * as streams from "@rouse/streams"
import { expect, test } from "vitest"

test("the package's public names", () => {
  expect(Object.keys(streams)).toMatchInlineSnapshot(`
    [
      "createStreams",
      "webhookSubscription",
      "LiveRows",
      "trimStream",
      "createCompactor",
      "systemClock",
      "createRateLimit",
      "Keyring",
      "KEY_SET_AGE_SECONDS",
      "checkWebhookUrl",
      "addressOf",
    ]
  `)
})
