export { createLlamaCppAdapter, type LlamaCppAdapterOptions } from './adapters/launch.ts'
export { errors as llamaCppErrors } from './errors.ts'
