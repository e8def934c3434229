/**
 * Progress of one step after the other. On a terminal: one line per step with a spinner and the elapsed time.
 * Elsewhere (CI, a pipe): plain lines, so that a log stays readable.
 */
const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
const PLAIN_EVERY_MS = 15_000

export const seconds = (ms) => `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`

const interactive = () => Boolean(process.stdout.isTTY) && process.env.CI === undefined && process.env.TERM !== 'dumb'

/**
 * Runs `work` as a step. `work` gets a function that sets a short note ("212 of 400 packages").
 *
 * @template T
 * @param {string} title
 * @param {(note: (text: string) => void) => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function step(title, work) {
  const startedAt = Date.now()
  let note = ''
  const live = interactive()
  const timer = live ? spin() : heartbeat()
  if (!live) console.log(`… ${title}`)
  try {
    const result = await work((text) => {
      note = text
    })
    finish('✔')
    return result
  } catch (error) {
    finish('✖')
    throw error
  }

  function line(mark) {
    return `${mark} ${title}${note === '' ? '' : ` · ${note}`} · ${seconds(Date.now() - startedAt)}`
  }
  function spin() {
    let frame = 0
    return setInterval(() => {
      frame = (frame + 1) % FRAMES.length
      const width = Math.max(20, (process.stdout.columns ?? 80) - 1)
      process.stdout.write(`\r\x1b[2K${line(FRAMES[frame]).slice(0, width)}`)
    }, 100)
  }
  function heartbeat() {
    return setInterval(() => console.log(line('…')), PLAIN_EVERY_MS)
  }
  function finish(mark) {
    clearInterval(timer)
    if (live) process.stdout.write('\r\x1b[2K')
    console.log(line(mark))
  }
}
