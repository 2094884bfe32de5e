import { serveChild } from "@rouse/testkit/crash"
import { SCENARIOS } from "./pattern-scenarios.ts"

/** Serves the patterns in a process that can be killed: a data directory and a port. */
const [directory = "", port = "0"] = process.argv.slice(2)
const entities = Object.values(SCENARIOS).flatMap((scenario) => scenario.entities)
await serveChild({ directory, port: Number(port), graceMs: 1_000, entities })
