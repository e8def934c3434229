import { CHIP_METRICS } from '@medley/monitoring/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BUILT_IN_RULES } from './built-in.ts'
import { createEvaluator, type Evaluator, type Outcome, type StandingChange, type TrailChange } from './evaluator.ts'
import type { ChipObservation, NodeObservation, Observation } from './observation.ts'
import type { AlertRule, MetricColumns } from './rule.ts'

const columns: MetricColumns = new Map(
  CHIP_METRICS.map(({ name, kind }, index) => [name, { index, counter: kind === 'counter' }]),
)
const rules: AlertRule[] = BUILT_IN_RULES.map(({ key, ...rule }) => ({ ...rule, id: key, builtIn: true }))
const rule = (key: string, change: Partial<AlertRule> = {}): AlertRule[] =>
  rules.filter(({ id }) => id === key).map((each) => ({ ...each, ...change }))

function values(readings: Readonly<Record<string, number | null>>): (number | null)[] {
  return CHIP_METRICS.map(({ name }) => readings[name] ?? null)
}

function chip(fields: Partial<ChipObservation> = {}): ChipObservation {
  return {
    chipId: 'chip_a',
    nodeId: 'node_a',
    name: 'A100 0',
    vendor: 'cpu',
    product: 'P',
    state: 'healthy',
    evidence: [],
    quarantine: null,
    driverVersion: '1.0',
    simulated: false,
    values: null,
    readAtMs: null,
    ...fields,
  }
}

function node(fields: Partial<NodeObservation> = {}): NodeObservation {
  const centre = { tenantId: null, simulated: false, maintenance: false }
  return { nodeId: 'node_a', name: 'n1', state: 'connected', ...centre, ...fields }
}

const fleet = (chips: ChipObservation[], nodes = [node()]): Observation => ({ complete: true, nodes, chips })
const kinds = (outcome: Outcome) => outcome.transitions.map(({ event, ruleId }) => `${ruleId} ${event}`)
const S = 1_000

function judge(evaluator: Evaluator, active: readonly AlertRule[], observation: Observation, nowMs: number): Outcome {
  evaluator.observe(observation)
  return evaluator.evaluate(active, nowMs)
}

/** Runs a sequence of observations, each `[seconds, observation]`, and says what began and ended when. */
function play(active: readonly AlertRule[], steps: readonly (readonly [number, Observation])[]): string[] {
  const evaluator = createEvaluator(columns, { standings: [], trails: [] })
  return steps.flatMap(([seconds, observation]) => {
    const outcome = judge(evaluator, active, observation, seconds * S)
    evaluator.commit(outcome)
    return kinds(outcome).map((kind) => `${seconds}: ${kind}`)
  })
}

const hot = (seconds: number, temperatureCelsius: number | null, more: Partial<ChipObservation> = {}) =>
  [
    seconds,
    fleet([chip({ values: values({ temperatureCelsius }), readAtMs: seconds * S, ...more })]),
  ] satisfies readonly [number, Observation]

describe('a metric', () => {
  it('must be so for long enough, and must be over for as long', () => {
    const steps = [hot(0, 90), hot(60, 90), hot(119, 90), hot(120, 90), hot(180, 70), hot(299, 70), hot(300, 70)]
    expect(play(rule('heat'), steps)).toEqual(['120: heat firing', '300: heat resolved'])
  })
  it('that swings around its threshold calls once', () => {
    const swing = Array.from({ length: 200 }, (_, index) => hot(index * 15, index < 20 || index % 3 ? 90 : 80))
    expect(play(rule('heat'), swing)).toEqual(['120: heat firing'])
  })
  it('ends in the second evaluation at the earliest, also without a duration', () => {
    const at = (seconds: number, value: number) => hot(seconds, value)
    expect(play(rule('heat', { forSeconds: 0 }), [at(0, 90), at(15, 70), at(30, 70)])).toEqual([
      '0: heat firing',
      '30: heat resolved',
    ])
  })
  it('that is not known neither calls nor takes back, and counts towards no duration', () => {
    const unknown = [hot(0, 90), hot(60, null), hot(600, null), hot(610, 90), hot(660, 90), hot(670, 90)]
    expect(play(rule('heat'), unknown)).toEqual(['670: heat firing'])
    const gone = [hot(0, 90), hot(120, 90), hot(135, null), hot(9_000, null)]
    expect(play(rule('heat'), gone)).toEqual(['120: heat firing'])
  })
  it('that was read too long ago is not known', () => {
    const stale = chip({ values: values({ temperatureCelsius: 99 }), readAtMs: 0 })
    expect(play(rule('heat', { forSeconds: 0 }), [[600, fleet([stale])]])).toEqual([])
  })
})

describe('growth within the hour', () => {
  const errors = (seconds: number, eccErrorsUncorrected: number | null) =>
    [seconds, fleet([chip({ values: values({ eccErrorsUncorrected }), readAtMs: seconds * S })])] as const

  it('is counted from the first look, and is over after an hour', () => {
    const steps = [errors(0, 7), errors(15, 7), errors(30, 8), errors(3_640, 8), errors(3_660, 8), errors(3_675, 8)]
    expect(play(rule('ecc-uncorrected'), steps)).toEqual([
      '30: ecc-uncorrected firing',
      '3675: ecc-uncorrected resolved',
    ])
  })
  it('goes on through a reset of the counter', () => {
    expect(play(rule('ecc-uncorrected'), [errors(0, 7), errors(15, 0)])).toEqual([])
    expect(play(rule('ecc-uncorrected'), [errors(0, 7), errors(15, 2)])).toEqual(['15: ecc-uncorrected firing'])
  })
})

describe('driver drift', () => {
  const versions = (...list: (string | null)[]) =>
    fleet(list.map((driverVersion, index) => chip({ chipId: `chip_${index}`, driverVersion })))
  const drift = (...list: (string | null)[]) => {
    const evaluator = createEvaluator(columns, { standings: [], trails: [] })
    const { transitions } = judge(evaluator, rule('driver-drift', { forSeconds: 0 }), versions(...list), 0)
    return transitions.map(({ subjectId }) => subjectId)
  }
  it('is to differ from what most chips of the product run', () => {
    expect(drift('1', '1', '2', null)).toEqual(['chip_2'])
    expect(drift('1', '1', '1')).toEqual([])
  })
  it('is nobody’s when two versions lead alike', () => {
    expect(drift('1', '1', '2', '2', '3')).toEqual([])
  })
})

describe('states', () => {
  const lost = (seconds: number, state: ChipObservation['state'], nodes?: NodeObservation[]) =>
    [seconds, fleet([chip({ state })], nodes)] satisfies readonly [number, Observation]

  it('of a chip nobody can see say nothing', () => {
    const steps = [lost(0, 'lost'), lost(60, 'lost'), lost(90, 'unknown'), lost(900, 'unknown')]
    expect(play(rule('card-lost'), steps)).toEqual(['60: card-lost firing'])
  })
  it('of a node in maintenance call nobody and take nothing back', () => {
    const away = (seconds: number, maintenance: boolean) =>
      [seconds, fleet([], [node({ state: 'away', maintenance })])] as const
    expect(play(rule('node-away'), [away(0, true), away(600, true)])).toEqual([])
    expect(play(rule('node-away'), [away(0, false), away(60, false), away(90, true), away(900, true)])).toEqual([
      '60: node-away firing',
    ])
  })
  it('of a revoked node or a chip that is gone are over', () => {
    const steps = [lost(0, 'lost'), lost(60, 'lost'), lost(90, 'lost', [node({ state: 'revoked' })])]
    const revoked = [...steps, lost(150, 'lost', [node({ state: 'revoked' })])]
    expect(play(rule('card-lost'), revoked)).toEqual(['60: card-lost firing', '150: card-lost resolved'])
    const gone = [lost(0, 'lost'), lost(60, 'lost'), [75, fleet([])] as const]
    expect(play(rule('card-lost'), gone)).toEqual(['60: card-lost firing', '75: card-lost resolved'])
  })
  it('are not judged before the whole fleet was seen', () => {
    const part: Observation = { ...fleet([chip({ state: 'lost' })]), complete: false }
    const quick = rule('card-lost', { forSeconds: 0 })
    expect(play(quick, [[0, part]])).toEqual([])
    expect(
      play(quick, [
        [0, fleet([])],
        [15, part],
      ]),
    ).toEqual(['15: card-lost firing'])
  })
  it('of simulated chips and other vendors are left out where the rule says so', () => {
    const observed = fleet([chip({ state: 'lost', simulated: true })])
    const quick = (change: Partial<AlertRule>) => rule('card-lost', { forSeconds: 0, ...change })
    expect(play(quick({ includeSimulated: false }), [[0, observed]])).toEqual([])
    expect(play(quick({ vendors: ['other'] }), [[0, observed]])).toEqual([])
    expect(play(quick({ vendors: ['cpu'] }), [[0, observed]])).toEqual(['0: card-lost firing'])
  })
  it('of a rule that is disabled or deleted are over', () => {
    const evaluator = createEvaluator(columns, { standings: [], trails: [] })
    const [quick] = rule('card-lost', { forSeconds: 0 })
    const run = (active: readonly AlertRule[], at: number) => {
      const outcome = judge(evaluator, active, fleet([chip({ state: 'lost' })]), at)
      evaluator.commit(outcome)
      return kinds(outcome)
    }
    if (!quick) throw new Error('no rule')
    expect(run([quick], 0)).toEqual(['card-lost firing'])
    expect(run([{ ...quick, enabled: false }], 1)).toEqual(['card-lost resolved'])
    expect(run([quick], 2)).toEqual(['card-lost firing'])
    expect(run([], 3)).toEqual(['card-lost resolved'])
  })
})

const chipStates = ['absent', 'lost', 'degraded', 'healthy', 'unknown'] as const
const readings = fc.record({
  state: fc.constantFrom(...chipStates),
  temperature: fc.constantFrom(null, 60, 90),
  errors: fc.constantFrom(null, 0, 1, 5),
  driverVersion: fc.constantFrom(null, '1', '2'),
  quarantined: fc.boolean(),
  gone: fc.boolean(),
})
const moment = fc.record({
  // Two readings of one chip are never of the same time.
  afterSeconds: fc.integer({ min: 1, max: 400 }),
  chips: fc.tuple(readings, readings, readings),
  nodes: fc.constantFrom('connected', 'away', 'revoked', 'maintenance'),
  disabled: fc.constantFrom(null, 'heat', 'card-lost'),
  restart: fc.boolean(),
})

function observe(
  { chips, nodes }: typeof moment extends fc.Arbitrary<infer T> ? T : never,
  nowMs: number,
): Observation {
  const observed = chips.flatMap(({ state, temperature, errors, driverVersion, quarantined, gone }, index) => {
    const quarantine = quarantined ? { code: 'repeated', params: {} } : null
    const read = values({ temperatureCelsius: temperature, eccErrorsUncorrected: errors })
    const fields = { chipId: `chip_${index}`, state, driverVersion, quarantine, values: read, readAtMs: nowMs }
    return gone ? [] : [chip(fields)]
  })
  const state = nodes === 'maintenance' ? 'connected' : nodes
  return fleet(observed, [node({ state, maintenance: nodes === 'maintenance' })])
}

/** What a store would hold. */
function savedState() {
  const standings = new Map<string, StandingChange>()
  const trails = new Map<string, TrailChange>()
  return {
    take(outcome: Outcome) {
      for (const change of outcome.standings) standings.set(`${change.ruleId} ${change.subjectId}`, change)
      for (const change of outcome.trails) trails.set(`${change.chipId} ${change.metric}`, change)
    },
    state: () => ({
      standings: [...standings.values()].filter(({ standing }) => standing !== null),
      trails: [...trails.values()],
    }),
  }
}

/** In an order that does not depend on which chip was seen first. */
const told = ({ transitions }: Outcome) =>
  transitions.map((each) => JSON.stringify([each.ruleId, each.subjectId, each.event, each.value, each.evidence])).sort()

function expectOpening(open: Set<string>, { event, ruleId, subjectId }: Outcome['transitions'][number]): void {
  const key = `${ruleId} ${subjectId}`
  expect(open.has(key)).toBe(event === 'resolved')
  if (event === 'firing') open.add(key)
  else open.delete(key)
}

describe('whatever happens', () => {
  it('a rule has one open alert of a subject at most, ends only what began, and a restart changes nothing', () => {
    fc.assert(
      fc.property(fc.array(moment, { maxLength: 40 }), (moments) => {
        const steady = createEvaluator(columns, { standings: [], trails: [] })
        const saved = savedState()
        let restarted = createEvaluator(columns, saved.state())
        const open = new Set<string>()
        let nowMs = 0
        for (const each of moments) {
          nowMs += each.afterSeconds * S
          const active = rules.map((known) => ({ ...known, enabled: known.id !== each.disabled }))
          if (each.restart) restarted = createEvaluator(columns, saved.state())
          const outcome = judge(steady, active, observe(each, nowMs), nowMs)
          // Unless it is stored, it did not happen: the same again gives the same.
          expect(told(judge(steady, active, observe(each, nowMs), nowMs))).toEqual(told(outcome))
          const again = judge(restarted, active, observe(each, nowMs), nowMs)
          expect(told(again)).toEqual(told(outcome))
          steady.commit(outcome)
          restarted.commit(again)
          saved.take(again)
          for (const transition of outcome.transitions) expectOpening(open, transition)
        }
      }),
      { numRuns: 500 },
    )
  }, 60_000)

  it('naming only what changed comes to the same', () => {
    fc.assert(
      fc.property(fc.array(moment, { maxLength: 20 }), (moments) => {
        const whole = createEvaluator(columns, { standings: [], trails: [] })
        const parts = createEvaluator(columns, { standings: [], trails: [] })
        let nowMs = 0
        for (const [index, each] of moments.entries()) {
          nowMs += each.afterSeconds * S
          const observation = observe({ ...each, chips: mapChips(each.chips) }, nowMs)
          const first = judge(whole, rules, observation, nowMs)
          const second = judge(parts, rules, { ...observation, complete: index === 0 }, nowMs)
          expect(told(second)).toEqual(told(first))
          whole.commit(first)
          parts.commit(second)
        }
      }),
      { numRuns: 50 },
    )
  }, 60_000)
})

/** Nobody leaves: that a chip is gone can only be told by naming all others. */
function mapChips<Chip extends { readonly gone: boolean }>(chips: [Chip, Chip, Chip]): [Chip, Chip, Chip] {
  const [first, second, third] = chips
  return [
    { ...first, gone: false },
    { ...second, gone: false },
    { ...third, gone: false },
  ]
}
