import { crc32, deflateSync } from 'node:zlib'
import { parseHTML } from 'linkedom/worker'

/**
 * A document for libraries that draw by it, without a browser. It is never put on `globalThis`: TensorFlow.js and others take a
 * global `window` for the sign that they run in a browser.
 */
export const { document } = parseHTML('<!doctype html><html><head></head><body></body></html>')

const create = document.createElement.bind(document)
document.createElement = ((name: string, options?: never) =>
  name === 'canvas' ? new Canvas() : create(name, options)) as typeof create

/** As much of a canvas as Plot asks for: its ramp legends fill single pixels, its raster marks put whole images. */
class Canvas {
  width = 300
  height = 150

  getContext() {
    const canvas = this
    const pixels = new Uint8ClampedArray(this.width * this.height * 4)
    this.#pixels = pixels
    return {
      fillStyle: '#000',
      fillRect(x: number, y: number, w: number, h: number) {
        const color = channels(this.fillStyle)
        for (let i = y; i < y + h; i++) for (let j = x; j < x + w; j++) pixels.set(color, (i * canvas.width + j) * 4)
      },
      createImageData: (width: number, height: number) => ({ width, height, data: new Uint8ClampedArray(width * height * 4) }),
      putImageData(image: { data: Uint8ClampedArray }) {
        pixels.set(image.data)
      },
    }
  }

  toDataURL(): string {
    return `data:image/png;base64,${png(this.#pixels, this.width, this.height).toString('base64')}`
  }

  #pixels = new Uint8ClampedArray()
}

/** The channels of a colour as D3's interpolators write it: `#440154`, `rgb(68, 1, 84)` or `rgba(68, 1, 84, 0.5)`. */
function channels(color: string): number[] {
  if (color[0] === '#') return [1, 3, 5].map(i => parseInt(color.slice(i, i + 2), 16)).concat(255)
  const [r, g, b, a = 1] = color.match(/[\d.]+/g)?.map(Number) ?? [0, 0, 0]
  return [r, g, b, a * 255]
}

/** Encodes RGBA pixels as a PNG (PNG specification, third edition: signature, IHDR, IDAT, IEND). */
export function png(rgba: Uint8Array | Uint8ClampedArray, width: number, height: number): Buffer {
  const rows = Buffer.alloc((width * 4 + 1) * height)
  for (let y = 0; y < height; y++) rows.set(rgba.subarray(y * width * 4, (y + 1) * width * 4), y * (width * 4 + 1) + 1)
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 6, 0, 0, 0], 8)
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const out = Buffer.alloc(body.length + 8)
  out.writeUInt32BE(data.length, 0)
  out.set(body, 4)
  out.writeUInt32BE(crc32(body), body.length + 4)
  return out
}
