/** Header fields by their names in lower case. One that came more than once is joined by commas. */
export interface HeaderReader {
  get(name: string): string | null
}
