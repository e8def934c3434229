import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { cruiseTree } from '../../scripts/boundaries.mjs'

const PLANTED = fileURLToPath(new URL('./fixtures/boundaries', import.meta.url))

const EXPECTED = [
  ['domain-is-pure', 'layers/1-compute/fleet/domain/place.ts', 'fs'],
  ['domain-is-pure', 'layers/1-compute/fleet/domain/name.ts', 'zod'],
  ['module-face-only', 'layers/2-models/serving/index.ts', 'platform/store/inside.ts'],
  ['layer-compute', 'layers/1-compute/fleet/index.ts', 'layers/2-models/serving/index.ts'],
  ['layer-models', 'layers/2-models/serving/index.ts', 'layers/3-data/space/index.ts'],
  ['layer-platform', 'platform/kernel/index.ts', 'layers/1-compute/fleet/index.ts'],
  ['kernel-imports-nothing', 'platform/kernel/index.ts', 'layers/1-compute/fleet/index.ts'],
  ['drivers-apart', 'drivers/alpha/driver.ts', 'drivers/beta/driver.ts'],
  ['edges-apart', 'engines/one/index.ts', 'drivers/index.ts'],
  ['no-cycles', 'layers/1-compute/fleet/index.ts', 'layers/2-models/serving/index.ts'],
  ['resolvable', 'apps/server/main.ts', './nowhere.ts'],
] as const

describe('boundaries', async () => {
  const { violations, sources, unseen } = await cruiseTree(PLANTED)

  it('sees every planted source', () => {
    expect(sources).toBeGreaterThan(10)
    expect(unseen).toEqual([])
  })

  it.each(EXPECTED)('%s fires on %s', (rule, from, to) => {
    const fired = violations.filter((found) => found.rule === rule && found.from === from)
    expect(fired.map((found) => found.to).join(' ')).toContain(to)
  })

  it('leaves alone what is allowed', () => {
    const rules = violations.filter(
      ({ from }) => from.startsWith('drivers/beta/') || from.startsWith('drivers/shared/'),
    )
    expect(rules).toEqual([])
  })
})
