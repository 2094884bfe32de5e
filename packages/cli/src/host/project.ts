import type { EntityDefinition } from "@rouse/agents/runtime"
import { entityFiles } from "./entity-files.ts"
import { installHooks } from "./hooks.ts"
import type { ProjectModules } from "./hooks.ts"
import { installGlobals, loadEntities } from "./load.ts"

/** The entities of a project, as they were loaded first. */
export interface Project {
  readonly modules: ProjectModules
  readonly entities: ReadonlyMap<string, EntityDefinition>
  /** Directories in which more files may appear. */
  readonly directories: readonly string[]
}

/**
 * Finds and loads the entity files of a project. Once in a process.
 *
 * @param named The files that were named; none: where entities usually are.
 * @throws {RouseError} `NOT_FOUND`, `BAD_REQUEST`, naming the file and the place in it.
 */
export async function loadProject(named: readonly string[], cwd: string): Promise<Project> {
  const modules = installHooks()
  installGlobals()
  const { files, directories } = await entityFiles(cwd, named)
  const entities = await loadEntities(modules, { files, number: 1, each: named.length > 0, cwd })
  return { modules, entities, directories }
}
