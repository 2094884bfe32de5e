/** The published suite on the distributed engine. */
process.env["ROUSE_STREAMS_STORE"] = "postgres"
await import("./conformance.test.ts")
