/** The part of the WebAssembly interface that the probe uses; its types come with the browser's library only. */
interface Api {
  readonly Memory: new (options: { initial: number; maximum: number; shared: boolean }) => WasmMemory
  readonly Instance: new (module: WasmModule, imports: object) => { readonly exports: unknown }
  compile(bytes: Uint8Array): Promise<WasmModule>
}

export interface WasmMemory {
  readonly buffer: ArrayBufferLike
}

/** Opaque: compiled once, then handed to each thread. */
export type WasmModule = object

export const webAssembly = (globalThis as unknown as { readonly WebAssembly: Api }).WebAssembly
