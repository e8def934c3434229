export { type Agent, type AgentParts, startAgent } from './agent.ts'
export { type AgentConfig, type AgentLimits, agentConfig, agentLimits } from './config.ts'
export { agentErrors } from './errors.ts'
