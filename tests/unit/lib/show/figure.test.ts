import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { inspect } from 'node:util'
import sharp from 'sharp'
import { displaySymbol, metadataSymbol, type MimeBundle } from '../../../../lib/host.ts'
import { figure } from '../../../../lib/show/figure.ts'
import { contrast, inkOn, palette } from '../../../../lib/show/palette.ts'
import { checkPicture } from './pictures.ts'

const disc = '<svg width="80" height="60"><circle cx="40" cy="30" r="20" fill="teal"/></svg>'

test('an SVG becomes a document with a title, a picture, and text', async () => {
  const bundle = figure(disc, { alt: 'A "teal" disc' })
  assert.equal(
    bundle['image/svg+xml'],
    '<svg width="80" height="60" xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 80 60" color="#1f2328" '
      + 'font-family="Inter, system-ui, sans-serif" aria-label="A &#34;teal&#34; disc"><title>A &#34;teal&#34; disc</title>'
      + '<rect x="0" y="0" width="80" height="60" rx="6" fill="#ffffff" stroke="none"/>'
      + '<circle cx="40" cy="30" r="20" fill="teal"/></svg>',
  )
  assert.equal(bundle['text/plain'], 'A "teal" disc')
  await checkPicture(bundle)
  const data = await sharp(Buffer.from(bundle['image/png'] as string, 'base64'))
    .extract({ left: 80, top: 60, width: 1, height: 1 })
    .raw()
    .toBuffer()
  assert.deepEqual([...data.subarray(0, 3)], [0, 128, 128])
})

test('a bundle shows itself, and its metadata is not among its data', () => {
  const bundle = figure(disc)
  assert.equal((bundle as Record<symbol, () => MimeBundle>)[displaySymbol](), bundle)
  assert.equal(inspect(bundle), 'Figure, 80 × 60 pixels')
  assert.deepEqual(Object.keys(bundle), ['image/svg+xml', 'image/png', 'text/plain'])
  assert.deepEqual((bundle as Record<symbol, unknown>)[metadataSymbol], { 'image/png': { width: 80, height: 60, alt: 'Figure, 80 × 60 pixels' } })
  const told = (figure(disc, { alt: 'A disc' }) as Record<symbol, unknown>)[metadataSymbol]
  assert.deepEqual(told, { 'image/png': { width: 80, height: 60, alt: 'A disc' } })
})

test('sizes are found where an SVG has them', () => {
  const size = (svg: string) => {
    const { width, height } = (figure(svg) as Record<symbol, Record<string, { width: number, height: number }>>)[metadataSymbol]['image/png']
    return { width, height }
  }
  assert.deepEqual(size('<svg viewBox="0 0 30 20"/>'.replace('/>', '></svg>')), { width: 30, height: 20 })
  assert.deepEqual(size('<?xml version="1.0"?><svg width="12px" height="7px"></svg>'), { width: 12, height: 7 })
  assert.deepEqual(size('<svg width="100%" height="50%"></svg>'), { width: 640, height: 400 })
})

for (const [name, source] of [
  ['no SVG', '<p>words</p>'],
  ['a broken one', '<svg width="1" height="1"><g></svg>'],
]) {
  test(`${name} is an error that says so`, () => {
    assert.throws(() => figure(source), /^GraftError: figure: expected an SVG document, received "</)
  })
}

test('text is drawn where the machine has no fonts', async () => {
  // A machine without fonts: fontconfig is not asked, and there are no font folders. The letters come from the bundled font.
  const script = `import { rasterize } from './lib/show/figure.ts'
    const words = '<text y="20" font-family="Nowhere, sans-serif">Graft ✓</text>'
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="30">' + words + '</svg>'
    process.stdout.write(rasterize(svg).toString('base64'))`
  const root = new URL('../../../../', import.meta.url)
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, HOME: '/nonexistent' },
  })
  const { data, info } = await sharp(Buffer.from(stdout, 'base64')).raw().toBuffer({ resolveWithObject: true })
  const inked = Array.from({ length: info.width }, (_, x) =>
    Array.from({ length: info.height }, (_, y) => data[(y * info.width + x) * info.channels + 3]).some(alpha => alpha > 128),
  )
  const groups = inked.filter((on, x) => on && !inked[x - 1]).length
  assert.ok(groups >= 5, `${groups} letters`)
})

test('text in every colour has AA contrast on the card', () => {
  for (const [name, color] of Object.entries(palette)) {
    if (['card', 'edge', 'grid', 'validation'].includes(name) || typeof color !== 'string') continue
    assert.ok(contrast(color, palette.card) >= 4.5, `${name}: ${contrast(color, palette.card).toFixed(2)}`)
  }
  for (const color of palette.words) assert.ok(contrast(color, palette.card) >= 4.5, `${color}: ${contrast(color, palette.card).toFixed(2)}`)
  assert.ok(contrast(palette.validation, palette.card) >= 3, 'a line needs 3 : 1')
  for (const ground of [palette.train, palette.good, palette.bad, palette.validationText, palette.faint]) {
    assert.ok(contrast('#ffffff', ground) >= 4.5, `white words on a chip of ${ground}`)
  }
  assert.equal(contrast('#000000', '#ffffff'), 21)
  assert.equal(inkOn('#003366'), '#ffffff')
  assert.equal(inkOn('#f3f5f7'), palette.ink)
})
