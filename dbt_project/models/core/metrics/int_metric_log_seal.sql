{{ config(materialized='incremental', incremental_strategy='append', full_refresh=false) }}
-- What each run left in the logs of results and definitions: how many entries, and the hash over all of theirs.
-- Appended by every run, each run's seals hashed with those before, so that an entry, a key or the tail of a log that
-- is taken away between runs is missed (gate marts).
with result_log as (
    select * from {{ ref('int_metric_result_log') }}
),

definition_log as (
    select * from {{ ref('int_metric_definition_log') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

entry as (
    select
        'int_metric_result_log' as log_name,
        run_id,
        entry_hash
    from result_log

    union all

    select
        'int_metric_definition_log' as log_name,
        run_id,
        entry_hash
    from definition_log
),

-- a run that found nothing new seals that it did
of_run as (
    select
        log_name,
        run_id,
        count(*) as entry_count,
        {{ md5_of([string_list('entry_hash', 'entry_hash')]) }} as entries_hash
    from entry
    group by log_name, run_id

    union all

    {% for log in ['int_metric_result_log', 'int_metric_definition_log'] -%}
    select
        '{{ log }}' as log_name,
        run_id,
        0 as entry_count,
        {{ md5_of(['null']) }} as entries_hash
    from run_context
    where run_id not in (select {{ log.replace('int_metric_', '') }}.run_id from {{ log.replace('int_metric_', '') }})
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

{% if is_incremental() -%}
recorded as (
    select * from {{ this }}
),

latest as (
    select *
    from recorded
    qualify row_number() over (partition by log_name, run_id order by seal_number desc) = 1
),

-- what is sealed stays sealed as it was; only a run that goes on may add to its own
unsealed as (
    select of_run.*
    from of_run
    left join latest
        on
            of_run.log_name = latest.log_name
            and of_run.run_id = latest.run_id
    where
        latest.run_id is null
        or (
            of_run.run_id in (select run_context.run_id from run_context)
            and of_run.entry_count > latest.entry_count
        )
),

last_seal as (
    select
        coalesce(max(seal_number), 0) as seal_number,
        max_by(seal_hash, seal_number) as seal_hash
    from recorded
),
{%- else -%}
unsealed as (
    select * from of_run
),

last_seal as (
    select
        0 as seal_number,
        cast(null as varchar) as seal_hash
),
{%- endif %}

sealed as (
    select {{ string_list(
        "log_name || ' ' || run_id || ' ' || cast(entry_count as varchar) || ' ' || entries_hash", 'log_name, run_id'
    ) }} as contents
    from unsealed
),

final as (
    select
        cast(last_seal.seal_number + 1 as bigint) as seal_number,
        unsealed.log_name,
        unsealed.run_id,
        cast(unsealed.entry_count as bigint) as entry_count,
        unsealed.entries_hash,
        run_context.run_id as sealed_by_run_id,
        {{ md5_of(['last_seal.seal_hash', 'sealed.contents', 'run_context.run_id']) }} as seal_hash
    from unsealed
    cross join sealed
    cross join last_seal
    cross join run_context
)

select * from final
