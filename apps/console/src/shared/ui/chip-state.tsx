import { defineMessages, useText } from '../../i18n/messages.ts'
import type { ChipState } from '../api/types.ts'
import { type State, StateMark } from './state-mark.tsx'

/** From well to worst, as lists and legends name them. */
export const chipStates = ['healthy', 'degraded', 'lost', 'unusable', 'no-driver', 'absent', 'unknown'] as const

const words = defineMessages({
  healthy: { en: 'Healthy', 'zh-CN': '正常' },
  degraded: { en: 'Degraded', 'zh-CN': '降级' },
  lost: { en: 'Lost', 'zh-CN': '掉卡' },
  unusable: { en: 'Unusable', 'zh-CN': '不可用' },
  'no-driver': { en: 'No driver', 'zh-CN': '缺驱动' },
  absent: { en: 'Missing', 'zh-CN': '不在位' },
  unknown: { en: 'Unknown', 'zh-CN': '未知' },
  quarantined: { en: 'Quarantined', 'zh-CN': '已隔离' },
})

const marks: Readonly<Record<ChipState, State>> = {
  healthy: 'healthy',
  degraded: 'degraded',
  lost: 'failed',
  unusable: 'failed',
  'no-driver': 'failed',
  absent: 'failed',
  unknown: 'unknown',
}

export function isChipState(word: string | undefined): word is ChipState {
  return chipStates.some((state) => state === word)
}

/** A chip's state in the vocabulary that all things share. */
export function markOfChip(state: ChipState): State {
  return marks[state]
}

export function useChipStateWord(): (state: ChipState | 'quarantined') => string {
  return useText(words)
}

interface ChipStateMarkProps {
  readonly state: ChipState
  readonly quarantined?: boolean
  readonly simulated?: boolean
}

/** The state with everything that qualifies it: kept away from work, not real. */
export function ChipStateMark({ state, quarantined = false, simulated = false }: ChipStateMarkProps) {
  const word = useChipStateWord()
  return (
    <>
      <StateMark state={marks[state]} label={word(state)} />
      {quarantined ? <StateMark state="held" label={word('quarantined')} /> : null}
      {simulated ? <StateMark state="simulated" /> : null}
    </>
  )
}
