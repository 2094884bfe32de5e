export { usdText as money } from "../core/spend.ts"
