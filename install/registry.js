import { logFile, root } from './place.js'

/** What npm, pip or Python say when a registry cannot be used, and the way out. The first that fits is told. */
const troubles = [
  [/ENOSPC|EDQUOT|No space left|Disk quota exceeded/i, () => `There is no space left on the disk of ${root}, or of the folder for temporary files (TMPDIR). Free some, or clone to another disk.`],
  [/CERT|certificate/, () => 'A proxy or private registry shows a certificate that npm or pip does not know: name your company\'s with NODE_EXTRA_CA_CERTS=FILE (npm) and PIP_CERT=FILE (pip).'],
  [/\b407\b|Proxy Authentication/i, () => 'The proxy wants a name and a password: HTTPS_PROXY=http://NAME:PASSWORD@HOST:PORT.'],
  [/E401|E403|ENEEDAUTH|\b401\b|\b403\b/, () => 'The registry wants credentials: in ~/.npmrc (`npm login`) for npm, in PIP_INDEX_URL=https://NAME:TOKEN@HOST/simple for pip.'],
  [/E404|ETARGET|No matching distribution|Could not find a version|\b404\b/, () => 'The registry lacks a package that is needed. If it is a private one, have it mirror npm and PyPI whole.'],
  [/EROFS|EACCES|EPERM|Read-only file system|Permission denied/i, () => 'A folder may not be written. npm\'s cache and pip\'s can be elsewhere: npm_config_cache=FOLDER, PIP_CACHE_DIR=FOLDER.'],
]
const unreachable = 'The registry could not be reached. Check the network, or set HTTPS_PROXY, npm\'s `registry` or pip\'s `index-url` (PIP_INDEX_URL). ' +
  'Without any network: `node install.js --bundle FOLDER` on a machine that has one makes a copy that needs none.'

/** The way out of a failed command that asked a registry, from what it printed; run again, set-up goes on where it stopped. */
export const registryHint = output => `${troubles.find(([sign]) => sign.test(output))?.[1]() ?? unreachable}\nThe same command goes on where it stopped. All output: ${logFile}`

/** An address without the credentials that it may hold. */
export const withoutSecrets = address => address.replace(/\/\/[^/@\s]*@/, '//…@')
