export const SOURCE_KINDS = ['file', 'pip', 'modelscope', 'huggingface'] as const
export type SourceName = (typeof SOURCE_KINDS)[number]

/** Names of sources in the order to try, from a comma-separated text; null where a name is not known. */
export function parseSourceOrder(text: string | undefined): readonly SourceName[] | null {
  if (text === undefined || text.trim() === '') return SOURCE_KINDS
  const names = text.split(',').map((name) => name.trim())
  const known = names.filter((name): name is SourceName => (SOURCE_KINDS as readonly string[]).includes(name))
  return known.length === names.length ? [...new Set(known)] : null
}

interface HubFile {
  readonly kind: 'modelscope' | 'huggingface'
  readonly repo: string
  readonly revision: string
  readonly file: string
}

/** Address of a file of a hub. The hubs' own variables choose mirrors: HF_ENDPOINT and MODELSCOPE_DOMAIN. */
export function hubUrl(source: HubFile, env: Readonly<Record<string, string | undefined>>): string {
  const tail = `${source.repo}/resolve/${encodeURIComponent(source.revision)}/${encodeURIComponent(source.file)}`
  if (source.kind === 'huggingface') return `${origin(env.HF_ENDPOINT, 'huggingface.co')}/${tail}`
  return `${origin(env.MODELSCOPE_DOMAIN, 'modelscope.cn')}/models/${tail}`
}

function origin(configured: string | undefined, fallback: string): string {
  const value = configured?.trim() || fallback
  return (value.includes('://') ? value : `https://${value}`).replace(/\/+$/, '')
}

/** Takes user names and passwords out of addresses, for texts that are shown or logged. */
export function withoutCredentials(text: string): string {
  return text.replace(/(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi, '$1')
}
