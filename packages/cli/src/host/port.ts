import { createServer } from "node:net"
import { DEFAULT_HOST } from "../core/defaults.ts"

/** Whether a server could listen on this port of this machine now. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((settle) => {
    const probe = createServer()
    probe.once("error", () => settle(false))
    probe.listen({ port, host: DEFAULT_HOST, exclusive: true }, () => probe.close(() => settle(true)))
  })
}
