import { fileURLToPath } from "node:url"
import { Child } from "../lib/child.ts"
import type { Connection } from "../lib/http.ts"
import { MESSAGE, type System } from "./system.ts"

/** Answers at once and stores nothing: what HTTP, JSON and the client cost by themselves. */
export const storesNothing: System = baseline("stores nothing", "stores-nothing")

/** Appends each message and its reply to one file, one sync for all that came meanwhile: the least that durability costs. */
export const bareAppend: System = baseline("bare durable append", "bare-append")

function baseline(name: string, program: string): System {
  const file = fileURLToPath(new URL(`../programs/${program}.mjs`, import.meta.url))
  const body = JSON.stringify({ content: MESSAGE })
  const ask = async (connection: Connection, agent: string): Promise<void> => {
    const { status } = await connection.request("POST", `/agents/${agent}/messages`, body)
    if (status !== 200) throw new Error(`${name} answered ${status}`)
  }
  return { name, start: (directory) => Child.start({ args: [file], cwd: directory }), turn: ask, freshTurn: ask }
}
