import { RouterProvider } from "@tanstack/react-router"
import { StrictMode } from "react"
import type { ReactNode } from "react"
import { createRoot } from "react-dom/client"
import { AppProvider } from "./data/app.tsx"
import { useStore } from "./data/store.ts"
import { token } from "./data/token.ts"
import { router } from "./router.tsx"
import "./styles.css"

function Page(): ReactNode {
  return (
    <AppProvider url={location.origin} token={useStore(token)}>
      <RouterProvider router={router} />
    </AppProvider>
  )
}

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <Page />
  </StrictMode>,
)
