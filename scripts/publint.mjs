#!/usr/bin/env node
/** `publint.mjs DIRECTORY`: whether a package is fit to be published, warnings included. Sources are for this repository's own tests, and stay in it. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { publint } from "publint"
import { formatMessage } from "publint/utils"

/** The condition by which tests run from sources. */
const SOURCES = "@rouse/source"

const [directory = "."] = process.argv.slice(2)
const manifest = JSON.parse(readFileSync(join(directory, "package.json"), "utf8"))
const { messages } = await publint({ pkgDir: directory, pack: "npm", strict: true })
const found = messages.filter(({ code, path }) => !(code === "FILE_NOT_PUBLISHED" && path.at(-1) === SOURCES))
for (const message of found) process.stdout.write(`${message.type}: ${formatMessage(message, manifest)}\n`)
process.exitCode = found.some(({ type }) => type === "error") ? 1 : 0
