export {
  checkObservation,
  checkObservationName,
  filterOf,
  observationName,
  sourceStreamPath,
  topicsOf,
} from "./observe-request.ts"
export { observed } from "./observe-match.ts"
export { addNotice, emptyNotice, foldChange } from "./observe-notice.ts"
