import type { AgentReport } from '@medley/fleet/protocol'
import type { RevisionSpec } from '@medley/serving'

/** A revision that no node can run: for what is only kept and shown. */
export function revisionSpec(engineVersion: string): RevisionSpec {
  return {
    model: { name: 'tiny', digest: 'sha256:00', bytes: 10, path: '/models/tiny.gguf' },
    template: { name: 'chatml', text: '{{ messages }}', systemPrompt: null, stop: [] },
    engine: { family: 'llama-cpp', version: engineVersion, binaryDigest: null },
    config: {
      slots: 1,
      contextTokens: 1024,
      threads: 1,
      batchTokens: 512,
      flashAttention: true,
      promptLookup: null,
      maxQueue: 4,
    },
    golden: null,
    chipUuids: ['chip-under-test'],
    capabilities: ['chat'],
    recipeDigest: null,
  }
}

/** One metered request of a tenant. */
export function usage(tenantId: string, projectId: string) {
  return {
    requestId: 'req_01a2061a-e904-7a3c-8db5-6df79c67623c',
    tenantId,
    projectId,
    keyId: 'key_test',
    endpoint: '/v1/chat/completions',
    model: 'tiny',
    revisionId: null,
    replicaId: null,
    chipUuids: [],
    outcome: 'completed',
    httpStatus: 200,
    errorCode: null,
    stream: false,
    promptTokens: 3,
    cachedTokens: 0,
    completionTokens: 5,
    startedAt: Date.now() - 10,
    endedAt: Date.now(),
    timeToFirstTokenMs: null,
    appVersionId: null,
    datasetVersionId: null,
    contractId: null,
  }
}

/** What the agent of a node with one chip sends. */
export function agentReport(): AgentReport {
  return {
    nodeKey: 'node-under-test',
    bootId: 'boot',
    facts: {
      hostname: 'host',
      operatingSystem: 'linux',
      kernel: '6',
      architecture: 'x64',
      cpuCount: 2,
      memoryBytes: 1024,
      agentVersion: '0',
      nodeVersion: '24',
      engines: [],
    },
    chips: [
      {
        vendor: 'cpu',
        index: 0,
        uuid: 'chip-under-test',
        serial: null,
        pciAddress: null,
        product: 'Test chip',
        cardKey: 'c',
        chipOnCard: 0,
        memoryTotalBytes: null,
        memoryUsedBytes: null,
        utilizationRatio: null,
        temperatureCelsius: null,
        powerWatts: null,
        cardPowerWatts: null,
        health: 'healthy',
        healthReasons: [],
        driverVersion: null,
        firmwareVersion: null,
        numaNode: null,
        eccErrorsUncorrected: null,
        computeUnits: 2,
        features: [],
        extra: {},
        simulated: false,
      },
    ],
    workloads: [],
    appliedRevision: -1,
    waitMs: 0,
  }
}
