import type { CapacityVendor, Sheet, SheetOverride } from './capacity-input.ts'

/** A vendor's sheets with the operator's in place of ours; those for products we have none of are added. */
export function withOverrides(
  vendor: CapacityVendor,
  overrides: readonly SheetOverride[],
): readonly (Sheet & { readonly overridden: boolean })[] {
  const given = overrides.filter(({ vendor: name }) => name === vendor.name).map(({ sheet }) => sheet)
  const replaced = new Set(given.map(({ product }) => product))
  const ours = vendor.sheets.filter(({ product }) => !replaced.has(product))
  return [
    ...given.map((sheet) => ({ ...sheet, overridden: true })),
    ...ours.map((sheet) => ({ ...sheet, overridden: false })),
  ]
}

/**
 * Words after a product's name that say how it is built in, not which chip it is. A card for the `pcie` slot is none of
 * them: it has less power, and often other memory, than the module of the same name, and needs a sheet that says so.
 */
const FORM = /^(?:oam|sxm\d?|hbm\d?e?|\d+gi?b?)$/

/**
 * The sheet of a product as a tool names it. A tool may put the maker's name before it and the form factor after it;
 * any other word makes it another product (`X100 D` is no `X100`). The longest name that fits wins.
 */
export function findSheet<Item extends Pick<Sheet, 'product'>>(product: string, sheets: readonly Item[]): Item | null {
  const words = wordsOf(product)
  let best: { readonly sheet: Item; readonly length: number } | null = null
  for (const sheet of sheets) {
    const name = wordsOf(sheet.product)
    if (name.length > (best?.length ?? 0) && fits(words, name)) best = { sheet, length: name.length }
  }
  return best?.sheet ?? null
}

function fits(words: readonly string[], name: readonly string[]): boolean {
  for (let start = 0; start + name.length <= words.length; start += 1) {
    const here = name.every((word, index) => words[start + index] === word)
    if (here && words.slice(start + name.length).every((word) => FORM.test(word))) return true
  }
  return false
}

function wordsOf(text: string): readonly string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []
}
