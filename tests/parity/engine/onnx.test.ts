import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { mobileNetV2 } from '../../../bench/train/mobilenet.ts'
import { toOnnx } from '../../../lib/engine/onnx/emit.ts'
import { modelOf, zoo } from '../../unit/lib/engine/onnx/zoo.ts'
import { runPython, skip } from '../save/python.ts'

test('what is written as ONNX passes the checker of the onnx package', { skip }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'graft-onnx-')), names = Object.keys(zoo)
  try {
    for (const name of names) await writeFile(join(folder, `${name}.onnx`), toOnnx(modelOf(name)))
    await writeFile(join(folder, 'MobileNetV2.onnx'), toOnnx(mobileNetV2(96)))
    const checked = await runPython(new URL('check_onnx.py', import.meta.url).pathname, [folder])
    assert.equal(Number(checked), names.length + 1)
  } finally {
    await rm(folder, { recursive: true })
  }
})
