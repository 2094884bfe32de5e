/** A token that requests may carry: what it is called and what it is good for, never itself. */
export interface KeyInfo {
  readonly name: string
  readonly scope: "work" | "read" | "write" | "admin"
}

/** `GET /v1/keys`, for those of scope `admin`. Empty on a server that only this machine may use. */
export interface KeyList {
  readonly keys: readonly KeyInfo[]
}
