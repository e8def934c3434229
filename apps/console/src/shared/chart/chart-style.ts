import { useMemo } from 'react'
import { dark, light, type Palette } from '../../theme/palette.ts'
import { useThemeName } from '../../theme/theme-name.ts'

export interface ChartStyle {
  readonly palette: Palette
  /** At most five, told apart by colour-blind readers (after Okabe and Ito), of one lightness per theme. */
  readonly colours: readonly [string, string, string, string, string]
  /** Diagonal lines for what is simulated and for times nobody looked. */
  readonly hatch: { readonly image: HTMLCanvasElement; readonly repeat: 'repeat' }
  readonly axis: {
    readonly axisLabel: { readonly color: string; readonly fontSize: number }
    readonly axisLine: { readonly lineStyle: { readonly color: string } }
    readonly splitLine: { readonly lineStyle: { readonly color: string } }
    readonly axisTick: { readonly lineStyle: { readonly color: string } }
  }
  readonly tooltip: {
    readonly backgroundColor: string
    readonly borderColor: string
    readonly textStyle: { readonly color: string; readonly fontSize: number }
  }
}

function hatchTile(colour: string): HTMLCanvasElement {
  const tile = document.createElement('canvas')
  tile.width = 8
  tile.height = 8
  const pen = tile.getContext('2d')
  if (pen !== null) {
    pen.strokeStyle = colour
    pen.lineWidth = 1.2
    pen.beginPath()
    // The two short strokes join the diagonal over the tile's edges.
    for (const [x, y] of [
      [0, 8],
      [-4, 4],
      [4, 12],
    ] as const) {
      pen.moveTo(x, y)
      pen.lineTo(x + 8, y - 8)
    }
    pen.stroke()
  }
  return tile
}

/** Colours and lines of charts in the theme in force. */
export function useChartStyle(): ChartStyle {
  const theme = useThemeName()
  return useMemo(() => {
    const palette = theme === 'dark' ? dark : light
    return {
      palette,
      colours:
        theme === 'dark'
          ? (['#64c2d3', '#e6a75c', '#9fa8ff', '#8fd18a', '#e79ac6'] as const)
          : (['#0c6a80', '#b86100', '#5560c2', '#3f7d2c', '#a8437f'] as const),
      hatch: { image: hatchTile(palette.waiting), repeat: 'repeat' as const },
      axis: {
        axisLabel: { color: palette.muted, fontSize: 11.5 },
        axisLine: { lineStyle: { color: palette.lineStrong } },
        splitLine: { lineStyle: { color: palette.line } },
        axisTick: { lineStyle: { color: palette.lineStrong } },
      },
      tooltip: {
        backgroundColor: palette.surface,
        borderColor: palette.lineStrong,
        textStyle: { color: palette.text, fontSize: 12.5 },
      },
    }
  }, [theme])
}
