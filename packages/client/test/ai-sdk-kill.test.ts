import { Chat } from "@ai-sdk/react"
import type { ChildProcess } from "node:child_process"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, rm } from "node:fs/promises"
import { createServer } from "node:net"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import type { UIMessage } from "ai"
import { expect, onTestFinished, test } from "vitest"
import { rouseChat } from "../src/ai-sdk.ts"

/** The server is killed in the middle of an answer, and started again: the chat is not told. */

const PROGRAM = fileURLToPath(new URL("programs/server-main.ts", import.meta.url))

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function start(directory: string, port: number): Promise<ChildProcess> {
  const args = ["--conditions=@rouse/source", PROGRAM, directory, String(port)]
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] })
  onTestFinished(() => void child.kill("SIGKILL"))
  await once(child.stdout, "data")
  return child
}

const textOf = (message: UIMessage | undefined): string =>
  (message?.role === "assistant" ? message.parts : []).map((part) => (part.type === "text" ? part.text : "")).join("")

/** Whatever waits waits a tenth as long. */
const clock = {
  nowMs: Date.now,
  sleep: (ms: number, signal?: AbortSignal): Promise<void> => sleep(ms / 10, undefined, { signal }),
}

test("kill -9 of the server in the middle of an answer", async () => {
  const directory = await mkdtemp(join(tmpdir(), "rouse-chat-"))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const port = await freePort()
  const server = await start(directory, port)
  const transport = rouseChat({ url: `http://127.0.0.1:${port}`, type: "assistant", clock })
  const chat = new Chat({ id: "one", transport })
  const sending = chat.sendMessage({ text: `/slow 25\n/say ${"word ".repeat(40)}` })
  await expect.poll(() => textOf(chat.lastMessage)).toContain("word word")
  server.kill("SIGKILL")
  await once(server, "exit")
  expect(textOf(chat.lastMessage).match(/word/g)?.length).toBeLessThan(40)
  await start(directory, port)
  await sending
  expect(chat.status).toBe("ready")
  expect(chat.error).toBeUndefined()
  expect(textOf(chat.lastMessage).match(/word/g)).toHaveLength(40)
  const [user, assistant, ...more] = await transport.messages("one")
  expect(user?.role).toBe("user")
  expect(textOf(assistant)).toBe(textOf(chat.lastMessage))
  expect(more).toEqual([])
  expect(chat.messages).toHaveLength(2)
})
