/// <reference types="node" />
import { createHash } from "node:crypto"
import { mkdir, realpath, rm } from "node:fs/promises"
import { isAbsolute, join } from "node:path"
import { RouseError } from "@rouse/protocol"
import type { SandboxProvider, Workspace } from "../sandbox/provider.ts"
import { LocalFiles } from "./local-files.ts"
import { searchFiles } from "./local-search.ts"
import { runShell } from "./local-shell.ts"
import type { ShellLimits } from "./local-shell.ts"

const LIMITS: ShellLimits = { cpuSeconds: 120, fileMb: 256, openFiles: 1_024 }
const NAME_CHARS_MAX = 40

export interface LocalSandboxOptions {
  /** Where workspaces are made, an absolute path. */
  readonly directory: string
  readonly limits?: Partial<ShellLimits>
  /** What commands find in their environment, beside PATH, HOME, TMPDIR and LANG. */
  readonly env?: Readonly<Record<string, string>>
}

/**
 * Workspaces that are directories of this machine, for agents that are trusted: the file tools stay within the workspace, but a command is a
 * program of this process's user and reaches what that user does. See docs/sandbox.md for those that are not trusted.
 *
 * @throws {RouseError} `INVALID_ARGS` naming the option that is wrong.
 */
export function localSandbox(options: LocalSandboxOptions): SandboxProvider {
  const { directory } = options
  if (typeof directory !== "string" || !isAbsolute(directory)) throw invalid("directory", "must be an absolute path")
  const limits = { ...LIMITS, ...options.limits }
  for (const [name, value] of Object.entries(limits)) {
    if (!(Number.isSafeInteger(value) && value > 0)) throw invalid(`limits.${name}`, "must be a positive whole number")
  }
  return {
    async open(name) {
      const root = join(directory, directoryName(name))
      await mkdir(root, { recursive: true })
      return workspace(await realpath(root), limits, options.env ?? {})
    },
    remove: (name) => rm(join(directory, directoryName(name)), { recursive: true, force: true }),
  }
}

function workspace(root: string, limits: ShellLimits, env: Readonly<Record<string, string>>): Workspace {
  const files = new LocalFiles(root)
  const { PATH = "/usr/local/bin:/usr/bin:/bin", LANG = "C.UTF-8" } = process.env
  const whole = { PATH, LANG, HOME: root, TMPDIR: "/tmp", ...env }
  return {
    run: (command, options) => runShell(command, root, whole, limits, options),
    read: (path, bytesMax) => files.read(path, bytesMax),
    write: (path, bytes) => files.write(path, bytes, `.rouse-${crypto.randomUUID()}`),
    search: (pattern, options) => searchFiles(files, limits, pattern, options),
  }
}

/** A name that people recognise and that is no other workspace's. */
function directoryName(name: string): string {
  const digest = createHash("sha256").update(name).digest("hex").slice(0, 16)
  return `${name
    .replace(/[^A-Za-z0-9]+/g, "-")
    .replace(/^-/, "")
    .slice(0, NAME_CHARS_MAX)}-${digest}`
}

function invalid(field: string, rule: string): RouseError {
  return new RouseError("INVALID_ARGS", `localSandbox: ${field} ${rule}`, { details: { field } })
}
