/** Entry of the engine process; started by the agent as the launch plan says. */
import { runEngineProcess } from './adapters/process.ts'

const {
  MEDLEY_ENGINE_SPEC: specPath,
  MEDLEY_ENGINE_SOCKET: socketPath,
  MEDLEY_HEARTBEAT_FILE: heartbeatFile = null,
} = process.env
if (specPath === undefined || socketPath === undefined) {
  console.error('MEDLEY_ENGINE_SPEC and MEDLEY_ENGINE_SOCKET must name the specification file and the socket')
  process.exit(2)
}
await runEngineProcess({ specPath, socketPath, heartbeatFile }).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
})
