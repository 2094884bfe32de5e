import { defineEntity, tool } from "@rouse/agents"
import { registeredEntities, withRegistry } from "@rouse/agents/runtime"
import type { EntityDefinition } from "@rouse/agents/runtime"
import { RouseError } from "@rouse/protocol"
import { readFileSync } from "node:fs"
import { relative } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { loadProblem, placeText } from "../core/load-problem.ts"
import type { ProjectModules } from "./hooks.ts"

/**
 * Makes `defineEntity` and `tool` globals, so that a file without a single import is a whole agent. They stay, since a
 * handler
 * may call `tool` while it runs. A file that imports them has its own names, and these do not matter to it.
 */
export function installGlobals(): void {
  for (const [name, value] of Object.entries({ defineEntity, tool })) {
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true, enumerable: false })
  }
}

/** What to load: absolute paths. */
export interface Generation {
  readonly files: readonly string[]
  /** From 1. */
  readonly number: number
  /** Whether each file must define an entity, as one does that was named, and not only all of them together. */
  readonly each: boolean
  readonly cwd: string
}

/**
 * Loads one generation of entity files, and gives what they define. The registry of the process is left as it was, so a
 * generation that fails changes nothing. Not for two generations at the same time.
 *
 * @throws {RouseError} `BAD_REQUEST`: `file:line:column: what is wrong`, when a file does not compile, throws, defines
 *   nothing, or
 *   defines a type that another file defines.
 */
export async function loadEntities(
  modules: ProjectModules,
  generation: Generation,
): Promise<ReadonlyMap<string, EntityDefinition>> {
  const { files, cwd } = generation
  const definedBy = new Map<string, string>()
  const defined = await withRegistry(async () => {
    for (const file of files) {
      const before = registeredEntities()
      const isNew = await load(modules, file, generation)
      const names = [...registeredEntities()].flatMap(([name, definition]) =>
        before.get(name) === definition ? [] : [name],
      )
      if (isNew && names.length === 0 && generation.each) throw nothing(shown(file, cwd))
      for (const name of names) claim(name, file, definedBy, cwd)
    }
  })
  if (defined.size === 0 && files.length > 0) throw nothing(files.map((file) => shown(file, cwd)).join(", "))
  return defined
}

/** Imports a file. False when another file of this generation had imported it before. */
async function load(modules: ProjectModules, file: string, { number, cwd }: Generation): Promise<boolean> {
  try {
    const { url, isNew } = modules.entry(pathToFileURL(file).href, number)
    await import(url)
    return isNew
  } catch (error) {
    throw problem(describe(error, file, modules, cwd), error)
  }
}

/** Notes which file defined a type. */
function claim(name: string, file: string, definedBy: Map<string, string>, cwd: string): void {
  const other = definedBy.get(name)
  if (other !== undefined)
    throw problem(`${shown(file, cwd)}: it defines "${name}", and so does ${shown(other, cwd)}: rename one`)
  definedBy.set(name, file)
}

function nothing(files: string): RouseError {
  return problem(`${files}: no entity is defined here: call defineEntity("name", { … })`)
}

function describe(error: unknown, file: string, modules: ProjectModules, cwd: string): string {
  const { message, place } = loadProblem(error, {
    toPath: (url) => fileURLToPath(url),
    has: (path) => modules.files().has(path),
    source: readSource,
  })
  return `${placeText({ ...place, file: shown(place?.file ?? file, cwd) })}: ${message}`
}

function readSource(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return undefined
  }
}

function shown(file: string, cwd: string): string {
  const path = relative(cwd, file)
  return path.startsWith("..") ? file : path
}

function problem(message: string, cause?: unknown): RouseError {
  return new RouseError("BAD_REQUEST", message, cause === undefined ? {} : { cause })
}
