import koffi from 'koffi'

/**
 * TensorFlow optimizes a function at its first call, which takes a deep stack; koffi's own default for calls on other threads is
 * 128 KiB.
 */
const stack = 16 * 2 ** 20

// It can be set only before the first library is loaded.
if (koffi.config().async_stack_size! < stack) koffi.config({ ...koffi.config(), sync_stack_size: stack, async_stack_size: stack, resident_async_pools: 2 })

/** Calls into shared libraries, prepared for TensorFlow. */
export { koffi }
