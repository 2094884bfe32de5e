import { isTagName, RouseError } from "@rouse/protocol"
import type { EntityDraft } from "./draft.ts"

/** Tags that an entity may have. */
const TAGS_MAX = 64
const VALUE_LENGTH_MAX = 256

/**
 * Sets and removes tags of an entity in a commit that is being planned; null removes.
 *
 * @throws {RouseError} `INVALID_ARGS` naming the tag, or past 64 tags.
 */
export function changeTags(entity: EntityDraft, changes: Readonly<Record<string, string | null>>): void {
  const entries = Object.entries(changes)
  if (entries.length === 0) return
  const tags: Record<string, string> = { ...entity.record.tags }
  for (const [name, value] of entries) changeOne(entity, tags, name, value)
  if (Object.keys(tags).length > TAGS_MAX) {
    throw new RouseError("INVALID_ARGS", `tags: at most ${TAGS_MAX} are allowed`)
  }
  entity.setTags(tags)
}

function changeOne(entity: EntityDraft, tags: Record<string, string>, name: string, value: string | null): void {
  if (!isTagName(name)) {
    throw new RouseError("INVALID_ARGS", `tags: "${name}" must be letters, digits and ._:/- only, at most 64`)
  }
  const isThere = Object.hasOwn(tags, name)
  if (value === null) {
    if (isThere) entity.delete("tag", name)
    delete tags[name]
    return
  }
  if (typeof value !== "string" || value.length > VALUE_LENGTH_MAX) {
    throw new RouseError("INVALID_ARGS", `tags.${name}: must be a text of at most ${VALUE_LENGTH_MAX} characters`)
  }
  if (isThere) entity.update("tag", name, { value })
  else entity.insert("tag", name, { value })
  tags[name] = value
}
