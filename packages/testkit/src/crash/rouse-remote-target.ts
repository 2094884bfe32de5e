import { createServer } from "node:net"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { startProcess } from "./process.ts"
import type { Running } from "./process.ts"
import { RouseTarget } from "./rouse-target.ts"
import type { RouseTargetOptions } from "./rouse-target.ts"
import type { Target } from "./target.ts"

/** How handlers are reached, and which of the two processes is killed. */
export interface RemoteSetup {
  readonly way: "webhook" | "pull"
  readonly victim: "handler" | "server"
}

/** Rouse with its handlers in another process: one of the two is killed again and again, and the other lives on. */
export class RouseRemoteTarget extends RouseTarget {
  override readonly name: string
  readonly #setup: RemoteSetup
  readonly #options: RouseTargetOptions
  readonly #survivor: Running
  readonly #serverPort: number
  readonly #handlerPort: number

  private constructor(
    options: RouseTargetOptions,
    setup: RemoteSetup,
    ports: { readonly server: number; readonly handler: number },
    survivor: Running,
  ) {
    super(options)
    this.name = `rouse, ${setup.way}, kills of the ${setup.victim}`
    this.#options = options
    this.#setup = setup
    this.#serverPort = ports.server
    this.#handlerPort = ports.handler
    this.#survivor = survivor
  }

  /** Starts the process that is not to be killed. */
  static async open(options: RouseTargetOptions, setup: RemoteSetup): Promise<RouseRemoteTarget> {
    const ports = { server: await freePort(), handler: await freePort() }
    if (setup.victim === "handler") {
      const server = serverProcess(options, ports.server)
      await server.ready
      return new RouseRemoteTarget(options, setup, ports, server)
    }
    // It registers its types with the first server there is, and so is ready only then.
    const first = serverProcess(options, ports.server)
    await first.ready
    const handler = handlerProcess(options, setup, ports.server, ports.handler)
    await handler.ready
    await first.stop()
    return new RouseRemoteTarget(options, setup, ports, handler)
  }

  override launch(): Running {
    return this.#setup.victim === "server"
      ? serverProcess(this.#options, this.#serverPort)
      : handlerProcess(this.#options, this.#setup, this.#serverPort, this.#handlerPort)
  }

  override async atRest(): ReturnType<Target["atRest"]> {
    await this.#survivor.stop()
    return await super.atRest()
  }

  override close(): void {
    super.close()
    // Its input ends with this process at the latest; nobody waits for it.
    if (this.#survivor.isAlive) void this.#survivor.kill()
  }
}

function serverProcess({ directory }: RouseTargetOptions, port: number): Running {
  return startProcess({
    module: "./program/remote-server-main",
    args: [join(directory, "data"), String(port)],
    env: { NODE_COMPILE_CACHE: join(directory, "compiled") },
  })
}

function handlerProcess(
  { directory, ledgerUrl }: RouseTargetOptions,
  { way }: RemoteSetup,
  serverPort: number,
  port: number,
): Running {
  return startProcess({
    module: "./program/handler-main",
    args: [way, `http://127.0.0.1:${serverPort}`, ledgerUrl, String(port)],
    env: { NODE_COMPILE_CACHE: join(directory, "compiled") },
  })
}

/** A port that nobody listens on now. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
