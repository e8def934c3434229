import { Input, InputNumber, Slider } from 'antd'
import { useText } from '../../i18n/messages.ts'
import type { ChatSettings } from './chat-stream.ts'
import { playgroundMessages } from './playground.messages.ts'

interface SettingsPanelProps {
  readonly settings: ChatSettings
  readonly onChange: (settings: ChatSettings) => void
}

export function SettingsPanel({ settings, onChange }: SettingsPanelProps) {
  const t = useText(playgroundMessages)
  const set = (change: Partial<ChatSettings>) => onChange({ ...settings, ...change })
  return (
    <div className="settings">
      <div>
        <label htmlFor="system">{t('system')}</label>
        <Input.TextArea
          id="system"
          value={settings.system}
          placeholder={t('systemNone')}
          autoSize={{ minRows: 3, maxRows: 8 }}
          onChange={(event) => set({ system: event.target.value })}
        />
      </div>
      <div>
        <span className="row between">
          <span id="temperature-label">{t('temperature')}</span>
          <span className="num">{settings.temperature.toFixed(1)}</span>
        </span>
        <Slider
          min={0}
          max={2}
          step={0.1}
          value={settings.temperature}
          onChange={(temperature) => set({ temperature })}
          tooltip={{ open: false }}
          ariaLabelledByForHandle="temperature-label"
        />
        <p className="small muted">{t('temperatureNote')}</p>
      </div>
      <div>
        <label htmlFor="max-tokens">{t('maxTokens')}</label>
        <InputNumber
          id="max-tokens"
          min={1}
          max={32_768}
          precision={0}
          value={settings.maxTokens}
          onChange={(value) => set({ maxTokens: value ?? 256 })}
        />
      </div>
      <div>
        <label htmlFor="seed">{t('seed')}</label>
        <InputNumber
          id="seed"
          min={0}
          max={2_147_483_647}
          precision={0}
          value={settings.seed}
          placeholder={t('seedNone')}
          onChange={(seed) => set({ seed })}
        />
        <p className="small muted">{t('seedNote')}</p>
      </div>
      <details>
        <summary>{t('how')}</summary>
        <p className="small muted">{t('rateHow')}</p>
      </details>
    </div>
  )
}
