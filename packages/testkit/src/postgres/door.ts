import { once } from "node:events"
import { connect, createServer } from "node:net"
import type { AddressInfo, Socket } from "node:net"

/** An address that stays, before a server that may move: what a name in the DNS or a pooler is in production. */
export interface Door {
  readonly port: number
  /** Where connections go from now on. Those that there are stay. */
  aim(port: number): void
  /** Breaks every connection. */
  cut(): void
  close(): void
}

/** Opens a door to a port of this machine. What comes while nobody listens there is broken at once. */
export async function openDoor(port: number): Promise<Door> {
  let target = port
  const sockets = new Set<Socket>()
  const door = createServer((client) => {
    const server = connect(target, "127.0.0.1")
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(socket)
      socket
        .setNoDelay(true)
        .on("error", () => other.destroy())
        .on("close", () => {
          sockets.delete(socket)
          other.destroy()
        })
        .pipe(other)
    }
  })
  door.listen(0, "127.0.0.1")
  await once(door, "listening")
  const cut = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    port: (door.address() as AddressInfo).port,
    aim: (next) => {
      target = next
    },
    cut,
    close: () => {
      cut()
      door.close()
    },
  }
}
