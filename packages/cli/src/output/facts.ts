import type { Colors } from "../io.ts"
import { columnsOf, printable } from "./text.ts"

/** Names and values, aligned, one a line. Facts without a value are left out. */
export function facts(list: readonly (readonly [name: string, value: string | undefined])[], color: Colors): string {
  const known = list.filter((fact): fact is readonly [string, string] => fact[1] !== undefined && fact[1] !== "")
  const width = Math.max(0, ...known.map(([name]) => columnsOf(name)))
  return known.map(([name, value]) => `${color.dim(name.padEnd(width))}  ${value}\n`).join("")
}

/** A value from outside, safe to print, as a fact. */
export function fact(value: unknown): string {
  return printable(typeof value === "string" ? value : JSON.stringify(value)).replace(/\s+/g, " ")
}
