import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { createDrivers } from '@medley/drivers'
import { describe, expect, it } from 'vitest'

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url))

async function medley(args: readonly string[], input = '') {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve))
  child.stdin.end(input)
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  return { stdout, stderr, exitCode: await exit }
}

describe('medley chips parse', () => {
  it('prints what a saved output says as an array, unknown as null, without a factory', async () => {
    const saved = 'Architecture: x86_64\nCPU(s): 8\nSocket(s): 1\nCore(s) per socket: 4\nModel name: Some CPU\n'
    const { stdout, exitCode } = await medley(['chips', 'parse', '--vendor', 'cpu', '-', '--json'], saved)
    const [chip, ...others] = JSON.parse(stdout) as Record<string, unknown>[]
    expect({ exitCode, others }).toEqual({ exitCode: 0, others: [] })
    expect(chip).toMatchObject({ product: 'Some CPU', uuid: null, pciAddress: null, powerWatts: null })
  }, 60_000)

  it('prints an empty array and fails where nothing can be read', async () => {
    const { stdout, stderr, exitCode } = await medley(['chips', 'parse', '--vendor', 'cpu', '-', '--json'], 'garbage\n')
    expect(JSON.parse(stdout)).toEqual([])
    expect(exitCode).toBe(1)
    expect(stderr).toContain('--command')
  }, 60_000)

  it('names the vendors to who asks for one that is none, and lists them', async () => {
    const names = createDrivers().map((driver) => driver.name)
    const refused = await medley(['chips', 'parse', '--vendor', 'nobody', '-'])
    expect(refused.exitCode).toBe(2)
    for (const name of names) expect(refused.stderr).toContain(name)
    const listed = await medley(['chips', 'vendors', '--json'])
    expect(JSON.parse(listed.stdout)).toMatchObject(names.map((name) => ({ name })))
  }, 60_000)

  it('says which file cannot be read', async () => {
    const missing = await medley(['chips', 'parse', '--vendor', 'cpu', '/nowhere/at/all.txt'])
    expect(missing).toMatchObject({ exitCode: 3, stdout: '' })
  }, 60_000)
})
