import { RouseError } from "@rouse/protocol"
import { constants } from "node:fs"
import { access, stat, statfs } from "node:fs/promises"
import { dirname, resolve } from "node:path"
import { connect, serverUrl } from "../connect.ts"
import type { RemoteOptions } from "../connect.ts"
import { checkKeys, checkPort, checkSpace, isBroken } from "../core/checks.ts"
import type { Check } from "../core/checks.ts"
import { explain } from "../core/failure.ts"
import type { ExitCode } from "../core/failure.ts"
import { modelKeysSeen } from "../core/model-keys.ts"
import { isPortFree } from "../host/port.ts"
import { storeProblem } from "../host/store-check.ts"
import type { Io } from "../io.ts"
import { version } from "../version.ts"

export interface DoctorFlags extends RemoteOptions {
  readonly port: number
  readonly data: string
}

const SERVER_MS_MAX = 3_000

/** `rouse doctor`. Exits 1 when something is broken. */
export async function doctor(flags: DoctorFlags, io: Io): Promise<ExitCode> {
  const server = await checkServer(flags, io)
  const reached = server.status === "ok" ? serverUrl(flags, io) : undefined
  const checks: readonly Check[] = [
    { name: "rouse", status: "ok", detail: version() },
    {
      name: "node",
      status: "ok",
      detail: `${process.versions.node}, SQLite ${process.versions["sqlite"] ?? "unknown"}`,
    },
    ...(await checkData(resolve(io.cwd, flags.data), flags.data, reached, io)),
    checkPort(flags.port, await isPortFree(flags.port), reached),
    checkKeys(modelKeysSeen(io.env)),
    server,
  ]
  if (flags.json === true) io.out(`${JSON.stringify({ ok: !isBroken(checks), checks })}\n`)
  else io.out(checks.map((check) => checkLine(check, io)).join(""))
  return isBroken(checks) ? 1 : 0
}

function checkLine({ name, status, detail }: Check, io: Io): string {
  const { green, yellow, red, bold } = io.color
  const mark = status === "ok" ? green("✓") : status === "note" ? yellow("!") : red("✗")
  return `${mark} ${bold(name.padEnd(7))} ${detail}\n`
}

/** A server that is not there is only broken when it was asked for. */
async function checkServer(flags: DoctorFlags, io: Io): Promise<Check> {
  const url = serverUrl(flags, io)
  try {
    const info = await connect(flags, io).info({
      signal: AbortSignal.any([io.stop, AbortSignal.timeout(SERVER_MS_MAX)]),
    })
    const types = info.types.map(({ name }) => name).join(", ")
    return {
      name: "server",
      status: "ok",
      detail: `${url} answers: rouse ${info.version}, types: ${types === "" ? "none" : types}`,
    }
  } catch (error) {
    const wasNamed = (flags.url ?? io.env["ROUSE_URL"] ?? "") !== ""
    if (!wasNamed && !RouseError.is(error, "UNAUTHENTICATED", "FORBIDDEN")) {
      return { name: "server", status: "note", detail: `none at ${url}: rouse dev starts one` }
    }
    return { name: "server", status: "bad", detail: explain(error, url).line }
  }
}

async function checkData(
  directory: string,
  shown: string,
  server: string | undefined,
  io: Io,
): Promise<readonly Check[]> {
  try {
    const there = await nearestExisting(directory)
    await access(there, constants.W_OK | constants.X_OK)
    const { bavail, bsize } = await statfs(there)
    const state = there === directory ? await storeProblem(directory, io) : "absent"
    return [dataCheck(shown, state, server), checkSpace(bavail * bsize)]
  } catch (error) {
    return [
      {
        name: "data",
        status: "bad",
        detail: `${shown} cannot be written (${explain(error, "").line}): choose another with --data`,
      },
    ]
  }
}

function dataCheck(shown: string, state: "absent" | "ok" | RouseError, server: string | undefined): Check {
  if (state === "absent") return { name: "data", status: "ok", detail: `${shown} will be made` }
  if (state === "ok") return { name: "data", status: "ok", detail: `${shown} can be used` }
  if (state.code === "STORE_LOCKED") {
    return server === undefined
      ? { name: "data", status: "bad", detail: state.message }
      : { name: "data", status: "ok", detail: `${shown} is in use by a running server` }
  }
  return { name: "data", status: "bad", detail: state.message }
}

async function nearestExisting(path: string): Promise<string> {
  let current = path
  for (;;) {
    const info = await stat(current).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return undefined
      throw error
    })
    if (info?.isDirectory() === true) return current
    if (info !== undefined) throw new RouseError("BAD_REQUEST", `${current} is not a directory`)
    current = dirname(current)
  }
}
