/** 1 failed, 2 wrong usage, 3 not found, 4 not allowed, 5 cannot now (try again). */
export class CliError extends Error {
  readonly exitCode: number
  /** The code of a problem the server named; null where it was found here. */
  readonly code: string | null

  constructor(exitCode: number, message: string, code: string | null = null) {
    super(message)
    this.name = 'CliError'
    this.exitCode = exitCode
    this.code = code
  }
}
