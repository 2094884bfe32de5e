import { Window } from "happy-dom"
import { StrictMode, createElement } from "react"
import type { ReactNode } from "react"
import { createRoot } from "react-dom/client"
import { onTestFinished } from "vitest"
import type { Client } from "../src/index.ts"
import { RouseProvider } from "../src/react.ts"

/** React in a document of its own. `fetch` and what belongs to it stay Node's. */
const window = new Window({ url: "http://localhost/" })
Object.assign(globalThis, { window, document: window.document })

export interface Page {
  readonly text: () => string
  readonly find: (id: string) => string
  readonly show: (node: ReactNode) => void
}

export function newContainer(html = ""): HTMLElement {
  const container = document.createElement("div")
  container.innerHTML = html
  return container
}

/** Renders in StrictMode below a provider. Unmounted when the test ends. */
export function render(client: Client, node: ReactNode): Page {
  const container = newContainer()
  const root = createRoot(container)
  const show = (shown: ReactNode): void =>
    root.render(createElement(StrictMode, null, createElement(RouseProvider, { client }, shown)))
  show(node)
  onTestFinished(() => root.unmount())
  return {
    show,
    text: () => container.textContent ?? "",
    find: (id) => container.querySelector(`#${id}`)?.textContent ?? "",
  }
}
