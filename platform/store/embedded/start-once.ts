/**
 * Starts an embedded server and tells when it answers; the launcher's tests run it as a process of its own, to kill it
 * or to run it under another account. Argument: the directory. Ends with its standard input.
 */
import { startEmbedded } from './launch.ts'

const server = await startEmbedded({ directory: process.argv[2] ?? '' })
console.log(JSON.stringify({ pid: server.pid, connection: server.connection }))
process.stdin.resume()
process.stdin.on('end', () => void server.stop())
