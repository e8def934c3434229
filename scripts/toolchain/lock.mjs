/**
 * One installation at a time in one clone. The lock is a file with the holder's process id, made whole before it
 * takes its name (link fails when the name is taken), so a reader never sees half of it.
 */
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { inRoot } from './paths.mjs'

const DIRECTORY = inRoot('.cache')
const LOCK = inRoot('.cache', 'start.lock')

function tryTake() {
  mkdirSync(DIRECTORY, { recursive: true })
  const draft = `${LOCK}.${process.pid}`
  writeFileSync(draft, String(process.pid))
  try {
    linkSync(draft, LOCK)
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(draft, { force: true })
  }
}

/** Process id in the lock, or null when it is free by now. */
function holder() {
  try {
    return Number(readFileSync(LOCK, 'utf8'))
  } catch (error) {
    if (error.code === 'ENOENT') return null
    throw error
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/** Removes the lock of a dead holder. The rename picks one winner when several notice at once. */
function clearStale(pid) {
  const aside = `${LOCK}.stale.${process.pid}`
  try {
    renameSync(LOCK, aside)
    if (Number(readFileSync(aside, 'utf8')) !== pid) linkSync(aside, LOCK)
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
    const pid = holder()
    if (pid === null) continue
    if (!isAlive(pid)) {
      clearStale(pid)
      continue
    }
    if (!told) onWait(pid)
    told = true
    await sleep(500)
  }
  const release = () => {
    if (holder() === process.pid) rmSync(LOCK, { force: true })
  }
  process.once('exit', release)
  try {
    return await work()
  } finally {
    release()
    process.removeListener('exit', release)
  }
}
