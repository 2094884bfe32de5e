import { clsx } from "clsx"
import type { ClassValue } from "clsx"

/** Joins class names, leaving out what is false. */
export function cn(...values: readonly ClassValue[]): string {
  return clsx(values)
}
