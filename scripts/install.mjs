/** Installs what the lockfile names, if it is not there: the first step of `npm start`, alone. */
import { endWith } from './toolchain/failure.mjs'
import { ensureInstalled } from './toolchain/install.mjs'

ensureInstalled().catch(endWith)
