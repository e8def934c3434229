/**
 * The boundaries of docs/decisions/0001: what may import what. `tests/house/boundaries.test.ts` cruises a planted
 * tree with these same rules and expects each of them to fire.
 */

/** A module is a folder with a public face; everything else in it is its own business. */
const MODULE = '(?:layers/[^/]+/[^/]+|platform/[^/]+|apps/[^/]+|engines/[^/]+|executors/[^/]+|drivers|bench)'
/** The server's face to the console is the schema of its API. */
const FACE = `^(?:${MODULE}/(?:index|protocol)\\.ts|apps/server/api/[a-z-]+\\.ts)$`
const TEST_FILE = '\\.(?:test|e2e|nightly|gpu|packed)\\.tsx?$'

/** What a layer must not see: everything above it and, for the data layer, its peers. */
const FORBIDDEN_ABOVE = [
  ['platform', '^platform/', '^(?:layers|drivers|engines|executors|apps|bench|solutions|tests)/'],
  ['compute', '^layers/1-compute/', '^(?:layers/(?!1-compute/)|drivers|engines|executors|apps|bench|solutions|tests)'],
  ['models', '^layers/2-models/', '^(?:layers/3-data/|drivers|engines|executors|apps|bench|solutions|tests)'],
  ['data', '^layers/3-data/', '^(?:layers/(?!3-data/)|drivers|engines|executors|apps|bench|solutions|tests)'],
  ['edges', '^(?:drivers|engines|executors)/', '^(?:apps|bench|solutions|tests)/'],
  ['apps', '^apps/', '^(?:bench|tests)/'],
]

const layering = FORBIDDEN_ABOVE.map(([name, from, to]) => ({
  name: `layer-${name}`,
  comment: 'A lower layer never imports a higher one; the data layer is reached through ports and events only.',
  severity: 'error',
  from: { path: from, pathNot: TEST_FILE },
  to: { path: to },
}))

export default {
  forbidden: [
    {
      name: 'domain-is-pure',
      comment: 'A domain imports its own domain and the kernel: no I/O, no clock, no randomness, no library.',
      severity: 'error',
      from: { path: '^(.+)/domain/', pathNot: TEST_FILE },
      to: { pathNot: ['^$1/domain/', '^platform/kernel/index\\.ts$'] },
    },
    {
      name: 'module-face-only',
      comment: 'Another module is imported through its index.ts or protocol.ts.',
      severity: 'error',
      from: { path: `^(${MODULE})/` },
      to: { path: `^${MODULE}/`, pathNot: ['^$1/', FACE] },
    },
    {
      name: 'outsiders-use-the-face',
      comment: 'Tests, scripts and generators see what any other module sees.',
      severity: 'error',
      from: { path: '^(?:tests|scripts|docs)/' },
      to: { path: `^${MODULE}/`, pathNot: FACE },
    },
    {
      name: 'drivers-apart',
      comment: 'Drivers do not import each other; what they share is in drivers/shared.',
      severity: 'error',
      from: { path: '^drivers/([^/]+)/' },
      to: { path: '^drivers/[^/]+/', pathNot: '^drivers/(?:$1|shared|fixtures)/' },
    },
    {
      name: 'edges-apart',
      comment: 'A driver, an engine and an executor do not know each other.',
      severity: 'error',
      from: { path: '^((?:drivers|(?:engines|executors)/[^/]+))/' },
      to: { path: '^(?:drivers|engines|executors)/', pathNot: '^$1/' },
    },
    ...layering,
    {
      name: 'kernel-imports-nothing',
      comment: 'The kernel stands on the platform’s own crypto and on nothing else.',
      severity: 'error',
      from: { path: '^platform/kernel/', pathNot: TEST_FILE },
      to: { pathNot: ['^platform/kernel/', '^(?:node:)?crypto$'] },
    },
    {
      name: 'protocol-is-light',
      comment: 'A protocol is imported by small processes: zod, the kernel and other protocols only.',
      severity: 'error',
      from: { path: '/protocol\\.ts$' },
      to: { pathNot: ['/protocol\\.ts$', '^platform/kernel/index\\.ts$', 'node_modules/zod/'] },
    },
    {
      name: 'no-cycles',
      comment:
        'Two files that need each other are one file, or need a third. A type or a lazy import closes no circle.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only', 'dynamic-import'] } },
    },
    {
      name: 'resolvable',
      comment: 'Every import leads somewhere, or the rules above would not see it.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(?:^|/)dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    combinedDependencies: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.tsx', '.mjs', '.js', '.json'],
    },
  },
}
