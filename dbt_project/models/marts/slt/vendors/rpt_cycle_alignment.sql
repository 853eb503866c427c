-- Internal incentive quarters beside the SLA periods of each supplier contract: do they begin and end together, and
-- is a provider's result (and its credit) known before our people are paid on it?
with int_incentive_period as (
    select * from {{ ref('int_incentive_period') }}
),

supplier_contract as (
    select * from {{ ref('supplier_contract') }}
),

int_vendor_family as (
    select * from {{ ref('int_vendor_family') }}
),

paired as (
    select
        int_incentive_period.*,
        supplier_contract.supplier_contract_code,
        supplier_contract.vendor_code,
        supplier_contract.sla_period,
        supplier_contract.review_cycle,
        supplier_contract.invoice_cycle,
        supplier_contract.credit_settlement_lag_months,
        supplier_contract.effective_from,
        supplier_contract.effective_to,
        {{ month_code_start('int_incentive_period.payment_period') }} as payout_month,
        case supplier_contract.sla_period when 'quarter' then 3 else 1 end as sla_months,
        case supplier_contract.review_cycle
            when 'year' then 12
            when 'half_year' then 6
            when 'quarter' then 3
            else 1
        end as review_months,
        (year(int_incentive_period.period_start_on) - year(supplier_contract.effective_from)) * 12
        + month(int_incentive_period.period_start_on)
        - month(supplier_contract.effective_from) as start_month_number
    from int_incentive_period
    inner join supplier_contract
        on
            int_incentive_period.period_end_on > supplier_contract.effective_from
            and int_incentive_period.period_start_on <= supplier_contract.effective_to
),

-- months from the start of the provider's cycle to the start of our quarter, and to its end; a quarter that begins
-- before the contract does is taken from the contract's first day
offsets as (
    select
        *,
        greatest(start_month_number, 0) % sla_months as sla_offset_months,
        (start_month_number + 3) % sla_months as sla_end_offset_months,
        (start_month_number + 3) % review_months as review_end_offset_months
    from paired
),

-- the SLA period in which our quarter ends, and the month its credit is settled in
dated as (
    select
        *,
        {{ add_months(
            'period_end_on',
            'case when sla_end_offset_months = 0 then 0 else sla_months - sla_end_offset_months end'
        ) }} as provider_period_end_on,
        {{ add_months(
            'period_end_on',
            'case when review_end_offset_months = 0 then 0 else review_months - review_end_offset_months end'
        ) }} as provider_review_on
    from offsets
),

-- the last SLA period may end with the contract, before our quarter does
ended as (
    select
        *,
        {{ month_start(add_months(
            'least(provider_period_end_on, ' ~ add_days('effective_to', 1) ~ ')', 'credit_settlement_lag_months - 1'
        )) }} as settlement_month
    from dated
),

measured as (
    select
        *,
        (year(payout_month) - year(settlement_month)) * 12
        + month(payout_month) - month(settlement_month) as lead_months,
        sla_offset_months = 0 and sla_end_offset_months = 0 as is_cycle_aligned
    from ended
),

final as (
    select
        cast(measured.plan_code as varchar) as plan_code,
        cast(measured.plan_version as integer) as plan_version,
        cast(measured.earned_quarter as varchar) as earned_quarter,
        cast(measured.period_start_on as date) as period_start_on,
        cast(measured.supplier_contract_code as varchar) as supplier_contract_code,
        cast(measured.vendor_code as varchar) as vendor_code,
        cast(int_vendor_family.primary_vendor_code as varchar) as primary_vendor_code,
        cast(measured.sla_period as varchar) as sla_period,
        cast(measured.review_cycle as varchar) as review_cycle,
        cast(measured.invoice_cycle as varchar) as invoice_cycle,
        cast(measured.sla_offset_months as integer) as sla_offset_months,
        cast(measured.provider_period_end_on as date) as provider_period_end_on,
        cast(measured.provider_review_on as date) as provider_review_on,
        cast(measured.is_cycle_aligned as boolean) as is_cycle_aligned,
        cast(measured.payout_month as date) as payout_month,
        cast(measured.settlement_month as date) as settlement_month,
        cast(measured.lead_months as integer) as lead_months,
        cast(measured.lead_months >= 0 as boolean) as is_settled_before_payout,
        cast(
            case
                when measured.is_cycle_aligned and measured.lead_months >= 0 then 'aligned'
                when measured.is_cycle_aligned then 'paid_before_settlement'
                when measured.lead_months >= 0 then 'cycle_differs'
                else 'cycle_differs_and_paid_before_settlement'
            end as varchar
        ) as alignment_status
    from measured
    inner join int_vendor_family on measured.vendor_code = int_vendor_family.vendor_code
)

select * from final
