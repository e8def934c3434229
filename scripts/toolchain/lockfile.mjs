/** Reads the lockfile as npm does: which entry a name leads to, and what a set of packages needs altogether. */
import { readFileSync } from 'node:fs'
import { inRoot } from './paths.mjs'

export const readLock = () => JSON.parse(readFileSync(inRoot('package-lock.json'), 'utf8'))

/** Node's own rule: the nearest node_modules upwards. Null when the name is not in the lockfile. */
function resolveIn(packages, from, name) {
  for (let base = from; ; base = base.slice(0, Math.max(0, base.lastIndexOf('/')))) {
    const candidate = base === '' ? `node_modules/${name}` : `${base}/node_modules/${name}`
    const entry = packages[candidate]
    if (entry !== undefined) return entry.link === true ? entry.resolved : candidate
    if (base === '') return null
  }
}

/** Names a package needs to run: without its development dependencies and the peers it can do without. */
function neededNames(entry) {
  const peers = Object.keys(entry.peerDependencies ?? {}).filter(
    (name) => entry.peerDependenciesMeta?.[name]?.optional !== true,
  )
  return Object.keys({ ...entry.dependencies, ...entry.optionalDependencies }).concat(peers)
}

/** Lockfile paths of everything that `start` (lockfile paths as well) needs to run, themselves included. */
export function closureOf(packages, start) {
  const needed = new Set()
  const queue = [...start]
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (needed.has(path)) continue
    needed.add(path)
    for (const name of neededNames(packages[path])) {
      const found = resolveIn(packages, path, name)
      if (found !== null) queue.push(found)
    }
  }
  return needed
}
