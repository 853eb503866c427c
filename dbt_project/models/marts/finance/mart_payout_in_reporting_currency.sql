-- Payments of all countries in one currency, at the rate of a stated day: the last day of the payment month, or the
-- as-of day while the month is not over. Without a rate there is no figure, and the row says which rate is missing.
with payout_balance as (
    select * from {{ ref('fct_payout_balance') }}
),

reporting_currency as (
    select * from {{ ref('reporting_currency') }}
),

reporting_rate as (
    select * from {{ ref('int_reporting_rate') }}
),

payment_moment as (
    select * from {{ ref('int_payment_moment') }}
),

summed as (
    select
        payment_period,
        currency_code,
        -- of what is all paid, some of it outside, nothing is open: released
        case
            when min(payout_status) = max(payout_status) then max(payout_status)
            when bool_and(payout_status in ('exported', 'released')) then 'released'
            when bool_and(payout_status in ('pending', 'released')) then 'pending'
            else 'partly_exported'
        end as payout_status,
        count(*) as person_count,
        sum(payable_amount) as payable_amount
    from payout_balance
    group by payment_period, currency_code
),

dated as (
    select
        summed.*,
        least(
            {{ add_days(add_months(month_code_start('summed.payment_period'), 1), -1) }},
            cast(payment_moment.as_of_at as date)
        ) as rate_as_of_on
    from summed
    cross join payment_moment
),

governed as (
    select
        dated.*,
        reporting_currency.currency_code as reporting_currency_code
    from dated
    left join reporting_currency
        on
            dated.rate_as_of_on >= reporting_currency.effective_from
            and (reporting_currency.effective_to is null or dated.rate_as_of_on <= reporting_currency.effective_to)
),

rated as (
    select
        governed.*,
        case when governed.currency_code = governed.reporting_currency_code then governed.rate_as_of_on
            else reporting_rate.rate_on
        end as rate_on,
        case when governed.currency_code = governed.reporting_currency_code then 'same_currency'
            else reporting_rate.rate_source
        end as rate_source,
        case when governed.currency_code = governed.reporting_currency_code then 1
            else reporting_rate.rate_value
        end as rate_value
    from governed
    left join reporting_rate
        on
            governed.reporting_currency_code = reporting_rate.reporting_currency_code
            and governed.currency_code = reporting_rate.currency_code
            and governed.rate_as_of_on >= reporting_rate.rate_on
            and governed.rate_as_of_on < reporting_rate.usable_to_on
),

final as (
    select
        cast(payment_period as varchar) as payment_period,
        cast(currency_code as varchar) as currency_code,
        cast(payout_status as varchar) as payout_status,
        cast(person_count as bigint) as person_count,
        cast(payable_amount as decimal(18, 2)) as payable_amount,
        cast(reporting_currency_code as varchar) as reporting_currency_code,
        cast(rate_as_of_on as date) as rate_as_of_on,
        cast(rate_on as date) as rate_on,
        cast(rate_source as varchar) as rate_source,
        cast(rate_value as decimal(18, 8)) as rate_value,
        cast({{ from_integer_units(
            round_half_up_integer(
                integer_units('payable_amount', 2) ~ ' * ' ~ integer_units('rate_value', 8), exact_integer('100000000')
            ),
            2
        ) }} as decimal(18, 2)) as reporting_amount,
        cast(
            case
                when reporting_currency_code is null
                    then 'no reporting currency in force on ' || cast(rate_as_of_on as varchar)
                when rate_value is null
                    then 'no rate from ' || currency_code || ' into ' || reporting_currency_code || ' usable on '
                        || cast(rate_as_of_on as varchar)
            end as varchar
        ) as rate_gap
    from rated
)

select * from final
