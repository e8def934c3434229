import { describe, expect, it } from 'vitest'
import { mib } from '../fixtures/sample-table.ts'
import { createNvidiaDriver } from './driver.ts'

describe('a saved answer to a query', () => {
  const driver = createNvidiaDriver()

  it('takes the columns from the command where there is no header', () => {
    const command =
      'nvidia-smi --query-gpu=utilization.gpu,memory.used,temperature.gpu,power.draw --format=csv,noheader'
    expect(driver.parseOutput('7, [N/A], 38, 4.50\n', command).chips).toMatchObject([
      { utilizationRatio: 0.07, memoryUsedBytes: null, temperatureCelsius: 38, powerWatts: 4.5 },
    ])
  })

  it('takes them from the header, in any order', () => {
    const text = 'memory.used [MiB], name, index, gpu_bus_id\n512 MiB, NVIDIA H20, 4, 00000000:C1:00.0\n'
    expect(driver.recognise(text)).toBe('nvidia-smi --query-gpu')
    expect(driver.parseOutput(text).chips).toMatchObject([
      { index: 4, product: 'NVIDIA H20', pciAddress: '0000:c1:00.0', memoryUsedBytes: mib(512) },
    ])
  })

  it('keeps the text of what it cannot read', () => {
    expect(driver.parseOutput('hello')).toEqual({ command: null, chips: [], facts: {}, raw: 'hello' })
  })
})
