import type { Page } from "playwright-core"

/** What a page is asked to note of itself. */
interface Watch {
  /** From the start of the navigation until a message can be written and the newest answer is there, milliseconds. */
  interactiveMs?: number
  /** From when a word was written by its handler until it was painted, milliseconds. */
  readonly wordMs: number[]
  /** Tasks of over 50 ms, milliseconds each. */
  readonly longMs: number[]
}

/** Has every page that is opened from now on note what it does. Before its own scripts, and past its content security policy. */
export async function watchPage(page: Page, answer: string): Promise<void> {
  await page.addInitScript(note, answer)
}

export async function noted(page: Page): Promise<Watch> {
  return await page.evaluate(() => (globalThis as unknown as { watch: Watch }).watch)
}

/** Runs in the page. */
function note(answer: string): void {
  const watch: Watch = { wordMs: [], longMs: [] }
  Object.assign(globalThis, { watch })
  let told = 0
  let answers = 0
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) watch.longMs.push(entry.duration)
  }).observe({ type: "longtask", buffered: true })
  const painted = (then: () => void): void => {
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel()
      port1.addEventListener("message", then, { once: true })
      port1.start()
      port2.postMessage(null)
    })
  }
  const words = (): void => {
    const steps = document.querySelectorAll("article[data-item=step]")
    if (steps.length !== answers) told = 0
    answers = steps.length
    const text = steps[steps.length - 1]?.textContent ?? ""
    const stamps = text.match(/\bt\d{13}\b/g) ?? []
    const now = Date.now()
    for (const stamp of stamps.slice(told)) watch.wordMs.push(now - Number(stamp.slice(1)))
    told = Math.max(told, stamps.length)
  }
  let waiting = false
  new MutationObserver(() => {
    if (watch.interactiveMs === undefined && isInteractive(answer)) {
      watch.interactiveMs = -1
      painted(() => {
        watch.interactiveMs = performance.now()
      })
    }
    if (waiting) return
    waiting = true
    painted(() => {
      waiting = false
      words()
    })
  }).observe(document, { subtree: true, childList: true, characterData: true })

  function isInteractive(expected: string): boolean {
    const composer = document.querySelector<HTMLTextAreaElement>("[data-shortcut=composer]")
    if (!composer || composer.disabled) return false
    return [...document.querySelectorAll("article[data-item=step]")].some((one) => one.textContent?.includes(expected))
  }
}
