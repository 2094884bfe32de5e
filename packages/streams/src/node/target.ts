import type { Target } from "../request.ts"

/** Where `URL` would change nothing. */
const PLAIN = /^\/(?!\/)[\w\-~!$'()*+,;=:@/.]*$/
const HOST = /^([\w.-]+|\[[0-9a-f:.]+\])(:\d{1,5})?$/i

/** Where a request wants to go. Only what `URL` would change, or would take apart, is given to it. Undefined when it is no URL. */
export function targetOf(target: string, origin: string): Target | undefined {
  const at = target.indexOf("?")
  const pathname = at < 0 ? target : target.slice(0, at)
  if (!PLAIN.test(pathname) || pathname.includes("/.")) {
    return URL.parse(target.startsWith("/") ? origin + target : target, origin) ?? undefined
  }
  return new PlainTarget(origin, pathname, at < 0 ? "" : target.slice(at + 1))
}

/** A name that is none is not repeated. */
export function originOf(host: string | undefined, isEncrypted: boolean): string {
  return `${isEncrypted ? "https" : "http"}://${host !== undefined && HOST.test(host) ? host : "localhost"}`
}

class PlainTarget implements Target {
  readonly origin: string
  readonly pathname: string
  readonly #query: string

  constructor(origin: string, pathname: string, query: string) {
    this.origin = origin
    this.pathname = pathname
    this.#query = query
  }

  get searchParams(): URLSearchParams {
    return new URLSearchParams(this.#query)
  }
}
