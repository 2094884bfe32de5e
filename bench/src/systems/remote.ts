import { fileURLToPath } from "node:url"
import { bundle } from "../../../examples/test/bundle.ts"
import { startWorkerd } from "../../../examples/test/workerd.ts"
import { Child } from "../lib/child.ts"
import { rouse, startRouse } from "./rouse.ts"
import type { System } from "./system.ts"

/** Rouse with its handlers somewhere else. */
export interface RemoteSystem extends System {
  /** The handler's process; 0 where it is the server's own. */
  handlerPid(): number
  stop(): Promise<void>
}

const HANDLER = fileURLToPath(new URL("../programs/handler.ts", import.meta.url))
export const WORKER: string = fileURLToPath(new URL("../programs/worker.ts", import.meta.url))
export const WORKER_WITH_PROVIDERS: string = fileURLToPath(
  new URL("../programs/worker-with-providers.ts", import.meta.url),
)
const KNOWN_MS_MAX = 10_000
const LOOK_MS = 20

/** A handler process beside the server, reached in one of the ways there are. */
export function remote(program: string, way: "webhook" | "pull" | "workerd"): RemoteSystem {
  let pid = 0
  let stop = async (): Promise<void> => undefined
  const name = way === "workerd" ? "webhook to workerd" : way
  return {
    ...rouse(program, name),
    start: async (directory) => {
      const server = await startRouse({ program, directory, files: [], flags: ["--allow-loopback-webhooks"] })
      if (way === "workerd") {
        const workerd = await startWorkerd(await bundle(WORKER), { ROUSE_URL: server.url })
        pid = workerd.pid
        stop = () => workerd.close()
        await deploy(server.url, `${workerd.url}/agents`)
      } else {
        const handler = await Child.start({ args: [HANDLER, way, server.url], cwd: directory })
        pid = handler.pid
        stop = () => handler.stop()
        if (way === "webhook") await deploy(server.url, handler.url)
      }
      await known(server.url)
      return server
    },
    handlerPid: () => pid,
    stop: () => stop(),
  }
}

async function deploy(server: string, url: string): Promise<void> {
  const answer = await fetch(`${server}/v1/types`, { method: "POST", body: JSON.stringify({ url }) })
  if (!answer.ok) throw new Error(`the handler could not be deployed: ${await answer.text()}`)
}

async function known(server: string): Promise<void> {
  for (const until = Date.now() + KNOWN_MS_MAX; Date.now() < until;) {
    const { types } = (await (await fetch(`${server}/v1/types`)).json()) as { readonly types: readonly unknown[] }
    if (types.length > 0) return
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
  throw new Error("the handler was not registered")
}
