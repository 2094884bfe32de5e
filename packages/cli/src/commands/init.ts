import { RouseError } from "@rouse/protocol"
import { mkdir, stat, writeFile } from "node:fs/promises"
import { basename, join, relative, resolve } from "node:path"
import { packageName, projectFiles } from "../core/project.ts"
import type { Io } from "../io.ts"
import { version } from "../version.ts"

/** `rouse init [directory]` */
export async function init(directory: string, options: { readonly json?: boolean }, io: Io): Promise<void> {
  const root = resolve(io.cwd, directory)
  const files = projectFiles(packageName(basename(root)), version())
  for (const { path } of files) {
    if (await exists(join(root, path))) {
      throw new RouseError(
        "ALREADY_EXISTS",
        `${join(directory, path)} exists and nothing was written: choose another directory`,
      )
    }
  }
  await mkdir(root, { recursive: true })
  for (const { path, text } of files) await writeFile(join(root, path), text, { flag: "wx" })
  if (options.json === true) {
    io.out(`${JSON.stringify({ directory: root, files: files.map(({ path }) => path) })}\n`)
    return
  }
  const { bold, cyan, dim, green } = io.color
  const path = relative(io.cwd, root)
  const shown = path.startsWith("..") ? root : path
  io.out(`${green("✓")} wrote ${bold(shown === "" ? "." : shown)}: ${files.map(({ path }) => path).join(", ")}\n\n`)
  const commands = [...(shown === "" ? [] : [`cd ${shown}`]), "npm install", "npx rouse dev"]
  io.out(commands.map((command) => `  ${cyan(command)}\n`).join(""))
  io.out(`  ${cyan('npx rouse send /assistant/one "hello"')}   ${dim("in another terminal")}\n`)
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false
    if ((error as NodeJS.ErrnoException).code === "ENOTDIR") return false
    throw error
  }
}
