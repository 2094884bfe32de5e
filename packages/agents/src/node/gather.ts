/// <reference types="node" />
import { StringDecoder } from "node:string_decoder"
import { EMPTY_OUTPUT, addOutput, outputText } from "../core/output-window.ts"
import type { OutputWindow } from "../core/output-window.ts"

/** Gathers one output of a program as text, up to a bound. */
export function gather(charsMax: number): { add(chunk: Buffer): void; text(): string } {
  const decoder = new StringDecoder("utf8")
  let window: OutputWindow = EMPTY_OUTPUT
  return {
    add: (chunk) => {
      window = addOutput(window, decoder.write(chunk), charsMax)
    },
    text: () => outputText(addOutput(window, decoder.end(), charsMax)),
  }
}
