/**
 * The colours of both themes, once: Ant Design's tokens and the style sheet's variables are both made from here.
 * Every text colour keeps a contrast of at least 4.5 on `page`, `surface` and `sunken`.
 */
export interface Palette {
  readonly page: string
  readonly surface: string
  readonly sunken: string
  readonly line: string
  readonly lineStrong: string
  readonly text: string
  readonly muted: string
  readonly accent: string
  readonly accentHover: string
  readonly accentSoft: string
  readonly onAccent: string
  readonly healthy: string
  readonly working: string
  readonly waiting: string
  readonly degraded: string
  readonly degradedSoft: string
  readonly failed: string
  readonly failedSoft: string
}

export const light: Palette = {
  page: '#f4f6f6',
  surface: '#ffffff',
  sunken: '#eaefef',
  line: '#d9e1e2',
  lineStrong: '#8a9a9e',
  text: '#14242a',
  muted: '#4c6067',
  accent: '#0c5f70',
  accentHover: '#0a7387',
  accentSoft: '#dcebee',
  onAccent: '#ffffff',
  healthy: '#17703f',
  working: '#1f55a5',
  waiting: '#55676d',
  degraded: '#8a5300',
  degradedSoft: '#fbf1df',
  failed: '#b02318',
  failedSoft: '#fbe9e7',
}

export const dark: Palette = {
  page: '#0f1517',
  surface: '#161e21',
  sunken: '#0b1012',
  line: '#28353a',
  lineStrong: '#667a81',
  text: '#e3ecee',
  muted: '#9fb1b7',
  accent: '#64c2d3',
  accentHover: '#86d3e1',
  accentSoft: '#14343c',
  onAccent: '#05191e',
  healthy: '#62cc93',
  working: '#86b6f4',
  waiting: '#9fb1b7',
  degraded: '#e6b25c',
  degradedSoft: '#2c2413',
  failed: '#ff958c',
  failedSoft: '#331a18',
}
