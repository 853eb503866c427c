-- What each supplier contract owes us for each of its SLA periods, exact to the cent, with both caps.
with int_reporting_period as (
    select * from {{ ref('int_reporting_period') }}
    where period_grain = 'month'
),

supplier_contract as (
    select * from {{ ref('supplier_contract') }}
),

service_credit_rule as (
    select * from {{ ref('service_credit_rule') }}
),

int_vendor_family as (
    select * from {{ ref('int_vendor_family') }}
),

fct_component_performance as (
    select * from {{ ref('fct_component_performance') }}
),

contract_month as (
    select
        supplier_contract.*,
        case supplier_contract.sla_period when 'quarter' then 3 else 1 end as sla_months,
        int_reporting_period.period_start_on as month_on,
        int_reporting_period.period_days as month_days,
        int_reporting_period.is_complete,
        (year(int_reporting_period.period_start_on) - year(supplier_contract.effective_from)) * 12
        + month(int_reporting_period.period_start_on)
        - month(supplier_contract.effective_from) as month_number
    from supplier_contract
    inner join int_reporting_period
        on
            int_reporting_period.period_start_on >= supplier_contract.effective_from
            and int_reporting_period.period_start_on <= supplier_contract.effective_to
),

-- what was measured and what was reported in the month, each null where it is not known
observed as (
    select
        contract_month.*,
        case
            when measured.performance_status = 'insufficient_data' then null
            when contract_month.measure = 'availability_raw' then measured.raw_good_count
            else measured.adjusted_good_count
        end as measured_numerator,
        case
            when measured.performance_status = 'insufficient_data' then null
            when contract_month.measure = 'availability_raw' then measured.raw_total_count
            else measured.adjusted_total_count
        end as measured_denominator,
        reported.adjusted_share as reported_share
    from contract_month
    left join fct_component_performance as measured
        on
            contract_month.service_code = measured.component_code
            and contract_month.month_on = measured.period_month
            and measured.performance_source <> 'vendor_report'
            and measured.measure
            = case contract_month.measure when 'ticket_attainment' then 'attainment' else 'availability' end
    left join fct_component_performance as reported
        on
            contract_month.component_code = reported.component_code
            and contract_month.month_on = reported.period_month
            and reported.performance_source = 'vendor_report'
            and reported.measure
            = case contract_month.measure when 'ticket_attainment' then 'attainment' else 'availability' end
),

-- SLA periods are counted from the contract's first day; one with a month that is not known is not known
period as (
    select
        supplier_contract_code,
        vendor_code,
        service_code,
        component_code,
        measure,
        promised_share,
        effective_from,
        sla_months,
        monthly_fee_amount,
        period_credit_cap_share,
        yearly_credit_cap_amount,
        currency_code,
        {{ int_div('month_number', 'sla_months') }} as period_number,
        min(month_on) as period_start_on,
        count(*) = sla_months and bool_and(is_complete) as is_complete,
        case when count(measured_denominator) = count(*) then sum(measured_numerator) end as measured_numerator,
        case when count(measured_denominator) = count(*) then sum(measured_denominator) end as measured_denominator,
        case when count(reported_share) = count(*) then sum({{ share_units('reported_share') }} * month_days) end
            as reported_unit_days,
        sum(month_days) as period_days
    from observed
    group by
        supplier_contract_code,
        vendor_code,
        service_code,
        component_code,
        measure,
        promised_share,
        effective_from,
        sla_months,
        monthly_fee_amount,
        period_credit_cap_share,
        yearly_credit_cap_amount,
        currency_code,
        {{ int_div('month_number', 'sla_months') }}
),

share as (
    select
        *,
        case
            when measure <> 'availability_reported'
                then {{ round_half_up_ratio('measured_numerator', 'measured_denominator', 9) }}
        end as measured_share,
        {{ from_integer_units(round_half_up_integer('reported_unit_days', 'period_days'), 9) }} as reported_share
    from period
),

counted as (
    select
        *,
        case measure when 'availability_reported' then reported_share else measured_share end as counted_share
    from share
),

-- the band with the lowest threshold that is still above what was attained
banded as (
    select
        counted.supplier_contract_code,
        counted.period_number,
        min_by(service_credit_rule.credit_share, service_credit_rule.below_share) as credit_share
    from counted
    inner join service_credit_rule
        on
            counted.supplier_contract_code = service_credit_rule.supplier_contract_code
            and counted.counted_share < service_credit_rule.below_share
            and counted.period_start_on >= service_credit_rule.effective_from
            and counted.period_start_on <= coalesce(service_credit_rule.effective_to, date '9999-12-31')
    group by counted.supplier_contract_code, counted.period_number
),

-- an open or unknown period owes nothing yet
owed as (
    select
        counted.*,
        {{ int_div('counted.period_number * counted.sla_months', 12) }} + 1 as contract_year_number,
        case
            when not counted.is_complete then 'provisional'
            when counted.counted_share is null then 'insufficient_data'
            else 'ok'
        end as credit_status,
        case
            when counted.counted_share is not null and counted.is_complete then coalesce(banded.credit_share, 0)
        end as credit_share,
        {{ integer_units('counted.monthly_fee_amount', 2) }} * counted.sla_months as fee_cents
    from counted
    left join banded
        on
            counted.supplier_contract_code = banded.supplier_contract_code
            and counted.period_number = banded.period_number
),

capped as (
    select
        *,
        {{ round_half_up_integer('fee_cents * ' ~ integer_units('coalesce(credit_share, 0)', 4), 10000) }}
            as uncapped_cents,
        {{ round_half_up_integer('fee_cents * ' ~ integer_units('period_credit_cap_share', 4), 10000) }}
            as period_cap_cents,
        {{ integer_units('yearly_credit_cap_amount', 2) }} as year_cap_cents
    from owed
),

-- what a year has paid is the smaller of its cap and what its periods came to, so each period is a difference of two
running as (
    select
        *,
        least(uncapped_cents, period_cap_cents) as period_cents,
        least(
            year_cap_cents,
            sum(least(uncapped_cents, period_cap_cents)) over (
                partition by supplier_contract_code, contract_year_number
                order by period_start_on
                rows between unbounded preceding and current row
            )
        ) as year_cents
    from capped
),

credit as (
    select
        *,
        year_cents - lag(year_cents, 1, {{ exact_integer(0) }}) over (
            partition by supplier_contract_code, contract_year_number order by period_start_on
        ) as credit_cents
    from running
),

final as (
    select
        cast(credit.supplier_contract_code || ':' || cast(credit.period_start_on as varchar) as varchar) as credit_key,
        cast(credit.supplier_contract_code as varchar) as supplier_contract_code,
        cast(credit.vendor_code as varchar) as vendor_code,
        cast(int_vendor_family.primary_vendor_code as varchar) as primary_vendor_code,
        cast(credit.service_code as varchar) as service_code,
        cast(credit.component_code as varchar) as component_code,
        cast(credit.measure as varchar) as measure,
        cast(credit.period_start_on as date) as period_start_on,
        {{ add_months('credit.period_start_on', 'credit.sla_months') }} as period_end_on,
        cast(credit.contract_year_number as integer) as contract_year_number,
        cast(credit.promised_share as decimal(18, 9)) as promised_share,
        cast(credit.measured_share as decimal(18, 9)) as measured_share,
        cast(credit.reported_share as decimal(18, 9)) as reported_share,
        cast(credit.counted_share as decimal(18, 9)) as counted_share,
        cast(
            case
                when credit.counted_share is not null
                    then greatest(credit.promised_share - credit.counted_share, 0)
            end as decimal(18, 9)
        ) as shortfall_share,
        cast(credit.credit_status as varchar) as credit_status,
        cast(credit.credit_share as decimal(9, 4)) as credit_share,
        {{ from_integer_units('credit.fee_cents', 2) }} as fee_amount,
        {{ from_integer_units('credit.uncapped_cents', 2) }} as uncapped_credit_amount,
        {{ from_integer_units('credit.period_cap_cents', 2) }} as period_cap_amount,
        {{ from_integer_units('credit.period_cents', 2) }} as period_capped_amount,
        {{ from_integer_units('credit.year_cap_cents', 2) }} as yearly_cap_amount,
        {{ from_integer_units('credit.credit_cents', 2) }} as credit_amount,
        {{ from_integer_units('credit.year_cents', 2) }} as year_to_date_amount,
        cast(
            case
                when credit.period_cents < credit.uncapped_cents and credit.credit_cents < credit.period_cents
                    then 'period_and_year'
                when credit.period_cents < credit.uncapped_cents then 'period'
                when credit.credit_cents < credit.period_cents then 'year'
                else 'none'
            end as varchar
        ) as cap_applied,
        cast(credit.currency_code as varchar) as currency_code
    from credit
    inner join int_vendor_family on credit.vendor_code = int_vendor_family.vendor_code
)

select * from final
