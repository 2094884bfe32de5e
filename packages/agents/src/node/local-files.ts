/// <reference types="node" />
import { constants } from "node:fs"
import { lstat, mkdir, open, rename, rm } from "node:fs/promises"
import type { FileHandle } from "node:fs/promises"
import { RouseError } from "@rouse/protocol"
import { fileParts } from "../core/sandbox-path.ts"

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants

/**
 * Files below one directory, and none elsewhere.
 *
 * Each part of a path is opened from the directory that was opened before it, without following links: what a program changes between two
 * looks leads nowhere. On Linux that is by `/proc/self/fd`; elsewhere by name, after a look at every part.
 */
export class LocalFiles {
  readonly #root: string

  constructor(root: string) {
    this.#root = root
  }

  async read(path: string, bytesMax: number): Promise<Uint8Array> {
    const parts = fileParts(path)
    return await this.#within(parts.slice(0, -1), false, path, async (directory) => {
      // A pipe that nobody writes to is not waited for.
      const file = await open(`${directory}/${parts.at(-1)}`, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
      try {
        return await readWhole(file, path, bytesMax)
      } finally {
        await file.close()
      }
    })
  }

  async write(path: string, bytes: Uint8Array, temporary: string): Promise<void> {
    const parts = fileParts(path)
    await this.#within(parts.slice(0, -1), true, path, async (directory) => {
      const [unfinished, whole] = [`${directory}/${temporary}`, `${directory}/${parts.at(-1)}`]
      const kind = await kindOf(whole)
      if (kind !== "file" && kind !== "none") throw forbidden(path, `is a ${kind}`)
      const file = await open(unfinished, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o644)
      try {
        await file.writeFile(bytes)
        await file.close()
        await rename(unfinished, whole)
      } catch (error) {
        await file.close()
        await rm(unfinished, { force: true })
        throw error
      }
    })
  }

  /** Runs `work` with a path of the file or directory that other programs of this user can open, and that leads nowhere else meanwhile. */
  async held<T>(parts: readonly string[], work: (path: string, isDirectory: boolean) => Promise<T>): Promise<T> {
    const shown = parts.join("/")
    return await this.#within(parts.slice(0, -1), false, shown, async (directory) => {
      const last = parts.at(-1)
      const handle = await open(
        last === undefined ? directory : `${directory}/${last}`,
        O_RDONLY | noFollow(last) | O_NONBLOCK,
      )
      try {
        const found = await handle.stat()
        if (!found.isFile() && !found.isDirectory()) throw forbidden(shown, "is a device")
        const path = IS_LINUX ? `/proc/${process.pid}/fd/${handle.fd}` : `${directory}/${last ?? ""}`
        return await work(path, found.isDirectory())
      } finally {
        await handle.close()
      }
    })
  }

  /** Runs `work` with a path of the directory that cannot be led elsewhere while it runs. */
  async #within<T>(
    parts: readonly string[],
    make: boolean,
    shown: string,
    work: (directory: string) => Promise<T>,
  ): Promise<T> {
    const handles: FileHandle[] = []
    try {
      let directory = await hold(this.#root, handles)
      for (const part of parts) {
        const next = `${directory}/${part}`
        if (make) await mkdir(next).catch(unlessExists)
        if (!IS_LINUX && (await kindOf(next)) === "link") throw forbidden(shown, "has a link in it")
        directory = await hold(next, handles)
      }
      return await work(directory)
    } catch (error) {
      throw explained(error, shown)
    } finally {
      await Promise.all(handles.map((handle) => handle.close()))
    }
  }
}

const IS_LINUX = process.platform === "linux"

/** The workspace itself is held by a link of the system's own. */
function noFollow(last: string | undefined): number {
  return last === undefined ? 0 : O_NOFOLLOW
}

async function hold(directory: string, handles: FileHandle[]): Promise<string> {
  if (!IS_LINUX) return directory
  const handle = await open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
  handles.push(handle)
  return `/proc/self/fd/${handle.fd}`
}

type Kind = "file" | "directory" | "link" | "device" | "none"

async function kindOf(path: string): Promise<Kind> {
  try {
    const found = await lstat(path)
    if (found.isSymbolicLink()) return "link"
    if (found.isDirectory()) return "directory"
    return found.isFile() ? "file" : "device"
  } catch (error) {
    if (codeOf(error) === "ENOENT") return "none"
    throw error
  }
}

async function readWhole(file: FileHandle, path: string, bytesMax: number): Promise<Uint8Array> {
  const { size } = await regular(file, path)
  if (size > bytesMax) throw new RouseError("TOO_LARGE", `${path} has ${size} bytes, and ${bytesMax} can be read`)
  const buffer = Buffer.alloc(bytesMax + 1 < size + 65_536 ? bytesMax + 1 : size + 65_536)
  let filled = 0
  // It may grow while it is read.
  for (;;) {
    const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, filled)
    filled += bytesRead
    if (bytesRead === 0 || filled === buffer.length) break
  }
  if (filled > bytesMax) throw new RouseError("TOO_LARGE", `${path} is larger than ${bytesMax} bytes`)
  return buffer.subarray(0, filled)
}

async function regular(file: FileHandle, path: string): Promise<{ readonly size: number }> {
  const found = await file.stat()
  if (found.isFile()) return found
  throw forbidden(path, found.isDirectory() ? "is a directory" : "is a device")
}

function explained(error: unknown, path: string): unknown {
  switch (codeOf(error)) {
    case "ENOENT":
      return new RouseError("NOT_FOUND", `there is no ${path}`)
    case "ELOOP":
    case "ENOTDIR":
      return forbidden(path, "has a link or a file in the way")
    case "ENXIO":
      return forbidden(path, "is a device")
    default:
      return error
  }
}

function forbidden(path: string, why: string): RouseError {
  return new RouseError("FORBIDDEN", `${path} ${why}: only files and directories of the workspace itself are opened`)
}

function unlessExists(error: unknown): void {
  if (codeOf(error) !== "EEXIST") throw error
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined
}
