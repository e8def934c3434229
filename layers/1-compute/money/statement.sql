-- A tenant's month from raw events alone: $1 tenant, $2 first day of the month. Reads what was metered, the price
-- books and the wallet's terms; neither charges nor ledger, nor any code of the product.
with owner as (
  select tenant_id, currency, time_zone, book_name from wallets where tenant_id = $1
), metered as (
  select e.id, e.kind, e.model, e.product, e.score_class, e.quantity::numeric as quantity, e.cu_micro::numeric as cu,
    case when e.ended_at > e.started_at then e.ended_at - interval '1 millisecond' else e.ended_at end as at
  from meter_events e join owner on owner.tenant_id = e.tenant_id
), in_month as (
  select m.* from metered m, owner
  where m.at >= ($2::date)::timestamp at time zone owner.time_zone
    and m.at < ($2::date + interval '1 month')::timestamp at time zone owner.time_zone
), rules as (
  select b.version, b.valid_from, b.valid_to, b.time_zone, b.discount, r.value as rule, r.value ->> 'kind' as unit,
    r.value ->> 'model' as model, r.value ->> 'product' as product, r.value ->> 'scoreClass' as score_class
  from price_books b join owner on owner.book_name = b.name
  cross join lateral jsonb_array_elements(b.rules) as r
), priced as (
  select m.id, m.kind, m.model, m.product, rule.unit,
    case when rule.unit = 'cu-hours' then m.cu else m.quantity end as quantity,
    -- To the unit of the 36th digit by whole numbers, as a quotient of numerics would be rounded.
    div(rule.price * rule.factor * (1 - rule.discount) * 1e36::numeric, rule.per) * 1e-36::numeric as unit_price
  from in_month m
  left join lateral (
    select r.unit, r.discount, (r.rule ->> 'price')::numeric as price, (r.rule ->> 'per')::numeric as per,
      coalesce((
        select (h.value ->> 'factor')::numeric
        from jsonb_array_elements(r.rule -> 'hours') with ordinality as h(value, place)
        where h.value -> 'weekdays' @> to_jsonb(extract(isodow from m.at at time zone r.time_zone)::int)
          and (m.at at time zone r.time_zone)::time >= (h.value ->> 'from')::time
          and (m.at at time zone r.time_zone)::time < (h.value ->> 'to')::time
        order by h.place limit 1
      ), 1) as factor
    from rules r
    where r.version = (
        select max(v.version) from rules v where v.valid_from <= m.at and (v.valid_to is null or m.at < v.valid_to))
      and (r.unit = m.kind or (r.unit = 'cu-hours' and m.kind = 'chip-seconds' and m.cu is not null))
      and (r.model is null or r.model = m.model) and (r.product is null or r.product = m.product)
      and (r.score_class is null or r.score_class = m.score_class)
    order by r.unit = 'cu-hours' desc, r.model is not null desc, r.product is not null desc,
      r.score_class is not null desc
    limit 1
  ) as rule on true
), lines as (
  select kind, model, product, unit, count(*) as events, sum(quantity) as quantity, sum(quantity * unit_price) as exact
  from priced group by kind, model, product, unit
)
select kind, model, product, unit, events::int as events, trim_scale(coalesce(quantity, 0))::text as quantity,
  trim_scale(exact)::text as exact,
  -- round() takes a half away from zero; of two neighbours the even one is wanted.
  trim_scale(case
    when abs(exact * 100 - trunc(exact * 100)) = 0.5 then 2 * round(exact * 100 / 2) / 100
    else round(exact, 2)
  end)::text as amount
from lines
order by kind collate "C", model collate "C" nulls first, product collate "C" nulls first, unit collate "C" nulls last
