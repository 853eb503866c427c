-- Three misses in a row without a trigger, or a trigger without them: nobody would be asked for the cause. The run of
-- a month is counted back to the last attained one, apart from the islands of the model.
{{ config(meta={'dagster': {'ref': {'name': 'fct_improvement_trigger'}}}) }}
with judged as (
    select
        scope_type,
        scope_code,
        slt_code,
        period_month,
        attainment_status,
        misses_required_count,
        row_number() over months as month_number
    from {{ ref('fct_slt_attainment') }}
    where attainment_status in ('missed', 'attained')
    window months as (partition by scope_type, scope_code, slt_code order by period_month)
),

counted as (
    select
        *,
        month_number - coalesce(max(case when attainment_status = 'attained' then month_number end) over (
            partition by scope_type, scope_code, slt_code
            order by month_number
            rows between unbounded preceding and current row
        ), 0) as misses_so_far
    from judged
),

asked as (
    select
        scope_type,
        scope_code,
        slt_code,
        {{ add_months('period_month', 1) }} as opened_on
    from counted
    where misses_so_far = misses_required_count
),

opened as (
    select
        scope_type,
        scope_code,
        slt_code,
        opened_on
    from {{ ref('fct_improvement_trigger') }}
),

missing as (
    select * from asked
    except all
    select * from opened
),

unasked as (
    select * from opened
    except all
    select * from asked
)

select
    'no trigger' as fault,
    *
from missing
union all
select
    'no run of misses' as fault,
    *
from unasked
