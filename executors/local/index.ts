export { claimDirectory } from './claim.ts'
export { type BackoffPolicy, countFailure, DEFAULT_BACKOFF, restartDelayMs } from './domain/backoff.ts'
export {
  createLocalExecutor,
  type Exit,
  type Launch,
  type LocalExecutor,
  type LocalExecutorOptions,
  type LocalProcess,
  launchDigest,
} from './executor.ts'
