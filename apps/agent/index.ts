export { type Agent, type AgentParts, startAgent } from './agent.ts'
export { type AgentConfig, type AgentLimits, agentConfig, agentLimits } from './config.ts'
export { agentErrors } from './errors.ts'
export {
  type Channel,
  type ChannelIdentity,
  type ChannelOptions,
  openChannel,
  type SampleBatch,
} from './sync/channel.ts'
export { generateNodeKeyPair, isSignedBy, type NodeKeyPair, nodeKeyPair, signWith } from './sync/keys.ts'
