type Coded = { readonly code: string; readonly params: Readonly<Record<string, string>> }

// What the terminal says of codes that reach it without a problem around them. The console has its own, in both languages.
const SENTENCES: Readonly<Record<string, (params: Readonly<Record<string, string>>) => string>> = {
  'server.bring-up.blocked': ({ needs }) => `waits for: ${needs}`,
  'registry.model.unobtainable': ({ detail }) =>
    `${detail ?? 'The model could not be had from any source.'}\n` +
    'Or start with --model FILE. It is looked for again by itself; nothing has to be restarted.',
  full_suites_not_run: () => 'the full suites have not run yet',
  not_proved: () => 'not measured yet',
  'server.unexpected': ({ detail }) => detail ?? 'unexpected',
}

/** A sentence for a code; falls back to the code itself with its parameters. */
export function describeCode({ code, params }: Coded): string {
  const sentence = SENTENCES[code]?.(params)
  if (sentence) return sentence
  const { detail, ...rest } = params
  const listed = Object.entries(rest).map(([key, value]) => `${key}=${value}`)
  return [`[${code}]`, ...listed, ...(detail ? [detail] : [])].join(' ')
}
