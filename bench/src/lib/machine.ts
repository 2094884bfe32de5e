import { closeSync, fdatasyncSync, openSync, readFileSync, rmSync, writeSync } from "node:fs"
import { cpus, loadavg, release, totalmem, type } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { inTemporaryDirectory } from "./temporary.ts"
import { latency } from "./stats.ts"

/** What a figure is worth nothing without. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryMb: number
  readonly kernel: string
  /** Of a 4 KiB append, synced: what one durable write costs here. */
  readonly fdatasyncMs: { readonly p50: number; readonly p99: number }
  /** Over the last minute: what else the machine did. */
  readonly load: number
  readonly versions: Readonly<Record<string, string>>
}

const SYNCS = 300
const BYTES = 4_096

export async function machine(rousePackage: string): Promise<Machine> {
  const list = cpus()
  return {
    cpu: (list[0]?.model ?? "unknown").trim(),
    cores: list.length,
    memoryMb: Math.round(totalmem() / 2 ** 20),
    kernel: `${type()} ${release()}`,
    load: currentLoad(),
    fdatasyncMs: await inTemporaryDirectory((directory) => Promise.resolve(measureSync(directory))),
    versions: { node: process.version, rouse: versionOf(rousePackage), sqlite: sqliteVersion() },
  }
}

export function currentLoad(): number {
  return loadavg()[0] ?? 0
}

export function machineLines({ cpu, cores, memoryMb, kernel, fdatasyncMs, load, versions }: Machine): string {
  const sync = `fdatasync p50 ${fdatasyncMs.p50.toFixed(2)} ms, p99 ${fdatasyncMs.p99.toFixed(2)} ms`
  const names = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  return `${cpu}, ${cores} cores, ${memoryMb} MB, ${kernel}, ${sync}, load ${load.toFixed(2)}\n${names.join(", ")}`
}

function measureSync(directory: string): { p50: number; p99: number } {
  const file = join(directory, "sync")
  const fd = openSync(file, "a")
  const samples = new Float64Array(SYNCS)
  const bytes = new Uint8Array(BYTES)
  for (let i = 0; i < SYNCS; i++) {
    const startedAt = performance.now()
    writeSync(fd, bytes)
    fdatasyncSync(fd)
    samples[i] = performance.now() - startedAt
  }
  closeSync(fd)
  rmSync(file)
  const { p50, p99 } = latency(samples)
  return { p50, p99 }
}

function sqliteVersion(): string {
  const db = new DatabaseSync(":memory:")
  const version = String(db.prepare("SELECT sqlite_version() AS version").get()?.["version"])
  db.close()
  return version
}

function versionOf(packageFile: string): string {
  return (JSON.parse(readFileSync(packageFile, "utf8")) as { version: string }).version
}
