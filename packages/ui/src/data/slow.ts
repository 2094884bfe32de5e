import { useEffect, useRef, useState } from "react"

/** The value, as it was at most `ms` ago: what changes many times a second is drawn less often than it changes. */
export function useSlow<T>(value: T, ms: number): T {
  const [shown, setShown] = useState(value)
  const newest = useRef(value)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => {
    newest.current = value
    timer.current ??= setTimeout(() => {
      timer.current = undefined
      setShown(newest.current)
    }, ms)
  }, [value, ms])
  useEffect(
    () => () => {
      clearTimeout(timer.current)
      timer.current = undefined
    },
    [],
  )
  return shown
}
