-- One row a primary vendor and quarter: what it and its subcontractors promised, delivered and reported, what it
-- owes, and what follows.
with int_reporting_period as (
    select * from {{ ref('int_reporting_period') }}
    where period_grain = 'quarter'
),

int_vendor_family as (
    select * from {{ ref('int_vendor_family') }}
),

int_component_month as (
    select * from {{ ref('int_component_month') }}
    where owner_code <> 'internal'
),

fct_service_credit as (
    select * from {{ ref('fct_service_credit') }}
),

supplier_contract as (
    select * from {{ ref('supplier_contract') }}
),

vendor_assessment as (
    select * from {{ ref('vendor_assessment') }}
),

vendor_consequence as (
    select * from {{ ref('vendor_consequence') }}
),

-- an SLA period belongs to the quarter it ends in
contract_period as (
    select
        int_reporting_period.period_code,
        int_reporting_period.period_start_on,
        int_reporting_period.period_end_on,
        int_reporting_period.is_complete,
        fct_service_credit.supplier_contract_code,
        fct_service_credit.vendor_code,
        fct_service_credit.primary_vendor_code,
        fct_service_credit.component_code,
        fct_service_credit.measure,
        fct_service_credit.currency_code,
        fct_service_credit.counted_share,
        fct_service_credit.measured_share,
        fct_service_credit.reported_share,
        fct_service_credit.shortfall_share,
        fct_service_credit.credit_status,
        fct_service_credit.credit_amount
    from fct_service_credit
    inner join int_reporting_period
        on
            fct_service_credit.period_end_on > int_reporting_period.period_start_on
            and fct_service_credit.period_end_on <= int_reporting_period.period_end_on
),

-- how much of the shortfall of all services the vendor's component answers for; a contract outside the tree weighs 1
component_weight as (
    select
        component_code,
        measure,
        period_on,
        sum({{ integer_units('owner_share', 4) }}) as weight_units
    from int_component_month
    group by component_code, measure, period_on
),

weighed as (
    select
        contract_period.*,
        contract_period.vendor_code <> contract_period.primary_vendor_code as is_subcontracted,
        coalesce(component_weight.weight_units, 10000) as weight_units,
        contract_period.credit_status = 'ok' as is_judged,
        contract_period.credit_status = 'ok' and contract_period.shortfall_share > 0 as is_breached,
        contract_period.credit_status = 'ok'
        and contract_period.measured_share is not null
        and contract_period.reported_share is not null as is_compared
    from contract_period
    left join component_weight
        on
            contract_period.component_code = component_weight.component_code
            and contract_period.period_start_on = component_weight.period_on
            and component_weight.measure
            = case contract_period.measure when 'ticket_attainment' then 'attainment' else 'availability' end
),

card as (
    select
        primary_vendor_code,
        period_code,
        period_start_on,
        period_end_on,
        is_complete,
        min(currency_code) as currency_code,
        count(distinct supplier_contract_code) as contract_count,
        count(distinct case when is_subcontracted then vendor_code end) as subcontractor_count,
        sum(case when is_judged then 1 else 0 end) as judged_count,
        sum(case when credit_status = 'insufficient_data' then 1 else 0 end) as unknown_count,
        sum(case when is_breached then 1 else 0 end) as breach_count,
        sum(case when is_breached and is_subcontracted then 1 else 0 end) as subcontractor_breach_count,
        sum(case when is_judged then weight_units else 0 end) as judged_units,
        sum(case when is_judged and not is_breached then weight_units else 0 end) as kept_units,
        sum(case when is_compared then 1 else 0 end) as compared_count,
        sum(case when is_compared then weight_units else 0 end) as compared_units,
        sum(case when is_compared then {{ share_units('measured_share') }} * weight_units else 0 end)
            as measured_units,
        sum(case when is_compared then {{ share_units('reported_share') }} * weight_units else 0 end)
            as reported_units,
        -- reported better than measured by more than a thousandth
        sum(case when is_compared and reported_share - measured_share > 0.001 then 1 else 0 end)
            as overstated_count,
        sum(credit_amount) as credit_amount,
        sum(case when is_subcontracted then credit_amount else 0 end) as subcontractor_credit_amount
    from weighed
    group by primary_vendor_code, period_code, period_start_on, period_end_on, is_complete
),

scored as (
    select
        *,
        {{ round_half_up_ratio('kept_units', 'judged_units', 6) }} as performance_share,
        is_complete and judged_count > 0 as is_scored
    from card
),

-- a run of quarters below a rule's threshold; quarters without a score neither lengthen nor break it
judged_by_rule as (
    select
        scored.primary_vendor_code,
        scored.period_start_on,
        vendor_consequence.consequence_code,
        vendor_consequence.severity_rank,
        vendor_consequence.consecutive_quarter_count,
        scored.performance_share < vendor_consequence.below_performance_share as is_below,
        sum(case when scored.performance_share < vendor_consequence.below_performance_share then 0 else 1 end) over (
            partition by scored.primary_vendor_code, vendor_consequence.consequence_code
            order by scored.period_start_on
            rows between unbounded preceding and current row
        ) as run_number
    from scored
    inner join vendor_consequence
        on
            scored.period_start_on >= vendor_consequence.effective_from
            and scored.period_start_on <= coalesce(vendor_consequence.effective_to, date '9999-12-31')
    where scored.is_scored
),

rule_run as (
    select
        *,
        sum(case when is_below then 1 else 0 end) over (
            partition by primary_vendor_code, consequence_code, run_number
            order by period_start_on
            rows between unbounded preceding and current row
        ) as run_quarters
    from judged_by_rule
),

consequence as (
    select
        primary_vendor_code,
        period_start_on,
        max_by(consequence_code, severity_rank) as consequence_code,
        max(severity_rank) as severity_rank
    from rule_run
    where is_below and run_quarters >= consecutive_quarter_count
    group by primary_vendor_code, period_start_on
),

gravest as (
    select max(severity_rank) as severity_rank
    from vendor_consequence
),

maturity as (
    select
        scored.primary_vendor_code,
        scored.period_start_on,
        max_by(vendor_assessment.maturity_level, vendor_assessment.assessed_on) as maturity_level,
        max(vendor_assessment.assessed_on) as assessed_on
    from scored
    inner join vendor_assessment
        on
            scored.primary_vendor_code = vendor_assessment.vendor_code
            and scored.period_end_on > vendor_assessment.assessed_on
    group by scored.primary_vendor_code, scored.period_start_on
),

-- each subcontractor's latest assessment, then the lowest of them
subcontractor_latest as (
    select
        scored.primary_vendor_code,
        scored.period_start_on,
        int_vendor_family.vendor_code,
        max_by(vendor_assessment.maturity_level, vendor_assessment.assessed_on) as maturity_level
    from scored
    inner join int_vendor_family on scored.primary_vendor_code = int_vendor_family.primary_vendor_code
    inner join vendor_assessment
        on
            int_vendor_family.vendor_code = vendor_assessment.vendor_code
            and scored.period_end_on > vendor_assessment.assessed_on
    where int_vendor_family.subcontract_level_number > 0
    group by scored.primary_vendor_code, scored.period_start_on, int_vendor_family.vendor_code
),

subcontractor_maturity as (
    select
        primary_vendor_code,
        period_start_on,
        min(maturity_level) as maturity_level
    from subcontractor_latest
    group by primary_vendor_code, period_start_on
),

-- the next decision: the earliest day of notice, of contracts that renew after the quarter
renewal as (
    select
        scored.primary_vendor_code,
        scored.period_start_on,
        min_by(
            supplier_contract.renewal_on,
            {{ add_days('supplier_contract.renewal_on', '0 - supplier_contract.notice_days') }}
        ) as renewal_on,
        min({{ add_days('supplier_contract.renewal_on', '0 - supplier_contract.notice_days') }}) as decide_by_on
    from scored
    inner join int_vendor_family on scored.primary_vendor_code = int_vendor_family.primary_vendor_code
    inner join supplier_contract
        on
            int_vendor_family.vendor_code = supplier_contract.vendor_code
            and scored.period_end_on > supplier_contract.effective_from
            and scored.period_end_on <= supplier_contract.renewal_on
    group by scored.primary_vendor_code, scored.period_start_on
),

final as (
    select
        cast(scored.primary_vendor_code || ':' || scored.period_code as varchar) as scorecard_key,
        cast(scored.primary_vendor_code as varchar) as vendor_code,
        cast(int_vendor_family.vendor_name as varchar) as vendor_name,
        cast(scored.period_code as varchar) as period_code,
        cast(scored.period_start_on as date) as period_start_on,
        cast(scored.contract_count as bigint) as contract_count,
        cast(scored.subcontractor_count as bigint) as subcontractor_count,
        cast(scored.judged_count as bigint) as judged_period_count,
        cast(scored.unknown_count as bigint) as unknown_period_count,
        cast(scored.breach_count as bigint) as breach_count,
        cast(scored.subcontractor_breach_count as bigint) as subcontractor_breach_count,
        cast(scored.performance_share as decimal(18, 6)) as performance_share,
        cast(scored.compared_count as bigint) as compared_period_count,
        {{ from_integer_units(round_half_up_integer('scored.measured_units', 'scored.compared_units'), 9) }}
            as measured_share,
        {{ from_integer_units(round_half_up_integer('scored.reported_units', 'scored.compared_units'), 9) }}
            as reported_share,
        cast(scored.overstated_count as bigint) as overstated_period_count,
        cast(scored.credit_amount as decimal(18, 2)) as credit_amount,
        cast(scored.subcontractor_credit_amount as decimal(18, 2)) as subcontractor_credit_amount,
        cast(scored.currency_code as varchar) as currency_code,
        cast(maturity.maturity_level as integer) as maturity_level_number,
        cast(subcontractor_maturity.maturity_level as integer) as lowest_subcontractor_maturity_level_number,
        cast(maturity.assessed_on as date) as assessed_on,
        cast(
            case
                when not scored.is_complete then 'provisional'
                when scored.judged_count = 0 then 'insufficient_data'
                else 'ok'
            end as varchar
        ) as scorecard_status,
        cast(
            case when scored.is_scored then coalesce(consequence.consequence_code, 'none') end as varchar
        ) as consequence_code,
        cast(renewal.renewal_on as date) as renewal_on,
        cast(renewal.decide_by_on as date) as decide_by_on,
        -- before the next card is due the decision has to be declared
        cast(
            coalesce(renewal.decide_by_on < {{ add_months('scored.period_end_on', 3) }}, false) as boolean
        ) as is_renewal_due,
        cast(
            case
                when not scored.is_scored then 'insufficient_data'
                when consequence.severity_rank = gravest.severity_rank or maturity.maturity_level = 1 then 'exit'
                when
                    consequence.consequence_code is not null
                    or scored.overstated_count > 0
                    or maturity.maturity_level = 2
                    or subcontractor_maturity.maturity_level = 1
                    then 'renegotiate'
                else 'renew'
            end as varchar
        ) as renewal_signal
    from scored
    cross join gravest
    inner join int_vendor_family on scored.primary_vendor_code = int_vendor_family.vendor_code
    left join consequence
        on
            scored.primary_vendor_code = consequence.primary_vendor_code
            and scored.period_start_on = consequence.period_start_on
    left join maturity
        on
            scored.primary_vendor_code = maturity.primary_vendor_code
            and scored.period_start_on = maturity.period_start_on
    left join subcontractor_maturity
        on
            scored.primary_vendor_code = subcontractor_maturity.primary_vendor_code
            and scored.period_start_on = subcontractor_maturity.period_start_on
    left join renewal
        on
            scored.primary_vendor_code = renewal.primary_vendor_code
            and scored.period_start_on = renewal.period_start_on
)

select * from final
