import { createProving, type Proving } from '@medley/proving'
import { createRegistry, type Registry } from '@medley/registry'
import { createServing, type Serving } from '@medley/serving'
import { appendEvent } from '@medley/store'
import type { Base } from './compose-base.ts'
import { createOperations, type OperationBook } from './operations.ts'

/** Models, what serves them, and what they are measured by. */
export interface Models {
  readonly registry: Registry
  readonly serving: Serving
  readonly proving: Proving
  readonly operations: OperationBook
}

export function composeModels({ config, env, store, clock, ids, instance }: Base): Models {
  return {
    serving: createServing({ store, clock, ids }),
    operations: createOperations({ store, clock, ids }),
    registry: createRegistry({
      store,
      clock,
      ids,
      directory: `${config.dataDirectory}/models`,
      fetch: {
        env: { ...env, ...(config.starter.file ? { MEDLEY_STARTER_MODEL: config.starter.file } : {}) },
      },
    }),
    proving: createProving({
      store,
      clock,
      ids,
      sign: (bytes) => ({
        keyId: instance.id,
        signature: Buffer.from(instance.sign(bytes)).toString('base64url'),
      }),
      verifySignature: (bytes, { keyId, signature }) =>
        keyId === instance.id && instance.verify(bytes, Buffer.from(signature, 'base64url')),
      publish: (tx, event) => appendEvent(tx, { ids, clock }, event),
    }),
  }
}
