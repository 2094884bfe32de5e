/** The suites over real sockets by way of `node:http`. By themselves they use the front of our own. */
process.env["ROUSE_STREAMS_FRONT"] = "node"
await import("./hostile.test.ts")
await import("./wire-fuzz.test.ts")
await import("./live-http.test.ts")
await import("./rough.test.ts")
