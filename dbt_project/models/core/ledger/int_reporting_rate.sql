-- Rates into the currency group figures are told in, by the publisher the register names: each from its day until the
-- next one, and no longer than the register lets an old rate stand.
with rate as (
    select * from {{ ref('stg_fx_rates__rates') }}
),

reporting_currency as (
    select * from {{ ref('reporting_currency') }}
),

governed as (
    select
        reporting_currency.currency_code as reporting_currency_code,
        rate.from_currency_code as currency_code,
        rate.rate_source,
        rate.rate_on,
        rate.rate_value,
        rate.batch_id,
        reporting_currency.max_age_days,
        reporting_currency.effective_to
    from rate
    inner join reporting_currency
        on
            rate.to_currency_code = reporting_currency.currency_code
            and rate.rate_source = reporting_currency.rate_source
            and rate.rate_on >= reporting_currency.effective_from
            and (reporting_currency.effective_to is null or rate.rate_on <= reporting_currency.effective_to)
),

final as (
    select
        reporting_currency_code,
        currency_code,
        rate_source,
        rate_on,
        least(
            lead(rate_on) over (partition by reporting_currency_code, currency_code order by rate_on),
            {{ add_days('rate_on', 'max_age_days + 1') }},
            {{ add_days('effective_to', 1) }}
        ) as usable_to_on,
        rate_value,
        batch_id
    from governed
)

select * from final
