import { everything } from './test/support/projects.mjs'

/** Every test, with the first twenty property cases of each op, pass and algorithm unless `CONVLANE_PROPERTY_CASES` says how many: `npm test`. */
export default everything(Number(process.env.CONVLANE_PROPERTY_CASES ?? 20))
