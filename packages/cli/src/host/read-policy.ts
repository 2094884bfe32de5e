import { type ApprovalRule, RouseError } from "@rouse/protocol"
import { approvalRule } from "@rouse/protocol/work-schemas"
import { readFile } from "node:fs/promises"
import { resolve } from "node:path"
import type { Io } from "../io.ts"

/**
 * The rules that ask for approvals, of the file that `--policy` or ROUSE_POLICY_FILE names: a JSON list. None when nothing is set.
 *
 * @throws {RouseError} `NOT_FOUND` when the file cannot be read; `BAD_REQUEST` naming the rule and the field that is wrong.
 */
export async function readPolicy(flag: string | undefined, io: Io): Promise<readonly ApprovalRule[]> {
  const path = flag ?? io.env["ROUSE_POLICY_FILE"]
  if (path === undefined || path === "") return []
  let text: string
  try {
    text = await readFile(resolve(io.cwd, path), "utf8")
  } catch (error) {
    throw new RouseError("NOT_FOUND", `--policy: ${path} cannot be read`, { cause: error })
  }
  return parsePolicy(text, path)
}

function parsePolicy(text: string, path: string): readonly ApprovalRule[] {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw new RouseError("BAD_REQUEST", `--policy: ${path} is not valid JSON`, { cause: error })
  }
  if (!Array.isArray(json)) throw new RouseError("BAD_REQUEST", `--policy: ${path} must hold a list of rules`)
  return json.map((value, index) => {
    const parsed = approvalRule.safeParse(value)
    if (parsed.success) return parsed.data
    const [issue] = parsed.error.issues
    const field = [index, ...(issue?.path ?? [])].join(".")
    throw new RouseError("BAD_REQUEST", `--policy: ${path}: ${field}: ${issue?.message ?? "is not valid"}`)
  })
}
