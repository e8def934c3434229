export { enrolmentMigrations } from './adapters/tables.ts'
export { createEnrolment, type EnrolmentPorts } from './enrolment.ts'
export { errors as enrolmentErrors } from './errors.ts'
export {
  generateNodeKey,
  type InstanceSigner,
  type NodeKey,
  newNonce,
  nodeKeyFromPem,
  publicKeyFromRaw,
  rawPublicKey,
  signChallenge,
  signProof,
  signUpgrade,
  verifyChallenge,
  verifyProof,
  verifyUpgrade,
} from './handshake.ts'
export type { Enrolment, JoinTokenView, NodeRegister } from './ports.ts'
