import { everything } from './test/support/projects.mjs'

/** Every test, with all property cases: `npm run test:all`. */
export default everything(500)
