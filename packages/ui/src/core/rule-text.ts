import type { ScheduleRule } from "@rouse/protocol"
import { duration } from "./time.ts"

/** When a schedule comes due, in words. */
export function ruleText(rule: ScheduleRule | undefined): string {
  if (rule === undefined) return "once, sent for later"
  if ("every" in rule) return `every ${duration(rule.every)}`
  if ("at" in rule) return "once"
  return `${rule.cron}${rule.timezone === undefined ? " UTC" : ` ${rule.timezone}`}`
}
