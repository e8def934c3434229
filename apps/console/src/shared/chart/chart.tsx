import { lazy, Suspense, useEffect, useRef, useState } from 'react'
import type { ChartOption } from './echart.tsx'

// Charts are heavy: they come in a chunk of their own, and only once one is in sight.
const EChart = lazy(() => import('./echart.tsx').then((module) => ({ default: module.EChart })))

interface ChartProps {
  readonly option: ChartOption
  /** What it shows, for those who cannot see it; the figures stand in a table beside it. */
  readonly label: string
  readonly height: number
  /** Charts of one group share the line under the pointer. */
  readonly group?: string
}

function useSeen() {
  const box = useRef<HTMLDivElement>(null)
  const [seen, setSeen] = useState(false)
  useEffect(() => {
    if (box.current === null || seen) return
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting === true && setSeen(true), {
      rootMargin: '200px',
    })
    observer.observe(box.current)
    return () => observer.disconnect()
  }, [seen])
  return { box, seen }
}

/** Keeps its height before it is drawn, so that nothing moves when it comes. */
export function Chart({ option, label, height, group }: ChartProps) {
  const { box, seen } = useSeen()
  return (
    <div ref={box} role="img" aria-label={label} style={{ height }}>
      {seen ? (
        <Suspense fallback={null}>
          <EChart option={option} {...(group === undefined ? {} : { group })} />
        </Suspense>
      ) : null}
    </div>
  )
}
