import type { EngineConfig } from '@medley/serving/protocol'
import type { CustomBatchingPrioritizationStrategy, LlamaContext, LlamaContextSequence, Token } from 'node-llama-cpp'
import { chooseSlot } from '../../domain/choose-slot.ts'
import { shareBatch } from '../../domain/share-batch.ts'
import { BoundedLookupPredictor } from './lookup-predictor.ts'
import { unavailable } from './request-error.ts'

/** One sequence of the context, with what it still remembers. */
export interface Slot {
  /** Place of its sequence in the context, from 0. */
  readonly order: number
  readonly sequence: LlamaContextSequence
  readonly predictor: BoundedLookupPredictor | null
  readonly tokens: readonly Token[]
  readonly lastUse: number
}

export interface SlotPool {
  /**
   * Waits for a slot, first come first served.
   *
   * @throws {RequestError} 503 when the queue is full or closed.
   * @throws The signal's reason when it is aborted while waiting.
   */
  acquire(prompt: readonly Token[], signal: AbortSignal): Promise<Slot>
  /** `broken` after an error in the engine: the sequence is thrown away and made anew. */
  release(slot: Slot, broken: boolean): Promise<void>
  state(): { readonly total: number; readonly busy: number; readonly queued: number }
  /** Counts up with each acquired slot; tells a measurement whether somebody else came in between. */
  acquired(): number
  /** Refuses whoever waits or comes from now on. */
  close(): void
}

interface Waiter {
  readonly prompt: readonly Token[]
  readonly give: (slot: Slot) => void
  readonly refuse: (error: unknown) => void
}

const RETRY_AFTER_SECONDS = 1

export function createSlotPool(context: LlamaContext, config: EngineConfig): SlotPool {
  const waiting: Waiter[] = []
  const free: Slot[] = Array.from({ length: config.slots }, (_, order) => newSlot(context, config, order))
  let clock = 0
  let busy = 0
  let closed = false

  const take = (prompt: readonly Token[]): Slot | null => {
    const index = chooseSlot(free, prompt)
    const slot = index === null ? undefined : free.splice(index, 1)[0]
    if (slot === undefined) return null
    busy += 1
    clock += 1
    return slot
  }

  const serveNext = (): void => {
    const next = free.length > 0 ? waiting.shift() : undefined
    const slot = next === undefined ? null : take(next.prompt)
    if (slot !== null) next?.give(slot)
  }

  const enqueue = (prompt: readonly Token[], signal: AbortSignal): Promise<Slot> =>
    new Promise((resolve, reject) => {
      const leave = (): void => {
        waiting.splice(waiting.indexOf(waiter), 1)
        reject(signal.reason)
      }
      const waiter: Waiter = {
        prompt,
        give: (slot) => {
          signal.removeEventListener('abort', leave)
          resolve(slot)
        },
        refuse: (error) => {
          signal.removeEventListener('abort', leave)
          reject(error)
        },
      }
      signal.addEventListener('abort', leave, { once: true })
      waiting.push(waiter)
    })

  return {
    async acquire(prompt, signal) {
      signal.throwIfAborted()
      if (closed) throw draining()
      const slot = take(prompt)
      if (slot !== null) return slot
      if (waiting.length >= config.maxQueue) {
        const message = `All ${config.slots} slots are busy and ${config.maxQueue} requests wait already.`
        throw unavailable(message, 'engine_busy', RETRY_AFTER_SECONDS)
      }
      return enqueue(prompt, signal)
    },
    async release(slot, broken) {
      if (broken) await slot.sequence.dispose().catch(() => undefined)
      const used = broken ? newSlot(context, config, slot.order) : { ...slot, tokens: slot.sequence.contextTokens }
      free.push({ ...used, lastUse: clock })
      // Of equal slots the first is taken: neighbours decode faster together, see `batchInSlotOrder`.
      free.sort((left, right) => left.order - right.order)
      busy -= 1
      serveNext()
    },
    state: () => ({ total: config.slots, busy, queued: waiting.length }),
    acquired: () => clock,
    close() {
      closed = true
      for (const waiter of waiting.splice(0)) waiter.refuse(draining())
    },
  }
}

/**
 * Puts the sequences of a step in the order of their slots, which the slots hand over as `evaluationPriority`.
 *
 * llama.cpp keeps the attention state of each sequence apart and decodes only runs of neighbouring sequences together:
 * in the library's order of arrival a step of eight falls apart into steps of two or three, and batching gains nothing.
 */
export const batchInSlotOrder: CustomBatchingPrioritizationStrategy = ({ items, size }) => {
  const ordered = [...items].sort((left, right) => left.evaluationPriority - right.evaluationPriority)
  const wanted = ordered.map((item) => item.tokens.length)
  const shares = shareBatch(wanted, size)
  return ordered.map((item, index) => ({ item, processAmount: shares[index] ?? 0 }))
}

function draining(): Error {
  return unavailable('The engine is shutting down.', 'engine_draining', RETRY_AFTER_SECONDS)
}

function newSlot(context: LlamaContext, config: EngineConfig, order: number): Slot {
  const lookup = config.promptLookup
  const predictor =
    lookup === null ? null : new BoundedLookupPredictor(config.contextTokens, lookup.minTokens, lookup.maxTokens)
  const sequence = context.getSequence({
    contextShift: { strategy: refuseShift },
    ...(predictor === null ? {} : { tokenPredictor: predictor }),
  })
  return { order, sequence, predictor, tokens: [], lastUse: 0 }
}

/** Lengths are checked before a slot is taken, so this is a bug if it is ever called; never a silent shift. */
function refuseShift(): never {
  throw new Error('the context is full: lengths were not checked')
}
