import type { GrepMatch } from "../core/grep.ts"
import type { Secret } from "../secrets/secret.ts"

/** What finds the values of a provider's secrets: a tool's context is one. Without it they are looked for in the environment. */
export interface SandboxSecrets {
  secret(wanted: Secret): Promise<string>
}

/** Where programs run and files live, apart from the agent. A provider gives workspaces by name. */
export interface SandboxProvider {
  /** The workspace of this name, made when it is not there, and roused when it sleeps. */
  open(name: string, secrets?: SandboxSecrets): Promise<Workspace>
  /** Removes a workspace and all that is in it. One that is not there is no error. */
  remove(name: string, secrets?: SandboxSecrets): Promise<void>
  /** The names of all workspaces that are there, for those that look for what nobody needs any more. */
  list?(secrets?: SandboxSecrets): Promise<readonly string[]>
}

/** A directory with a shell. Paths are relative to it. */
export interface Workspace {
  run(command: string, options: RunOptions): Promise<RunResult>
  /** @throws {RouseError} `NOT_FOUND`; `FORBIDDEN` for a path that leads out; `TOO_LARGE` beyond `bytesMax`. */
  read(path: string, bytesMax: number): Promise<Uint8Array>
  /** Replaces the file as a whole; directories on the way are made. @throws {RouseError} `FORBIDDEN` for a path that leads out. */
  write(path: string, bytes: Uint8Array): Promise<void>
  search(pattern: string, options: SearchOptions): Promise<SearchResult>
}

export interface RunOptions {
  readonly timeoutMs: number
  /** What is kept of each output, in UTF-16 code units: its beginning and its end. */
  readonly outputCharsMax: number
  readonly signal: AbortSignal
}

export interface RunResult {
  /** Null when it was killed. */
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
  readonly timedOut: boolean
}

export interface SearchOptions {
  /** Directory or file to search; the whole workspace when absent. */
  readonly path?: string | undefined
  readonly matchesMax: number
  readonly signal: AbortSignal
}

export interface SearchResult {
  readonly matches: readonly GrepMatch[]
  /** Whether there are more, or not everything was searched. */
  readonly isPartial: boolean
}
