import { execFile } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { chip } from '@medley/server/schemas'
import { waitFor } from '@medley/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type RunningFactory, startFactory } from '../factory.ts'

const CLI = fileURLToPath(new URL('../../apps/cli/main.ts', import.meta.url))
const GUIDE = new URL('../../docs/guides/add-a-chip.md', import.meta.url)
const run = promisify(execFile)

let home: string
let factory: RunningFactory | undefined

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'medley-acme-'))
})
afterAll(async () => {
  await factory?.stop()
  await rm(home, { recursive: true, force: true })
})

const medley = async (...args: string[]): Promise<unknown> =>
  JSON.parse((await run(process.execPath, [CLI, ...args, '--json'], { cwd: home })).stdout)

/** The guide's machine: a bus with two of Acme's cards on it, and a tool that lists one of them. */
async function buildMachine(saved: string): Promise<{ root: string; tools: string }> {
  const [root, tools] = [join(home, 'host'), join(home, 'bin')]
  for (const address of ['0000:17:00.0', '0000:18:00.0']) {
    const device = join(root, 'sys', 'bus', 'pci', 'devices', address)
    await mkdir(device, { recursive: true })
    const files = { vendor: '0xacde', device: '0x0001', class: '0x120000', numa_node: '0', uevent: 'DRIVER=acme' }
    for (const [name, text] of Object.entries(files)) await writeFile(join(device, name), `${text}\n`)
  }
  await symlink('/proc', join(root, 'proc'))
  await mkdir(join(root, 'dev'))
  await mkdir(tools)
  await writeFile(join(tools, 'acme-smi'), `#!/bin/sh\ncat <<'END'\n${saved}\nEND\n`)
  await chmod(join(tools, 'acme-smi'), 0o755)
  return { root, tools }
}

describe('docs/guides/add-a-chip.md, step by step', () => {
  it('brings a vendor that nobody knew into the fleet by one folder', { timeout: 240_000 }, async () => {
    const guide = await readFile(GUIDE, 'utf8')

    // 2. Write the folder
    const folder = /`(drivers\.d\/acme\/driver\.mjs)`/.exec(guide)?.[1] ?? ''
    await mkdir(join(home, 'drivers.d', 'acme'), { recursive: true, mode: 0o755 })
    await writeFile(join(home, folder), /```js\n(.*?)```/s.exec(guide)?.[1] ?? '')

    // 3. Try it on a saved output: the two lines of the guide, with this clone's program
    const [print = '', parse = ''] = (/```sh\n(printf .*?)```/s.exec(guide)?.[1] ?? '').split('\n')
    await run('sh', ['-c', print], { cwd: home })
    const words = parse.split(' ').slice(2)
    expect(await medley(...words.filter((word) => word !== '--json'))).toMatchObject([
      { vendor: 'acme', uuid: 'ACME-1', temperatureCelsius: 41 },
    ])

    // 4. See it in the fleet
    const saved = (await readFile(join(home, 'saved.txt'), 'utf8')).trim()
    const { root, tools } = await buildMachine(saved)
    factory = await startFactory({
      args: ['--no-starter', '--no-proving'],
      env: {
        MEDLEY_DRIVERS: join(home, 'drivers.d'),
        MEDLEY_HOST_ROOT: root,
        PATH: `${tools}:${process.env.PATH ?? ''}`,
      },
    })
    const data = factory.data
    const seen = await waitFor('the cards of the new vendor', async () => {
      const chips = z.array(chip).parse(await medley('chips', '--data', data))
      const found = chips.filter((each) => each.facts.vendor === 'acme')
      return found.length === 2 && found
    })
    const byState = Object.fromEntries(seen.map((each) => [each.state, each.facts]))
    expect(byState.healthy).toMatchObject({ uuid: 'ACME-1', product: 'Acme One', temperatureCelsius: 41 })
    // The bus shows a second card that the tool does not list.
    expect(byState.lost).toMatchObject({ vendor: 'acme', product: 'Acme NPU' })
  })
})
