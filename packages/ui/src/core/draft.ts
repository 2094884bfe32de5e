/** What is left of a draft when the text that it began with, or was, has been sent. Pure. */
export function unsent(draft: string, sent: string): string {
  return draft.startsWith(sent) ? draft.slice(sent.length).trim() : draft
}
