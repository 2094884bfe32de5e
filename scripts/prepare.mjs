#!/usr/bin/env node
/**
 * Makes a clone ready, whatever has been typed in it before: installs what is missing, builds what is older than its sources, and
 * then runs the command after `--` on the Node that the repository pins. Runs on any Node from 18.
 */
import { spawnSync } from "node:child_process"
import { existsSync, readdirSync, statSync } from "node:fs"
import { delimiter, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const bin = join(root, "node_modules", ".bin")
const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ""}` }

install()
build()
const at = process.argv.indexOf("--")
if (at > 0) process.exitCode = run(process.argv.slice(at + 1), "inherit", process.cwd()).status

function install() {
  const installed = mtime(join(root, "node_modules", ".package-lock.json"))
  if (existsSync(join(bin, "node")) && installed >= mtime(join(root, "package-lock.json"))) return
  say("installing dependencies")
  must(run(["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"], "quiet", root), "npm install")
}

function build() {
  if (builtAt() >= newestSource()) return
  say("building")
  must(run(["tsc", "-b"], "quiet", root), "tsc -b")
  must(run(["vite", "build", "--logLevel", "warn"], "quiet", join(root, "packages", "ui")), "vite build")
}

/** When the last whole build ended: the page is built last. */
function builtAt() {
  const outputs = [join(root, "packages", "cli", "dist", "main.js"), join(root, "packages", "ui", "dist", "index.html")]
  return Math.min(...outputs.map(mtime))
}

function newestSource() {
  let newest = Math.max(mtime(join(root, "tsconfig.base.json")), mtime(join(root, "package-lock.json")))
  for (const name of readdirSync(join(root, "packages"))) {
    const directory = join(root, "packages", name)
    for (const file of ["package.json", "tsconfig.json", "vite.config.ts", "index.html"])
      newest = Math.max(newest, mtime(join(directory, file)))
    newest = Math.max(newest, newestBelow(join(directory, "src")))
  }
  return newest
}

function newestBelow(directory) {
  if (!existsSync(directory)) return 0
  let newest = 0
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name)
    newest = Math.max(newest, entry.isDirectory() ? newestBelow(path) : mtime(path))
  }
  return newest
}

function mtime(path) {
  return existsSync(path) ? statSync(path).mtimeMs : 0
}

/** Runs a command; a quiet one is heard only when it fails. */
function run([command, ...args], mode, cwd) {
  const shell = process.platform === "win32"
  const stdio = mode === "quiet" ? ["ignore", "pipe", "pipe"] : "inherit"
  const { status, signal, error, stdout, stderr } = spawnSync(command, args, {
    cwd,
    env,
    stdio,
    shell,
    maxBuffer: 1 << 26,
  })
  return { status: status ?? (signal ? 1 : 127), error, output: `${stdout ?? ""}${stderr ?? ""}` }
}

function must(result, what) {
  if (result.status === 0) return
  process.stderr.write(
    `${result.output}\n${result.error?.message ?? ""}\n${what} failed with exit code ${result.status}\n`,
  )
  process.exit(1)
}

function say(what) {
  process.stderr.write(`rouse: ${what} …\n`)
}
