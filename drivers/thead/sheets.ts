import { sheet } from '../sheets.ts'

export const theadSheets = [sheet('PPU-ZW810E', {}, null, 'third party', 'no compute figure found')]
