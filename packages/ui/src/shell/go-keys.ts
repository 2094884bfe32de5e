import { useNavigate } from "@tanstack/react-router"
import { useRef } from "react"
import { PLACES } from "./places.ts"
import { useShortcuts } from "./shortcuts.ts"

/** How long after g the next key may come. */
const PAIR_MS = 1_200

/** g and then a letter goes to a place. */
export function useGoKeys(): void {
  const navigate = useNavigate()
  const pressedAt = useRef(-Infinity)
  useShortcuts(
    { g: (event) => void (pressedAt.current = event.timeStamp) },
    {
      before: (event) => {
        const follows = event.timeStamp - pressedAt.current < PAIR_MS
        pressedAt.current = -Infinity
        const place = follows ? PLACES.find(({ key }) => key === event.key) : undefined
        if (!place) return false
        navigate({ to: place.to }).catch(console.error)
        return true
      },
    },
  )
}
