/** 1 failed, 2 wrong usage, 3 not found, 4 not allowed, 5 cannot now (try again). */
export class CliError extends Error {
  readonly exitCode: number

  constructor(exitCode: number, message: string) {
    super(message)
    this.name = 'CliError'
    this.exitCode = exitCode
  }
}
