/** The published suite by way of `Request` and `Response`, as Hono, Bun and Deno have them. */
process.env["ROUSE_STREAMS_FRONT"] = "fetch"
await import("./conformance.test.ts")
