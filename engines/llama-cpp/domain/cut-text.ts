/** How far back from the end of a piece a better place for the cut is looked for. */
const LOOK_BACK = 1024

/**
 * Cuts a text into pieces of at most `size` UTF-16 units that can be tokenised one by one.
 *
 * The cut is before the single blank between two words, where every pre-tokeniser cuts as well, so that the tokens are
 * those of the whole text. A text without one near is cut between any two characters: the text stays the same, but
 * the tokens beside that cut may be others than without it.
 *
 * @param size At least 2: a character may have two units.
 */
export function* cutText(text: string, size: number): Generator<string> {
  let from = 0
  while (text.length - from > size) {
    const to = placeOfCut(text, from, from + size)
    yield text.slice(from, to)
    from = to
  }
  if (from < text.length) yield text.slice(from)
}

function placeOfCut(text: string, from: number, end: number): number {
  for (let at = end; at > Math.max(from + 1, end - LOOK_BACK); at -= 1) {
    if (text[at] === ' ' && isWord(text[at - 1]) && isWord(text[at + 1])) return at
  }
  return isLowSurrogate(text.charCodeAt(end)) ? end - 1 : end
}

function isWord(char: string | undefined): boolean {
  return char !== undefined && /[a-z]/i.test(char)
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff
}
