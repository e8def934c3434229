/** A failure the reader can do something about: what happened, then what to do. */
export class StartFailure extends Error {
  /** @param {string} what @param {string} remedy */
  constructor(what, remedy) {
    super(what)
    this.name = 'StartFailure'
    this.remedy = remedy
  }
}

/** Prints a failure for a person and ends the process. */
export function endWith(error) {
  if (error instanceof StartFailure) {
    console.error(`\n✖ ${error.message}\n  → ${error.remedy}`)
  } else {
    console.error(error)
  }
  process.exit(1)
}
