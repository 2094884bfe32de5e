import { Connection } from "./http.ts"

/** Requests of the Durable Streams Protocol, as cheap as they can be made. */

/** A JSON message of about 300 bytes. */
export const MESSAGE_300: string = JSON.stringify({ type: "note", key: "k", value: { text: "x".repeat(258) } })
const CONNECTIONS = 64
/** The reference now and then answers that what it just made is not there. */
const TRIES_MAX = 10

export function streamPath(name: string): string {
  return `/v1/stream/${name}`
}

/** @returns whether it is there. */
export async function create(connection: Connection, name: string, body = ""): Promise<boolean> {
  const { status } = await connection.request("PUT", streamPath(name), body, "application/json")
  return status === 200 || status === 201
}

/** @returns whether it was taken. */
export async function append(connection: Connection, name: string, body: string): Promise<boolean> {
  const { status } = await connection.request("POST", streamPath(name), body, "application/json")
  return status === 200 || status === 204
}

export async function connections(url: string, count: number): Promise<Connection[]> {
  return Promise.all(Array.from({ length: count }, () => Connection.open(url)))
}

/** Makes `count` streams, some at a time. */
export async function createAll(url: string, count: number, name: (n: number) => string): Promise<void> {
  const open = await connections(url, Math.min(CONNECTIONS, count))
  let next = 0
  const loop = async (connection: Connection): Promise<void> => {
    while (next < count) {
      const path = name(next++)
      for (let tries = 1; !(await create(connection, path)); tries++) {
        if (tries === TRIES_MAX) throw new Error(`${path} could not be made`)
      }
    }
  }
  await Promise.all(open.map(loop))
  for (const connection of open) connection.close()
}
