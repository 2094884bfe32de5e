/** One thing that `rouse doctor` looked at. `bad` means that something will not work. */
export interface Check {
  readonly name: string
  readonly status: "ok" | "note" | "bad"
  readonly detail: string
}

const FREE_BYTES_BAD = 100 * 1024 ** 2
const FREE_BYTES_LOW = 1024 ** 3

/** What free space on the data directory's disk means. */
export function checkSpace(freeBytes: number): Check {
  const detail = `${gigabytes(freeBytes)} free`
  if (freeBytes < FREE_BYTES_BAD) return { name: "disk", status: "bad", detail: `only ${detail}: make room` }
  return { name: "disk", status: freeBytes < FREE_BYTES_LOW ? "note" : "ok", detail }
}

/** What the model keys that were seen mean. Only names. */
export function checkKeys(names: readonly string[]): Check {
  return names.length > 0
    ? { name: "models", status: "ok", detail: names.join(", ") }
    : {
        name: "models",
        status: "note",
        detail: "no model key is set (like ANTHROPIC_API_KEY); rouse/echo answers offline",
      }
}

/** Whether a port can be used: it is free, or the server that was reached holds it. */
export function checkPort(port: number, isFree: boolean, serverUrl: string | undefined): Check {
  if (isFree) return { name: "port", status: "ok", detail: `${port} is free` }
  const isOurs = serverUrl !== undefined && portOf(serverUrl) === port
  return isOurs
    ? { name: "port", status: "ok", detail: `${port} is held by the server` }
    : { name: "port", status: "bad", detail: `${port} is in use by another program: choose one with --port` }
}

/** Whether anything is broken. */
export function isBroken(checks: readonly Check[]): boolean {
  return checks.some(({ status }) => status === "bad")
}

function portOf(url: string): number {
  const { port, protocol } = new URL(url)
  return port === "" ? (protocol === "https:" ? 443 : 80) : Number(port)
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1024 ** 3).toFixed(1)} GB`
}
