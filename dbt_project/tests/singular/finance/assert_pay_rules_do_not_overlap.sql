-- Two rules of one tax, or two classes of one kind of earning, in force on one day would leave it to chance which of
-- them a payment is taxed by.
{{ config(meta={'dagster': {'ref': {'name': 'fct_withholding_tax'}}}) }}
with rule as (
    select
        'withholding_rule' as seed_name,
        country_code || '|' || coalesce(jurisdiction_code, '') || '|' || coalesce(payment_class, '') || '|' || tax_code
            as subject,
        effective_from,
        coalesce(effective_to, date '9999-12-31') as effective_to
    from {{ ref('withholding_rule') }}

    union all

    select
        'payment_class' as seed_name,
        country_code || '|' || earning_kind as subject,
        effective_from,
        coalesce(effective_to, date '9999-12-31') as effective_to
    from {{ ref('payment_class') }}

    union all

    select
        'wage_rule' as seed_name,
        rule_kind || '|' || country_code || '|' || coalesce(jurisdiction_code, '') || '|' || coalesce(exempt_status, '')
            as subject,
        effective_from,
        coalesce(effective_to, date '9999-12-31') as effective_to
    from {{ ref('wage_rule') }}

    union all

    select
        'working_week' as seed_name,
        country_code || '|' || coalesce(jurisdiction_code, '') as subject,
        effective_from,
        coalesce(effective_to, date '9999-12-31') as effective_to
    from {{ ref('working_week') }}
),

ordered as (
    select
        *,
        lead(effective_from) over (partition by seed_name, subject order by effective_from, effective_to) as next_from
    from rule
),

failure as (
    select * from ordered
    where effective_to < effective_from or next_from <= effective_to
)

select * from failure
