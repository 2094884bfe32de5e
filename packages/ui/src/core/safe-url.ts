/** Where a link written by an agent may lead: the web and mail. `javascript:`, `data:`, `file:` and the rest lead nowhere. */
const SCHEMES = new Set(["http:", "https:", "mailto:"])

/** The link as it may be opened, or undefined. Relative links are refused: an agent does not know this page. */
export function safeUrl(link: string | undefined): string | undefined {
  if (link === undefined) return undefined
  const url = URL.parse(link)
  return url !== null && SCHEMES.has(url.protocol) ? url.href : undefined
}
