/** What the front takes of a request before anyone looks at it. */

/** Request line and header fields together. Beyond it: 431. */
export const HEAD_BYTES_MAX = 16_384
/** The request target. Beyond it: 414. */
export const TARGET_BYTES_MAX = 12_288
/** Header fields, and trailer fields. Beyond it: 431. */
export const FIELDS_MAX = 100
/** Digits of a chunk's size and of a length: what is longer is no length that anyone has bytes for. */
export const CHUNK_DIGITS_MAX = 8
export const LENGTH_DIGITS_MAX = 15
/** Chunk extensions of one body. Beyond it: 413. */
export const EXTENSION_BYTES_MAX = 4_096
/** Trailer fields of one body. Beyond it: 431. */
export const TRAILER_BYTES_MAX = 4_096
