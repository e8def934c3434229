import { useFormat } from '../../i18n/format.ts'
import type { ChipState } from '../api/types.ts'
import { chipStates, markOfChip, useChipStateWord } from '../ui/chip-state.tsx'
import { StateMark } from '../ui/state-mark.tsx'

/** Chips per state in words, the well ones first; states without a chip are left out. */
export function StateCounts({ states }: { readonly states: Readonly<Partial<Record<ChipState, number>>> }) {
  const word = useChipStateWord()
  const format = useFormat()
  return (
    <span className="row state-counts">
      {chipStates
        .filter((state) => (states[state] ?? 0) > 0)
        .map((state) => (
          <StateMark
            key={state}
            state={markOfChip(state)}
            label={`${format.count(states[state] ?? 0)} ${word(state)}`}
          />
        ))}
    </span>
  )
}
