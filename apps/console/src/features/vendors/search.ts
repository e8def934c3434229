import { searchOf } from '../../shared/search.ts'

/** `q`: part of a vendor's or product's name; `confidence`: sheets of this confidence only. */
export const vendorsSearch = searchOf('q')
