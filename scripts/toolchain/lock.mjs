/**
 * One installation at a time in one clone: a file with the holder's process id. The file appears before its text
 * (not every file system has hard links to make both one step), so an empty lock counts as held while it is young.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { inRoot } from './paths.mjs'

const DIRECTORY = inRoot('.cache')
const LOCK = inRoot('.cache', 'start.lock')
const YOUNG_MS = 5000

function tryTake() {
  mkdirSync(DIRECTORY, { recursive: true })
  try {
    writeFileSync(LOCK, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
}

/** The lock as it lies there, or null when it is free by now. */
function read(path) {
  try {
    return { pid: Number(readFileSync(path, 'utf8')), ageMs: Date.now() - statSync(path).mtimeMs }
  } catch (error) {
    if (error.code === 'ENOENT') return null
    throw error
  }
}

function isHeld({ pid, ageMs }) {
  if (!Number.isInteger(pid) || pid <= 0) return ageMs < YOUNG_MS
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/** Removes the lock of a dead holder. The rename picks one winner when several notice at once. */
function clearStale() {
  const aside = `${LOCK}.stale.${process.pid}`
  try {
    renameSync(LOCK, aside)
    const found = read(aside)
    // Someone took it between our look and our rename: it goes back, unless yet another one has come.
    if (found !== null && isHeld(found)) writeFileSync(LOCK, String(found.pid), { flag: 'wx' })
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error
  } finally {
    rmSync(aside, { force: true })
  }
}

/**
 * @template T
 * @param {(pid: number) => void} onWait called once when another process holds the lock
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(onWait, work) {
  let told = false
  while (!tryTake()) {
    const found = read(LOCK)
    if (found === null) continue
    if (!isHeld(found)) {
      clearStale()
      continue
    }
    if (!told) onWait(found.pid)
    told = true
    await sleep(500)
  }
  const release = () => {
    if (read(LOCK)?.pid === process.pid) rmSync(LOCK, { force: true })
  }
  process.once('exit', release)
  try {
    return await work()
  } finally {
    release()
    process.removeListener('exit', release)
  }
}
