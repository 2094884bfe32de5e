import type { EntityDefinition } from "@rouse/agents/runtime"
import { createHash } from "node:crypto"
import { watch } from "node:fs"
import type { FSWatcher } from "node:fs"
import { readFile } from "node:fs/promises"
import { dirname, extname } from "node:path"
import { entityFiles } from "./entity-files.ts"
import type { ProjectModules } from "./hooks.ts"
import { loadEntities } from "./load.ts"

/** Editors write a file in several steps: wait until it is quiet for this long. */
const QUIET_MS = 60
const DIRECTORIES_MAX = 256
const SOURCE = new Set([".ts", ".mts", ".js", ".mjs", ".json"])

export interface ReloadOptions {
  readonly modules: ProjectModules
  readonly cwd: string
  /** The files that were named; none: where entities usually are. */
  readonly named: readonly string[]
  /** A new generation is loaded and whole. */
  readonly loaded: (definitions: ReadonlyMap<string, EntityDefinition>) => void
  /** It could not be loaded; the old one stays. */
  readonly failed: (error: unknown) => void
}

/**
 * Loads the project's files again when one of them changes.
 *
 * Owns: a watcher for each directory that holds a project file, and the number of the newest generation.
 *
 *   change ──quiet for a moment──▶ contents differ? ──▶ load generation n+1 ──whole──▶ `loaded`
 *                                                                          └─broken─▶ `failed`
 *
 * 1. One load at a time; what changes meanwhile is loaded after it.
 * 2. The same contents are not loaded again, unless the last load failed: what it missed may be there now.
 */
export class Reloader {
  readonly #options: ReloadOptions
  readonly #watchers = new Map<string, FSWatcher>()
  #generation = 1
  #timer: NodeJS.Timeout | undefined
  #loading: Promise<void> | undefined
  #again = false
  #broken = false
  #digests: Digests = new Map()

  constructor(options: ReloadOptions) {
    this.#options = options
  }

  /** Watches the files as they were loaded first. */
  async start(directories: readonly string[]): Promise<void> {
    await this.#noteNewFiles()
    this.#watch(directories)
  }

  /** Ends watching, after a load under way. */
  async close(): Promise<void> {
    clearTimeout(this.#timer)
    for (const watcher of this.#watchers.values()) watcher.close()
    this.#watchers.clear()
    await this.#loading
  }

  #watch(more: readonly string[]): void {
    const directories = new Set([...more, ...[...this.#options.modules.files()].map(dirname)])
    for (const directory of directories) {
      if (this.#watchers.has(directory) || this.#watchers.size >= DIRECTORIES_MAX) continue
      const watcher = watch(directory, (_event, name) => {
        if (name === null || SOURCE.has(extname(name))) this.#changed()
      })
      watcher.on("error", () => {
        watcher.close()
        this.#watchers.delete(directory)
      })
      this.#watchers.set(directory, watcher)
    }
  }

  #changed(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      if (this.#loading !== undefined) this.#again = true
      else this.#loading = this.#load()
    }, QUIET_MS)
  }

  async #load(): Promise<void> {
    do {
      this.#again = false
      await this.#loadOnce()
    } while (this.#again)
    this.#loading = undefined
  }

  async #loadOnce(): Promise<void> {
    const { modules, cwd, named, loaded, failed } = this.#options
    try {
      const { files, directories } = await entityFiles(cwd, named)
      const digests = await digestsOf([...files, ...modules.files()])
      if (!this.#broken && same(digests, this.#digests)) return
      this.#digests = digests
      this.#generation += 1
      loaded(await loadEntities(modules, { files, number: this.#generation, each: named.length > 0, cwd }))
      this.#broken = false
      this.#watch(directories)
    } catch (error) {
      this.#broken = true
      failed(error)
      this.#watch([])
    }
    await this.#noteNewFiles()
  }

  /**
   * Files that this load found. Those known before keep the digest from before it: a change in between is then seen.
   */
  async #noteNewFiles(): Promise<void> {
    const found = [...this.#options.modules.files()].filter((path) => !this.#digests.has(path))
    this.#digests = new Map([...this.#digests, ...(await digestsOf(found))])
  }
}

type Digests = ReadonlyMap<string, string>

async function digestsOf(paths: readonly string[]): Promise<Digests> {
  const digests = new Map<string, string>()
  for (const path of new Set(paths)) {
    const text = await readFile(path).catch(() => "")
    digests.set(path, createHash("sha256").update(text).digest("base64"))
  }
  return digests
}

function same(a: Digests, b: Digests): boolean {
  return a.size === b.size && [...a].every(([path, digest]) => b.get(path) === digest)
}
