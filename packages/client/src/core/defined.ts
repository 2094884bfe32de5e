/** The fields that are not undefined: what goes into a body of JSON. */
export function definedOnly(fields: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}
