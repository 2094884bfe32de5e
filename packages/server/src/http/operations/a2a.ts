import type { Operation } from "./operation.ts"

const tag = "a2a"
const seeAlso = "https://a2a-protocol.org/latest/specification/"

export const getAgentCard: Operation = {
  ...{ id: "getAgentCard", method: "get", path: "/a2a/{type}/.well-known/agent-card.json", tag, seeAlso },
  summary: "The card of an entity type, for agents that speak A2A",
  answers: { 200: "AgentCard" },
  errors: ["UNKNOWN_TYPE"],
}

export const callAgent: Operation = {
  ...{ id: "callAgent", method: "post", path: "/a2a/{type}", tag, seeAlso },
  summary: "A call of A2A's JSON-RPC binding",
  description: "What is wrong with the call itself is said by JSON-RPC, with 200.",
  headers: { "A2A-Version": "The version of the protocol that is spoken." },
  upload: "application/json",
  answers: { 200: { "application/json": "JsonRpcAnswer", "text/event-stream": "events" } },
  errors: ["BAD_JSON", "UNKNOWN_TYPE"],
}
