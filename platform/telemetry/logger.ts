import { type DestinationStream, destination, type Logger, pino } from 'pino'

export type { Logger } from 'pino'

export interface LoggerOptions {
  /** Which of the factory's processes speaks: `server`, `gateway`, `agent`, `engine`, `up`. */
  readonly process: string
  /** `MEDLEY_LOG` in the environment when left out, else `info`. */
  readonly level?: string
  /** Stderr when left out; stdout belongs to what a command prints. */
  readonly stream?: DestinationStream
}

const SECRET_FIELDS = [
  'authorization',
  'Authorization',
  'cookie',
  'Cookie',
  'set-cookie',
  'key',
  'apiKey',
  'token',
  'password',
  'secret',
  'privateKey',
]

/** Pino's wildcards stand for one level each: a field is covered down to the fourth. */
const REDACTED_PATHS = SECRET_FIELDS.flatMap((name) => {
  const field = name.includes('-') ? `["${name}"]` : name
  return ['', '*', '*.*', '*.*.*'].map((prefix) =>
    field.startsWith('[') || prefix === '' ? prefix + field : `${prefix}.${field}`,
  )
})

/** Keys and bearer tokens inside running text, such as an error message that quotes a request. */
const SECRET_TEXT = /\bmk_([0-9A-Za-z]{10})_[0-9A-Za-z]{43}\b|\b(Bearer\s+)[\w.~+/=-]{16,}/g

/**
 * One line of JSON per event. Secrets are taken out twice: fields by name before they are written, and anything that
 * looks like a key of ours from the finished line. Written synchronously, so that a dying process's last words stay.
 */
export function createLogger({ process: name, level, stream }: LoggerOptions): Logger {
  return pino(
    {
      level: level ?? process.env.MEDLEY_LOG ?? 'info',
      base: { process: name, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: REDACTED_PATHS, censor: '[redacted]' },
      hooks: { streamWrite: hideSecrets },
    },
    stream ?? destination({ dest: 2, sync: true }),
  )
}

function hideSecrets(line: string): string {
  return line.replace(SECRET_TEXT, (_whole, prefix?: string, bearer?: string) =>
    bearer === undefined ? `mk_${prefix ?? ''}_[redacted]` : `${bearer}[redacted]`,
  )
}
