import { Link } from '@tanstack/react-router'
import { Segmented } from 'antd'
import { useState } from 'react'
import { useText } from '../../i18n/messages.ts'
import { CopyBlock } from '../../shared/ui/copy-block.tsx'
import { Panel } from '../../shared/ui/panel.tsx'
import { overviewMessages } from './overview.messages.ts'

const forms = ['curl', 'JavaScript', 'Python'] as const
type Form = (typeof forms)[number]

interface Call {
  readonly gateway: string
  readonly model: string
  readonly question: string
}

function snippet(form: Form, { gateway, model, question }: Call): string {
  const base = `${gateway.replace(/\/+$/, '').replace(/\/v1$/, '')}/v1`
  switch (form) {
    case 'curl':
      return `curl ${base}/chat/completions \\
  -H "Authorization: Bearer $MEDLEY_API_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{"model": "${model}", "messages": [{"role": "user", "content": "${question}"}]}'`
    case 'JavaScript':
      return `import OpenAI from 'openai'

const client = new OpenAI({ baseURL: '${base}', apiKey: process.env.MEDLEY_API_KEY })
const answer = await client.chat.completions.create({
  model: '${model}',
  messages: [{ role: 'user', content: '${question}' }],
})
console.log(answer.choices[0].message.content)`
    case 'Python':
      return `import os
from openai import OpenAI

client = OpenAI(base_url="${base}", api_key=os.environ["MEDLEY_API_KEY"])
answer = client.chat.completions.create(
    model="${model}",
    messages=[{"role": "user", "content": "${question}"}],
)
print(answer.choices[0].message.content)`
  }
}

export function SnippetPanel({ gateway, model }: { readonly gateway: string; readonly model: string | null }) {
  const t = useText(overviewMessages)
  const [form, setForm] = useState<Form>('curl')
  return (
    <Panel
      title={t('ask')}
      extra={<Segmented size="small" options={[...forms]} value={form} onChange={setForm} aria-label={t('ask')} />}
    >
      <CopyBlock
        label={t('snippet', { form })}
        text={snippet(form, { gateway, model: model ?? 'MODEL', question: t('question') })}
      />
      <p className="snippet-note small muted">
        {t('askNote')} <Link to="/keys">{t('makeKey')}</Link>
      </p>
    </Panel>
  )
}
