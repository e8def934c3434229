// Two hundred nodes in ten minutes of trouble, as `npm run test:nightly`; the same story as the short one of every run.
process.env.MEDLEY_CHAOS_NODES ??= '200'
process.env.MEDLEY_CHAOS_SECONDS ??= '600'
await import('./fleet-chaos.test.ts')
