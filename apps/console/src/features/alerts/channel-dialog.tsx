import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Input, Modal, Select } from 'antd'
import { useId, useState } from 'react'
import { useLocale } from '../../i18n/locale.tsx'
import { useText } from '../../i18n/messages.ts'
import type { AlertChannel } from '../../shared/api/types.ts'
import { ProblemNote } from '../../shared/ui/problem-note.tsx'
import { alertMessages } from './alerts.messages.ts'
import { createChannel } from './api.ts'

const kinds = ['wecom', 'feishu', 'dingtalk', 'webhook'] as const
/** What an address of the kind looks like. */
const examples: Readonly<Record<AlertChannel['kind'], string>> = {
  wecom: 'https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=…',
  feishu: 'https://open.feishu.cn/open-apis/bot/v2/hook/…',
  dingtalk: 'https://oapi.dingtalk.com/robot/send?access_token=…',
  webhook: 'https://ops.example.com/hooks/medley',
}

function isAddress(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)
}

export function ChannelDialog({ onClose }: { readonly onClose: () => void }) {
  const t = useText(alertMessages)
  const id = useId()
  const { locale: reading } = useLocale()
  const queryClient = useQueryClient()
  const [name, setName] = useState('')
  const [kind, setKind] = useState<AlertChannel['kind']>(reading === 'zh-CN' ? 'wecom' : 'webhook')
  const [url, setUrl] = useState('')
  const [secret, setSecret] = useState('')
  const [locale, setLocale] = useState<AlertChannel['locale']>(reading)
  const [tried, setTried] = useState(false)
  const fault = name.trim() === '' ? 'nameMissing' : isAddress(url.trim()) ? null : 'urlBad'
  const create = useMutation({
    mutationFn: () =>
      createChannel({ name: name.trim(), kind, url: url.trim(), locale, ...(secret === '' ? {} : { secret }) }),
    onSuccess: () => {
      void queryClient.invalidateQueries({ queryKey: ['alerts'] })
      onClose()
    },
  })
  const submit = () => {
    setTried(true)
    if (fault === null) create.mutate()
  }
  return (
    <Modal
      open
      title={t('newChannel')}
      okText={t('add')}
      okButtonProps={{ loading: create.isPending }}
      cancelText={t('cancel')}
      onOk={submit}
      onCancel={onClose}
    >
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault()
          submit()
        }}
      >
        <div className="pair">
          <div className="field">
            <label htmlFor={`${id}-kind`}>{t('kind')}</label>
            <Select
              id={`${id}-kind`}
              value={kind}
              options={kinds.map((value) => ({ value, label: t(value) }))}
              onChange={(value: AlertChannel['kind']) => setKind(value)}
            />
          </div>
          <div className="field">
            <label htmlFor={`${id}-locale`}>{t('language')}</label>
            <Select
              id={`${id}-locale`}
              value={locale}
              options={[
                { value: 'zh-CN', label: '中文' },
                { value: 'en', label: 'English' },
              ]}
              onChange={(value: AlertChannel['locale']) => setLocale(value)}
            />
          </div>
        </div>
        <div className="field">
          <label htmlFor={`${id}-name`}>{t('name')}</label>
          <Input
            id={`${id}-name`}
            value={name}
            maxLength={200}
            autoComplete="off"
            onChange={(event) => setName(event.target.value)}
          />
        </div>
        <div className="field">
          <label htmlFor={`${id}-url`}>{t('url')}</label>
          <Input
            id={`${id}-url`}
            value={url}
            placeholder={examples[kind]}
            autoComplete="off"
            spellCheck={false}
            onChange={(event) => setUrl(event.target.value)}
          />
          <span className="small muted">{t('urlNote')}</span>
        </div>
        {kind === 'wecom' ? null : (
          <div className="field">
            <label htmlFor={`${id}-secret`}>{t('secret')}</label>
            <Input.Password
              id={`${id}-secret`}
              value={secret}
              autoComplete="new-password"
              onChange={(event) => setSecret(event.target.value)}
            />
            <span className="small muted">{t('secretNote')}</span>
          </div>
        )}
        <p className="small wrong" role="status">
          {tried && fault !== null ? t(fault) : ''}
        </p>
        {create.isError ? <ProblemNote error={create.error} /> : null}
        <button type="submit" hidden />
      </form>
    </Modal>
  )
}
