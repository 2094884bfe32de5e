export { echoModel } from "./echo.ts"
