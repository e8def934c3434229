export type { PostgresBinaries } from './embedded/binaries.ts'
export {
  type EmbeddedOptions,
  type EmbeddedPostgres,
  embeddedConnection,
  type PostgresPlan,
  preparePostgres,
  startEmbedded,
} from './embedded/launch.ts'
export { storeErrors } from './errors.ts'
export { type MigrationReport, migrate, withMigrationLock } from './migrate.ts'
export { openStore, type StoreOptions } from './open-store.ts'
export { type AppendDependencies, appendEvent } from './outbox/append.ts'
export { type Consumer, type ConsumerOptions, createConsumer } from './outbox/consumer.ts'
export { storeMigrations } from './outbox/schema.ts'
export type {
  Migration,
  Migrations,
  NewEvent,
  OpenedStore,
  ScopedDatabase,
  Store,
  StoreConnection,
  StoredEvent,
  Transaction,
} from './ports.ts'
export { enableTenantIsolation } from './row-security.ts'
