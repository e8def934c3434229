export interface PromptPart {
  /** `template`: control tokens are recognised. `content`: what a person wrote, only ever plain text. */
  readonly kind: 'template' | 'content'
  readonly text: string
}

/** A blank that templates strip like any other but never write themselves. */
const PAD = '\u2003'

/** A placeholder no one can have typed, because `nonce` is drawn for each request. */
export function sentinel(nonce: string, index: number): string {
  return `${PAD}\uE000${nonce}:${index}\uE001${PAD}`
}

/**
 * Puts the contents back into a rendered template that was given sentinels in their place, and marks which part of
 * the prompt came from whom. Whoever writes `<|im_end|>` into a message gets these ten characters tokenised, not the
 * control token.
 *
 * A sentinel is surrounded by pads: where a template has stripped them (`content | trim`) the content is stripped
 * alike, as if the template had seen it.
 */
export function promptParts(rendered: string, nonce: string, contents: readonly string[]): readonly PromptPart[] {
  const parts: PromptPart[] = []
  const pattern = new RegExp(`(${PAD}?)\uE000${nonce}:(\\d+)\uE001(${PAD}?)`, 'g')
  let from = 0
  for (const match of rendered.matchAll(pattern)) {
    add(parts, 'template', rendered.slice(from, match.index))
    const content = contents[Number(match[2])] ?? ''
    const left = match[1] === '' ? content.trimStart() : content
    add(parts, 'content', match[3] === '' ? left.trimEnd() : left)
    from = match.index + match[0].length
  }
  add(parts, 'template', rendered.slice(from))
  return parts
}

function add(parts: PromptPart[], kind: PromptPart['kind'], text: string): void {
  if (text !== '') parts.push({ kind, text })
}
