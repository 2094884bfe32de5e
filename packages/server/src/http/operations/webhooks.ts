import type { EventSubscriptionBody, WebhookSourceBody } from "@rouse/protocol"
import { eventSubscriptionBody } from "@rouse/protocol/event-schemas"
import { webhookSourceBody } from "@rouse/protocol/webhook-schemas"
import type { Operation, Taking } from "./operation.ts"

const SOURCE = "/v1/webhook-sources/{name}"
const EVENTS = "/v1/event-subscriptions/{name}"
const tag = "webhooks"

export const receiveWebhook: Operation = {
  ...{ id: "receiveWebhook", method: "post", path: "/v1/webhooks/{source}", tag, proof: "signature" },
  summary: "A webhook of a source, signed by its sender",
  description: "Slack is answered its challenge, or nothing.",
  upload: "*/*",
  answers: { 200: "WebhookAnswer", 202: "WebhookReceipt" },
  errors: [
    "BAD_REQUEST",
    "BAD_JSON",
    "INVALID_ARGS",
    "UNSUPPORTED_MEDIA_TYPE",
    "UNKNOWN_WEBHOOK_SOURCE",
    "SIGNATURE_INVALID",
    "SECRET_MISSING",
    "CONFLICT",
    "RATE_LIMITED",
  ],
}

export const listWebhookSources: Operation = {
  ...{ id: "listWebhookSources", method: "get", path: "/v1/webhook-sources", tag },
  summary: "Who may send webhooks, and where they go",
  answers: { 200: "WebhookSourceList" },
}

export const getWebhookSource: Operation = {
  ...{ id: "getWebhookSource", method: "get", path: SOURCE, tag },
  summary: "A source of webhooks",
  answers: { 200: "WebhookSource" },
  errors: ["UNKNOWN_WEBHOOK_SOURCE"],
}

export const setWebhookSource: Taking<WebhookSourceBody> = {
  ...{ id: "setWebhookSource", method: "put", path: SOURCE, tag },
  summary: "Make or change a source of webhooks",
  body: webhookSourceBody,
  answers: { 200: "WebhookSource", 201: "WebhookSource" },
  errors: ["BAD_REQUEST", "UNKNOWN_TYPE", "ALREADY_EXISTS"],
}

export const deleteWebhookSource: Operation = {
  ...{ id: "deleteWebhookSource", method: "delete", path: SOURCE, tag },
  summary: "Remove a source of webhooks",
  answers: { 204: null },
  errors: ["UNKNOWN_WEBHOOK_SOURCE", "ALREADY_EXISTS"],
}

export const listEventSubscriptions: Operation = {
  ...{ id: "listEventSubscriptions", method: "get", path: "/v1/event-subscriptions", tag },
  summary: "Who is told of what happens to agents",
  answers: { 200: "EventSubscriptionList" },
}

export const getEventSubscription: Operation = {
  ...{ id: "getEventSubscription", method: "get", path: EVENTS, tag },
  summary: "An event subscription, and how far it is",
  answers: { 200: "EventSubscriptionState" },
  errors: ["UNKNOWN_EVENT_SUBSCRIPTION"],
}

export const setEventSubscription: Taking<EventSubscriptionBody> = {
  ...{ id: "setEventSubscription", method: "put", path: EVENTS, tag },
  summary: "Have an address told of what happens to agents",
  body: eventSubscriptionBody,
  answers: { 200: "EventSubscription", 201: "EventSubscription" },
  errors: ["BAD_REQUEST", "WEBHOOK_URL_REJECTED", "SECRET_MISSING", "ALREADY_EXISTS"],
}

export const deleteEventSubscription: Operation = {
  ...{ id: "deleteEventSubscription", method: "delete", path: EVENTS, tag },
  summary: "End an event subscription",
  answers: { 204: null },
  errors: ["UNKNOWN_EVENT_SUBSCRIPTION"],
}
