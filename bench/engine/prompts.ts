const SENTENCES = [
  'The river was high after three days of rain and the ferry stayed on its side.',
  'A clerk counted the sacks of barley twice and wrote the sum into a green book.',
  'Nobody in the village had seen the lamp on the hill burn for so many nights.',
  'They loaded the cart with copper pipes, old rope and a box of window glass.',
  'The teacher asked each child to draw the road from the school to the market.',
  'Late in the autumn the orchard smelled of smoke and of apples left on the ground.',
  'Her brother repaired clocks and said that most of them were only dirty.',
  'The train stopped between two stations and the passengers began to share their bread.',
  'An engineer walked along the dam every morning and looked for the smallest crack.',
  'In the library there was a map on which the coast had been drawn too far north.',
  'The baker opened before sunrise because the miners came home at that hour.',
  'On the square a man sold birds made of paper and string to anybody who stopped.',
  'The doctor kept bees behind the house and gave each patient a spoon of honey.',
  'When the harvest was in, the whole street sat at one long table and told stories.',
  'The bridge was closed for a week so that its planks could be turned and oiled.',
  'A sailor taught the boys to tie knots that hold and knots that open at one pull.',
]

/** A sentence has about 17 tokens of the starter model's vocabulary. */
const TOKENS_PER_SENTENCE = 17

/**
 * A prompt of about so many tokens, unlike any other `index` from its first word on, so that no server can reuse what
 * it remembers of an earlier one. It breaks off in the middle of a story, which a model carries on with.
 */
export function storyPrompt(index: number, tokens: number): string {
  const count = Math.max(1, Math.round(tokens / TOKENS_PER_SENTENCE))
  const sentences = Array.from(
    { length: count },
    (_, place) => SENTENCES[(index * 7 + place * 5 + Math.floor(place / SENTENCES.length)) % SENTENCES.length],
  )
  return `${((index * 7919) % 9000) + 1000} ${sentences.join(' ')} After that`
}
