import type { Operation } from "./operation.ts"

const tag = "server"

export const getHealth: Operation = {
  ...{ id: "getHealth", method: "get", path: "/healthz", tag, proof: "none" },
  summary: "Whether the process answers",
  answers: { 200: "Health" },
}

export const getReadiness: Operation = {
  ...{ id: "getReadiness", method: "get", path: "/readyz", tag, proof: "none" },
  summary: "Whether it takes requests: the store answers and nothing is shutting down",
  answers: { 200: "Health" },
}

export const getInfo: Operation = {
  ...{ id: "getInfo", method: "get", path: "/v1/info", tag },
  summary: "The server, its version and its types",
  answers: { 200: "ServerInfo" },
}

export const getOpenapi: Operation = {
  ...{ id: "getOpenapi", method: "get", path: "/v1/openapi.json", tag },
  summary: "This document",
  answers: { 200: "OpenapiDocument" },
  seeAlso: "https://spec.openapis.org/oas/v3.1.1.html",
}
