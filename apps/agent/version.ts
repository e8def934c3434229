/** Of this program; told at every connection. */
export const AGENT_VERSION = '0.1.0'

/**
 * For the Node that runs an agent. With a small heap in sight V8 collects early: what a hostile tool prints would else
 * stay for long, though nobody holds it.
 */
export const AGENT_NODE_FLAGS: readonly string[] = ['--max-old-space-size=512', '--max-semi-space-size=4']
