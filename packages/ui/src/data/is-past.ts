import { createContext, use } from "react"

/** Whether what is shown is how it was, so that nothing in it can be decided any more. */
export const IsPast = createContext(false)

export function useIsPast(): boolean {
  return use(IsPast)
}
