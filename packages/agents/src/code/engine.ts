import { RouseError } from "@rouse/protocol"
import type { QuickJSSyncVariant, QuickJSWASMModule } from "quickjs-emscripten-core"

/** The engine's WebAssembly, for a runtime that does not compile bytes itself (Workers). */
export type CodeWasm = WebAssembly.Module

/** What a script runs in. It is one script's alone while that runs. */
interface Engine {
  readonly module: QuickJSWASMModule
  readonly memory: WebAssembly.Memory
}

const PAGE_BYTES = 64 * 1024
/** What the engine begins with: its stack, its own data, and about 8 MB for scripts. */
const PAGES_MIN = 256
const PAGES_FREE = 128
/** Engines that wait for the next script. */
const IDLE_MAX = 4
/** Scripts that run at once; those that wait behind them. */
const SCRIPTS_MAX = 32
const SCRIPTS_WAITING_MAX = 256

/**
 * QuickJS engines of one size.
 *
 * Invariants:
 * 1. No engine runs two scripts at once, and none is used again that trapped, or whose memory grew: WebAssembly gives none back.
 * 2. An engine's memory is bounded by WebAssembly itself. QuickJS's own limit counts large objects as small ones in this build.
 */
export class Engines {
  readonly #pagesMax: number
  readonly #wasm: CodeWasm | undefined
  readonly #idle: Engine[] = []
  readonly #waiting: (() => void)[] = []
  #active = 0

  constructor(memoryBytes: number, wasm: CodeWasm | undefined) {
    this.#pagesMax = PAGES_MIN + Math.max(0, Math.ceil(memoryBytes / PAGE_BYTES) - PAGES_FREE)
    this.#wasm = wasm
  }

  /**
   * Runs `work` with an engine. It says whether the engine may be used again.
   *
   * @throws {RouseError} `OVERLOADED` when too many scripts wait.
   */
  async use<T>(work: (module: QuickJSWASMModule, spoiled: () => void) => Promise<T>): Promise<T> {
    await this.#enter()
    try {
      const engine = this.#idle.pop() ?? (await this.#load())
      let isSound = true
      try {
        return await work(engine.module, () => {
          isSound = false
        })
      } finally {
        const isSmall = engine.memory.buffer.byteLength <= PAGES_MIN * PAGE_BYTES
        if (isSound && isSmall && this.#idle.length < IDLE_MAX) this.#idle.push(engine)
      }
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#active -= 1
    }
  }

  async #enter(): Promise<void> {
    if (this.#active < SCRIPTS_MAX) {
      this.#active += 1
      return
    }
    if (this.#waiting.length >= SCRIPTS_WAITING_MAX) throw new RouseError("OVERLOADED", "too many scripts wait to run")
    await new Promise<void>((resume) => this.#waiting.push(resume))
  }

  async #load(): Promise<Engine> {
    const [core, { default: imported }] = await Promise.all([
      import("quickjs-emscripten-core"),
      import("@jitl/quickjs-wasmfile-release-sync"),
    ])
    // Its types are those of its CommonJS half, which has the variant one level deeper.
    const variant = imported as unknown as QuickJSSyncVariant
    const memory = new WebAssembly.Memory({ initial: PAGES_MIN, maximum: this.#pagesMax })
    const chosen = core.newVariant(variant, {
      wasmMemory: memory,
      ...(this.#wasm === undefined ? {} : { wasmModule: this.#wasm }),
      emscriptenModule: SILENT as never,
    })
    return { module: await core.newQuickJSWASMModuleFromVariant(chosen), memory }
  }
}

/** An engine that traps says so where people read. It is replaced, and the script's failure told. */
const SILENT = { print: () => undefined, printErr: () => undefined }

/** Engines by size: a tool is made anew in each wake, and finds those of the last. */
const SIZES_MAX = 16
const bySize = new Map<string, Engines>()
const wasmIds = new WeakMap<CodeWasm, number>()
let wasmNext = 1

export function enginesOf(memoryBytes: number, wasm: CodeWasm | undefined): Engines {
  const id = wasm === undefined ? 0 : (wasmIds.get(wasm) ?? wasmNext++)
  if (wasm !== undefined) wasmIds.set(wasm, id)
  const key = `${memoryBytes} ${id}`
  const known = bySize.get(key)
  if (known) return known
  const [oldest] = bySize.keys()
  if (bySize.size >= SIZES_MAX && oldest !== undefined) bySize.delete(oldest)
  const engines = new Engines(memoryBytes, wasm)
  bySize.set(key, engines)
  return engines
}
