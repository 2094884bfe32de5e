import { execFile, execFileSync, spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { readlinkSync } from "node:fs"
import { setTimeout as pause } from "node:timers/promises"
import { promisify } from "node:util"

const run = promisify(execFile)
/** Nobody's: a frame that is sent there is dropped by whoever gets it. */
const NOWHERE = "02:00:00:00:00:01"
const LOOK_MS = 5

/** What a link is for. The third octet of its addresses is the room's number. */
export const LINKS = { database: 1, balancer: 2, witness: 3 } as const
export type Link = keyof typeof LINKS
/** Which packets are lost: those to the room, those from it, or all. */
export type Loss = "to" | "from" | "both"

/** The mark of a process that is in a network of its own. */
const INSIDE = "ROUSE_CRASH_NETWORK"

/** Undefined when networks can be made here; else what is missing. */
export function whyNoNetwork(): string | undefined {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "network namespaces need Linux, and root"
  try {
    execFileSync("unshare", ["--net", "ip", "link", "set", "lo", "up"], { stdio: "ignore" })
    execFileSync("nsenter", ["--version"], { stdio: "ignore" })
    return undefined
  } catch {
    return "network namespaces need Debian's packages iproute2 and util-linux, and the right to make them"
  }
}

export function isInsideNetwork(): boolean {
  return process.env[INSIDE] === "1"
}

/** Runs this program again in a network of its own, in which nothing of the machine's can be reached. Returns its exit code. */
export async function runInside(): Promise<number> {
  const program = [process.execPath, ...process.execArgv, ...process.argv.slice(1)]
  const child = spawn("unshare", ["--net", "--", ...program], {
    stdio: "inherit",
    env: { ...process.env, [INSIDE]: "1" },
  })
  const [code] = (await once(child, "exit")) as [number | null]
  return code ?? 1
}

/**
 * Rooms, each a network namespace with a process that holds it, and each with links of its own to this process's namespace, so that between any two only
 * what was cut is lost. All is gone when this process is.
 *
 *     here 10.1.n.1 ──database──▶ 10.1.n.2 room n      a cut link: the neighbour's address is nobody's, so packets leave and do not arrive
 *          10.2.n.1 ──balancer──▶ 10.2.n.2
 *          10.3.n.1 ──witness───▶ 10.3.n.2
 */
export class Network {
  readonly #rooms: readonly ChildProcess[]

  private constructor(rooms: readonly ChildProcess[]) {
    this.#rooms = rooms
  }

  static async open(rooms: number): Promise<Network> {
    if (!isInsideNetwork()) throw new Error("this process is not in a network of its own")
    await run("ip", ["link", "set", "lo", "up"])
    const holders: ChildProcess[] = []
    for (let n = 0; n < rooms; n += 1) holders.push(await openRoom(n))
    return new Network(holders)
  }

  /** What a command begins with that runs in the room. */
  within(room: number): readonly string[] {
    return entering(this.#rooms[room])
  }

  /** Loses packets between here and the room, without a word. */
  async cut(room: number, link: Link, loss: Loss): Promise<void> {
    const replace = ["neigh", "replace"]
    const how = ["lladdr", NOWHERE, "nud", "permanent", "dev"]
    if (loss !== "from") await run("ip", [...replace, there(room, link), ...how, deviceOf(room, link)])
    if (loss !== "to") await this.#inside(room, [...replace, here(room, link), ...how, link])
  }

  async heal(room: number, link: Link, loss: Loss): Promise<void> {
    if (loss !== "from") await run("ip", ["neigh", "del", there(room, link), "dev", deviceOf(room, link)])
    if (loss !== "to") await this.#inside(room, ["neigh", "del", here(room, link), "dev", link])
  }

  close(): void {
    for (const holder of this.#rooms) holder.stdin?.end()
  }

  async #inside(room: number, args: readonly string[]): Promise<void> {
    const [program = "", ...rest] = [...this.within(room), "ip", ...args]
    await run(program, rest)
  }
}

/** This process's address on a link. */
export function here(room: number, link: Link): string {
  return `10.${LINKS[link]}.${room}.1`
}

/** The room's. */
export function there(room: number, link: Link): string {
  return `10.${LINKS[link]}.${room}.2`
}

function deviceOf(room: number, link: Link): string {
  return `${link.slice(0, 4)}${room}`
}

function entering(holder: ChildProcess | undefined): readonly string[] {
  if (holder?.pid === undefined) throw new Error("there is no such room")
  return ["nsenter", "--target", String(holder.pid), "--net", "--"]
}

async function openRoom(room: number): Promise<ChildProcess> {
  const holder = spawn("unshare", ["--net", "cat"], { stdio: ["pipe", "ignore", "ignore"] })
  await once(holder, "spawn")
  while (namespaceOf(holder.pid ?? 0) === namespaceOf(process.pid)) await pause(LOOK_MS)
  const inside = (...args: readonly string[]): Promise<unknown> => {
    const [program = "", ...rest] = [...entering(holder), "ip", ...args]
    return run(program, rest)
  }
  await inside("link", "set", "lo", "up")
  for (const link of Object.keys(LINKS) as Link[]) {
    const device = deviceOf(room, link)
    await run("ip", ["link", "add", device, "type", "veth", "peer", "name", link, "netns", String(holder.pid)])
    await run("ip", ["addr", "add", `${here(room, link)}/30`, "dev", device])
    await run("ip", ["link", "set", device, "up"])
    await inside("addr", "add", `${there(room, link)}/30`, "dev", link)
    await inside("link", "set", link, "up")
  }
  return holder
}

function namespaceOf(pid: number): string {
  return readlinkSync(`/proc/${pid}/ns/net`)
}
