import { type Kysely, sql } from 'kysely'

/**
 * `medley_quotas_reserve(now, requests, windows)`: decides a batch of requests, each all or nothing, in one round
 * trip, so that the counters' locks are held for nothing but this and the commit.
 *
 * - All counters of the batch are locked in one order (quota, window) before anything is decided; whoever locks
 *   several takes that order, so nobody waits in a circle.
 * - Each statement sees what was committed before it (read committed): limits, and requests that were reserved in
 *   the meantime, are read after the locks are held.
 * - A counter is written once per batch, however many requests count in it.
 * - Rows are found one by one through their keys: plans over arrays guess their length, and guessed badly a batch
 *   took five times as long.
 *
 * Returns `{ zones }` when a window was not given, else `{ outcomes, told }`.
 */
export async function createReserveFunction(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function medley_quotas_reserve(p_now timestamptz, p_requests jsonb, p_windows jsonb) returns jsonb
    language plpgsql as $body$
    declare
      v_zones text[];
      -- Items: what one request takes of one quota, by request.
      i_request int[]; i_tenant text[]; i_quota text[]; i_resource text[]; i_kind text[]; i_start timestamptz[];
      i_end timestamptz[]; i_amount bigint[]; i_counter int[];
      -- Counters, in the order in which they are locked; items name them by their place.
      c_quota text[] := '{}'; c_start timestamptz[] := '{}'; c_end timestamptz[] := '{}'; c_used bigint[] := '{}';
      c_reserved bigint[] := '{}'; c_added bigint[] := '{}'; c_told int[] := '{}'; c_new int[] := '{}';
      c_limit bigint[] := '{}'; c_hard boolean[] := '{}'; c_warn bigint[] := '{}';
      -- The items of the request that is being written.
      q_quota text[]; q_start timestamptz[]; q_resource text[]; q_kind text[]; q_amount bigint[];
      v_outcomes jsonb[] := '{}'; v_told jsonb[] := '{}'; v_warnings jsonb[];
      v_lock record; v_counter record; v_quota record; v_ask record; v_known record;
      c int; i int := 1; v_first int; v_short int; v_reached int; v_taken bigint;
    begin
      with asks as (
        select r.n, r.tenant_id, chain.key as level, chain.value as subject_id, w.resource, w.kind, w.amount
        from jsonb_to_recordset(p_requests) as r(n int, tenant_id text, chain jsonb, wants jsonb)
        cross join lateral jsonb_each_text(r.chain) as chain
        cross join lateral jsonb_to_recordset(r.wants) as w(resource text, kind text, amount bigint)
        where w.amount > 0
      ), items as (
        select a.n, a.tenant_id, q.id, q.resource, q.kind, q.period, q.time_zone, sum(a.amount)::bigint as amount
        from asks a cross join lateral (
          select id, resource, kind, period, time_zone from quotas
          where quotas.tenant_id = a.tenant_id and quotas.level = a.level and quotas.subject_id = a.subject_id
            and quotas.resource = a.resource and (quotas.kind is null or quotas.kind = a.kind)
            and quotas.removed_at is null
          -- Keeps this a look-up by index for each ask.
          offset 0
        ) as q
        group by a.n, a.tenant_id, q.id, q.resource, q.kind, q.period, q.time_zone
      ), placed as (
        select items.*, w.ends, case when items.period = 'level' then '-infinity' else w.starts end as starts
        from items left join jsonb_to_recordset(p_windows)
          as w(period text, zone text, starts timestamptz, ends timestamptz)
          on w.period = items.period and w.zone = items.time_zone
      ), ranked as (
        select placed.*, dense_rank() over (order by id, starts) as counter from placed
      )
      select array_agg(n order by n, id), array_agg(tenant_id order by n, id), array_agg(id order by n, id),
        array_agg(resource order by n, id), array_agg(kind order by n, id), array_agg(starts order by n, id),
        array_agg(ends order by n, id), array_agg(amount order by n, id), array_agg(counter order by n, id),
        array_agg(distinct time_zone) filter (where starts is null)
      into i_request, i_tenant, i_quota, i_resource, i_kind, i_start, i_end, i_amount, i_counter, v_zones
      from ranked;
      if v_zones is not null then return jsonb_build_object('zones', to_jsonb(v_zones)); end if;

      for v_lock in
        select distinct l.place, l.tenant, l.quota, l.starts, l.ends
        from unnest(i_counter, i_tenant, i_quota, i_start, i_end) as l(place, tenant, quota, starts, ends)
        order by l.place
      loop
        loop
          select counter.used + counter.overrun as used, counter.reserved, counter.told::int as told into v_counter
          from quota_counters counter
          where counter.quota_id = v_lock.quota and counter.window_start = v_lock.starts
          for update;
          exit when found;
          insert into quota_counters (tenant_id, quota_id, window_start, window_end)
          values (v_lock.tenant, v_lock.quota, v_lock.starts, v_lock.ends)
          on conflict do nothing;
        end loop;
        select quotas.max_amount, quotas.mode = 'hard' as hard, quotas.warn_amount into v_quota
        from quotas where quotas.id = v_lock.quota;
        c_quota := c_quota || v_lock.quota;
        c_start := c_start || v_lock.starts;
        c_end := c_end || v_lock.ends;
        c_used := c_used || v_counter.used;
        c_reserved := c_reserved || v_counter.reserved;
        c_told := c_told || v_counter.told;
        c_limit := c_limit || v_quota.max_amount;
        c_hard := c_hard || v_quota.hard;
        c_warn := c_warn || v_quota.warn_amount;
        c_added := c_added || 0::bigint;
        c_new := c_new || 0;
      end loop;

      for v_ask in
        select * from jsonb_to_recordset(p_requests) as r(n int, id text, tenant_id text, request_id text,
          digest text, expires_at timestamptz, chain jsonb, wants jsonb)
        order by n
      loop
        v_first := i;
        while i <= cardinality(i_request) and i_request[i] = v_ask.n loop i := i + 1; end loop;
        select known.id, known.digest, known.state, known.expires_at, known.warnings into v_known
        from quota_reservations known
        where known.tenant_id = v_ask.tenant_id and known.request_id = v_ask.request_id;
        if v_known.digest <> v_ask.digest then
          v_outcomes := v_outcomes || jsonb_build_object('n', v_ask.n, 'verdict', 'differs');
          continue;
        end if;
        if v_known.state in ('reserved', 'settled', 'returned') then
          v_outcomes := v_outcomes || jsonb_build_object('n', v_ask.n, 'verdict', 'reserved', 'id', v_known.id,
            'state', case v_known.state when 'reserved' then 'reserved' else 'settled' end,
            'expiresAt', v_known.expires_at, 'warnings', v_known.warnings);
          continue;
        end if;
        v_short := null;
        for k in v_first..i - 1 loop
          c := i_counter[k];
          if c_hard[c] and c_used[c] + c_reserved[c] + c_added[c] + i_amount[k] > c_limit[c]
            -- Of several, the one that has to be waited for longest is told; a level has no end.
            and (v_short is null or c_end[c] is null or c_end[c] > c_end[i_counter[v_short]])
          then v_short := k; end if;
        end loop;
        if v_short is not null then
          c := i_counter[v_short];
          v_outcomes := v_outcomes || jsonb_build_object('n', v_ask.n, 'verdict', 'refused', 'quotaId', c_quota[c],
            'asked', i_amount[v_short]::text, 'limit', c_limit[c]::text, 'used', c_used[c]::text,
            'reserved', (c_reserved[c] + c_added[c])::text, 'windowEnd', c_end[c],
            'expired', exists (
              select from quota_reservations x
              where x.tenant_id = v_ask.tenant_id and x.state = 'reserved' and x.expires_at <= p_now));
          continue;
        end if;
        v_warnings := '{}';
        q_quota := '{}'; q_start := '{}'; q_resource := '{}'; q_kind := '{}'; q_amount := '{}';
        for k in v_first..i - 1 loop
          c := i_counter[k];
          c_added[c] := c_added[c] + i_amount[k];
          q_quota := q_quota || i_quota[k];
          q_start := q_start || i_start[k];
          q_resource := q_resource || i_resource[k];
          q_kind := q_kind || i_kind[k];
          q_amount := q_amount || i_amount[k];
          v_taken := c_used[c] + c_reserved[c] + c_added[c];
          v_reached := case when not c_hard[c] and v_taken > c_limit[c] then 2 when v_taken >= c_warn[c] then 1
            else 0 end;
          if v_reached > 0 then
            v_warnings := v_warnings || jsonb_build_object('quotaId', c_quota[c],
              'reached', case v_reached when 2 then 'soft-limit' else 'warn' end);
            if ((c_told[c] | c_new[c]) & v_reached) = 0 then
              c_new[c] := c_new[c] | v_reached;
              v_told := v_told || jsonb_build_object('quotaId', c_quota[c],
                'reached', case v_reached when 2 then 'soft-limit' else 'warn' end, 'taken', v_taken::text,
                'windowStart', nullif(c_start[c], '-infinity'), 'windowEnd', c_end[c]);
            end if;
          end if;
        end loop;
        insert into quota_reservations (id, tenant_id, request_id, digest, chain, wants, state, reserved_at,
          expires_at, warnings, item_quotas, item_starts, item_resources, item_kinds, item_reserved)
        values (v_ask.id, v_ask.tenant_id, v_ask.request_id, v_ask.digest, v_ask.chain, v_ask.wants, 'reserved', p_now,
          v_ask.expires_at, to_jsonb(v_warnings), q_quota, q_start, q_resource, q_kind, q_amount)
        -- One that has ended is opened again, under its old id.
        on conflict (tenant_id, request_id) do update set state = 'reserved', late = false, closed_at = null,
          used_amounts = null, item_used = null, item_overrun = null, reserved_at = excluded.reserved_at,
          expires_at = excluded.expires_at, warnings = excluded.warnings, item_quotas = excluded.item_quotas,
          item_starts = excluded.item_starts, item_resources = excluded.item_resources,
          item_kinds = excluded.item_kinds, item_reserved = excluded.item_reserved
        where quota_reservations.state in ('released', 'expired') and quota_reservations.digest = excluded.digest
          and quota_reservations.id = v_known.id;
        if not found then
          raise exception 'a request was reserved in the meantime' using errcode = 'serialization_failure';
        end if;
        v_outcomes := v_outcomes || jsonb_build_object('n', v_ask.n, 'verdict', 'reserved',
          'id', coalesce(v_known.id, v_ask.id), 'state', 'reserved', 'expiresAt', v_ask.expires_at,
          'warnings', to_jsonb(v_warnings));
      end loop;

      for k in 1..cardinality(c_quota) loop
        if c_added[k] > 0 then
          update quota_counters counter set reserved = counter.reserved + c_added[k], told = counter.told | c_new[k]
          where counter.quota_id = c_quota[k] and counter.window_start = c_start[k];
        end if;
      end loop;
      return jsonb_build_object('outcomes', to_jsonb(v_outcomes), 'told', to_jsonb(v_told));
    end $body$`.execute(db)
}
