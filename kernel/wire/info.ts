import { readFileSync } from 'node:fs'
import { protocolVersion } from './message.ts'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }

/** The content of `kernel_info_reply`: what this kernel is, and what front ends do with its language. */
export const kernelInfo = {
  status: 'ok',
  protocol_version: protocolVersion,
  implementation: 'graft',
  implementation_version: version,
  language_info: {
    name: 'typescript',
    version: process.versions.node,
    mimetype: 'text/typescript',
    file_extension: '.ts',
    pygments_lexer: 'typescript',
    codemirror_mode: { name: 'javascript', typescript: true },
    nbconvert_exporter: 'script',
  },
  banner: `Graft ${version}: TypeScript on Node ${process.versions.node}, with a library for customizing pretrained models`,
  help_links: [
    { text: 'TypeScript', url: 'https://www.typescriptlang.org/docs/' },
    { text: 'TensorFlow.js', url: 'https://js.tensorflow.org/api/latest/' },
    { text: 'Observable Plot', url: 'https://observablehq.com/plot/' },
    { text: 'Node.js', url: 'https://nodejs.org/docs/latest/api/' },
  ],
  debugger: true,
  supported_features: ['debugger', 'kernel subshells'],
} as const
