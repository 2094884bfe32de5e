import { createHash } from "node:crypto"
import { AsyncLocalStorage } from "node:async_hooks"
import { currentLife } from "./life.ts"
import type { World } from "./world.ts"

/**
 * Runs `work` with the runtime's timers and digests put into the hands of `world`: a handler's own `setTimeout` is virtual too, and a
 * digest is there at once, not when a thread has it. One at a time in a process.
 */
export async function withVirtualGlobals<T>(world: World, work: () => Promise<T>): Promise<T> {
  const { setTimeout: realSet, clearTimeout: realClear } = globalThis
  const open = new Set<object>()
  const set = (fn: () => void, ms = 0): object => {
    const timer = {}
    open.add(timer)
    const life = currentLife.getStore()
    const inContext = AsyncLocalStorage.snapshot()
    const fire = (): void => {
      if (open.delete(timer)) inContext(fn)
    }
    world.after(ms, () => (life ? life.run(fire) : fire()))
    return timer
  }
  globalThis.setTimeout = set as unknown as typeof setTimeout
  globalThis.clearTimeout = ((timer: object | undefined) => {
    if (timer !== undefined) open.delete(timer)
  }) as typeof clearTimeout
  Object.defineProperty(crypto.subtle, "digest", { value: digest, configurable: true })
  try {
    return await work()
  } finally {
    globalThis.setTimeout = realSet
    globalThis.clearTimeout = realClear
    Reflect.deleteProperty(crypto.subtle, "digest")
  }
}

function digest(_algorithm: string, bytes: Uint8Array): Promise<ArrayBuffer> {
  const hash = createHash("sha256").update(bytes).digest()
  return Promise.resolve(Uint8Array.from(hash).buffer)
}
