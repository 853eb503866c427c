-- What each service puts into a pool for a quarter: by its budget and its criticality. Nobody is counted for it.
with incentive_pool as (
    select * from {{ ref('incentive_pool') }}
),

incentive_pool_service as (
    select * from {{ ref('incentive_pool_service') }}
),

pool_criticality_factor as (
    select * from {{ ref('pool_criticality_factor') }}
),

service_budget as (
    select * from {{ ref('service_budget') }}
),

service as (
    select * from {{ ref('service') }}
),

reporting_period as (
    select * from {{ ref('int_reporting_period') }}
    where period_grain = 'quarter' and is_complete
),

-- what is in force on the quarter's first day holds for the whole quarter
source as (
    select
        incentive_pool.pool_code,
        incentive_pool.currency_code,
        reporting_period.period_code as earned_quarter,
        reporting_period.period_start_on,
        incentive_pool_service.service_code,
        service.criticality,
        incentive_pool_service.funding_share,
        pool_criticality_factor.funding_factor,
        service_budget.budget_amount,
        service_budget.currency_code as budget_currency_code,
        case
            when
                incentive_pool.approved_on is null
                or incentive_pool.approved_on > reporting_period.period_start_on
                then 'pool_not_approved'
            when service_budget.budget_amount is null then 'no_budget'
            when service_budget.currency_code <> incentive_pool.currency_code then 'other_currency'
            when pool_criticality_factor.funding_factor is null then 'no_factor'
            else 'funded'
        end as funding_status
    from incentive_pool
    inner join reporting_period
        on
            reporting_period.period_start_on >= incentive_pool.effective_from
            and reporting_period.period_start_on <= coalesce(incentive_pool.effective_to, date '9999-12-31')
    inner join incentive_pool_service
        on
            incentive_pool.pool_code = incentive_pool_service.pool_code
            and reporting_period.period_start_on >= incentive_pool_service.effective_from
            and reporting_period.period_start_on
            <= coalesce(incentive_pool_service.effective_to, date '9999-12-31')
    left join service on incentive_pool_service.service_code = service.service_code
    left join pool_criticality_factor
        on
            service.criticality = pool_criticality_factor.criticality
            and reporting_period.period_start_on >= pool_criticality_factor.effective_from
            and reporting_period.period_start_on
            <= coalesce(pool_criticality_factor.effective_to, date '9999-12-31')
    left join service_budget
        on
            incentive_pool_service.service_code = service_budget.service_code
            and reporting_period.period_start_on = service_budget.quarter_start_on
),

fraction as (
    select
        *,
        case
            when funding_status = 'funded'
                then
                    {{ integer_units('budget_amount', 2) }}
                    * {{ integer_units('funding_share', 6) }}
                    * {{ integer_units('funding_factor', 4) }}
            else 0
        end as cent_numerator,
        {{ exact_integer('10000000000') }} as cent_denominator
    from source
),

split as (
    select
        *,
        {{ allocate_largest_remainder(
            'cent_numerator', 'cent_denominator', 'pool_code, earned_quarter', 'service_code'
        ) }} as funded_cents
    from fraction
),

final as (
    select
        cast(pool_code as varchar) as pool_code,
        cast(earned_quarter as varchar) as earned_quarter,
        cast(period_start_on as date) as period_start_on,
        cast(service_code as varchar) as service_code,
        cast(criticality as integer) as criticality,
        cast(budget_amount as decimal(18, 2)) as budget_amount,
        cast(budget_currency_code as varchar) as budget_currency_code,
        cast(funding_share as decimal(9, 6)) as funding_share,
        cast(funding_factor as decimal(9, 4)) as funding_factor,
        cast(funding_status as varchar) as funding_status,
        cast({{ from_integer_units('funded_cents', 2) }} as decimal(18, 2)) as funded_amount,
        cast(currency_code as varchar) as currency_code
    from split
)

select * from final
