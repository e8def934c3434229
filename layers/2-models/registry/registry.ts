import { stat } from 'node:fs/promises'
import { type Clock, type Id, type IdFactory, type Scope, systemScope } from '@medley/kernel'
import type { Store } from '@medley/store'
import type { Selectable } from 'kysely'
import { sha256OfFile } from './adapters/file-bytes.ts'
import type { ModelsTable, RegistryTables } from './adapters/migrations.ts'
import type { CatalogueEntry } from './catalogue/entry.ts'
import { starterModel } from './catalogue/starter.ts'
import { errors } from './errors.ts'
import { type FetchedModel, type FetchOptions, fetchModel, modelPath } from './fetch-model.ts'
import type { OnProgress } from './ports.ts'

export interface Model {
  readonly id: Id<'model'>
  readonly tenantId: Id<'tenant'> | null
  readonly name: string
  readonly displayName: string
  readonly digest: string
  readonly bytes: number
  readonly path: string
  /** Kind of the source, or `present` where the file lay there when the store first heard of it. */
  readonly source: string
  readonly catalogueEntry: string | null
  readonly state: 'ready' | 'damaged'
  readonly createdAt: Date
  readonly verifiedAt: Date
}

export interface RegistryPorts {
  readonly store: Store
  readonly clock: Clock
  readonly ids: IdFactory
  /** The folder of all models, `<data>/models`. */
  readonly directory: string
  /** The catalogue; by default the starter model alone. */
  readonly catalogue?: readonly CatalogueEntry[] | undefined
  /** How models are fetched: sources, environment, HTTP. */
  readonly fetch?: Omit<FetchOptions, 'directory' | 'onProgress' | 'signal'> | undefined
}

export interface Registry {
  /**
   * Makes sure that the starter model is here. While the file's size and time are those of the last check it is not
   * read again. `fetched` is null when there was nothing to do.
   *
   * @throws {AppError} `registry.model.unobtainable` with the reason of each source and what to put where.
   */
  ensureStarter(
    onProgress?: OnProgress,
    signal?: AbortSignal,
  ): Promise<{ readonly model: Model; readonly fetched: FetchedModel | null }>
  /** Models of the scope's tenant and the shared ones, by name. */
  list(scope: Scope): Promise<readonly Model[]>
  /** By id or name; a tenant's own model comes before a shared one of the same name. Null where there is none. */
  get(scope: Scope, idOrName: string): Promise<Model | null>
  /** Reads the whole file and compares its digest; records what it found. */
  verify(idOrName: string, onProgress?: OnProgress, signal?: AbortSignal): Promise<Model>
  /** What the catalogue says of a name: template, golden case, default configuration. */
  entry(name: string): CatalogueEntry | null
}

export function createRegistry(ports: RegistryPorts): Registry {
  const database = ports.store.tables<RegistryTables>()
  const catalogue = ports.catalogue ?? [starterModel]
  const system = systemScope('registry')

  async function find(scope: Scope, idOrName: string) {
    const rows = await database.run(scope, (tx) =>
      tx
        .selectFrom('models')
        .selectAll()
        .where((eb) => eb.or([eb('id', '=', idOrName), eb('name', '=', idOrName)]))
        // The system, which sees the models of all tenants, means the shared one.
        .orderBy('tenant_id', (order) => (scope.kind === 'tenant' ? order.nullsLast() : order.nullsFirst()))
        .limit(1)
        .execute(),
    )
    return rows[0] ?? null
  }

  async function shared(entry: CatalogueEntry) {
    return database.run(system, (tx) =>
      tx
        .selectFrom('models')
        .selectAll()
        .where('tenant_id', 'is', null)
        .where('name', '=', entry.name)
        .executeTakeFirst(),
    )
  }

  async function record(entry: CatalogueEntry, fetched: FetchedModel): Promise<void> {
    const now = new Date(ports.clock.now())
    const verified_mtime_ms = await modifiedMs(fetched.path)
    const facts = {
      digest: fetched.digest,
      path: fetched.path,
      state: 'ready' as const,
      verified_mtime_ms,
      verified_at: now,
    }
    await database.run(system, (tx) =>
      tx
        .insertInto('models')
        .values({
          ...facts,
          source: fetched.source,
          id: ports.ids.next('model'),
          tenant_id: null,
          name: entry.name,
          display_name: entry.displayName,
          bytes: fetched.bytes,
          catalogue_entry: entry.name,
          created_at: now,
        })
        // A file that was there all along keeps the source it once came from.
        .onConflict((conflict) =>
          conflict
            .columns(['tenant_id', 'name'])
            .doUpdateSet(fetched.source === 'present' ? facts : { ...facts, source: fetched.source }),
        )
        .execute(),
    )
  }
  return {
    async ensureStarter(onProgress, signal) {
      const entry = catalogue[0] ?? starterModel
      const known = await shared(entry)
      if (known && (await isUntouched(known, modelPath(ports.directory, entry), entry))) {
        return { model: toModel(known), fetched: null }
      }
      const fetched = await fetchModel(entry, { ...ports.fetch, directory: ports.directory, onProgress, signal })
      await record(entry, fetched)
      const model = await shared(entry)
      if (!model) throw errors['model.not_found']({ model: entry.name })
      return { model: toModel(model), fetched }
    },
    async list(scope) {
      const rows = await database.run(scope, (tx) =>
        tx.selectFrom('models').selectAll().orderBy('name').orderBy('id').execute(),
      )
      return rows.map(toModel)
    },
    async get(scope, idOrName) {
      const row = await find(scope, idOrName)
      return row ? toModel(row) : null
    },
    async verify(idOrName, onProgress, signal = new AbortController().signal) {
      const row = await find(system, idOrName)
      if (!row) throw errors['model.not_found']({ model: idOrName })
      const totalBytes = Number(row.bytes)
      const report = (doneBytes: number) => onProgress?.({ phase: 'verifying', source: null, doneBytes, totalBytes })
      const verified_mtime_ms = await modifiedMs(row.path)
      const sha256 = await sha256OfFile(row.path, report, signal).catch(() => null)
      signal.throwIfAborted()
      const state = row.digest === `sha256:${sha256}` ? 'ready' : 'damaged'
      const updated = await database.run(system, (tx) =>
        tx
          .updateTable('models')
          .set({ state, verified_mtime_ms, verified_at: new Date(ports.clock.now()) })
          .where('id', '=', row.id)
          .returningAll()
          .executeTakeFirstOrThrow(),
      )
      return toModel(updated)
    },
    entry: (name) => catalogue.find((each) => each.name === name) ?? null,
  }
}

/** Whether the file is the one whose digest was checked last, as far as its size and time tell. */
async function isUntouched(row: Selectable<ModelsTable>, path: string, entry: CatalogueEntry): Promise<boolean> {
  if (row.state !== 'ready' || row.path !== path || row.digest !== `sha256:${entry.file.sha256}`) return false
  const facts = await stat(path).catch(() => null)
  return facts?.size === Number(row.bytes) && Math.trunc(facts.mtimeMs) === Number(row.verified_mtime_ms)
}

async function modifiedMs(path: string): Promise<number> {
  const facts = await stat(path).catch(() => null)
  return Math.trunc(facts?.mtimeMs ?? 0)
}

function toModel(row: Selectable<ModelsTable>): Model {
  return {
    id: row.id as Id<'model'>,
    tenantId: row.tenant_id as Id<'tenant'> | null,
    name: row.name,
    displayName: row.display_name,
    digest: row.digest,
    bytes: Number(row.bytes),
    path: row.path,
    source: row.source,
    catalogueEntry: row.catalogue_entry,
    state: row.state,
    createdAt: row.created_at,
    verifiedAt: row.verified_at,
  }
}
