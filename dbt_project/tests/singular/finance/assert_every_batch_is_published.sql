-- A batch named in a published figure and missing from dim_extract_batch is a dead end: nobody could say which
-- extract the record came in.
{{ config(meta={'dagster': {'ref': {'name': 'dim_extract_batch'}}}) }}
with named as (
    select
        'fct_payout_trace' as table_name,
        batch_id
    from {{ ref('fct_payout_trace') }}

    union all

    select
        'fct_payroll_line' as table_name,
        batch_id
    from {{ ref('fct_payroll_line') }}

    union all

    select
        'fct_journal_line' as table_name,
        batch_id
    from {{ ref('fct_journal_line') }}

    union all

    select
        'fct_incentive_payout.employee' as table_name,
        employee_batch_id as batch_id
    from {{ ref('fct_incentive_payout') }}

    union all

    select
        'fct_incentive_payout.job_info' as table_name,
        job_info_batch_id as batch_id
    from {{ ref('fct_incentive_payout') }}

    union all

    select
        'fct_incentive_payout.incentive_target' as table_name,
        incentive_target_batch_id as batch_id
    from {{ ref('fct_incentive_payout') }}
),

failure as (
    select
        named.table_name,
        named.batch_id,
        count(*) as row_count
    from named
    left join {{ ref('dim_extract_batch') }} as dim_extract_batch on named.batch_id = dim_extract_batch.batch_id
    where dim_extract_batch.batch_id is null
    group by named.table_name, named.batch_id
)

select * from failure
