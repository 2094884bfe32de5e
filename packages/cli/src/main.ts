#!/usr/bin/env node
/**
 * The `rouse` command. The only place that touches the real clock, randomness, environment, terminal and signals: what
 * it
 * runs gets them as an `Io`. It imports nothing heavy, so that a server is ready soon after it was typed.
 */

import * as nodeModule from "node:module"

const NODE_MIN: readonly [number, number] = [22, 18]

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)
if (major < NODE_MIN[0] || (major === NODE_MIN[0] && minor < NODE_MIN[1])) {
  process.stderr.write(`rouse: Node ${NODE_MIN.join(".")} or newer is needed, and this is ${process.versions.node}\n`)
  process.exit(1)
}

/** Compiled code is kept for the next start. A server may end by a kill: write it before. */
const CACHE_AFTER_MS = 3_000
nodeModule.enableCompileCache()
setTimeout(() => nodeModule.flushCompileCache(), CACHE_AFTER_MS).unref()

const stop = new AbortController()
let exitCode: number | undefined

/** The first signal asks to end well, the second ends at once. */
function onSignal(): void {
  if (stop.signal.aborted) process.exit(130)
  stop.abort()
}

/** Whoever read our output went away, as `| head` does: end quietly. */
function onOutputError(error: NodeJS.ErrnoException): void {
  if (error.code === "EPIPE") process.exit(exitCode ?? 0)
  throw error
}

process.on("SIGINT", onSignal)
process.on("SIGTERM", onSignal)
process.on("SIGHUP", onSignal)
process.stdout.on("error", onOutputError)
process.stderr.on("error", onOutputError)

const [{ processIo }, { run }] = await Promise.all([import("./io.ts"), import("./run.ts")])
exitCode = await run(process.argv.slice(2), processIo(process, stop.signal))
process.exitCode = exitCode
