import { fileURLToPath } from 'node:url'

export type EntryName = 'server' | 'gateway' | 'agent'

// One place knows where the other processes' programs lie: sources in a clone, bundles beside this one when packed.
const SOURCES: Readonly<Record<EntryName, string>> = {
  server: '../server/main.ts',
  gateway: '../gateway/main.ts',
  agent: '../agent/main.ts',
}

const packed = !import.meta.url.endsWith('.ts')

/** Absolute path of the program of a process. */
export function entryPath(name: EntryName): string {
  return fileURLToPath(new URL(packed ? `./${name}.mjs` : SOURCES[name], import.meta.url))
}

/** Folder of the built console. */
export function consolePath(): string {
  return fileURLToPath(new URL(packed ? './console' : '../console/dist', import.meta.url))
}
