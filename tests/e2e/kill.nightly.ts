// Each process ten times, as `npm run test:nightly`; the same story as the few kills of every run.
process.env.MEDLEY_KILLS ??= '10'
await import('./kill.test.ts')
