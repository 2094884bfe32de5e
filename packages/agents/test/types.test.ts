import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { fileURLToPath } from "node:url"
import { expect, test } from "vitest"

const here = fileURLToPath(new URL("..", import.meta.url))
const tsc = fileURLToPath(new URL("../../../node_modules/typescript/bin/tsc", import.meta.url))

test("tests and type tests compile", { timeout: 120_000 }, async () => {
  const run = promisify(execFile)(process.execPath, [tsc, "-p", "tsconfig.test.json"], { cwd: here })
  const output = await run.then(
    () => "",
    (error: { stdout: string }) => error.stdout,
  )
  expect(output).toBe("")
})
