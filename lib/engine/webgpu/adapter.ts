import { GraftError } from '../../error.ts'

/** What is known of a graphics card, or of a program in its place. */
export interface AdapterFacts {
  /** As the driver calls it, e.g. `NVIDIA H200`. */
  name: string
  /** Whether a processor only plays the GPU: far slower than the WASM engine. */
  software: boolean
}

/** Drivers that compute on the processor, by what they call themselves. */
const programs = /swiftshader|llvmpipe|lavapipe|softpipe|software|basic render|\bwarp\b|\bcpu\b/i

type Info = Pick<GPUAdapterInfo, 'vendor' | 'architecture' | 'device' | 'description' | 'isFallbackAdapter'>

/** Tells a graphics card from a program that plays one. */
export function factsOf(info: Info): AdapterFacts {
  const { vendor, architecture, device, description, isFallbackAdapter } = info
  const name = device || description || [vendor, architecture].filter(Boolean).join(' ') || 'an unnamed adapter'
  return { name, software: isFallbackAdapter || programs.test([vendor, architecture, device, description].join(' ')) }
}

/**
 * Asks for the fastest adapter.
 *
 * @param software whether one that computes on the processor will do
 * @returns the adapter with what is known of it, or a sentence that says why there is none
 */
export async function findAdapter(gpu: GPU, software: boolean): Promise<{ adapter: GPUAdapter, facts: AdapterFacts } | string> {
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' })
  if (!adapter) return `WebGPU finds no graphics card${drivers[process.platform] ?? ''}`
  const facts = factsOf(adapter.info)
  if (facts.software && !software) {
    return `WebGPU finds only ${facts.name}, which computes on the processor; GRAFT_ENGINE=webgpu uses it all the same`
  }
  return { adapter, facts }
}

const drivers: Record<string, string> = {
  linux: ' with a Vulkan driver (libvulkan1 and the card\'s own)', win32: ' with a Direct3D 12 driver',
}

const limits = [
  'maxBufferSize', 'maxStorageBufferBindingSize', 'maxStorageBuffersPerShaderStage', 'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup', 'maxComputeWorkgroupSizeX', 'maxComputeWorkgroupSizeY', 'maxComputeWorkgroupSizeZ',
  'maxComputeWorkgroupsPerDimension',
] as const

/** Everything the adapter has, where WebGPU would give the least that every adapter has. */
export async function openDevice(adapter: GPUAdapter): Promise<GPUDevice> {
  const requiredFeatures = (['timestamp-query'] as const).filter(feature => adapter.features.has(feature))
  const requiredLimits = Object.fromEntries(limits.map(limit => [limit, adapter.limits[limit]]))
  try {
    return await adapter.requestDevice({ requiredFeatures, requiredLimits })
  } catch (error) {
    throw new GraftError(`the graphics card does not open: ${(error as Error).message.split('\n')[0]}`)
  }
}
