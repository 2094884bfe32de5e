import { spawn } from "node:child_process"
import { once } from "node:events"
import { expect, it } from "vitest"
import { exactCpuMs, familyCpuMs } from "../src/lib/usage.ts"

/** Starts two more, of which one has ended when the other says so. */
const PARENT = `const { spawnSync, spawn } = require("node:child_process")
  spawnSync(process.execPath, ["-e", ""])
  const args = ["-e", "console.log('here'); setInterval(() => {}, 1000)"]
  const child = spawn(process.execPath, args, { stdio: ["ignore", "inherit", "inherit"] })
  process.on("SIGTERM", () => { child.kill(); process.exit() })`

it.skipIf(process.platform !== "linux")("counts a process's children, those that have ended too", async () => {
  const parent = spawn(process.execPath, ["-e", PARENT], { stdio: ["ignore", "pipe", "inherit"] })
  const pid = parent.pid as number
  try {
    await once(parent.stdout, "data")
    const own = exactCpuMs(pid)
    // To start takes each of them more than a clock tick.
    expect(familyCpuMs(pid)).toBeGreaterThan(own + 20)
  } finally {
    parent.kill("SIGTERM")
    await once(parent, "exit")
  }
})
