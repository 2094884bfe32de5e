/** Absolute path of the built page: static files for a server to serve at its root. */
export declare const pageDirectory: string
