// The kernel's entry, plain JavaScript: the compile cache must be on before the first TypeScript source is read.
import { enableCompileCache } from 'node:module'

enableCompileCache?.()
await import('./main.ts')
