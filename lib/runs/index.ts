export { Comparison, Runs, runs } from './runs.ts'
