import { deployment, model } from '@medley/server/schemas'
import type { Command } from 'commander'
import { connect, listAll } from '../api-client.ts'
import { common, dataOf, isJson, printJson, printTable } from '../output.ts'

export function addModels(program: Command): void {
  common(program.command('models').description('Models on this factory'), 'medley models --json').action(
    async (_flags: unknown, command: Command) => {
      const items = await listAll(connect(dataOf(command)), '/api/v1/models', model)
      if (isJson(command)) return printJson(items)
      printTable(
        ['MODEL', 'STATE', 'SIZE', 'QUANTISATION', 'LICENCE', 'DIGEST'],
        items.map((item) => [
          item.name,
          item.state,
          item.bytes === null ? '—' : `${(item.bytes / 1e6).toFixed(1)} MB`,
          item.quantisation ?? '—',
          item.licence ?? '—',
          item.digest?.slice(0, 19) ?? '—',
        ]),
        'No model yet. See how to give one with: medley doctor',
      )
    },
  )

  const deployments = common(
    program.command('deployments').description('Deployments and their replicas'),
    'medley deployments --json',
  ).action(async (_flags: unknown, command: Command) => {
    const items = await listAll(connect(dataOf(command)), '/api/v1/deployments', deployment)
    if (isJson(command)) return printJson(items)
    printTable(
      ['DEPLOYMENT', 'SERVES', 'STATE', 'REPLICAS', 'RESTARTS', 'REVISION'],
      items.map((item) => [
        item.id,
        item.servedModel,
        item.state,
        String(item.replicas.length),
        String(item.replicas.reduce((sum, replica) => sum + replica.restarts, 0)),
        item.revision.digest.slice(0, 19),
      ]),
      'Nothing is deployed.',
    )
  })
  for (const verb of ['stop', 'start'] as const) {
    common(
      deployments
        .command(verb)
        .description(`${verb === 'stop' ? 'Stop' : 'Start'} a deployment`)
        .argument('<id>'),
      `medley deployments ${verb} deployment_0193...`,
    ).action(async (id: string, _flags: unknown, command: Command) => {
      const changed = await connect(dataOf(command)).send(
        'POST',
        `/api/v1/deployments/${encodeURIComponent(id)}/${verb}`,
        {},
        deployment,
      )
      if (isJson(command)) printJson(changed)
      else process.stdout.write(`${changed.servedModel} is ${changed.state}\n`)
    })
  }
}
