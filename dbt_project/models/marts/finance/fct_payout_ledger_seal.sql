{{ config(
    materialized='incremental', incremental_strategy='append', full_refresh=false, on_schema_change='fail'
) }}
-- What each run appended to the ledger: how many lines, their sums and the hash over all of theirs, each sealing hashed
-- with the one before. A line, or the tail of the ledger, that is taken away or changed between runs is missed by it.
with payout_ledger as (
    select * from {{ ref('fct_payout_ledger') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

{% if is_incremental() -%}
recorded as (
    select * from {{ this }}
),
{%- else -%}
recorded as (
    select
        cast(null as bigint) as batch_number,
        cast(null as varchar) as seal_hash
    from run_context
    where 1 = 0
),
{%- endif %}

last_seal as (
    select
        max(batch_number) as batch_number,
        max_by(seal_hash, batch_number) as seal_hash
    from recorded
),

batch as (
    select
        payout_ledger.batch_number,
        count(*) as entry_count,
        max(payout_ledger.entry_number) as last_entry_number,
        {{ md5_of([string_list('payout_ledger.entry_hash', 'payout_ledger.entry_number')]) }} as entries_hash
    from payout_ledger
    cross join last_seal
    where last_seal.batch_number is null or payout_ledger.batch_number > last_seal.batch_number
    group by payout_ledger.batch_number
),

contents as (
    select {{ string_list(
        "cast(batch_number as varchar) || ' ' || cast(entry_count as varchar) || ' ' || entries_hash", 'batch_number'
    ) }} as sealed_contents
    from batch
),

final as (
    select
        cast(batch.batch_number as bigint) as batch_number,
        cast(batch.entry_count as bigint) as entry_count,
        cast(batch.last_entry_number as bigint) as last_entry_number,
        cast(batch.entries_hash as varchar) as entries_hash,
        cast(run_context.run_id as varchar) as sealed_by_run_id,
        cast({{ md5_of(['last_seal.seal_hash', 'contents.sealed_contents', 'run_context.run_id']) }} as varchar)
            as seal_hash
    from batch
    cross join contents
    cross join last_seal
    cross join run_context
)

select * from final
