import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { PATIENCE_MS, setUp, tearDown, until } from './fixtures/factory.ts'

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url))

afterEach(tearDown)

async function startMain(configFile: string) {
  const child = fork(MAIN, [], {
    env: { ...process.env, MEDLEY_AGENT_CONFIG: configFile },
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
  })
  const [message] = await once(child, 'message')
  return { child, message }
}

describe('the agent process', { timeout: 4 * PATIENCE_MS }, () => {
  it('tells its supervisor that it is ready, and leaves when it loses it', async () => {
    const { configFile, server } = await setUp()
    const { child, message } = await startMain(configFile)
    expect(message).toEqual({ type: 'ready' })
    expect(server.last()?.chips.length).toBeGreaterThan(0)
    child.disconnect()
    expect(await once(child, 'exit')).toEqual([0, null])
  })

  it('leaves on a shutdown message', async () => {
    const { configFile } = await setUp()
    const { child } = await startMain(configFile)
    child.send({ type: 'shutdown' })
    expect(await once(child, 'exit')).toEqual([0, null])
  })

  it('leaves on a shutdown message that comes while it starts', async () => {
    const { configFile } = await setUp()
    const child = fork(MAIN, [], {
      env: { ...process.env, MEDLEY_AGENT_CONFIG: configFile },
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    })
    child.send({ type: 'shutdown' })
    expect(await once(child, 'exit')).toEqual([0, null])
  })

  it('waits for a server that is not there yet', async () => {
    const { configFile, server } = await setUp()
    server.setAway(true)
    const started = startMain(configFile)
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    server.setAway(false)
    const { child } = await started
    expect(await until('reported', () => server.last())).toMatchObject({ appliedRevision: -1 })
    child.disconnect()
    await once(child, 'exit')
  })

  it('says what is wrong with its configuration and ends', async () => {
    const child = fork(MAIN, [], {
      env: { ...process.env, MEDLEY_AGENT_CONFIG: '/no/such/file' },
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    })
    const chunks: Buffer[] = []
    child.stderr?.on('data', (chunk: Buffer) => chunks.push(chunk))
    expect(await once(child, 'close')).toEqual([1, null])
    expect(Buffer.concat(chunks).toString()).toContain('/no/such/file')
  })
})
