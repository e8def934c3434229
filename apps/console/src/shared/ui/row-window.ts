import { type RefObject, useEffect, useState } from 'react'

/** Fewer rows than this are all drawn: a window would only cost. */
const windowedFrom = 120
const overscanRows = 12

export interface RowWindow {
  readonly from: number
  readonly to: number
}

/** Rows between which a screen of `viewportPixels` looks, with some to spare on both sides. */
export function visibleRows(
  count: number,
  rowPixels: number,
  topPixels: number,
  viewportPixels: number,
  overscan = overscanRows,
): RowWindow {
  const first = Math.floor(-topPixels / rowPixels) - overscan
  const last = Math.ceil((viewportPixels - topPixels) / rowPixels) + overscan
  const from = Math.min(Math.max(first, 0), Math.max(count - 1, 0))
  return { from, to: Math.max(Math.min(last, count), Math.min(from + 1, count)) }
}

/** Which rows of a long table to draw while the page scrolls; all of them on a phone, where rows are cards. */
export function useRowWindow(body: RefObject<HTMLElement | null>, count: number, rowPixels: number): RowWindow | null {
  const [shown, setShown] = useState<RowWindow | null>(null)
  useEffect(() => {
    const wide = window.matchMedia('(min-width: 721px)')
    if (count < windowedFrom) {
      setShown(null)
      return
    }
    let frame = 0
    const measure = () => {
      frame = 0
      const top = body.current?.getBoundingClientRect().top ?? 0
      const next = wide.matches ? visibleRows(count, rowPixels, top, window.innerHeight) : null
      setShown((old) => (old?.from === next?.from && old?.to === next?.to ? old : next))
    }
    const later = () => {
      frame ||= requestAnimationFrame(measure)
    }
    measure()
    window.addEventListener('scroll', later, { passive: true })
    window.addEventListener('resize', later)
    return () => {
      cancelAnimationFrame(frame)
      window.removeEventListener('scroll', later)
      window.removeEventListener('resize', later)
    }
  }, [body, count, rowPixels])
  return count < windowedFrom ? null : shown
}
