export { type Agent, type AgentParts, startAgent } from './agent.ts'
export { type AgentConfig, type AgentLimits, agentConfig, agentLimits } from './config.ts'
export { createDriverHost } from './discovery/host.ts'
export type { Joined } from './enrolment/credentials.ts'
export { type JoinWish, joinServer } from './enrolment/join.ts'
export { agentErrors } from './errors.ts'
export { type Launcher, type LauncherEvent, type LauncherOptions, startLauncher } from './launcher.ts'
export { uuidOf } from './simulation/facts.ts'
export { runSimulatedFleet, type SimulationOptions, type SimulationProgress } from './simulation/fleet.ts'
export { JoinRefusedError } from './simulation/join.ts'
export { expandPlan, type SimulatedNode, valuesAt } from './simulation/model.ts'
export { parsePlan, type SimulationPlan, simulationPlan } from './simulation/plan.ts'
export {
  type Channel,
  type ChannelIdentity,
  type ChannelOptions,
  openChannel,
  type SampleBatch,
} from './sync/channel.ts'
export { generateNodeKeyPair, isSignedBy, type NodeKeyPair, nodeKeyPair, signWith } from './sync/keys.ts'
