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
      i_request int[]; i_quota text[]; i_start timestamptz[]; i_end timestamptz[]; i_amount bigint[]; i_counter int[];
      -- Counters, in the order in which they are locked.
      c_quota text[]; c_start timestamptz[]; c_end timestamptz[]; c_used bigint[]; c_reserved bigint[];
      c_added bigint[]; c_told int[]; c_new int[]; c_limit bigint[]; c_hard boolean[]; c_warn bigint[];
      a_request int[] := '{}'; a_warnings jsonb[] := '{}';
      v_outcomes jsonb[] := '{}'; v_told jsonb[] := '{}'; v_warnings jsonb[];
      v_ask record; c int; i int := 1; v_first int; v_short int; v_reached int; v_taken bigint; v_rows bigint;
    begin
      with asks as (
        select r.n, r.tenant_id, chain.key as level, chain.value as subject_id, w.resource, w.kind, w.amount
        from jsonb_to_recordset(p_requests) as r(n int, tenant_id text, chain jsonb, wants jsonb)
        cross join lateral jsonb_each_text(r.chain) as chain
        cross join lateral jsonb_to_recordset(r.wants) as w(resource text, kind text, amount bigint)
        where w.amount > 0
      ), items as (
        select a.n, q.id, q.period, q.time_zone, sum(a.amount)::bigint as amount
        from asks a join quotas q on q.tenant_id = a.tenant_id and q.level = a.level
          and q.subject_id = a.subject_id and q.resource = a.resource
        where q.removed_at is null and (q.kind is null or q.kind = a.kind)
        group by a.n, q.id
      ), placed as (
        select items.*, w.ends, case when items.period = 'level' then '-infinity' else w.starts end as starts
        from items left join jsonb_to_recordset(p_windows)
          as w(period text, zone text, starts timestamptz, ends timestamptz)
          on w.period = items.period and w.zone = items.time_zone
      )
      select array_agg(n order by n, id), array_agg(id order by n, id), array_agg(starts order by n, id),
        array_agg(ends order by n, id), array_agg(amount order by n, id),
        array_agg(distinct time_zone) filter (where starts is null)
      into i_request, i_quota, i_start, i_end, i_amount, v_zones from placed;
      if v_zones is not null then return jsonb_build_object('zones', to_jsonb(v_zones)); end if;

      insert into quota_counters (tenant_id, quota_id, window_start, window_end)
      select distinct q.tenant_id, q.id, item.starts, item.ends
      from unnest(i_quota, i_start, i_end) as item(quota, starts, ends) join quotas q on q.id = item.quota
      where not exists (
        select from quota_counters counter
        where counter.quota_id = item.quota and counter.window_start = item.starts)
      order by q.id, item.starts
      on conflict do nothing;

      select array_agg(l.quota_id order by l.quota_id, l.window_start),
        array_agg(l.window_start order by l.quota_id, l.window_start),
        array_agg(l.window_end order by l.quota_id, l.window_start),
        array_agg(l.used + l.overrun order by l.quota_id, l.window_start),
        array_agg(l.reserved order by l.quota_id, l.window_start),
        array_agg(l.told::int order by l.quota_id, l.window_start),
        array_agg(0::bigint), array_agg(0)
      into c_quota, c_start, c_end, c_used, c_reserved, c_told, c_added, c_new
      from (
        select counter.* from quota_counters counter
        join (select distinct quota, starts from unnest(i_quota, i_start) as item(quota, starts)) as wanted
          on counter.quota_id = wanted.quota and counter.window_start = wanted.starts
        order by counter.quota_id, counter.window_start
        for update of counter
      ) l;
      select array_agg(q.max_amount order by l.n), array_agg(q.mode = 'hard' order by l.n),
        array_agg(q.warn_amount order by l.n)
      into c_limit, c_hard, c_warn
      from unnest(c_quota) with ordinality as l(id, n) join quotas q on q.id = l.id;
      select array_agg(l.n order by item.n) into i_counter
      from unnest(i_quota, i_start) with ordinality as item(quota, starts, n)
      join unnest(c_quota, c_start) with ordinality as l(quota, starts, n)
        on l.quota = item.quota and l.starts = item.starts;
      if cardinality(i_counter) <> cardinality(i_quota) then
        raise exception 'a counter was removed in the meantime' using errcode = 'serialization_failure';
      end if;

      for v_ask in
        select req.*, known.id as known_id, known.digest as known_digest, known.state as known_state,
          known.expires_at as known_expires, known.warnings as known_warnings
        from jsonb_to_recordset(p_requests)
          as req(n int, id text, tenant_id text, request_id text, digest text, expires_at timestamptz)
        left join quota_reservations known
          on known.tenant_id = req.tenant_id and known.request_id = req.request_id
        order by req.n
      loop
        v_first := i;
        while i <= cardinality(i_request) and i_request[i] = v_ask.n loop i := i + 1; end loop;
        if v_ask.known_digest <> v_ask.digest then
          v_outcomes := v_outcomes || jsonb_build_object('n', v_ask.n, 'verdict', 'differs');
          continue;
        end if;
        if v_ask.known_state in ('reserved', 'settled', 'returned') then
          v_outcomes := v_outcomes || jsonb_build_object('n', v_ask.n, 'verdict', 'reserved', 'id', v_ask.known_id,
            'state', case v_ask.known_state when 'reserved' then 'reserved' else 'settled' end,
            'expiresAt', v_ask.known_expires, 'warnings', v_ask.known_warnings);
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
        for k in v_first..i - 1 loop
          c := i_counter[k];
          c_added[c] := c_added[c] + i_amount[k];
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
        a_request := a_request || v_ask.n;
        a_warnings := a_warnings || to_jsonb(v_warnings);
        v_outcomes := v_outcomes || jsonb_build_object('n', v_ask.n, 'verdict', 'reserved',
          'id', coalesce(v_ask.known_id, v_ask.id), 'state', 'reserved', 'expiresAt', v_ask.expires_at,
          'warnings', to_jsonb(v_warnings));
      end loop;

      update quota_counters counter
      set reserved = counter.reserved + l.added, told = counter.told | l.told::smallint
      from unnest(c_quota, c_start, c_added, c_new) as l(quota, starts, added, told)
      where counter.quota_id = l.quota and counter.window_start = l.starts and l.added > 0;

      insert into quota_reservations (id, tenant_id, request_id, digest, chain, wants, state, reserved_at, expires_at,
        warnings, item_quotas, item_starts, item_resources, item_kinds, item_reserved)
      select r.id, r.tenant_id, r.request_id, r.digest, r.chain, r.wants, 'reserved', p_now, r.expires_at,
        a.warnings, coalesce(item.quotas, '{}'), coalesce(item.starts, '{}'), coalesce(item.resources, '{}'),
        coalesce(item.kinds, '{}'), coalesce(item.amounts, '{}')
      from unnest(a_request, a_warnings) as a(n, warnings)
      join jsonb_to_recordset(p_requests) as r(n int, id text, tenant_id text, request_id text, digest text,
        chain jsonb, wants jsonb, expires_at timestamptz) on r.n = a.n
      left join (
        select each.n, array_agg(each.quota order by each.quota) as quotas,
          array_agg(each.starts order by each.quota) as starts, array_agg(q.resource order by each.quota) as resources,
          array_agg(q.kind order by each.quota) as kinds, array_agg(each.amount order by each.quota) as amounts
        from unnest(i_request, i_quota, i_start, i_amount) as each(n, quota, starts, amount)
        join quotas q on q.id = each.quota
        group by each.n
      ) as item on item.n = a.n
      order by r.tenant_id, r.request_id
      -- One that has ended is opened again, under its old id.
      on conflict (tenant_id, request_id) do update set state = 'reserved', late = false, closed_at = null,
        used_amounts = null, item_used = null, item_overrun = null, reserved_at = excluded.reserved_at,
        expires_at = excluded.expires_at, warnings = excluded.warnings, item_quotas = excluded.item_quotas,
        item_starts = excluded.item_starts, item_resources = excluded.item_resources,
        item_kinds = excluded.item_kinds, item_reserved = excluded.item_reserved
      where quota_reservations.state in ('released', 'expired') and quota_reservations.digest = excluded.digest;
      get diagnostics v_rows = row_count;
      if v_rows <> cardinality(a_request) then
        raise exception 'a request was reserved in the meantime' using errcode = 'serialization_failure';
      end if;
      return jsonb_build_object('outcomes', to_jsonb(v_outcomes), 'told', to_jsonb(v_told));
    end $body$`.execute(db)
}
