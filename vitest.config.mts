import { everything } from './test/support/projects.mjs'

const { CONVLANE_PROPERTY_CASES = 20, CONVLANE_LARGEST_CASE = 2 ** 16 } = process.env

/**
 * Every test: `npm test`. By itself it takes the first twenty property cases of each op, pass and algorithm, and leaves out the 5 % of the listed cases that
 * take a quarter of the time; `.ci/run` leaves out none.
 */
export default everything({ properties: Number(CONVLANE_PROPERTY_CASES), largest: Number(CONVLANE_LARGEST_CASE) })
