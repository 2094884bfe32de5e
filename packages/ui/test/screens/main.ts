import { mkdir, readdir, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import type { Page } from "playwright-core"
import { buildPage } from "../support/build.ts"
import { openBrowser } from "../support/browser.ts"
import { startServer } from "../support/server.ts"
import { makeScene } from "./scene.ts"
import { VIEWS } from "./views.ts"
import type { View } from "./views.ts"

/**
 * Makes the pictures in docs/screens: every view, at three widths, light and dark. `--only name` makes those whose name has it;
 * `--png directory` writes them there as they are instead, to be looked at.
 */

const { values } = parseArgs({ options: { only: { type: "string" }, png: { type: "string" } } })
const TARGET = values.png ?? fileURLToPath(new URL("../../../../docs/screens", import.meta.url))
const SIZES = [
  [390, 844],
  [1440, 900],
  [2560, 1440],
] as const
const QUALITY = 0.72

await buildPage()
const browser = await openBrowser()
const server = await startServer()
try {
  await mkdir(TARGET, { recursive: true })
  if (values.only === undefined && values.png === undefined) await clear()
  const scene = await makeScene(server.url)
  for (const view of VIEWS.filter(({ name }) => name.includes(values.only ?? ""))) {
    for (const [width, height] of SIZES) {
      const { page } = await browser.open(server.url + view.path(scene), { width, height })
      await shoot(page, view, width)
      await page.close()
    }
    process.stdout.write(`${view.name}\n`)
  }
} finally {
  await browser.close()
  await server.close()
}

/** Removes the pictures of views that may be gone; those of the examples, in a directory of their own, stay. */
async function clear(): Promise<void> {
  for (const name of await readdir(TARGET)) if (name.endsWith(".webp")) await rm(join(TARGET, name))
}

async function shoot(page: Page, view: View, width: number): Promise<void> {
  await view.ready(page, width)
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme })
    // Plots are drawn anew in other colours.
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))))
    const png = await page.screenshot()
    const name = `${view.name}-${width}-${colorScheme}`
    if (values.png === undefined) await writeFile(join(TARGET, `${name}.webp`), await webp(page, png))
    else await writeFile(join(TARGET, `${name}.png`), png)
  }
}

/** A picture in a tenth of the bytes: the browser that made it encodes it. */
async function webp(page: Page, png: Buffer): Promise<Buffer> {
  const blank = await page.context().newPage()
  const data = await blank.evaluate(
    async ([url, quality]) => {
      const image = new Image()
      image.src = url
      await image.decode()
      const canvas = new OffscreenCanvas(image.width, image.height)
      canvas.getContext("2d")?.drawImage(image, 0, 0)
      const blob = await canvas.convertToBlob({ type: "image/webp", quality })
      return [...new Uint8Array(await blob.arrayBuffer())]
    },
    [`data:image/png;base64,${png.toString("base64")}`, QUALITY] as const,
  )
  await blank.close()
  return Buffer.from(data)
}
