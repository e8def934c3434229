import { enableTenantIsolation, type Migrations } from '@medley/store'
import { type Kysely, sql } from 'kysely'

/** What is written here stays as it is, for whoever connects: corrections are further rows. */
async function appendOnly(db: Kysely<unknown>, table: string): Promise<void> {
  await sql`
    create trigger money_append_only before update or delete or truncate on ${sql.table(table)}
    for each statement execute function medley_money_append_only()`.execute(db)
}

async function createMetering(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table meter_events (
      id text primary key,
      tenant_id text not null,
      source_key text not null,
      digest text not null,
      project_id text not null,
      key_id text,
      kind text not null,
      quantity bigint not null check (quantity >= 0 or correction_of is not null),
      model text,
      product text,
      score_class text,
      chip_uuid text,
      slice text,
      event text,
      cu_micro bigint,
      rate_version text,
      evidence_id text,
      correction_of text references meter_events (id),
      started_at timestamptz not null,
      ended_at timestamptz not null check (ended_at >= started_at),
      -- The instant that decides its price and month.
      counted_at timestamptz not null,
      recorded_at timestamptz not null,
      unique (tenant_id, source_key)
    )`.execute(db)
  await sql`create index meter_events_counted on meter_events (tenant_id, counted_at)`.execute(db)
  await sql`create index meter_events_corrections on meter_events (correction_of) where correction_of is not null`.execute(
    db,
  )
  await appendOnly(db, 'meter_events')
  await enableTenantIsolation(db, 'meter_events')
  // Work to be done, not history: the row goes when the event is charged.
  await sql`
    create table meter_due (
      event_id text primary key references meter_events (id),
      tenant_id text not null,
      -- No price fitted: waits for a further version of the book.
      unpriced boolean not null default false
    )`.execute(db)
  await sql`create index meter_due_tenants on meter_due (tenant_id, unpriced, event_id)`.execute(db)
  await enableTenantIsolation(db, 'meter_due')
}

async function createPrices(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table price_books (
      name text not null,
      version integer not null,
      digest text not null,
      currency text not null,
      time_zone text not null,
      valid_from timestamptz not null,
      valid_to timestamptz,
      rules jsonb not null,
      discount numeric not null,
      published_at timestamptz not null,
      primary key (name, version)
    )`.execute(db)
  await appendOnly(db, 'price_books')
  await sql`
    create table revenue_shares (
      id text primary key,
      account text not null check (account in ('partner', 'data-provider')),
      owner_id text not null,
      kind text,
      model text,
      product text,
      share numeric not null check (share > 0 and share <= 1),
      valid_from timestamptz not null,
      valid_to timestamptz,
      unique nulls not distinct (account, owner_id, kind, model, product, valid_from)
    )`.execute(db)
  await appendOnly(db, 'revenue_shares')
}

async function createLedger(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table ledger_postings (
      id text primary key,
      tenant_id text not null,
      reason text not null check (reason in ('hold', 'release', 'charge', 'top-up', 'terms')),
      -- Once for each: what is done again is refused by the database itself.
      source_id text not null,
      posted_at timestamptz not null,
      unique (tenant_id, reason, source_id)
    )`.execute(db)
  await sql`
    create table ledger_entries (
      id bigint generated always as identity primary key,
      posting_id text not null references ledger_postings (id),
      -- Whose eyes it is for; null: the operator's only.
      tenant_id text,
      account text not null
        check (account in ('wallet', 'hold', 'credit', 'revenue', 'partner', 'data-provider', 'top-up')),
      owner_id text,
      amount numeric not null,
      currency text not null
    )`.execute(db)
  await sql`create index ledger_entries_postings on ledger_entries (posting_id)`.execute(db)
  await sql`create index ledger_entries_tenants on ledger_entries (tenant_id, id)`.execute(db)
  for (const table of ['ledger_postings', 'ledger_entries']) {
    await appendOnly(db, table)
    await enableTenantIsolation(db, table)
  }
  await sql`
    create function medley_money_balanced() returns trigger language plpgsql as $$
    begin
      if exists (
        select from ledger_entries where posting_id = new.posting_id group by currency having sum(amount) <> 0)
      then raise exception 'posting % does not add up to zero', new.posting_id; end if;
      return null;
    end $$`.execute(db)
  await sql`
    create constraint trigger money_balanced after insert on ledger_entries
    deferrable initially deferred for each row execute function medley_money_balanced()`.execute(db)
}

async function createWallets(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table wallets (
      tenant_id text primary key,
      currency text not null,
      time_zone text not null,
      book_name text not null,
      balance numeric not null default 0,
      held numeric not null default 0 check (held >= 0),
      owed numeric not null default 0 check (owed >= 0),
      credit_limit numeric not null check (credit_limit >= 0),
      low_at numeric not null check (low_at >= 0),
      at_zero text not null check (at_zero in ('stop', 'slow-down', 'ask')),
      -- What was told last.
      state text not null,
      asked boolean not null default false,
      -- Whatever any process does: not one cent beyond balance and credit.
      check (balance + credit_limit >= 0)
    ) with (fillfactor = 50)`.execute(db)
  await enableTenantIsolation(db, 'wallets')
  await sql`
    create table wallet_holds (
      id text primary key,
      tenant_id text not null references wallets (tenant_id),
      request_id text not null,
      amount numeric not null check (amount > 0),
      state text not null check (state in ('held', 'captured', 'released', 'expired')),
      charged numeric,
      capture_digest text,
      opened_at timestamptz not null,
      expires_at timestamptz not null,
      closed_at timestamptz,
      unique (tenant_id, request_id)
    )`.execute(db)
  await sql`create index wallet_holds_due on wallet_holds (expires_at) where state = 'held'`.execute(db)
  await enableTenantIsolation(db, 'wallet_holds')
}

async function createCharges(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table charges (
      id text primary key,
      tenant_id text not null,
      project_id text not null,
      event_id text not null references meter_events (id),
      -- Priced for the how many-th time; the reversal of a charge has its revision.
      revision integer not null,
      entry text not null check (entry in ('charge', 'reversal')),
      book_name text not null,
      book_version integer not null,
      rule_id text not null,
      kind text not null,
      model text,
      product text,
      unit text not null,
      quantity numeric not null,
      unit_price numeric not null,
      amount numeric not null,
      currency text not null,
      shares jsonb not null,
      counted_at timestamptz not null,
      charged_at timestamptz not null,
      posting_id text not null references ledger_postings (id),
      unique (event_id, revision, entry)
    )`.execute(db)
  await sql`create index charges_counted on charges (tenant_id, counted_at)`.execute(db)
  await appendOnly(db, 'charges')
  await enableTenantIsolation(db, 'charges')
}

async function createBudgets(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table budgets (
      id text primary key,
      tenant_id text not null references wallets (tenant_id),
      project_id text,
      amount numeric not null check (amount > 0),
      alert_shares numeric[] not null,
      unique nulls not distinct (tenant_id, project_id)
    )`.execute(db)
  await sql`
    create table budget_alerts (
      budget_id text not null references budgets (id),
      tenant_id text not null,
      month text not null,
      share numeric not null,
      primary key (budget_id, month, share)
    )`.execute(db)
  for (const table of ['budgets', 'budget_alerts']) await enableTenantIsolation(db, table)
  // What each project spent in each month, so that a budget need not add up the month's charges again and again.
  await sql`
    create table project_spend (
      tenant_id text not null,
      project_id text not null,
      month text not null,
      spent numeric not null,
      primary key (tenant_id, month, project_id)
    ) with (fillfactor = 50)`.execute(db)
  await enableTenantIsolation(db, 'project_spend')
}

export const moneyMigrations: Migrations = {
  '20261123-60-money': {
    async up(db: Kysely<unknown>) {
      await sql`
        create function medley_money_append_only() returns trigger language plpgsql as $$
        begin raise exception '% is append-only', tg_table_name; end $$`.execute(db)
      await createMetering(db)
      await createPrices(db)
      await createLedger(db)
      await createWallets(db)
      await createCharges(db)
      await createBudgets(db)
    },
  },
}
