import { useCallback, useState } from "react"
import { sentenceOf } from "../core/errors.ts"
import { tell } from "./notices.ts"

/** Runs something that the server is asked to do: `busy` meanwhile, and a notice when it is refused. Resolves to whether it worked. */
export function useAction(): {
  readonly busy: boolean
  readonly act: (work: () => Promise<unknown>, done?: string) => Promise<boolean>
} {
  const [busy, setBusy] = useState(false)
  const act = useCallback(async (work: () => Promise<unknown>, done?: string): Promise<boolean> => {
    setBusy(true)
    try {
      await work()
      if (done !== undefined) tell(done)
      return true
    } catch (error) {
      tell(sentenceOf(error), "danger")
      return false
    } finally {
      setBusy(false)
    }
  }, [])
  return { busy, act }
}
