import { lstat, readdir } from "node:fs/promises"
import { join } from "node:path"

export interface DiskSize {
  /** What the files hold. */
  readonly bytes: number
  /** What they take on disk, in whole blocks, as `du` counts. */
  readonly allocated: number
}

const BLOCK = 512

export async function diskBytes(path: string): Promise<DiskSize> {
  const stat = await lstat(path)
  let bytes = stat.isDirectory() ? 0 : stat.size
  let allocated = stat.blocks * BLOCK
  if (stat.isDirectory()) {
    for (const name of await readdir(path)) {
      const below = await diskBytes(join(path, name))
      bytes += below.bytes
      allocated += below.allocated
    }
  }
  return { bytes, allocated }
}

export interface InstalledPackage extends DiskSize {
  readonly name: string
}

/** The packages of a `node_modules`, also those of packages within; each without the ones inside it. */
export async function installedPackages(modules: string): Promise<InstalledPackage[]> {
  const found: InstalledPackage[] = []
  for (const name of await packageNames(modules)) {
    const directory = join(modules, name)
    const inner = await installedPackages(join(directory, "node_modules"))
    const whole = await diskBytes(directory)
    const within = inner.reduce((sum, one) => sum + one.allocated, 0)
    found.push({ name, bytes: whole.bytes, allocated: whole.allocated - within }, ...inner)
  }
  return found
}

async function packageNames(modules: string): Promise<string[]> {
  const names: string[] = []
  for (const name of await readdir(modules).catch(() => [])) {
    if (name.startsWith(".")) continue
    if (!name.startsWith("@")) names.push(name)
    else for (const below of await readdir(join(modules, name))) names.push(`${name}/${below}`)
  }
  return names
}
