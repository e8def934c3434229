import { parse as parseYaml } from 'yaml'
import { z } from 'zod'

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** A span of time: seconds as a number, or `90s`, `15m`, `2h`, `1d`. Read as milliseconds. */
const span = z.union([
  z
    .number()
    .nonnegative()
    .transform((seconds) => seconds * 1_000),
  z
    .string()
    .regex(/^\d+(\.\d+)?(ms|s|m|h|d)$/, 'must be a number of seconds or a span such as 90s, 15m, 2h')
    .transform((text) => Number.parseFloat(text) * (UNITS[/[a-z]+$/.exec(text)?.[0] ?? 's'] ?? 1_000)),
])
const positiveSpan = span.refine((ms) => ms >= 1_000, 'must be at least one second')

const word = z.string().trim().min(1).max(200)
const ratio = z.number().min(0).max(1)

/** How busy the chips are over time, each a little different from its neighbour. */
const load = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('constant'), level: ratio, noise: ratio.default(0.05) }),
  z.strictObject({
    kind: z.literal('sine'),
    low: ratio.default(0.1),
    high: ratio.default(0.9),
    period: positiveSpan.default(3_600_000),
    noise: ratio.default(0.05),
  }),
  /** Quiet at four in the morning, busiest at four in the afternoon. */
  z.strictObject({
    kind: z.literal('day'),
    low: ratio.default(0.1),
    high: ratio.default(0.9),
    utcOffsetHours: z.number().min(-12).max(14).default(8),
    noise: ratio.default(0.05),
  }),
])
export type LoadCurve = z.infer<typeof load>

const chipProfile = z.strictObject({
  /** Chips per node. */
  count: z.number().int().min(1).max(64).default(8),
  perCard: z.number().int().min(1).max(8).default(1),
  memoryGiB: z.number().positive().default(64),
  idleWatts: z.number().nonnegative().default(80),
  maxWatts: z.number().positive().default(400),
  clockMegahertz: z.number().positive().default(1_500),
  memoryClockMegahertz: z.number().positive().default(1_600),
  driverVersion: z.string().nullable().default(null),
  firmwareVersion: z.string().nullable().default(null),
  computeUnits: z.number().int().positive().nullable().default(null),
  features: z.array(word).default([]),
  /** Every chip of a node joined to every other. */
  links: z.strictObject({ label: word, gigabytesPerSecond: z.number().positive().nullable().default(null) }).optional(),
})

const group = z.strictObject({
  name: word,
  nodes: z.number().int().min(1).max(5_000),
  vendor: word,
  product: word,
  chips: chipProfile.prefault({}),
  /** `{n}` is the number of the node in its group, from 1; `{n:4}` has four digits. Marked `sim-` in any case. */
  hostname: word.default('sim-{group}-{n:4}'),
  /** `{rack}` is counted over the group, `nodesPerRack` nodes each. */
  rack: word.default('{group}-{rack:2}'),
  nodesPerRack: z.number().int().min(1).default(8),
  spine: word.default('{group}-S{spine}'),
  racksPerSpine: z.number().int().min(1).default(16),
  labels: z.record(word, z.string().max(200)).default({}),
  load: load.optional(),
})
export type GroupPlan = z.infer<typeof group>

/** Whom a fault befalls; everything left out means all. */
const selector = z
  .strictObject({
    group: word.optional(),
    /** Numbers of nodes in their group, from 1. */
    nodes: z.array(z.number().int().min(1)).optional(),
    /** Chips by their index on the node, from 0. */
    chips: z.array(z.number().int().min(0)).optional(),
    /** Of those selected, this share, chosen by the seed. */
    share: ratio.optional(),
  })
  .prefault({})
export type Selector = z.infer<typeof selector>

const when = {
  /** Since the simulation first started. */
  at: span,
  /** Left out: for ever. */
  for: positiveSpan.optional(),
  /** Comes again each time this long has passed. */
  every: positiveSpan.optional(),
  on: selector,
}
const fault = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('lost'), ...when }),
    z.strictObject({ kind: z.literal('absent'), ...when }),
    z.strictObject({ kind: z.literal('unusable'), ...when }),
    z.strictObject({ kind: z.literal('degraded'), ...when }),
    z.strictObject({ kind: z.literal('hot'), celsius: z.number().min(0).max(150).default(97), ...when }),
    z.strictObject({ kind: z.literal('ecc'), errors: z.number().int().min(1).default(1), ...when }),
    z.strictObject({ kind: z.literal('driver-version'), version: word, ...when }),
    z.strictObject({ kind: z.literal('tool-missing'), ...when }),
    /** Switched off: no readings, no connection; another start when it is over. */
    z.strictObject({ kind: z.literal('node-away'), ...when }),
    /** The network only: readings go on and are handed in later. */
    z.strictObject({ kind: z.literal('network-cut'), ...when }),
    z.strictObject({ kind: z.literal('clock-skew'), byMs: z.number().int().min(-86_400_000).max(86_400_000), ...when }),
  ])
  .refine(({ for: duration, every }) => every === undefined || (duration !== undefined && duration < every), {
    message: 'a fault that comes again needs `for`, shorter than `every`',
    path: ['every'],
  })
export type Fault = z.infer<typeof fault>

/** A fleet without hardware: what stands where, how busy it is, and what goes wrong when. */
export const simulationPlan = z
  .strictObject({
    /** Same plan and same seed: same fleet, same readings, same faults. */
    seed: z.number().int().nonnegative().default(1),
    /** Left out: as the server asks. */
    interval: positiveSpan.optional(),
    load: load.prefault({ kind: 'day' }),
    groups: z.array(group).min(1),
    faults: z.array(fault).default([]),
  })
  .superRefine(({ groups, faults }, context) => {
    const names = groups.map(({ name }) => name)
    for (const [index, name] of names.entries()) {
      if (names.indexOf(name) !== index)
        context.addIssue({ code: 'custom', path: ['groups', index, 'name'], message: `there are two groups ${name}` })
    }
    for (const [index, { on }] of faults.entries()) {
      if (on.group === undefined || names.includes(on.group)) continue
      context.addIssue({ code: 'custom', path: ['faults', index, 'on', 'group'], message: `no group ${on.group}` })
    }
  })
export type SimulationPlan = z.infer<typeof simulationPlan>

/**
 * Reads a plan as YAML or JSON (which is YAML).
 *
 * @throws SyntaxError with line and column where it is neither; ZodError with the paths of what does not fit.
 */
export function parsePlan(text: string): SimulationPlan {
  return simulationPlan.parse(parseDocument(text))
}

function parseDocument(text: string): unknown {
  try {
    return parseYaml(text)
  } catch (error) {
    throw new SyntaxError(error instanceof Error ? error.message : String(error))
  }
}
