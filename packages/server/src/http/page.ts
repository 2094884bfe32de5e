import { readFile, stat } from "node:fs/promises"
import { extname, join, normalize, sep } from "node:path"

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".json": "application/json",
  ".webmanifest": "application/manifest+json",
  ".woff2": "font/woff2",
  ".txt": "text/plain; charset=utf-8",
}

/** What the page may load: its own files. An agent's words can run nothing and fetch nothing. */
const POLICY = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ")

/**
 * The web page's files, compressed where the build left a `.gz` beside them: serving costs no compression. A path without an extension is a place in the page, so it is answered with `index.html`.
 *
 * @param directory Absolute path of the built page.
 */
export function pageHandler(directory: string): (request: Request) => Promise<Response | undefined> {
  return async (request) => {
    if (request.method !== "GET" && request.method !== "HEAD") return undefined
    const file = await find(directory, new URL(request.url).pathname)
    if (file === undefined) return undefined
    const packed = takesGzip(request) && (await isFile(`${file}.gz`))
    const bytes = await readFile(packed ? `${file}.gz` : file)
    return new Response(request.method === "HEAD" ? null : new Uint8Array(bytes), {
      headers: { ...headersOf(file, bytes.length), ...(packed && { "content-encoding": "gzip" }) },
    })
  }
}

/** Gzip and not Brotli: browsers take that only over TLS and from this machine. */
function takesGzip(request: Request): boolean {
  return /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?(?:,|$))/i.test(request.headers.get("accept-encoding") ?? "")
}

async function find(directory: string, pathname: string): Promise<string | undefined> {
  let path: string
  try {
    path = normalize(decodeURIComponent(pathname))
  } catch {
    return undefined
  }
  if (path.includes("\0") || path.split(sep).includes("..")) return undefined
  const index = join(directory, "index.html")
  if (extname(path) === "" || pathname.startsWith("/agents/")) return (await isFile(index)) ? index : undefined
  const file = join(directory, path)
  return file.startsWith(directory + sep) && (await isFile(file)) ? file : undefined
}

function headersOf(file: string, length: number): Record<string, string> {
  const hashed = file.includes(`${sep}assets${sep}`)
  return {
    "content-type": TYPES[extname(file)] ?? "application/octet-stream",
    "content-length": String(length),
    vary: "accept-encoding",
    "cache-control": hashed ? "public, max-age=31536000, immutable" : "no-cache",
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}
