import { execFile } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
// Inside the clone, so that imports resolve as they do for any source; ignored by git.
const PLANTED = join(ROOT, '.cache', `planted-${process.pid}`)

const WHOLE = "{ hello: { en: 'Hello {name}', 'zh-CN': '你好,{name}' } }"
const HALF = "{ hello: { en: 'Hello' } }"

async function typeErrors(source: string, file: string): Promise<string> {
  writeFileSync(join(PLANTED, file), source)
  const options = { extends: '../../apps/console/tsconfig.json', files: [file], include: [] }
  writeFileSync(join(PLANTED, 'tsconfig.json'), JSON.stringify(options))
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
  const run = promisify(execFile)(process.execPath, [tsc, '-p', PLANTED])
  return run.then(
    () => '',
    (error: { stdout: string }) => error.stdout,
  )
}

const consoleText = (dictionary: string) =>
  `import { defineMessages } from '../../apps/console/src/i18n/messages.ts'\nexport const text = defineMessages(${dictionary})\n`
const errorText = (title: string) =>
  `import type { Localized } from '../../platform/kernel/index.ts'\nexport const title: Localized = ${title}\n`

describe('a missing translation', () => {
  beforeAll(() => mkdirSync(PLANTED, { recursive: true }))
  afterAll(() => rmSync(PLANTED, { recursive: true, force: true }))

  it('fails the type check in a dictionary of the console', async () => {
    expect(await typeErrors(consoleText(WHOLE), 'whole.ts')).toBe('')
    const errors = await typeErrors(consoleText(HALF), 'half.ts')
    expect(errors).toMatch(/half\.ts.*error TS\d+/)
    expect(errors).toContain('zh-CN')
  })

  it('fails the type check in a table of errors', async () => {
    const errors = await typeErrors(errorText("{ en: 'Only English' }"), 'title.ts')
    expect(errors).toMatch(/title\.ts.*error TS\d+/)
    expect(errors).toContain('zh-CN')
  })
})
