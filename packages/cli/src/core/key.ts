/** A key that was pressed, or a text that was pasted. */
export interface Key {
  /** `return`, `enter`, `backspace`, `up`, a letter…; `paste` for a paste. */
  readonly name: string
  /** What it types, if anything. */
  readonly text: string
  readonly ctrl: boolean
  readonly meta: boolean
}
