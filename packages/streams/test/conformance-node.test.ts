/** The published suite by way of `node:http`. */
process.env["ROUSE_STREAMS_FRONT"] = "node"
await import("./conformance.test.ts")
