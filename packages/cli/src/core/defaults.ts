/** Where a server listens, and where the commands look for one, when nothing else is said. */
export const DEFAULT_HOST = "127.0.0.1"
export const DEFAULT_PORT = 4437
export const DEFAULT_URL: string = `http://${DEFAULT_HOST}:${DEFAULT_PORT}`
export const DEFAULT_DATA = ".rouse"
/** The model that needs no key and no network. */
export const OFFLINE_MODEL = "rouse/echo"
