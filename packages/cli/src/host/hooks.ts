import { registerHooks } from "node:module"
import type { ResolveFnOutput, ResolveHookContext } from "node:module"
import { fileURLToPath } from "node:url"

/**
 * How modules of a project are found while Rouse hosts them.
 *
 * Owns: the set of project files that were loaded. A project file is an entity file, or a file reached from one by
 * imports that is not in `node_modules`.
 *
 *   agents.ts?v=2 ──"./tools.ts"──▶ tools.ts?v=2          same generation as the file that imports it
 *                 ──"zod"─────────▶ the project's zod, else the one that comes with Rouse
 *                 ──"@rouse/…"────▶ the project's, else Rouse's own; never another generation
 *
 * Invariants:
 * 1. All project files of one generation share one `v`; the first has none, so that stacks name plain files.
 * 2. Rouse's own packages are loaded once, so that every generation registers in one registry.
 */
export interface ProjectModules {
  /**
   * The URL to import an entity file by, and whether nothing has imported it in this generation yet. Counts it as a
   * project file.
   */
  entry(fileUrl: string, generation: number): { readonly url: string; readonly isNew: boolean }
  /** Paths of the project files seen so far. */
  files(): ReadonlySet<string>
}

const OWN = /^(@rouse\/|rouse$|rouse\/)/
const FALLBACK = /^(@rouse\/|rouse$|rouse\/|zod$|zod\/)/
const TYPESCRIPT = /\.m?ts$/
const GENERATION = "v"

type Next = (specifier: string, context?: Partial<ResolveHookContext>) => ResolveFnOutput

/** Installs the hooks for the rest of the process's life. Call once. */
export function installHooks(): ProjectModules {
  const urls = new Set<string>()
  const files = new Set<string>()
  registerHooks({
    resolve(specifier, context, next) {
      if (urls.has(specifier)) return { ...next(specifier, context), ...moduleFormat(specifier) }
      const parent = context.parentURL
      if (parent === undefined || !urls.has(parent) || context.conditions.includes("require"))
        return next(specifier, context)
      const found = resolve(specifier, context, next)
      if (OWN.test(specifier) || !isProjectFile(found.url)) return found
      const url = withGeneration(found.url, generationOf(parent))
      urls.add(url)
      files.add(fileURLToPath(withoutQuery(url)))
      return { ...found, ...moduleFormat(url), url }
    },
  })
  return {
    entry(fileUrl, generation) {
      const url = withGeneration(fileUrl, generation === 1 ? null : String(generation))
      const isNew = !urls.has(url)
      urls.add(url)
      files.add(fileURLToPath(fileUrl))
      return { url, isNew }
    },
    files: () => files,
  }
}

/**
 * As Node would; else, for Rouse's packages and zod, the copy that comes with Rouse; else, for `./x.js` and `./x`, the
 * `./x.ts`
 * that a compiler would have made it from.
 */
function resolve(specifier: string, context: ResolveHookContext, next: Next): ResolveFnOutput {
  try {
    return next(specifier, context)
  } catch (error) {
    for (const attempt of alternatives(specifier)) {
      const found = attemptResolve(() =>
        next(attempt.specifier, { ...context, parentURL: attempt.parent ?? context.parentURL }),
      )
      if (found !== undefined) return found
    }
    throw error
  }
}

function* alternatives(specifier: string): Generator<{ readonly specifier: string; readonly parent?: string }> {
  if (FALLBACK.test(specifier)) {
    yield { specifier, parent: import.meta.url }
    yield { specifier, parent: import.meta.resolve("@rouse/agents") }
  }
  if (!specifier.startsWith(".")) return
  if (/\.m?js$/.test(specifier)) yield { specifier: specifier.replace(/js$/, "ts") }
  else if (!TYPESCRIPT.test(specifier))
    yield* [`${specifier}.ts`, `${specifier}/index.ts`].map((path) => ({ specifier: path }))
}

/** What `attempt` found, or undefined: the error that counts is the one of the author's own specifier. */
function attemptResolve(attempt: () => ResolveFnOutput): ResolveFnOutput | undefined {
  try {
    return attempt()
  } catch {
    return undefined
  }
}

function isProjectFile(url: string): boolean {
  return url.startsWith("file:") && !url.includes("/node_modules/")
}

/**
 * TypeScript of a project is ES modules, whatever its package.json says or leaves out. Other formats are Node's to
 * tell.
 */
function moduleFormat(url: string): { readonly format?: string } {
  return TYPESCRIPT.test(withoutQuery(url)) ? { format: "module-typescript" } : {}
}

function withGeneration(url: string, generation: string | null): string {
  const next = new URL(url)
  if (generation === null) next.searchParams.delete(GENERATION)
  else next.searchParams.set(GENERATION, generation)
  return next.href
}

function generationOf(url: string): string | null {
  return new URL(url).searchParams.get(GENERATION)
}

function withoutQuery(url: string): string {
  return url.replace(/[?#].*$/, "")
}
