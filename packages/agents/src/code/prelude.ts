import { SEEDED_RANDOM } from "../core/code-rules.ts"

/** What is there before the script: its tools, the console, and a clock and chance of our own if asked for. */
export const PRELUDE: string = `(call, log, names, fixed) => {
  const { parse, stringify } = JSON
  const tools = {}
  for (const name of names.split(",").filter(Boolean)) {
    tools[name] = async (input = {}) => parse(await call(name, stringify(input)))
  }
  const show = (value) => (typeof value === "string" ? value : (stringify(value) ?? String(value)))
  const print = (...values) => log(values.map(show).join(" "))
  globalThis.tools = Object.freeze(tools)
  globalThis.console = Object.freeze({ log: print, info: print, warn: print, error: print, debug: print })
  const start = (main, done, failed) => {
    main().then((value) => done(stringify(value) ?? "null")).catch(failed)
  }
  if (fixed === "") return start
  const { nowMs, seed } = parse(fixed)
  const Real = Date
  globalThis.Date = class Date extends Real {
    constructor(...args) { args.length === 0 ? super(nowMs) : super(...args) }
    static now() { return nowMs }
  }
  Math.random = (${SEEDED_RANDOM})(seed)
  return start
}`
