import type { FieldError } from '@medley/kernel'
import { sql } from 'kysely'
import { post } from './adapters/post.ts'
import { judge, ROBOTS } from './adapters/robots.ts'
import { toChannel } from './adapters/rows.ts'
import { type Context, SCOPE } from './context.ts'
import { testMessage } from './domain/message.ts'
import { errors } from './errors.ts'
import type { Alerting, NewAlertChannel } from './ports.ts'

type Channels = Pick<Alerting, 'channels' | 'createChannel' | 'deleteChannel' | 'testChannel'>

export function createChannels({ database, ids, clock, sealer }: Context): Channels {
  return {
    channels: () =>
      database.run(SCOPE, async (tx) => {
        const rows = await tx.selectFrom('alert_channels').selectAll().orderBy('id').execute()
        return rows.map(toChannel)
      }),
    createChannel: (channel) => {
      const faults = faultsOf(channel)
      if (faults.length > 0) throw errors['channel.invalid']({}, { errors: faults })
      return database.run(SCOPE, async (tx) => {
        const { name, kind, url, secret = null, locale, enabled } = channel
        const id = ids.next('channel')
        const now = new Date(clock.now())
        const shown = { id, tenant_id: null, name, kind, address: shownAddress(url), signed: secret !== null }
        const row = { ...shown, sealed: sealer.seal(id, { url, secret }), locale, enabled, created_at: now }
        const inserted = { ...row, next_try_at: now, failures: 0 }
        return toChannel(
          await tx.insertInto('alert_channels').values(inserted).returningAll().executeTakeFirstOrThrow(),
        )
      })
    },
    deleteChannel: (id) =>
      database.run(SCOPE, async (tx) => {
        const deleted = await tx.deleteFrom('alert_channels').where('id', '=', id).executeTakeFirst()
        if (deleted.numDeletedRows === 0n) throw errors['channel.unknown']({ id })
        await tx
          .updateTable('alert_rules')
          .set({ channel_ids: sql<string[]>`array_remove(channel_ids, ${id})` })
          .where(sql<boolean>`${id} = any(channel_ids)`)
          .execute()
        await tx
          .updateTable('alert_deliveries')
          .set({ state: 'failed', last_error: 'the channel was deleted', at: new Date(clock.now()) })
          .where('channel_id', '=', id)
          .where('state', '=', 'waiting')
          .execute()
      }),
    testChannel: async (id) => {
      const row = await database.run(SCOPE, (tx) =>
        tx.selectFrom('alert_channels').selectAll().where('id', '=', id).executeTakeFirst(),
      )
      if (!row) throw errors['channel.unknown']({ id })
      const target = sealer.open(id, row.sealed)
      const parcel = { id: ids.next('delivery'), message: testMessage(row.locale), alerts: [] }
      return judge(row.kind, target, await post(ROBOTS[row.kind].post(target, parcel, clock.now())))
    },
  }
}

function faultsOf({ name, kind, url, secret }: NewAlertChannel): FieldError[] {
  const faults: FieldError[] = []
  if (name.trim() === '') faults.push({ path: 'name', message: 'at least one character' })
  const parsed = URL.canParse(url) ? new URL(url) : null
  // The message names no part of the address: it is a secret.
  if (!parsed || !/^https?:$/.test(parsed.protocol)) faults.push({ path: 'url', message: 'an http or https address' })
  else if (parsed.username || parsed.password) faults.push({ path: 'url', message: 'no user name or password' })
  if (secret !== undefined && !ROBOTS[kind].signs) faults.push({ path: 'secret', message: 'this kind does not sign' })
  return faults
}

function shownAddress(url: string): string {
  return `${new URL(url).host}/…${url.slice(-4)}`
}
