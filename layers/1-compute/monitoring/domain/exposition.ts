/** Text format of Prometheus: https://prometheus.io/docs/instrumenting/exposition_formats/ */
export interface Family {
  readonly name: string
  readonly kind: 'gauge' | 'counter'
  readonly help: string
}

const escapedHelp = (text: string) => text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n')
/** Half of a character, as a cut name may end in, is not UTF-8. */
const escapedValue = (text: string) => escapedHelp(text.toWellFormed()).replace(/"/g, '\\"')

export const familyHead = ({ name, kind, help }: Family) =>
  `# HELP ${name} ${escapedHelp(help)}\n# TYPE ${name} ${kind}\n`

/** `{a="1",b="2"}`; labels without a value are left out, which to Prometheus is the same. */
export function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).filter(([, value]) => value !== '')
  return `{${pairs.map(([name, value]) => `${name}="${escapedValue(value)}"`).join(',')}}`
}
