import { createClient } from "@rouse/client"
import { RouseProvider } from "@rouse/client/react"
import { StrictMode } from "react"
import { createRoot } from "react-dom/client"
import { Chat } from "./chat.tsx"
import { Desk } from "./desk.tsx"
import "./styles.css"

const client = createClient({ url: location.origin })
const customer = new URLSearchParams(location.search).get("customer")

createRoot(document.body).render(
  <StrictMode>
    <RouseProvider client={client}>{customer ? <Chat customer={customer} /> : <Desk />}</RouseProvider>
  </StrictMode>,
)
