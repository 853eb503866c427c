-- Every closed period as its archive was registered at the start of the run, and what has come to light since.
with closed_period as (
    select * from {{ ref('int_closed_period') }}
),

closed_payout_line as (
    select * from {{ ref('int_closed_payout_line') }}
),

fct_restatement as (
    select * from {{ ref('fct_restatement') }}
),

counted as (
    select
        period_code,
        count(*) as payout_line_count,
        count(distinct employee_number) as employee_count
    from closed_payout_line
    group by period_code
),

restated as (
    select
        period_code,
        count(*) as restated_line_count
    from fct_restatement
    group by period_code
),

final as (
    select
        cast(closed_period.period_code as varchar) as period_code,
        cast(closed_period.sequence_number as integer) as sequence_number,
        cast(closed_period.closed_at as timestamp) as closed_at,
        cast(closed_period.as_of_at as timestamp) as as_of_at,
        cast(closed_period.manifest_sha256 as varchar) as manifest_sha256,
        cast(closed_period.previous_manifest_sha256 as varchar) as previous_manifest_sha256,
        cast(closed_period.code_revision as varchar) as code_revision,
        cast(closed_period.format_version as integer) as format_version,
        cast(closed_period.file_count as bigint) as file_count,
        cast(closed_period.archive_size_bytes as bigint) as archive_size_bytes,
        cast(coalesce(counted.payout_line_count, 0) as bigint) as payout_line_count,
        cast(coalesce(counted.employee_count, 0) as bigint) as employee_count,
        cast(coalesce(restated.restated_line_count, 0) as bigint) as restated_line_count
    from closed_period
    left join counted on closed_period.period_code = counted.period_code
    left join restated on closed_period.period_code = restated.period_code
)

select * from final
