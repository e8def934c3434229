#!/usr/bin/env node
/** `npx medley …` in a clone, under whatever Node the reader has: hands over to Node 24. */
import { endWith } from '../../../scripts/toolchain/failure.mjs'
import { becomeNode24 } from '../../../scripts/toolchain/launch.mjs'
import { inRoot } from '../../../scripts/toolchain/paths.mjs'

try {
  becomeNode24(inRoot('apps', 'cli', 'main.ts'), process.argv.slice(2))
} catch (error) {
  endWith(error)
}
