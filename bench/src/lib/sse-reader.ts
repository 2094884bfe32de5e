import { connect, type Socket } from "node:net"

/** How long a reader waits for its first control event. */
const READY_MS_MAX = 30_000

/** One reader of a stream's event stream, which looks at bytes only as far as it must. */
export class SseReader {
  readonly #socket: Socket

  private constructor(socket: Socket) {
    this.#socket = socket
  }

  /** Resolves when it is at the tail. From then on `onData` gets whatever comes, in whatever pieces. */
  static open(url: string, path: string, onData: (data: Buffer) => void): Promise<SseReader> {
    const { hostname, port, host } = new URL(url)
    return new Promise((resolve, reject) => {
      const socket = connect(Number(port), hostname)
      const timer = setTimeout(() => reject(new Error("no control event came")), READY_MS_MAX)
      let head = ""
      const onHead = (data: Buffer): void => {
        head += data.toString("latin1")
        if (!head.startsWith("HTTP/1.1 200".slice(0, head.length))) reject(new Error(head))
        if (!head.includes("event: control") || !head.includes("upToDate")) return
        clearTimeout(timer)
        socket.off("data", onHead).on("data", onData)
        resolve(new SseReader(socket))
      }
      socket.on("data", onHead).once("error", reject)
      socket.write(`GET ${path}?offset=now&live=sse HTTP/1.1\r\nhost: ${host}\r\n\r\n`)
    })
  }

  close(): void {
    this.#socket.destroy()
  }
}
