import type { JpegDecoder } from '../../data/jpeg.ts'
import type { Pointer } from './library.ts'
import { view } from './library.ts'
import type { Runtime } from './runtime.ts'

/** TensorFlow's own decoder of JPEGs. The exact cosine transform is the one that Pillow and libvips use. */
export function jpegDecoder(runtime: Runtime): JpegDecoder {
  const { library } = runtime
  return async (bytes, use) => {
    const file = runtime.bytes(bytes)
    try {
      const [picture] = await runtime.executeElsewhere('DecodeJpeg', [file], 1, { dct_method: 'INTEGER_ACCURATE' })
      const [height, width, channels] = picture.shape
      const tensor = runtime.checked<Pointer>('TFE_TensorHandleResolve', picture.pointer)
      try {
        const data = new Uint8Array(view(library.TF_TensorData(tensor), height * width * channels))
        const made = use({ data, height, width, channels })
        return made === data ? made.slice() : made
      } finally {
        library.TF_DeleteTensor(tensor)
        runtime.release(picture.pointer)
      }
    } finally {
      runtime.release(file)
    }
  }
}
