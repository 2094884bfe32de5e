import { createHash } from "node:crypto"
import {
  BUNDLE_VERSION,
  type Imported,
  type JsonObject,
  RouseError,
  type SharedDefinition,
  type SpaceBundleHead,
  type SpaceBundlePart,
  type SpaceBundleRow,
} from "@rouse/protocol"
import { spaceBundlePart } from "@rouse/protocol/bundle-schemas"
import type { SpaceOp, SpaceWrite } from "@rouse/store"
import { rowLine } from "../core/bundle-digest.ts"
import type { Plane } from "../plane.ts"
import { checkDefinition, sharedPath } from "../shared/definition.ts"

/** What one commit may bring in: it holds everybody else up. */
const ROWS_MAX = 100_000
const BYTES_MAX = 67_108_864

/** Whether a bundle's first line is that of a shared space. */
export function isSpaceBundle(line: Buffer): boolean {
  return line.subarray(0, 15).toString() === '{"part":"space"'
}

/**
 * Makes the shared space of a bundle, in one commit, or not at all. Versions begin anew; nobody has any row.
 *
 * @param by Who brings it: said on the log of rows that no agent inserted.
 * @param as Its id here; the one that it had when absent.
 * @throws {RouseError} `BAD_REQUEST` for a bundle that is damaged or cut off; `ALREADY_EXISTS`; `TOO_LARGE`; `INVALID_ARGS` for a definition.
 * @see docs/export.md
 */
export async function importSpace(
  plane: Plane,
  lines: AsyncIterable<Buffer>,
  by: string,
  as?: string,
): Promise<Imported> {
  const { head, rows } = await verified(lines)
  const id = as ?? head.id
  const path = sharedPath(id)
  const definition = checkDefinition(head.definition)
  for (const row of rows) checkRow(plane, definition, row)
  const nowMs = plane.clock()
  const define: SpaceOp = { op: "space", path, change: { kind: "define", definition, version: 0 }, nowMs }
  try {
    await plane.store.commit({ ops: [define, ...opsOf(plane, path, rows, by, nowMs)] })
  } catch (error) {
    if (!RouseError.is(error, "CONFLICT")) throw error
    throw new RouseError("ALREADY_EXISTS", `there is a shared space "${id}"; remove it, or import as another`)
  }
  return { entities: {}, paused: [], rows: rows.length, space: id }
}

/** The parts of a bundle whose digests were all right. */
async function verified(
  lines: AsyncIterable<Buffer>,
): Promise<{ readonly head: SpaceBundleHead; readonly rows: readonly SpaceBundleRow[] }> {
  const [all, digest] = [createHash("sha256"), createHash("sha256")]
  const rows: SpaceBundleRow[] = []
  let head: SpaceBundleHead | undefined
  let before: SpaceBundlePart["part"] | undefined
  let [count, bytes] = [0, 0]
  for await (const line of lines) {
    const part = parse(line, count + 1)
    if (!FOLLOWS[part.part].includes(before)) throw bad(count + 1, `${part.part} does not come here`)
    before = part.part
    if (part.part === "space") {
      if (part.version !== BUNDLE_VERSION) throw bad(1, `it is of version ${part.version}, not ${BUNDLE_VERSION}`)
      head = part
    }
    if (part.part === "row") {
      bytes += line.length
      rows.push(part)
      digest.update(rowLine(part))
      if (rows.length > ROWS_MAX || bytes > BYTES_MAX)
        throw new RouseError("TOO_LARGE", `a bundle of a space has at most ${ROWS_MAX} rows of ${BYTES_MAX} bytes`)
    }
    if (part.part === "end" && (part.rows.count !== rows.length || part.rows.sha256 !== digest.digest("hex")))
      throw bad(count + 1, "its rows are not those that were exported")
    if (part.part === "done") {
      if (part.lines !== count || part.sha256 !== all.digest("hex")) throw bad(count + 1, "its digest is another")
      continue
    }
    all.update(line)
    count += 1
  }
  if (head === undefined || before !== "done")
    throw new RouseError("BAD_REQUEST", "the bundle was cut off: it has no end")
  return { head, rows }
}

type Before = SpaceBundlePart["part"] | undefined
const FOLLOWS: Readonly<Record<SpaceBundlePart["part"], readonly Before[]>> = {
  space: [undefined],
  row: ["space", "row"],
  end: ["space", "row"],
  done: ["end"],
}

/** A row may be older than the schema, but not its collection or its key. @throws {RouseError} `BAD_REQUEST`, `TOO_LARGE`. */
function checkRow(
  { limits }: Plane,
  { collections }: SharedDefinition,
  { collection, key, value }: SpaceBundleRow,
): void {
  const known = Object.hasOwn(collections, collection) ? collections[collection] : undefined
  const name = `${collection}: the row ${JSON.stringify(key)}`
  if (known === undefined) throw new RouseError("BAD_REQUEST", `${name} is of no collection of the space`)
  if ((value as JsonObject)[known.key] !== key) throw new RouseError("BAD_REQUEST", `${name} has another ${known.key}`)
  if (JSON.stringify(value).length > limits.sharedRowBytesMax)
    throw new RouseError("TOO_LARGE", `${name} has more than ${limits.sharedRowBytesMax} characters`)
}

/** Inserts in the bundle's order: one operation for rows of one owner that follow each other. */
function opsOf(
  { limits }: Plane,
  path: string,
  rows: readonly SpaceBundleRow[],
  by: string,
  nowMs: number,
): readonly SpaceOp[] {
  const runs: { readonly owner: string | undefined; readonly writes: SpaceWrite[] }[] = []
  for (const { collection, key, value, done = false, owner } of rows) {
    if (runs.at(-1)?.owner !== owner || runs.length === 0) runs.push({ owner, writes: [] })
    const text = JSON.stringify(value)
    const write = { kind: "insert", collection, key, value: text, rowsMax: limits.sharedRowsMax, done } as const
    runs.at(-1)?.writes.push(write)
  }
  return runs.map(({ owner, writes }) => {
    const change = { kind: "write", by: owner ?? by, ...(owner === undefined ? {} : { owner }), writes } as const
    return { op: "space", path, change, nowMs }
  })
}

function parse(line: Buffer, number: number): SpaceBundlePart {
  let value: unknown
  try {
    value = JSON.parse(line.toString())
  } catch {
    throw bad(number, "it is no JSON")
  }
  const checked = spaceBundlePart.safeParse(value)
  if (checked.success) return checked.data
  const [issue] = checked.error.issues
  throw bad(number, `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "is not valid"}`)
}

function bad(line: number, why: string): RouseError {
  return new RouseError("BAD_REQUEST", `bundle, line ${line}: ${why}`, { details: { line } })
}
