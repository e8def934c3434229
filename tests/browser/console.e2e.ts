/**
 * A real browser against a real factory: sign in by the one-time link, read the score and its evidence, chat and see
 * the answer arrive piece by piece, in both languages and both themes, with axe-core on every page.
 */
import type { Chip } from '@medley/server/schemas'
import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningFactory, startFactory } from '../factory.ts'
import { browserPath, freshBrowser, inLanguage, seriousViolations } from './browser.ts'

const words = {
  en: {
    overview: 'Overview',
    score: /^(Prefill|Decode): ([\d.]+) of 100, 95 % interval ([\d.]+) to ([\d.]+)$/,
    why: /Too noisy: |Void: /,
    prefill: 'Prefill',
    decode: 'Decode',
    holds: 'Digest and signature hold',
    message: 'Your message',
    speed: 'Speed',
    current: 'The deployment is in this form now.',
    spent: 'This sign-in link no longer works',
  },
  'zh-CN': {
    overview: '总览',
    score: /^(预填充|解码)：([\d.]+) 分（满分 100），95% 区间 ([\d.]+) 至 ([\d.]+)$/,
    why: /干扰太大：|作废：/,
    prefill: '预填充',
    decode: '解码',
    holds: '摘要与签名均成立',
    message: '你的消息',
    speed: '速度',
    current: '部署目前就是这个版本。',
    spent: '这个登录链接已失效',
  },
} as const
type Language = keyof typeof words
const languages: readonly Language[] = ['en', 'zh-CN']

const question = 'What is the capital of France?'

describe.skipIf(browserPath === null)('the console in a real browser', { timeout: 300_000 }, () => {
  let factory: RunningFactory
  let context: BrowserContext
  let page: Page
  let close: () => Promise<void>
  const failures: string[] = []

  beforeAll(async () => {
    factory = await startFactory()
    const browser = await freshBrowser(browserPath ?? '')
    context = browser.context
    close = browser.close
    page = context.pages()[0] ?? (await context.newPage())
    page.on('pageerror', (error) => failures.push(error.message))
  }, 400_000)

  afterAll(async () => {
    await close?.()
    await factory?.stop()
  }, 60_000)

  const open = async (path: string, language: Language) => {
    await page.goto(inLanguage(new URL(path, factory.consoleUrl).href, language))
    await page.locator('h1').waitFor()
  }
  const hrefOf = async (selector: string) => (await page.locator(selector).first().getAttribute('href')) ?? ''
  /** The machine's own chip, as the page's session sees it. */
  const theChip = async (): Promise<Chip> => {
    const response = await context.request.get(new URL('/api/v1/chips', factory.consoleUrl).href)
    const body: { readonly items: readonly Chip[] } = await response.json()
    const chip = body.items.find(({ facts }) => facts.vendor === 'cpu')
    if (chip === undefined) throw new Error('the factory has no CPU chip')
    return chip
  }

  it('signs in by the one-time link and takes the token out of the address bar', async () => {
    await page.goto(inLanguage(factory.signInLink, 'en'))
    await page.getByRole('heading', { level: 1, name: words.en.overview }).waitFor()
    expect(page.url()).not.toContain('token')
  })

  it.each(languages)('says what to do when the link was used (%s)', async (language) => {
    const stranger = await freshBrowser(browserPath ?? '')
    try {
      const other = stranger.context.pages()[0] ?? (await stranger.context.newPage())
      await other.goto(inLanguage(factory.signInLink, language))
      await other.getByRole('alert').getByText(words[language].spent).waitFor()
      expect(await other.getByRole('alert').textContent()).toContain('npx medley sign-in-link')
      expect(await seriousViolations(other)).toEqual([])
    } finally {
      await stranger.close()
    }
  })

  it.each(languages)(
    'shows each score with its interval, or why there is none, and the evidence (%s)',
    async (language) => {
      await open('/', language)
      const text = words[language]
      const axes = Object.values((await theChip()).score.axes)
      expect(axes.length).toBeGreaterThan(0)
      // The panel of chips loads after the page: what is read below stands in it.
      await page.locator('main a[href^="/records/"]').first().waitFor()
      for (const axis of axes) {
        const name = text[axis.event]
        if (axis.score === null) {
          // A busy machine is told to be one: no number, but the reason and the record.
          expect(axis.state).not.toBe('partial')
          expect(await page.locator('main').textContent()).toMatch(text.why)
        } else {
          const reading = page.getByRole('img', { name: text.score }).filter({ visible: true })
          const labels = await reading.evaluateAll((marks) =>
            marks.map((mark) => mark.getAttribute('aria-label') ?? ''),
          )
          const [, , score, low, high] =
            labels.map((label) => text.score.exec(label)).find((found) => found?.[1] === name) ?? []
          expect(Number(score)).toBeCloseTo(axis.score, 1)
          expect(Number(low)).toBeLessThanOrEqual(Number(score))
          expect(Number(high)).toBeGreaterThanOrEqual(Number(score))
        }
        const evidence = page.locator(`main a[href="/records/${axis.recordId}"]`)
        expect(await evidence.count()).toBeGreaterThan(0)
      }
      await page.locator('main a[href^="/records/"]').first().click()
      await page.getByText(text.holds).first().waitFor()
      expect(await page.locator('html').getAttribute('lang')).toBe(language)
    },
  )

  it.each(languages)('chats, and the answer arrives piece by piece (%s)', async (language) => {
    await open('/playground', language)
    // The most likely tokens only: what is asserted below must not depend on luck.
    await page.getByRole('slider').focus()
    await page.keyboard.press('Home')
    await page.evaluate(`{
      window.seenLengths = new Set()
      new MutationObserver(() => {
        const said = document.querySelector('.answer .said')
        if (said !== null) window.seenLengths.add(said.textContent.length)
      }).observe(document.body, { subtree: true, childList: true, characterData: true })
    }`)
    await page.getByRole('textbox', { name: words[language].message }).fill(question)
    await page.keyboard.press('Enter')
    const answer = page.locator('.answer')
    await answer.locator('.figures').waitFor({ timeout: 120_000 })
    expect(await answer.locator('.said').textContent()).toContain('Paris')
    expect(Number(await page.evaluate('window.seenLengths.size'))).toBeGreaterThan(2)
    const figures = await answer.locator('.figures').textContent()
    expect(figures).toContain(words[language].speed)
    expect(figures).toMatch(/[\d.]+\s?tok\/s/)
    expect(await seriousViolations(page)).toEqual([])

    // From the answer to its metered request, and from there to what answered.
    const request = answer.locator('a[href^="/usage?requestId="]')
    const id = (await request.textContent()) ?? ''
    await request.click()
    await page.getByRole('cell', { name: id }).waitFor()
    expect(
      await page
        .locator('tbody tr')
        .filter({ has: page.locator('code') })
        .count(),
    ).toBe(1)
    await page.locator('main a[href^="/revisions/"]').first().click()
    await page.getByText(words[language].current).first().waitFor()
    expect(await seriousViolations(page)).toEqual([])
  })

  it('stops an answer at once on Escape', async () => {
    await open('/playground', 'en')
    await page.getByRole('textbox', { name: words.en.message }).fill('Count from one to one hundred in words.')
    await page.keyboard.press('Enter')
    await page.locator('.answer .said:not(:empty)').waitFor({ timeout: 120_000 })
    await page.keyboard.press('Escape')
    await page.getByText('Stopped by you').first().waitFor()
    expect(await page.getByRole('button', { name: 'Send' }).count()).toBe(1)
  })

  it.each(languages)('creates a key that is shown once, and revokes it (%s)', async (language) => {
    await open('/keys', language)
    const zh = language === 'zh-CN'
    await page.getByRole('button', { name: zh ? '新建密钥' : 'Create a key' }).click()
    await page.locator('#key-name').fill(`browser ${language}`)
    await page.keyboard.press('Enter')
    const shown = page.getByRole('region', { name: zh ? '密钥' : 'Key', exact: true })
    expect(await shown.textContent()).toMatch(/^mk_/)
    expect(await seriousViolations(page)).toEqual([])
    await page.getByRole('button', { name: zh ? '已复制保存' : 'I have copied it' }).click()
    const row = page.getByRole('row').filter({ hasText: `browser ${language}` })
    await row.getByRole('button').click()
    await page
      .getByRole('dialog')
      .getByRole('button', { name: zh ? '撤销' : 'Revoke', exact: true })
      .click()
    await row.getByText(zh ? '已撤销' : 'Revoked').waitFor()
    expect(await row.getByRole('button').count()).toBe(0)
  })

  const looks = languages.flatMap((language) => [
    { language, theme: 'light', width: 1440 },
    { language, theme: 'dark', width: 390 },
  ])
  it.each(looks)('has no serious axe violation: $language, $theme, $width wide', async ({ language, theme, width }) => {
    await page.setViewportSize({ width, height: 900 })
    await page.evaluate(`localStorage.setItem('medley.theme', '${theme}')`)
    await open('/chips', language)
    const chip = await hrefOf('main a[href^="/chips/"]')
    const record = await hrefOf('main a[href^="/records/"]')
    await open('/models', language)
    const deployment = await hrefOf('main a[href^="/deployments/"]')
    for (const path of ['/', '/chips', chip, record, '/models', deployment, '/playground', '/keys', '/usage']) {
      await open(path, language)
      await page.waitForLoadState('load')
      expect(await seriousViolations(page)).toEqual([])
      const overflow = await page.evaluate('document.documentElement.scrollWidth - window.innerWidth')
      expect(overflow, `${path} is wider than the screen`).toBeLessThanOrEqual(0)
    }
    await page.setViewportSize({ width: 1440, height: 900 })
  })

  it('threw nothing in the page all along', () => {
    expect(failures).toEqual([])
  })
})
