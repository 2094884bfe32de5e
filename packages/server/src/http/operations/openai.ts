import { chatRequest, type ChatRequest } from "../../openai/request.ts"
import type { Operation, Taking } from "./operation.ts"

const tag = "openai"
const seeAlso = "https://platform.openai.com/docs/api-reference/chat"

export const listModels: Operation = {
  ...{ id: "listModels", method: "get", path: "/openai/v1/models", tag, seeAlso },
  summary: "The entity types, as models",
  answers: { 200: "ChatModelList" },
}

export const getModel: Operation = {
  ...{ id: "getModel", method: "get", path: "/openai/v1/models/{model}", tag, seeAlso },
  summary: "An entity type, as a model",
  answers: { 200: "ChatModel" },
  errors: ["UNKNOWN_TYPE"],
}

export const completeChat: Taking<ChatRequest> = {
  ...{ id: "completeChat", method: "post", path: "/openai/v1/chat/completions", tag, once: true, seeAlso },
  summary: "Talk to an agent as to a model",
  headers: {
    "X-Rouse-Conversation": "Which conversation it is; the agent is that one's. `user`, or a new agent, when absent.",
  },
  body: chatRequest,
  answers: { 200: { "application/json": "ChatCompletion", "text/event-stream": "events" } },
  answerHeaders: { 200: { "X-Rouse-Entity": "The agent's address." } },
  errors: [
    "BAD_REQUEST",
    "UNKNOWN_TYPE",
    "UNKNOWN_ENTITY",
    "ALREADY_EXISTS",
    "STOPPED",
    "TIMED_OUT",
    "HANDLER_FAILED",
    "INTERRUPTED",
    "RATE_LIMITED",
    "BUDGET_EXHAUSTED",
    "GONE",
  ],
}
