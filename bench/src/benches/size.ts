import { execFile } from "node:child_process"
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { promisify } from "node:util"
import type { Bench, BenchContext, BenchResult } from "../lib/bench.ts"
import { diskBytes, installedPackages } from "../lib/disk.ts"
import { Figures } from "../lib/figures.ts"
import { number, table } from "../lib/table.ts"
import { inTemporaryDirectory } from "../lib/temporary.ts"

const run = promisify(execFile)
const BIGGEST = 10
const MB = 2 ** 20
const INSTALL_MS_MAX = 120_000

interface Manifest {
  readonly name: string
  readonly dependencies?: Readonly<Record<string, string>>
}

/** The `rouse` package as npm installs it, with all it needs beyond Node. */
export const size: Bench = {
  name: "size",
  summary: "installed size of the `rouse` package with all it needs beyond Node",
  run: (context) => inTemporaryDirectory((directory) => runSize(context, directory)),
}

async function runSize(context: BenchContext, directory: string): Promise<BenchResult> {
  const cli = dirname(dirname(context.rouse))
  const packages = await workspacePackages(dirname(cli))
  const needed = closure("rouse", packages)
  context.say(`packing ${needed.length} packages`)
  const packed = join(directory, "packed")
  await mkdir(packed)
  await npm(
    ["pack", "--silent", "--pack-destination", packed, ...needed.map((name) => packages.get(name)?.directory ?? name)],
    dirname(cli),
  )
  const installed = join(directory, "installed")
  await mkdir(installed)
  await writeFile(join(installed, "package.json"), JSON.stringify({ name: "size", private: true }))
  const tarballs = (await readdir(packed)).map((file) => join(packed, file))
  context.say("installing them")
  await npm(
    ["install", "--omit=dev", "--no-audit", "--no-fund", "--prefer-offline", "--install-strategy=hoisted", ...tarballs],
    installed,
  )
  return resultOf(join(installed, "node_modules"))
}

async function resultOf(modules: string): Promise<BenchResult> {
  const figures = new Figures()
  const all = await installedPackages(modules)
  const total = await diskBytes(modules)
  figures.add({ name: "installed, on disk", unit: "MB", most: 60 }, "rouse", total.allocated / MB)
  figures.add({ name: "installed, bytes in files", unit: "MB" }, "rouse", total.bytes / MB)
  figures.add({ name: "packages", unit: "" }, "rouse", all.length)
  const biggest = all.toSorted((a, b) => b.allocated - a.allocated).slice(0, BIGGEST)
  const rows = biggest.map(({ name, allocated }) => [name, `${number(allocated / MB)} MB`])
  return {
    figures: figures.list(),
    notes: [
      `The ${BIGGEST} biggest packages, on disk:`,
      ...table(rows)
        .split("\n")
        .map((line) => `  ${line}`),
    ],
  }
}

/** With this Node's own npm where it has one, else the one on the path. */
async function npm(args: readonly string[], cwd: string): Promise<void> {
  await run("npm", [...args], { cwd, timeout: INSTALL_MS_MAX, env: { ...process.env, npm_config_loglevel: "error" } })
}

async function workspacePackages(
  root: string,
): Promise<Map<string, { readonly directory: string; readonly manifest: Manifest }>> {
  const found = new Map<string, { directory: string; manifest: Manifest }>()
  for (const name of await readdir(root)) {
    const directory = join(root, name)
    const manifest = JSON.parse(await readFile(join(directory, "package.json"), "utf8")) as Manifest
    found.set(manifest.name, { directory, manifest })
  }
  return found
}

/** A package of the workspace and those of the workspace that it needs, however indirectly. */
function closure(name: string, packages: ReadonlyMap<string, { readonly manifest: Manifest }>): string[] {
  const needed = new Set<string>()
  const add = (one: string): void => {
    const known = packages.get(one)
    if (known === undefined || needed.has(one)) return
    needed.add(one)
    for (const dependency of Object.keys(known.manifest.dependencies ?? {})) add(dependency)
  }
  add(name)
  return [...needed]
}
