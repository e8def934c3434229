import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { generateNodeKeyPair } from '../sync/keys.ts'
import { type Member, openFleetDirectory } from './directory.ts'

let directory = ''
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'medley-fleet-directory-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

const memberOf = (hostname: string): Member => ({
  hostname,
  nodeKey: `key-${hostname}`,
  nodeId: `node_${hostname}`,
  keys: generateNodeKeyPair(),
  instanceId: 'inst',
  instanceKey: 'key',
})
const namesIn = async (): Promise<readonly string[]> => {
  const opened = await openFleetDirectory(directory, 0)
  await opened.close()
  return [...opened.members.keys()]
}
async function joinAll(...hostnames: string[]): Promise<void> {
  const opened = await openFleetDirectory(directory, 0)
  for (const hostname of hostnames) await opened.remember(memberOf(hostname))
  await opened.close()
}

describe('the directory of a simulated fleet', () => {
  it('opens at every place where a kill may have cut its last line, and goes on after it', async () => {
    await joinAll('a', 'b')
    const file = join(directory, 'members.jsonl')
    const text = await readFile(file, 'utf8')
    const start = text.indexOf('\n') + 1
    for (const end of [start, start + 1, start + 40, text.length - 2, text.length - 1]) {
      await writeFile(file, text.slice(0, end))
      await joinAll('c')
      expect(await namesIn(), `cut at ${end}`).toEqual(end === text.length - 1 ? ['a', 'b', 'c'] : ['a', 'c'])
    }
  })

  it('leaves a broken line out', async () => {
    await joinAll('a')
    await appendFile(join(directory, 'members.jsonl'), '{"hostname":"x"\n')
    await joinAll('b')
    expect(await namesIn()).toEqual(['a', 'b'])
  })
})
