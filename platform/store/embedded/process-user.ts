import { readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { storeErrors } from '../errors.ts'

/** The account a child runs under; null means our own. */
export interface ProcessUser {
  readonly uid: number
  readonly gid: number
}

const PREFERRED = ['postgres', 'nobody']

/**
 * PostgreSQL refuses root. As root we drop to the owner of an existing cluster, else to a well-known account; it
 * must be in the password file, because PostgreSQL looks its own name up.
 */
export function chooseProcessUser(clusterDirectory: string): ProcessUser | null {
  if (process.getuid?.() !== 0) return null
  const accounts = readAccounts()
  const owner = statSync(clusterDirectory, { throwIfNoEntry: false })?.uid ?? 0
  const found =
    (owner === 0 ? undefined : accounts.find((account) => account.uid === owner)) ??
    PREFERRED.map((name) => accounts.find((account) => account.name === name)).find((account) => account !== undefined)
  if (found === undefined) throw storeErrors.no_unprivileged_user()
  return { uid: found.uid, gid: found.gid }
}

/** Whether `user` may read a path, judged by mode bits of it and of every folder above it. */
export function isReadableBy(path: string, user: ProcessUser): boolean {
  for (let current = path; ; current = dirname(current)) {
    const { uid, gid, mode } = statSync(current)
    const shift = uid === user.uid ? 6 : gid === user.gid ? 3 : 0
    // Read and search on a folder, read and execute on a program: the same two bits.
    if (((mode >> shift) & 0o5) !== 0o5) return false
    if (dirname(current) === current) return true
  }
}

interface Account extends ProcessUser {
  readonly name: string
}

function readAccounts(): readonly Account[] {
  return readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .map(([name = '', , uid = '', gid = '']) => ({
      name,
      uid: Number.parseInt(uid, 10),
      gid: Number.parseInt(gid, 10),
    }))
    .filter((account) => account.uid > 0 && account.gid > 0)
}
