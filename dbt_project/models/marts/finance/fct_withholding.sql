-- Each payment with what is withheld from it and what is left, by country and class. A payment with a gap in its rules
-- has neither: it must not be paid until the gap is closed.
with withholding_tax as (
    select * from {{ ref('fct_withholding_tax') }}
),

per_payment as (
    select
        withholding_key,
        employee_number,
        earned_quarter,
        payment_period,
        paid_on,
        is_pay_day_planned,
        country_code,
        jurisdiction_code,
        currency_code,
        earning_kind,
        payment_class,
        gross_amount,
        count(tax_code) as tax_count,
        sum(case when gap_reason is not null then 1 else 0 end) as gap_count,
        sum(withheld_amount) as withheld_amount,
        max(case when is_provisional then 1 else 0 end) = 1 as is_provisional,
        max(case when method <> 'none' then 1 else 0 end) = 1 as is_taxed,
        max(case when figure_status = 'demonstration' then 1 else 0 end) = 1 as is_demonstration,
        {{ string_list("coalesce(tax_code, 'any tax') || ': ' || coalesce(gap_reason, method)", 'tax_code') }}
            as tax_methods,
        {{ string_list(
            "case when gap_reason is not null then coalesce(tax_code, 'any tax') || ': ' || gap_reason end", 'tax_code'
        ) }} as gap_reasons
    from withholding_tax
    group by
        withholding_key, employee_number, earned_quarter, payment_period, paid_on, is_pay_day_planned, country_code,
        jurisdiction_code, currency_code, earning_kind, payment_class, gross_amount
),

final as (
    select
        cast(withholding_key as varchar) as withholding_key,
        cast(employee_number as varchar) as employee_number,
        cast(earned_quarter as varchar) as earned_quarter,
        cast(payment_period as varchar) as payment_period,
        cast(paid_on as date) as paid_on,
        cast(is_pay_day_planned as boolean) as is_pay_day_planned,
        cast(country_code as varchar) as country_code,
        cast(jurisdiction_code as varchar) as jurisdiction_code,
        cast(currency_code as varchar) as currency_code,
        cast(earning_kind as varchar) as earning_kind,
        cast(payment_class as varchar) as payment_class,
        cast(gross_amount as decimal(18, 2)) as gross_amount,
        cast(case when gap_count = 0 then withheld_amount end as decimal(18, 2)) as withheld_amount,
        cast(case when gap_count = 0 then gross_amount - withheld_amount end as decimal(18, 2)) as net_amount,
        cast(
            case
                when gap_count = 0
                    then {{ round_half_up_ratio(
                        integer_units('withheld_amount', 2), integer_units('gross_amount', 2), 6
                    ) }}
            end as decimal(18, 6)
        ) as withheld_share,
        cast(tax_count as integer) as tax_count,
        cast(tax_methods as varchar) as tax_methods,
        cast(
            case
                when gap_count > 0 then 'gap'
                when not is_taxed then 'none_due'
                when is_provisional or is_pay_day_planned then 'provisional'
                else 'withheld'
            end as varchar
        ) as withholding_status,
        cast(gap_reasons as varchar) as gap_reasons,
        cast(case when is_demonstration then 'demonstration' else 'confirmed' end as varchar) as figure_status
    from per_payment
)

select * from final
