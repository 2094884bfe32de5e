/** The types of files by what their names end in: those that agents make and are given most. */
const TYPES: Readonly<Record<string, string>> = {
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  gif: "image/gif",
  webp: "image/webp",
  svg: "image/svg+xml",
  pdf: "application/pdf",
  mp3: "audio/mpeg",
  wav: "audio/wav",
  mp4: "video/mp4",
  webm: "video/webm",
  zip: "application/zip",
  gz: "application/gzip",
  csv: "text/csv",
  html: "text/html",
  md: "text/markdown",
  txt: "text/plain",
  log: "text/plain",
  json: "application/json",
  xml: "application/xml",
  yaml: "application/yaml",
  yml: "application/yaml",
}

const NAME_CHARS_MAX = 100

/** The type of a file by its name; undefined when it says none. */
export function typeByName(name: string): string | undefined {
  const ending = /\.([A-Za-z0-9]{1,8})$/.exec(name)?.[1]
  return ending === undefined ? undefined : TYPES[ending.toLowerCase()]
}

/** A name for a file that has none, which ends as its type does. */
export function nameByType(base: string, mediaType: string): string {
  const type = mediaType.split(";")[0]?.trim().toLowerCase()
  const ending = Object.entries(TYPES).find(([, known]) => known === type)?.[0]
  return ending === undefined ? base : `${base}.${ending}`
}

/** The last part of a path or an address as a file's name; undefined when there is none that can be one. */
export function nameOfPath(path: string): string | undefined {
  const last =
    path
      .replace(/[?#].*$/s, "")
      .split(/[/\\]/)
      .at(-1) ?? ""
  const name = last.replace(/[^\p{L}\p{N} ._()+-]+/gu, "-").slice(-NAME_CHARS_MAX)
  return /[\p{L}\p{N}]/u.test(name) ? name : undefined
}
