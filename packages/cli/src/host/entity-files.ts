import { RouseError } from "@rouse/protocol"
import { readdir, stat } from "node:fs/promises"
import { join, resolve } from "node:path"

const MODULE = /\.(ts|mts|js|mjs)$/
const NOT_ENTITIES = /\.(d|test|spec)\.\w+$/
const DIRECTORIES = ["agents", join("src", "agents")]
const SINGLE = ["agents.ts", "agents.js", "agents.mjs", join("src", "agents.ts")]

/** The files of entities to load, and the directories in which more may appear. Absolute paths. */
export interface EntityFiles {
  readonly files: readonly string[]
  readonly directories: readonly string[]
}

/**
 * The files that were named; without any, those found where entities usually are.
 *
 * @throws {RouseError} `NOT_FOUND` when one that was named is not there.
 */
export async function entityFiles(cwd: string, named: readonly string[]): Promise<EntityFiles> {
  if (named.length > 0) return { files: await Promise.all(named.map((name) => existing(cwd, name))), directories: [] }
  const single = await Promise.all(SINGLE.map((name) => fileAt(resolve(cwd, name))))
  const several = await Promise.all(DIRECTORIES.map((name) => modulesIn(resolve(cwd, name))))
  return {
    files: [...single.filter((path) => path !== undefined), ...several.flatMap(({ files }) => files)],
    directories: several.flatMap(({ directory }) => (directory === undefined ? [] : [directory])),
  }
}

async function existing(cwd: string, name: string): Promise<string> {
  const path = resolve(cwd, name)
  const found = await fileAt(path)
  if (found !== undefined) return found
  throw new RouseError("NOT_FOUND", `${name}: there is no such file`)
}

async function fileAt(path: string): Promise<string | undefined> {
  const info = await stat(path).catch(absent)
  return info?.isFile() === true ? path : undefined
}

async function modulesIn(
  directory: string,
): Promise<{ readonly files: readonly string[]; readonly directory?: string }> {
  const names = await readdir(directory).catch(absent)
  if (names === undefined) return { files: [] }
  const modules = names.filter((name) => MODULE.test(name) && !NOT_ENTITIES.test(name)).sort()
  return { files: modules.map((name) => join(directory, name)), directory }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined
  throw error
}
