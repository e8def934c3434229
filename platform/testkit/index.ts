export { freePort, type TempDirectory, tempDirectory } from './places.ts'
export { starterModel } from './starter-model.ts'
export { startTestStore, type TestStore, withStore } from './test-store.ts'
export { type Patience, waitFor } from './wait-for.ts'
