/** A real browser for the end-to-end tests, and what all of them ask of a page. */
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import { chromium, type Page } from 'playwright-core'

/** Null: there is none, and the tests skip. */
export const browserPath = findChromium()
if (browserPath === null) {
  console.warn('SKIPPED: no Chromium found on PATH; install one or name it in MEDLEY_CHROMIUM to run the browser test')
}

function findChromium(): string | null {
  const named = process.env.MEDLEY_CHROMIUM
  if (named !== undefined && named !== '') return existsSync(named) ? named : null
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
  const folders = (process.env.PATH ?? '').split(delimiter)
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find((path) => existsSync(path)) ?? null
}

/** A browser that has never been used, told to keep to itself. */
export async function freshBrowser(executablePath: string) {
  const profile = await mkdtemp(join(tmpdir(), 'medley-browser-'))
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    headless: true,
    viewport: { width: 1440, height: 900 },
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
  context.setDefaultTimeout(30_000)
  const close = async () => {
    await context.close()
    await rm(profile, { recursive: true, force: true })
  }
  return { context, close }
}

export function inLanguage(link: string, language: 'en' | 'zh-CN'): string {
  const url = new URL(link)
  url.searchParams.set('lang', language)
  return url.href
}

/** What axe-core finds serious or critical on the page as it stands. */
export async function seriousViolations(page: Page): Promise<readonly string[]> {
  const { violations } = await new AxeBuilder({ page }).options({ resultTypes: ['violations'] }).analyze()
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${new URL(page.url()).pathname} ${id}: ${nodes.map((node) => node.html).join(' | ')}`)
}
