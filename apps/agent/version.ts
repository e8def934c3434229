/** Of this program; told at every connection. */
export const AGENT_VERSION = '0.1.0'
