/**
 * Everything that must hold before a change lands: format, lint, types, unused code, packages, and every test. Ends with one line,
 * `N passed, N failed`, in which each static check counts as one.
 */
import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const PUBLISHED = ["protocol", "store", "streams", "agents", "server", "client", "ui", "cli"]

const CHECKS = [
  ["format", ["oxfmt", "--check", "."]],
  ["lint", ["oxlint", "--type-aware", "--deny-warnings", "."]],
  ["types", ["tsc", "-b"]],
  ["types of the page", ["tsc", "-p", "packages/ui"]],
  ["types of the page's tests", ["tsc", "-p", "packages/ui/test"]],
  ["types of the examples' pages", ["tsc", "-p", "examples"]],
  ["types of tests, examples and benches", ["tsc", "-p", "tsconfig.test.json"]],
  ["unused code and dependencies", ["knip"]],
  ...PUBLISHED.map((name) => [`package ${name}`, ["node", "scripts/publint.mjs", `packages/${name}`]]),
]

const args = process.argv.slice(2)
const isStatic = args.includes("--static")
const total = { passed: 0, failed: 0 }
for (const [name, command] of CHECKS) count(name, command)
if (!isStatic) tests(args)
process.stdout.write(`\n${total.passed} passed, ${total.failed} failed\n`)
process.exitCode = total.failed > 0 ? 1 : 0

function count(name, [command, ...rest]) {
  const { status, stdout, stderr, error } = spawnSync(command, rest, { encoding: "utf8", maxBuffer: 1 << 26 })
  const ok = status === 0
  process.stdout.write(`${ok ? "ok" : "FAILED"}  ${name}\n`)
  if (!ok) process.stdout.write(`${stdout ?? ""}${stderr ?? ""}${error?.message ?? ""}\n`)
  total[ok ? "passed" : "failed"] += 1
}

function tests(extra) {
  const directory = mkdtempSync(join(tmpdir(), "rouse-test-"))
  const file = join(directory, "results.json")
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`]
  const { status } = spawnSync("vitest", ["run", ...reporters, ...extra], { stdio: "inherit" })
  try {
    const results = JSON.parse(readFileSync(file, "utf8"))
    total.passed += results.numPassedTests
    total.failed += results.numFailedTests
    // A file that could not be loaded has no tests to fail.
    if (status !== 0 && results.numFailedTests === 0) total.failed += 1
  } catch (error) {
    process.stdout.write(`the tests left no results: ${error.message}\n`)
    total.failed += 1
  }
  rmSync(directory, { recursive: true, force: true })
}
