import { createHash, randomBytes } from 'node:crypto'
import type { CatalogueEntry, ModelSource } from '../catalogue/entry.ts'
import { starterModel } from '../catalogue/starter.ts'

export interface SmallModel {
  readonly content: Buffer
  readonly entry: CatalogueEntry
}

const HUB: ModelSource = { kind: 'huggingface', repo: 'owner/name', revision: 'main', file: 'model.gguf' }

/** A catalogue entry like the starter's, of random bytes that are quick to move. */
export function smallModel(bytes = 300_000, sources: readonly ModelSource[] = [{ kind: 'file' }, HUB]): SmallModel {
  const content = randomBytes(bytes)
  const file = { name: 'model.gguf', bytes, sha256: sha256(content) }
  return { content, entry: { ...starterModel, name: 'small', file, sources: [...sources] } }
}

export function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}
