-- Whether each source that pay is reconciled against is there at all. A source that is not configured and has
-- never landed anything is absent: its missing lines are unknown, not missing.
with source_status as (
    select * from {{ source('landing', 'source_status') }}
),

extract_state as (
    select * from {{ source('landing', 'extract_state') }}
),

landed as (
    select
        source as source_name,
        count(*) as landed_partition_count
    from extract_state
    group by source
),

pay_source as (
    select 'bamboohr' as source_name

    union all

    select 'payroll' as source_name

    union all

    select 'ledger' as source_name
),

final as (
    select
        pay_source.source_name,
        coalesce(source_status.is_configured, false) as is_configured,
        coalesce(source_status.reason, 'no status of this source has been recorded') as status_reason,
        not coalesce(source_status.is_configured, false)
        and coalesce(landed.landed_partition_count, 0) = 0 as is_absent
    from pay_source
    left join source_status on pay_source.source_name = source_status.source
    left join landed on pay_source.source_name = landed.source_name
)

select * from final
