import type { Transport } from "@modelcontextprotocol/client"
import { countMessage } from "../core/mcp-policy.ts"
import type { FloodWindow } from "../core/mcp-policy.ts"

/** What a server may say unasked in a second. */
const UNASKED_PER_SECOND_MAX = 500

/** Calls `cut` once, and delivers nothing more, when a server says more than it may. The transport has its reader already. */
export function cutOffFloods(transport: Transport, now: () => number, cut: () => void): void {
  const deliver = transport.onmessage
  let window: FloodWindow = { startedAtMs: 0, messages: 0 }
  let isCut = false
  const onmessage: NonNullable<Transport["onmessage"]> = (message, extra) => {
    if (isCut) return
    if ("method" in message) window = countMessage(window, now())
    if (window.messages <= UNASKED_PER_SECOND_MAX) return deliver?.(message, extra)
    isCut = true
    cut()
  }
  Object.assign(transport, { onmessage })
}
