import type { EntityUrl } from "@rouse/protocol"

/**
 * Where attachments lie among the streams, apart from logs, so that no rule on how long logs are kept takes them:
 *
 * - `attachments/of/{type}/{id}/{digest}` says what it is and where its bytes are;
 * - `attachments/bytes/{type}/{id}/{digest}` has the bytes, where the store keeps them;
 * - `attachments/uploads/{key}` is what is not linked yet;
 * - `attachments/objects/{key}` names an object of a bucket that nothing refers to yet, or any more.
 */
export const ATTACHMENTS: string = "attachments/"
export const UPLOADS: string = `${ATTACHMENTS}uploads/`
export const OBJECTS: string = `${ATTACHMENTS}objects/`

/** What the paths of an entity's records begin with. */
export function recordsPath(url: EntityUrl): string {
  return `${ATTACHMENTS}of${url}/`
}

export function recordPath(url: EntityUrl, id: string): string {
  return recordsPath(url) + id
}

/** @param large Of more than one part: a fork. It has a path of its own, since what a handler's commit writes at the other is none. */
export function bytesPath(url: EntityUrl, id: string, large = false): string {
  return `${ATTACHMENTS}bytes${url}/${id}${large ? ".large" : ""}`
}
