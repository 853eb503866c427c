-- Where pay rested on a result that later proved invalid: tickets closed in the quarter and reopened after it, findings
-- of an audit, restatements. The result is corrected, led through the same bands, and what was earned too much is taken
-- back within the rule of the country; never more than the line is worth after its caps.
with fct_incentive_payout as (
    select * from {{ ref('fct_incentive_payout') }}
),

cap_application as (
    select * from {{ ref('fct_cap_application') }}
),

metric_result as (
    select * from {{ ref('fct_metric_result') }}
    where period_grain = 'quarter' and entity_type = 'team'
),

metric_evidence as (
    select * from {{ ref('fct_metric_evidence') }}
    where evidence_type = 'ticket'
),

ticket_reopening as (
    select * from {{ ref('int_ticket_reopening') }}
),

clawback_event as (
    select * from {{ ref('int_clawback_event') }}
),

clawback_rule as (
    select * from {{ ref('clawback_rule') }}
),

achievement_band as (
    select * from {{ ref('achievement_band') }}
),

plan_component as (
    select * from {{ ref('plan_component') }}
),

run_context as (
    select * from {{ ref('int_run_context') }}
),

capped as (
    select
        earning_line_id,
        sum(cap_amount) as cap_amount
    from cap_application
    group by earning_line_id
),

line as (
    select
        fct_incentive_payout.payout_line_id,
        fct_incentive_payout.plan_code,
        fct_incentive_payout.plan_version,
        fct_incentive_payout.tier,
        fct_incentive_payout.component_code,
        fct_incentive_payout.employee_number,
        fct_incentive_payout.earned_quarter,
        fct_incentive_payout.period_end_on,
        fct_incentive_payout.team_code,
        fct_incentive_payout.country_code,
        fct_incentive_payout.cost_centre_code,
        fct_incentive_payout.currency_code,
        fct_incentive_payout.payment_period,
        fct_incentive_payout.metric_result_key,
        fct_incentive_payout.metric_value,
        fct_incentive_payout.paid_value,
        fct_incentive_payout.band_method,
        fct_incentive_payout.payout_share,
        fct_incentive_payout.payout_amount,
        metric_result.metric_code,
        metric_result.aggregation_kind,
        metric_result.numerator,
        metric_result.denominator,
        fct_incentive_payout.payout_amount + coalesce(capped.cap_amount, 0) as net_amount
    from fct_incentive_payout
    inner join metric_result on fct_incentive_payout.metric_result_key = metric_result.metric_result_key
    left join capped on fct_incentive_payout.payout_line_id = capped.earning_line_id
    where fct_incentive_payout.payout_amount > 0 and fct_incentive_payout.payout_share > 0
),

-- the rule of the line's country in force when the quarter had ended
ruled as (
    select
        line.*,
        clawback_rule.reason,
        clawback_rule.recovery_share,
        clawback_rule.is_recovery_allowed,
        {{ add_months('line.period_end_on', 'clawback_rule.look_back_months') }} as look_back_to_on
    from line
    inner join clawback_rule
        on
            coalesce(line.country_code, '') = clawback_rule.country_code
            and line.period_end_on >= clawback_rule.effective_from
            and (clawback_rule.effective_to is null or line.period_end_on <= clawback_rule.effective_to)
),

reopened_key as (
    select
        ticket_key as evidence_key,
        reopened_at
    from ticket_reopening
    union all
    select
        'ticket:' || ticket_key as evidence_key,
        reopened_at
    from ticket_reopening
),

result_span as (
    select distinct
        metric_result_key,
        period_end_on,
        look_back_to_on
    from ruled
    where reason = 'reopened' and aggregation_kind in ('share', 'weighted_share')
),

premature as (
    select
        result_span.metric_result_key,
        result_span.look_back_to_on,
        metric_evidence.evidence_key,
        min(metric_evidence.numerator_weight) as numerator_weight,
        min(metric_evidence.evidence_weight) as evidence_weight,
        min(reopened_key.reopened_at) as reopened_at
    from result_span
    inner join metric_evidence on result_span.metric_result_key = metric_evidence.metric_result_key
    inner join reopened_key on metric_evidence.evidence_key = reopened_key.evidence_key
    cross join run_context
    where
        cast(reopened_key.reopened_at as date) >= result_span.period_end_on
        and cast(reopened_key.reopened_at as date) < result_span.look_back_to_on
        and reopened_key.reopened_at <= run_context.as_of_at
    group by
        result_span.metric_result_key, result_span.look_back_to_on, metric_evidence.evidence_key,
        metric_evidence.ticket_slt_key
),

invalid as (
    select
        metric_result_key,
        look_back_to_on,
        sum(numerator_weight) as numerator_weight,
        sum(evidence_weight) as evidence_weight,
        count(distinct evidence_key) as ticket_count,
        max(cast(reopened_at as date)) as found_on
    from premature
    group by metric_result_key, look_back_to_on
),

finding as (
    select
        ruled.payout_line_id,
        'reopened' as reason,
        'reopened:' || ruled.metric_result_key as event_id,
        invalid.found_on,
        invalid.ticket_count,
        cast({{ round_half_up_ratio(
            'ruled.numerator - invalid.numerator_weight', 'ruled.denominator - invalid.evidence_weight', 6
        ) }} as decimal(18, 6)) as corrected_value,
        true as is_counted,
        cast(null as varchar) as refusal_reasons
    from ruled
    inner join invalid
        on
            ruled.metric_result_key = invalid.metric_result_key
            and ruled.look_back_to_on = invalid.look_back_to_on
    where ruled.reason = 'reopened'
    union all
    select
        line.payout_line_id,
        clawback_event.reason,
        clawback_event.event_id,
        clawback_event.found_on,
        cast(null as bigint) as ticket_count,
        clawback_event.corrected_value,
        clawback_event.is_counted,
        clawback_event.refusal_reasons
    from clawback_event
    inner join line
        on
            clawback_event.earned_quarter = line.earned_quarter
            and clawback_event.team_code = line.team_code
            and clawback_event.metric_code = line.metric_code
            and (
                clawback_event.employee_number is null or clawback_event.employee_number = line.employee_number
            )
),

-- an adjustment in effect moved the paid value: it moves the corrected one by as much
corrected as (
    select
        line.*,
        finding.reason,
        finding.event_id,
        finding.found_on,
        finding.ticket_count,
        finding.corrected_value + (line.paid_value - line.metric_value) as corrected_value,
        finding.is_counted,
        finding.refusal_reasons,
        ruled.recovery_share,
        ruled.is_recovery_allowed,
        ruled.look_back_to_on
    from finding
    inner join line on finding.payout_line_id = line.payout_line_id
    left join ruled
        on
            finding.payout_line_id = ruled.payout_line_id
            and finding.reason = ruled.reason
),

band as (
    {{ bounded_bands('achievement_band') }}
),

banded as (
    select
        corrected.*,
        plan_component.threshold_value,
        plan_component.accelerator_from_value,
        plan_component.accelerator_factor,
        -- nothing left to measure by earns nothing
        coalesce({{ earned_share("corrected.corrected_value", "'ok'", 'corrected.band_method', 'band') }}, 0)
            as banded_share
    from corrected
    left join plan_component
        on
            corrected.plan_code = plan_component.plan_code
            and corrected.plan_version = plan_component.plan_version
            and corrected.tier = plan_component.tier
            and corrected.component_code = plan_component.component_code
    left join band
        on
            corrected.plan_code = band.plan_code
            and corrected.plan_version = band.plan_version
            and corrected.component_code = band.component_code
            and corrected.corrected_value >= band.lower_bound
            and (band.upper_bound is null or corrected.corrected_value < band.upper_bound)
),

shared as (
    select
        *,
        {{ accelerated_share(
            'corrected_value', 'banded_share', 'threshold_value', 'accelerator_from_value', 'accelerator_factor'
        ) }} as corrected_share
    from banded
),

priced as (
    select
        *,
        {{ integer_units('net_amount', 2) }} as net_cents,
        {{ round_half_up_integer(
            integer_units('payout_amount', 2) ~ ' * ' ~ integer_units('corrected_share', 4),
            integer_units('payout_share', 4)
        ) }} as corrected_cents
    from shared
),

lost as (
    select
        *,
        {{ round_half_up_integer(
            'greatest(net_cents - corrected_cents, 0) * ' ~ integer_units('coalesce(recovery_share, 1)', 4),
            exact_integer('10000')
        ) }} as lost_cents,
        case
            when not is_counted then 'refused'
            when band_method not in ('flat', 'interpolated') then 'not_recomputable'
            when recovery_share is null then 'no_rule'
            when found_on >= look_back_to_on then 'too_late'
            when not is_recovery_allowed then 'finding_only'
            else 'taken_back'
        end as finding_status
    from priced
),

-- of several findings on a line the worst counts once: each takes what it adds to those before
running as (
    select
        *,
        max(case when finding_status = 'taken_back' then lost_cents else 0 end) over (
            partition by payout_line_id order by found_on, event_id
            rows between unbounded preceding and current row
        ) as taken_cents
    from lost
),

stepped as (
    select
        *,
        case
            when finding_status = 'taken_back'
                then taken_cents
                    - coalesce(lag(taken_cents) over (partition by payout_line_id order by found_on, event_id), 0)
            else 0
        end as clawback_cents
    from running
),

final as (
    select
        cast({{ md5_of(["'clawback'", 'reason', 'event_id', 'payout_line_id']) }} as varchar) as clawback_key,
        cast(event_id as varchar) as event_id,
        cast(reason as varchar) as reason,
        cast(
            case when finding_status = 'taken_back' and clawback_cents = 0 then 'no_effect' else finding_status end
            as varchar
        ) as clawback_status,
        cast(refusal_reasons as varchar) as refusal_reasons,
        cast(payout_line_id as varchar) as earning_line_id,
        cast('incentive' as varchar) as earning_kind,
        cast(employee_number as varchar) as employee_number,
        cast(earned_quarter as varchar) as earned_quarter,
        cast(team_code as varchar) as team_code,
        cast(country_code as varchar) as country_code,
        cast(cost_centre_code as varchar) as cost_centre_code,
        cast(currency_code as varchar) as currency_code,
        cast(payment_period as varchar) as payment_period,
        cast(component_code as varchar) as component_code,
        cast(metric_result_key as varchar) as metric_result_key,
        cast(found_on as date) as found_on,
        cast(look_back_to_on as date) as look_back_to_on,
        cast(ticket_count as bigint) as ticket_count,
        cast(paid_value as decimal(18, 6)) as paid_value,
        cast(corrected_value as decimal(18, 6)) as corrected_value,
        cast(payout_share as decimal(9, 4)) as payout_share,
        cast(corrected_share as decimal(9, 4)) as corrected_share,
        cast(recovery_share as decimal(9, 4)) as recovery_share,
        cast(net_amount as decimal(18, 2)) as net_amount,
        cast({{ from_integer_units('lost_cents', 2) }} as decimal(18, 2)) as finding_amount,
        cast({{ from_integer_units('-clawback_cents', 2) }} as decimal(18, 2)) as clawback_amount
    from stepped
)

select * from final
