import { everything } from './test/support/projects.mjs'

/** Every test, with the first fifty property cases of each op, pass and algorithm: `npm test`. */
export default everything(50)
