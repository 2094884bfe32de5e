import type { Locator, Page } from "playwright-core"
import { expect } from "vitest"
import { openBrowser } from "../../packages/ui/test/support/browser.ts"
import type { TestBrowser } from "../../packages/ui/test/support/browser.ts"

/** The order agent's page, in a browser, as the operator sees it while the scenario runs. */
export class OrderPage implements AsyncDisposable {
  readonly #browser: TestBrowser
  readonly #page: Page
  readonly #wrong: readonly string[]

  private constructor(browser: TestBrowser, page: Page, wrong: readonly string[]) {
    this.#browser = browser
    this.#page = page
    this.#wrong = wrong
  }

  /** The page must have been built before the server was started. */
  static async open(url: string, token: string): Promise<OrderPage> {
    const browser = await openBrowser()
    const { page, wrong } = await browser.open(`${url}/agents/orders/one`)
    await page.getByLabel("Token").fill(token)
    await page.getByLabel("Token").press("Enter")
    await page.getByRole("region", { name: "Timeline" }).waitFor()
    return new OrderPage(browser, page, wrong)
  }

  /** The build is with a worker, which says how far it is, and the secret in that is taken out. */
  async showsBuilding(worker: string): Promise<void> {
    const card = this.#card("build", "with a worker")
    await card.getByText(`With ${worker}`).waitFor()
    await card.getByText(/sawing.*\[redacted\]/).waitFor()
  }

  /** A person is asked, by which rule, and for how much. */
  async showsApproval(): Promise<void> {
    const card = this.#card("refund", "waits for a person")
    await card.getByText("May refund run?").waitFor()
    await card.getByText("by the rule large refunds").waitFor()
    await card.getByText("50000").first().waitFor()
  }

  /** Every backend and what befell it, and that the log has it too. Returns all that the page said, to be searched for secrets. */
  async showsAll(): Promise<() => string> {
    await this.#timeline.getByText("All done.").last().waitFor()
    const said = [
      await this.#reads("pay", ["the backend was asked what had happened", "backend http", "effect reconcilable"]),
      await this.#reads("build", [
        "2 attempts",
        "it was run again with the same idempotency key",
        "worker second",
        "built with [redacted]",
      ]),
      await this.#reads("stock_look", ["desk: 3 left, as [redacted] may know", "backend mcp"]),
      await this.#reads("run_code", ["1100", "backend sandbox"]),
      await this.#reads("refund", [
        "allowed by anna: half of it",
        "Changed before it was allowed to",
        "50000",
        "25000",
        "[redacted]",
      ]),
      await this.#timeline.innerText(),
      await this.#log(),
      await this.#page.content(),
    ]
    expect(this.#wrong.filter((line) => !line.includes("401"))).toEqual([])
    return () => said.join("\n")
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close()
  }

  get #timeline(): Locator {
    return this.#page.getByRole("region", { name: "Timeline" })
  }

  #card(tool: string, status: string): Locator {
    return this.#timeline.getByRole("group", { name: `Tool call ${tool}, ${status}` })
  }

  /** Opens a card that is done, and expects all this in it. */
  async #reads(tool: string, wanted: readonly string[]): Promise<string> {
    const card = this.#card(tool, "done")
    const button = card.getByRole("button").first()
    if ((await button.getAttribute("aria-expanded")) === "false") await button.click()
    await card.getByText("idempotency key").last().waitFor()
    const text = await card.innerText()
    for (const words of wanted) expect(text).toContain(words)
    return text
  }

  /** The log beside it has the calls, the work, the decision and the wakes. */
  async #log(): Promise<string> {
    const log = this.#page.getByRole("region", { name: "Events of the log" })
    for (const collection of ["tool_call", "tool_work", "approval", "wake", "run"])
      await log.getByText(collection, { exact: true }).first().waitFor()
    return await log.innerText()
  }
}
