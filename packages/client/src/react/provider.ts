"use client"

import { createContext, createElement, useContext } from "react"
import type { FunctionComponentElement, ProviderProps, ReactNode } from "react"
import { RouseError } from "@rouse/protocol"
import type { Client } from "../client-type.ts"
import { liveOf } from "../live/live.ts"
import type { Live } from "../live/live.ts"
import type { AnyClient } from "../typed.ts"

const ClientContext = createContext<AnyClient | undefined>(undefined)

export interface RouseProviderProps {
  /** Made once, outside of any component: what is live is remembered by it. */
  readonly client: AnyClient
  readonly children?: ReactNode
}

/** Gives the hooks below it their client. */
export function RouseProvider({
  client,
  children,
}: RouseProviderProps): FunctionComponentElement<ProviderProps<AnyClient | undefined>> {
  return createElement(ClientContext.Provider, { value: client }, children)
}

/** The provider's client. @throws {RouseError} `BAD_REQUEST` outside of a `RouseProvider`. */
export function useClient(): Client {
  const client = useContext(ClientContext)
  if (!client) throw new RouseError("BAD_REQUEST", "hooks of @rouse/client/react need a <RouseProvider> above them")
  return client as Client
}

/** What is live of the provider's client. */
export function useLive(): Live {
  return liveOf(useClient())
}
