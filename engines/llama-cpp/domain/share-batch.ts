/**
 * Shares the tokens of one decoding step among the sequences that wait: each gets all it asks for or an equal share of
 * what is left, so that answers in progress (one token each) never wait for somebody's long prompt.
 *
 * @param wanted Tokens each sequence has ready.
 * @param size Tokens of one step; at least as many as there are sequences.
 * @returns Tokens per sequence, in the order of `wanted`.
 */
export function shareBatch(wanted: readonly number[], size: number): readonly number[] {
  const shares = wanted.map(() => 0)
  const byAppetite = [...wanted.entries()].sort(([, left], [, right]) => left - right)
  let left = size
  for (const [turn, [index, tokens]] of byAppetite.entries()) {
    const share = Math.min(tokens, Math.floor(left / (byAppetite.length - turn)))
    shares[index] = share
    left -= share
  }
  return shares
}
