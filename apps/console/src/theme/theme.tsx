import { theme as antTheme, ConfigProvider, type ThemeConfig } from 'antd'
import zhCN from 'antd/locale/zh_CN'
import {
  createContext,
  type ReactNode,
  useContext,
  useLayoutEffect,
  useMemo,
  useState,
  useSyncExternalStore,
} from 'react'
import { useLocale } from '../i18n/locale.tsx'
import { dark, light, type Palette } from './palette.ts'

export const themeChoices = ['light', 'dark', 'system'] as const
export type ThemeChoice = (typeof themeChoices)[number]

const storageKey = 'medley.theme'
const fontFamily =
  '-apple-system, "Segoe UI", Inter, Roboto, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans SC", system-ui, sans-serif'

interface ThemeState {
  readonly choice: ThemeChoice
  readonly choose: (choice: ThemeChoice) => void
}
const ThemeContext = createContext<ThemeState>({ choice: 'system', choose: () => undefined })

const darkQuery = window.matchMedia('(prefers-color-scheme: dark)')
function subscribeToSystem(notify: () => void): () => void {
  darkQuery.addEventListener('change', notify)
  return () => darkQuery.removeEventListener('change', notify)
}

function storedChoice(): ThemeChoice {
  const stored = window.localStorage.getItem(storageKey)
  return themeChoices.find((choice) => choice === stored) ?? 'system'
}

function tokens(palette: Palette, isDark: boolean): ThemeConfig {
  return {
    algorithm: isDark ? antTheme.darkAlgorithm : antTheme.defaultAlgorithm,
    token: {
      fontFamily,
      fontSize: 14,
      borderRadius: 6,
      colorPrimary: palette.accent,
      // The algorithm's own steps of a dark accent turn grey and lose contrast.
      colorPrimaryHover: palette.accentHover,
      colorPrimaryActive: palette.accentHover,
      colorPrimaryBg: palette.accentSoft,
      colorPrimaryBgHover: palette.accentSoft,
      controlItemBgHover: palette.sunken,
      controlItemBgActive: palette.accentSoft,
      controlItemBgActiveHover: palette.accentSoft,
      colorLink: palette.accent,
      colorLinkHover: palette.accentHover,
      colorInfo: palette.working,
      colorSuccess: palette.healthy,
      colorWarning: palette.degraded,
      colorError: palette.failed,
      colorBgLayout: palette.page,
      colorBgContainer: palette.surface,
      colorBgElevated: palette.surface,
      colorBorder: palette.lineStrong,
      colorBorderSecondary: palette.line,
      colorText: palette.text,
      colorTextSecondary: palette.muted,
      colorTextTertiary: palette.muted,
      colorTextDescription: palette.muted,
      colorTextPlaceholder: palette.muted,
      wireframe: false,
    },
    components: {
      Button: {
        primaryShadow: 'none',
        defaultShadow: 'none',
        dangerShadow: 'none',
        primaryColor: palette.onAccent,
        dangerColor: palette.onAccent,
        colorPrimary: palette.accent,
        colorPrimaryHover: palette.accentHover,
        colorPrimaryActive: palette.accentHover,
      },
      Slider: {
        trackBg: palette.accent,
        trackHoverBg: palette.accentHover,
        railBg: palette.line,
        railHoverBg: palette.line,
        handleColor: palette.accent,
        handleActiveColor: palette.accent,
        dotBorderColor: palette.accent,
      },
      Modal: { titleFontSize: 16 },
      Segmented: { itemSelectedColor: palette.text, itemColor: palette.muted, trackBg: palette.sunken },
    },
  }
}

function cssName(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}

export function ThemeProvider({ children }: { readonly children: ReactNode }) {
  const { locale } = useLocale()
  const [choice, setChoice] = useState(storedChoice)
  const systemIsDark = useSyncExternalStore(subscribeToSystem, () => darkQuery.matches)
  const isDark = choice === 'dark' || (choice === 'system' && systemIsDark)
  const palette = isDark ? dark : light
  const config = useMemo(() => tokens(palette, isDark), [palette, isDark])
  useLayoutEffect(() => {
    const root = document.documentElement
    root.dataset.theme = isDark ? 'dark' : 'light'
    root.style.colorScheme = isDark ? 'dark' : 'light'
    root.style.setProperty('--font', fontFamily)
    for (const [name, value] of Object.entries(palette)) root.style.setProperty(cssName(name), value)
  }, [palette, isDark])
  const state = useMemo(
    () => ({
      choice,
      choose: (next: ThemeChoice) => {
        window.localStorage.setItem(storageKey, next)
        setChoice(next)
      },
    }),
    [choice],
  )
  return (
    <ThemeContext value={state}>
      <ConfigProvider
        theme={config}
        button={{ autoInsertSpace: false }}
        {...(locale === 'zh-CN' ? { locale: zhCN } : {})}
      >
        {children}
      </ConfigProvider>
    </ThemeContext>
  )
}

export function useTheme(): ThemeState {
  return useContext(ThemeContext)
}
