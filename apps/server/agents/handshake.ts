import { type Enrolment, type InstanceSigner, newNonce, signChallenge, verifyProof } from '@medley/enrolment'
import type { AgentFrame, ServerFrame } from '@medley/enrolment/protocol'

type Hello = Extract<AgentFrame, { type: 'hello' }>

/** What this server proves itself with. */
export interface InstanceKey extends InstanceSigner {
  readonly id: string
}

export interface ProvenNode {
  readonly nodeId: string
  /** The key that was proven. The node may have another by now: its old connection is then nobody's. */
  readonly publicKey: string
  readonly tenantId: string | null
  readonly bootId: string
  readonly agentVersion: string
}

export interface Greeting {
  readonly challenge: Extract<ServerFrame, { type: 'challenge' }>
  /** `null`: a node that is not known, is revoked, or does not hold its key. All three look the same from outside. */
  prove(signature: string): Promise<ProvenNode | null>
}

/**
 * Both sides prove who they are over nonces of both, so that neither a recorded connection nor another server's can
 * be played back. Strangers are challenged too: agents believe a refusal only from who has proven to be the server.
 */
export function greet(hello: Hello, instance: InstanceKey, keyOf: Enrolment['keyOf']): Greeting {
  const nonce = newNonce()
  const said = { instanceId: instance.id, agentNonce: hello.nonce, serverNonce: nonce }
  return {
    challenge: { type: 'challenge', nonce, instanceId: instance.id, signature: signChallenge(instance, said) },
    async prove(signature) {
      const { nodeId, bootId, agentVersion } = hello
      const key = await keyOf(nodeId)
      if (key === null || !verifyProof(key.publicKey, { ...said, nodeId }, signature)) return null
      return { nodeId, bootId, agentVersion, ...key }
    },
  }
}
