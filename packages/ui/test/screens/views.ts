import type { Page } from "playwright-core"
import type { Scene } from "./scene.ts"

/** One picture: where it is, and when it is all there. */
export interface View {
  readonly name: string
  readonly path: (scene: Scene) => string
  readonly ready: (page: Page, width: number) => Promise<unknown>
}

const text = (words: string) => (page: Page) => page.getByText(words).first().waitFor()
const at = (path: string) => () => path

export const VIEWS: readonly View[] = [
  { name: "agents", path: at("/"), ready: (page) => page.locator("[data-agent-row]").first().waitFor() },
  { name: "agent", path: at("/agents/assistant/planner"), ready: text("205 in all.") },
  {
    name: "past",
    path: ({ past }) => `/agents/assistant/planner?at=${past}`,
    ready: (page) => page.locator("section[aria-label=Time][aria-busy=false]").waitFor(),
  },
  {
    name: "state",
    path: at("/agents/assistant/planner?view=state&collection=tool_call"),
    ready: async (page) => {
      await page.getByRole("region", { name: "Rows of tool_call" }).getByRole("row").nth(1).click()
      await page.getByText("How it came to be").waitFor()
      await page.getByText("insert", { exact: true }).first().waitFor()
    },
  },
  {
    name: "tree",
    path: at("/agents/assistant/lead?view=tree"),
    ready: (page) => page.getByLabel(/^.assistant.intern, /).waitFor(),
  },
  {
    name: "compare",
    path: at("/agents/assistant/cheaper?view=compare"),
    ready: (page) => page.getByText("by bus and tent").first().waitFor(),
  },
  {
    name: "log",
    path: at("/agents/assistant/planner?view=log"),
    ready: (page) => page.getByRole("region", { name: "Events of the log" }).waitFor(),
  },
  { name: "approval", path: at("/agents/clerk/ann"), ready: text("May refund run?") },
  { name: "approvals", path: at("/approvals"), ready: text("Which sofa fits") },
  { name: "dead-letters", path: at("/dead-letters"), ready: text("a mistake in the handler") },
  { name: "spend", path: at("/spend?range=1d&of=tokens&by=entity"), ready: (page) => page.locator("canvas").waitFor() },
  { name: "schedules", path: at("/schedules"), ready: text("Europe/Berlin") },
  { name: "types", path: at("/types"), ready: text("Works for one customer") },
  { name: "webhooks", path: at("/webhooks"), ready: text("/v1/webhooks/repo") },
  { name: "settings", path: at("/settings"), ready: text("this machine alone") },
]
