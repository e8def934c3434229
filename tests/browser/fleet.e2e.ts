/**
 * The fleet's pages in a real browser: a real factory, real agent connections of a small simulated fleet with faults,
 * used as an operator would, by pointer and by keyboard, with axe-core on every page.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { FleetCell, Node } from '@medley/server/fleet-schemas'
import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningFactory, startFactory } from '../factory.ts'
import { browserPath, freshBrowser, inLanguage, seriousViolations } from './browser.ts'

const CLI = fileURLToPath(new URL('../../apps/cli/main.ts', import.meta.url))

/** Two makers that do not exist; one chip is lost from the start, one node has another driver. */
const plan = {
  seed: 7,
  interval: 5,
  load: { kind: 'constant', level: 0.6 },
  groups: [
    {
      name: 'east',
      nodes: 3,
      vendor: 'acme',
      product: 'Acme A1',
      chips: { driverVersion: '1.0', links: { label: 'AL4' } },
    },
    { name: 'west', nodes: 2, vendor: 'bolt', product: 'Bolt B2', chips: { count: 4, driverVersion: '7.1' } },
  ],
  faults: [
    { kind: 'lost', at: 0, on: { group: 'east', nodes: [2], chips: [3] } },
    { kind: 'driver-version', at: 0, version: '0.9', on: { group: 'east', nodes: [3] } },
  ],
}
const simulatedChips = 3 * 8 + 2 * 4

type Language = 'en' | 'zh-CN'

describe.skipIf(browserPath === null)('the fleet in a real browser', { timeout: 120_000 }, () => {
  let factory: RunningFactory
  let simulation: ChildProcess
  let context: BrowserContext
  let page: Page
  let close: () => Promise<void>
  let said = ''
  const failures: string[] = []

  const read = async <Body>(path: string): Promise<Body> => {
    const response = await context.request.get(new URL(path, factory.consoleUrl).href)
    if (!response.ok()) throw new Error(`${path}: ${response.status()} ${await response.text()}`)
    const body: Body = await response.json()
    return body
  }
  const cells = async () => (await read<{ readonly cells: readonly FleetCell[] }>('/api/v1/fleet/map')).cells
  const nodes = async () => (await read<{ readonly items: readonly Node[] }>('/api/v1/nodes')).items
  const open = async (path: string, language: Language = 'en') => {
    await page.goto(inLanguage(new URL(path, factory.consoleUrl).href, language))
    await page.locator('h1').waitFor()
  }

  beforeAll(async () => {
    factory = await startFactory()
    const browser = await freshBrowser(browserPath ?? '')
    context = browser.context
    close = browser.close
    page = context.pages()[0] ?? (await context.newPage())
    page.on('pageerror', (error) => failures.push(error.message))
    await page.goto(inLanguage(factory.signInLink, 'en'))
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
    const file = join(factory.data, 'plan.json')
    await writeFile(file, JSON.stringify(plan))
    simulation = spawn(process.execPath, [CLI, 'fleet', 'simulate', '--plan', file, '--data', factory.data], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    simulation.stdout?.on('data', (piece) => (said += piece))
    simulation.stderr?.on('data', (piece) => (said += piece))
    const deadline = performance.now() + 90_000
    const isThere = (all: readonly FleetCell[]) =>
      all.filter((cell) => cell.simulated).length === simulatedChips &&
      all.some((cell) => cell.state === 'lost') &&
      all.some((cell) => cell.utilizationRatio !== null && cell.simulated)
    while (!isThere(await cells())) {
      if (performance.now() > deadline) throw new Error(`the simulated fleet did not come up:\n${said}`)
      await sleep(500)
    }
  }, 400_000)

  afterAll(async () => {
    await close?.()
    simulation?.kill('SIGTERM')
    await factory?.stop()
  }, 60_000)

  it('moves over the map by keyboard, says what is there, and opens the chip', async () => {
    await open('/fleet')
    const map = page.getByRole('application')
    await map.waitFor()
    await map.focus()
    const live = page.locator('.map-scroll [role="status"]')
    await page.keyboard.press('Home')
    const first = await live.textContent()
    await page.keyboard.press('ArrowRight')
    await expect.poll(() => live.textContent()).not.toBe(first)
    expect(await live.textContent()).toMatch(/node .+: .+, utilisation .+/)
    await page.keyboard.press('End')
    // Racks come in the order of their names, chips without one last: the last is the machine's own.
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/chips\//)
    await page.getByRole('region', { name: 'Readings' }).waitFor()
  })

  it('points out states by the legend and keeps the choice in the address', async () => {
    await open('/fleet?group=vendor')
    const lost = page.getByRole('button', { name: /^Lost 1$/ })
    await lost.click()
    await page.waitForURL(/state=lost/)
    expect(await lost.getAttribute('aria-pressed')).toBe('true')
    await page.getByRole('button', { name: /^Driver differs 8$/ }).waitFor()
    await page.getByText('As a table').click()
    const row = page.getByRole('row').filter({ hasText: 'acme' })
    expect(await row.getByRole('cell').allTextContents()).toEqual(expect.arrayContaining(['3', '24', '23']))
  })

  it('marks simulated chips in the list and in its export', async () => {
    await open('/chips?vendor=acme&state=lost', 'zh-CN')
    const row = page.locator('tbody tr')
    await row.first().waitFor()
    expect(await row.count()).toBe(1)
    expect(await row.textContent()).toContain('模拟')
    expect(await row.getAttribute('class')).toContain('hatch')
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: '导出 CSV' }).click(),
    ])
    const [head = '', line = '', ...rest] = (await readFile(await download.path(), 'utf8')).trim().split('\r\n')
    expect(rest).toEqual([])
    expect(line.split(',')[head.split(',').indexOf('simulated')]).toBe('true')
    expect(line).toContain(',lost,')
  })

  it('shows why a chip is lost, quarantines it and lets it out again', async () => {
    const lost = (await cells()).find((cell) => cell.state === 'lost')
    await open(`/chips/${lost?.chipId}`)
    await page.getByText('Lost', { exact: true }).first().waitFor()
    await page.getByRole('list', { name: 'What happened to this chip' }).getByRole('listitem').first().waitFor()
    const dialog = page.getByRole('dialog')
    const button = (name: string) => page.locator('.page-head').getByRole('button', { name, exact: true })
    await button('Quarantine').click()
    await dialog.getByRole('button', { name: 'Quarantine' }).click()
    await dialog.getByText('Say why').waitFor()
    await dialog.getByLabel('Reason').fill('bent pins')
    await dialog.getByRole('button', { name: 'Quarantine' }).click()
    await page.getByText('bent pins').first().waitFor()
    await dialog.waitFor({ state: 'hidden' })
    await button('Release').click()
    await dialog.getByLabel('Reason').fill('reseated')
    await dialog.getByRole('button', { name: 'Release' }).click()
    await button('Quarantine').waitFor()
  })

  it('draws readings with their table for each range', async () => {
    const busy = (await cells()).find((cell) => cell.simulated && cell.state === 'healthy')
    await open(`/chips/${busy?.chipId}?range=1h`)
    const readings = page.getByRole('region', { name: 'Readings' })
    await readings
      .getByRole('img', { name: /Utilisation/ })
      .locator('canvas')
      .waitFor()
    expect(await readings.getByText('Simulated readings').count()).toBe(1)
    await readings.getByText('As a table').click()
    await readings.getByRole('cell', { name: /%$/ }).first().waitFor()
    await readings.getByText('7 d').click()
    await page.waitForURL(/range=7d/)
  })

  it('cordons a node with a reason, labels it, and refuses a label no scheduler would take', async () => {
    const node = (await nodes()).find(({ facts }) => facts.hostname.includes('west'))
    await open(`/nodes/${node?.id}`)
    await page.getByRole('button', { name: 'Cordon' }).click()
    await page.getByRole('dialog').getByLabel('Reason').fill('fan change')
    await page.getByRole('dialog').getByRole('button', { name: 'Cordon' }).click()
    await page.getByText('Cordoned', { exact: true }).first().waitFor()
    await page
      .getByText(/fan change/)
      .first()
      .waitFor()
    await page.getByRole('button', { name: /^Edit Labels/ }).click()
    await page.getByRole('button', { name: 'Add a label' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Labels: Key').last().fill('-bad')
    expect(await dialog.getByRole('button', { name: 'Save' }).isDisabled()).toBe(true)
    await dialog.getByLabel('Labels: Key').last().fill('zone')
    await dialog.getByLabel('Labels: Value').last().fill('lab')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await page.getByText('zone=lab').waitFor()
    await page.getByRole('button', { name: 'Uncordon' }).click()
    await page.getByRole('button', { name: 'Cordon', exact: true }).waitFor()
  })

  it('shows the join command once and revokes its token', async () => {
    await open('/nodes?join=yes')
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('What for').fill('browser test')
    await dialog.getByRole('button', { name: 'Create token' }).click()
    const command = dialog.getByRole('region', { name: 'Command for the node' })
    expect(await command.textContent()).toMatch(/mjt_\w+ .*agent join http/)
    await dialog.getByRole('button', { name: 'I have copied it' }).click()
    await open('/nodes?join=yes')
    const row = dialog.getByRole('row').filter({ hasText: 'browser test' })
    await row.getByRole('button', { name: /Revoke/ }).click()
    await row.getByText('Revoked').waitFor()
  })

  it('adds a channel without ever showing its address again, and changes a rule', async () => {
    await open('/alerts?view=channels')
    await page.getByRole('button', { name: 'Add a channel' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Name').fill('ops')
    await dialog.getByLabel('Webhook address').fill('https://hooks.example.com/secret-path-0042')
    await dialog.getByRole('button', { name: 'Add', exact: true }).click()
    const row = page.getByRole('row').filter({ hasText: 'hooks.example.com' })
    await row.waitFor()
    expect(await row.textContent()).not.toContain('secret-path')
    await row.getByRole('button', { name: /Delete/ }).click()
    await dialog.getByRole('button', { name: 'Delete' }).click()
    await page.getByText('Nobody is told yet').waitFor()
    await open('/alerts?view=rules')
    const rule = page.getByRole('switch').first()
    await rule.click()
    await expect.poll(() => rule.getAttribute('aria-checked')).toBe('false')
    await rule.click()
    await expect.poll(() => rule.getAttribute('aria-checked')).toBe('true')
  })

  it('finds nodes and pages from anywhere', async () => {
    await open('/')
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox').fill('east')
    await page.getByRole('option').filter({ hasText: 'Node' }).first().waitFor()
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/nodes\//)
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox').fill('算力')
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/capacity/)
  })

  it.each([
    { language: 'en', theme: 'dark', width: 1440 },
    { language: 'zh-CN', theme: 'light', width: 390 },
  ] as const)('has no serious axe violation: $language, $theme, $width wide', async ({ language, theme, width }) => {
    await page.setViewportSize({ width, height: 900 })
    await page.evaluate(`localStorage.setItem('medley.theme', '${theme}')`)
    const node = (await nodes()).find(({ simulated }) => simulated)
    const chip = (await cells()).find(({ nodeId }) => nodeId === node?.id)
    const views = ['', '?view=hardware', '?view=topology', '?view=history']
    const paths = [
      '/fleet',
      '/nodes',
      ...views.map((view) => `/nodes/${node?.id}${view}`),
      '/chips',
      `/chips/${chip?.chipId}`,
      '/vendors',
      '/vendors/cpu',
      `/topology?node=${node?.id}`,
      '/capacity',
      ...['', '?view=past', '?view=rules', '?view=channels'].map((view) => `/alerts${view}`),
      '/audit',
    ]
    for (const path of paths) {
      await open(path, language)
      await page.waitForLoadState('load')
      await page.locator('main .loading').first().waitFor({ state: 'detached' })
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
