import { defineConfig } from 'vitest/config'

// One lane per run, chosen by scripts/test.mjs; a bare `npx vitest run PATH` gets the default lane.
const LANES: Record<string, string[]> = {
  default: ['**/*.test.{ts,tsx}'],
  browser: ['**/*.e2e.ts'],
  packed: ['tests/packed/**/*.packed.ts'],
  nightly: ['**/*.nightly.ts'],
  gpu: ['**/*.gpu.ts'],
}

const lane = process.env.MEDLEY_LANE ?? 'default'
const include = LANES[lane]
if (include === undefined) throw new Error(`no such lane: ${lane} (there are ${Object.keys(LANES).join(', ')})`)

export default defineConfig({
  test: {
    include,
    exclude: ['**/node_modules/**', '**/dist/**', 'tests/house/fixtures/**'],
    pool: 'forks',
    // Databases, engines and browsers run beside the workers: more of them only makes each slower.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    teardownTimeout: 60_000,
    watch: false,
    passWithNoTests: false,
  },
})
