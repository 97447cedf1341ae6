// A process of its own that takes full steps, and tells the most memory it ever had: started by run.ts, asked by lines of JSON.
import { createInterface } from 'node:readline'
import { works } from './graft.ts'

console.log(JSON.stringify({ version: 'Graft' }))
for await (const line of createInterface(process.stdin)) {
  await works.step(JSON.parse(line))
  console.log(JSON.stringify({ seconds: process.resourceUsage().maxRSS / 2 ** 20 }))
}
process.exit()
