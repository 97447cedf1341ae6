// To be imported before the library: lets it find the TensorFlow that the tests compare with.
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findTensorFlow } from '../../../../../lib/engine/tensorflow/find.ts'

const python = process.env.GRAFT_PYTHON ?? fileURLToPath(new URL('../../../../../.graft/python-tests/bin/python', import.meta.url))
const wheel = findTensorFlow({ GRAFT_TENSORFLOW: dirname(dirname(python)) })

/** Why tests of the TensorFlow engine are left out, or false where they run. */
export const withoutTensorFlow = typeof wheel === 'string' ? wheel : false

if (!withoutTensorFlow) process.env.GRAFT_TENSORFLOW = dirname(dirname(python))
process.env.GRAFT_ENGINE = ''
