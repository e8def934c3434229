/** A sentence in which `backticks` mark what is typed as it stands. */
export function Prose({ text }: { readonly text: string }) {
  const parts = text.split('`').map((part, place) => ({ part, place }))
  return parts.map(({ part, place }) => (place % 2 === 1 ? <code key={place}>{part}</code> : part))
}
