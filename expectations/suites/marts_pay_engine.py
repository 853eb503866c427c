"""Gate marts, what decides pay beside a result: conditions, counter-metrics, days, bands and draws. `checks()` is read
by `expectations.suites.marts`.

Each is judged anew from registers and sources, apart from the models that judged it; days are counted one by one.
"""

from __future__ import annotations

from collections.abc import Iterator

from expectations.checks import CheckSpec, On

ELIGIBILITY, PAYOUTS, DRAWS = "incentives.fct_eligibility", "incentives.fct_incentive_payout", "incentives.fct_draw"
WORK_SHARES = "core.int_work_share"
RESULTS = "metrics.fct_metric_result"
RULES, DISQUALIFICATIONS = "reference.eligibility_rule", "reference.disqualification_rule"
COMPONENTS, BANDS, GATES = "reference.plan_component", "reference.achievement_band", "reference.counter_gate"
EMPLOYEES = "staging.stg_bamboohr__employees"
SIGNATURES = "staging.stg_bamboohr__plan_acknowledgements"
LEAVE = "staging.stg_bamboohr__time_off_requests"
PROBLEMS, GROUPS = "staging.stg_servicenow__problems", "staging.stg_servicenow__groups"
OPEN = "date '9999-12-31'"
DEFECT = "a defect of the model: nothing may be published from it; see the keys below"
SAME_PLAN = "rule.plan_code = checked.plan_code and rule.plan_version = checked.plan_version"


def checks() -> list[CheckSpec]:
    """The checks of what decides pay."""
    return [*_eligibility(), *_shares(), *_days(), *_bands(), *_draws()]


def _on(table: str, *keys: str, requirements: tuple[str, ...] = ()) -> On:
    return On(table, table.partition(".")[2], keys=keys, sources=("bamboohr",), requirements=requirements)


def _eligibility() -> Iterator[CheckSpec]:
    keys = ("employee_number", "earned_quarter", "team_code", "rule_code")
    on = _on(ELIGIBILITY, *keys)
    yield on.unique(("eligibility_id",), "A condition is judged once.", DEFECT)
    yield on.no_rows(
        "says_why",
        f"""
        select {", ".join(keys)}, is_met, reason, eligible_share from checked
        where (is_met and (reason is not null or eligible_share <> 1))
        or (not is_met and (reason is null or eligible_share >= 1)) or evidence is null or since_on is null
        """,
        "A condition not met has its reason and takes pay away; one that is met leaves all.",
        DEFECT,
    )
    yield on.no_rows(
        "waits_for_the_signature",
        f"""
        select {", ".join(f"checked.{key}" for key in keys)}, checked.is_met, max(paper.acknowledged_at) as signed_at
        from checked
        inner join {RULES} as rule on {SAME_PLAN} and rule.rule_code = checked.rule_code
        cross join core.int_run_context as context
        left join {EMPLOYEES} as person on person.employee_number = checked.employee_number
        left join {SIGNATURES} as paper on paper.employee_id = person.employee_id
            and paper.plan_code = checked.plan_code and paper.plan_version = checked.plan_version
            and paper.communication_code = rule.communication_code and paper.acknowledged_at <= context.as_of_at
        where rule.rule_kind = 'acknowledgement'
        group by all
        having checked.is_met <> (max(paper.acknowledged_at) is not null)
        """,
        "Who has not signed the document of this plan version is not paid by it, and who has is.",
        DEFECT,
        reads=(RULES, EMPLOYEES, SIGNATURES, "core.int_run_context"),
        requirements=("DESK-5.4",),
    )
    yield on.no_rows(
        "counts_tenure_and_cohort",
        f"""
        select {", ".join(f"checked.{key}" for key in keys)}, checked.is_met, max(person.hired_on) as hired_on
        from checked
        inner join {RULES} as rule on {SAME_PLAN} and rule.rule_code = checked.rule_code
        left join {EMPLOYEES} as person on person.employee_number = checked.employee_number
        where rule.rule_kind in ('tenure', 'cohort')
        group by all
        having checked.is_met <> coalesce(case rule.rule_kind
            when 'tenure' then max(person.hired_on) + rule.least_days <= checked.period_end_on
            else max(person.hired_on) <= rule.latest_hired_on
        end, false)
        """,
        "Tenure and cohort follow from the day of hire in the HRIS.",
        DEFECT,
        reads=(RULES, EMPLOYEES),
    )
    yield on.no_rows(
        "waits_for_root_causes",
        f"""
        with late as (
            select team.team_code, problem.opened_at, problem.confirmed_at, problem.related_incident_count
            from {PROBLEMS} as problem
            inner join {GROUPS} as desk on desk.group_id = problem.assignment_group_id
            inner join reference.team as team on team.assignment_group_name = desk.group_name
        )
        select {", ".join(f"checked.{key}" for key in keys)}, checked.is_met, checked.evidence
        from checked
        inner join {RULES} as rule on {SAME_PLAN} and rule.rule_code = checked.rule_code
        where rule.rule_kind = 'root_cause' and checked.is_met = exists (
            select 1 from late
            where late.team_code = checked.team_code and late.related_incident_count >= rule.least_incident_count
            and late.opened_at + rule.due_days * interval 1 day >= checked.period_start_on
            and late.opened_at + rule.due_days * interval 1 day < checked.period_end_on
            and coalesce(late.confirmed_at > late.opened_at + rule.due_days * interval 1 day, true)
        )
        """,
        "A team has its full incentive exactly when each recurring incident due in the quarter had its cause in time.",
        DEFECT,
        reads=(RULES, PROBLEMS, GROUPS, "reference.team"),
        requirements=("DESK-4.6",),
    )
    yield on.no_rows(
        "counts_non_compliance",
        f"""
        with quarter as (
            select distinct period_start_on, period_end_on from core.int_reporting_period where period_grain = 'quarter'
        ),
        fault as (
            select distinct checked.eligibility_id, quarter.period_start_on
            from checked
            inner join {DISQUALIFICATIONS} as rule on {SAME_PLAN} and rule.rule_code = checked.rule_code
            inner join quarter on quarter.period_start_on <= checked.period_start_on and quarter.period_start_on
                > checked.period_start_on - to_months(3 * rule.look_back_quarters)
            left join {RESULTS} as result on result.metric_code = rule.metric_code
                and result.entity_type = 'team' and result.entity_code = checked.team_code
                and result.period_grain = 'quarter' and result.period_start_on = quarter.period_start_on
                and result.result_status = 'ok' and rule.evidence_kind = 'result_below'
            left join reference.improvement_plan as plan on plan.owner_employee_number = checked.employee_number
                and rule.evidence_kind = 'improvement_overdue' and plan.opened_on < quarter.period_end_on
                and plan.due_on < quarter.period_end_on
                and coalesce(plan.closed_on, {OPEN}) >= quarter.period_end_on
            where result.metric_value < rule.least_value or plan.improvement_plan_code is not null
        ),
        counted as (select eligibility_id, count(*) as fault_count from fault group by eligibility_id)
        select {", ".join(f"checked.{key}" for key in keys)}, checked.is_met, counted.fault_count
        from checked
        inner join {DISQUALIFICATIONS} as rule on {SAME_PLAN} and rule.rule_code = checked.rule_code
        left join counted on counted.eligibility_id = checked.eligibility_id
        where checked.is_met = (coalesce(counted.fault_count, 0) >= rule.least_fault_count)
        """,
        "So many quarters with a fault among those looked back on disqualify, and fewer do not.",
        DEFECT,
        reads=(DISQUALIFICATIONS, RESULTS, "reference.improvement_plan", "core.int_reporting_period"),
        requirements=("LTI-1.6",),
    )


def _shares() -> Iterator[CheckSpec]:
    on = _on(PAYOUTS, "payout_line_id", "employee_number", "earned_quarter", "component_code")
    yield on.no_rows(
        "is_judged_by_every_rule",
        f"""
        with rule as (
            select plan_code, plan_version, rule_code, effective_from, effective_to from {RULES}
            union all
            select plan_code, plan_version, rule_code, effective_from, effective_to from {DISQUALIFICATIONS}
        )
        select checked.payout_line_id, checked.employee_number, checked.earned_quarter, rule.rule_code
        from checked
        inner join rule on {SAME_PLAN}
            and checked.period_start_on between rule.effective_from and coalesce(rule.effective_to, {OPEN})
        where not exists (
            select 1 from {ELIGIBILITY} as verdict
            where verdict.plan_code = checked.plan_code and verdict.plan_version = checked.plan_version
            and verdict.employee_number = checked.employee_number and verdict.team_code = checked.team_code
            and verdict.earned_quarter = checked.earned_quarter and verdict.rule_code = rule.rule_code
        )
        """,
        "Nobody is paid without a verdict on each condition in force on the quarter's first day.",
        DEFECT,
        reads=(RULES, DISQUALIFICATIONS, ELIGIBILITY),
        requirements=("DESK-5.4", "DESK-4.6", "LTI-1.6"),
    )
    yield on.no_rows(
        "pays_what_is_eligible",
        f"""
        select checked.payout_line_id, checked.employee_number, checked.earned_quarter, checked.eligible_share,
            min(verdict.eligible_share) as strictest_share, checked.payout_amount
        from checked
        left join {ELIGIBILITY} as verdict on verdict.plan_code = checked.plan_code
            and verdict.plan_version = checked.plan_version and verdict.employee_number = checked.employee_number
            and verdict.team_code = checked.team_code and verdict.earned_quarter = checked.earned_quarter
        group by all
        having checked.eligible_share <> coalesce(min(verdict.eligible_share), 1)
        or (coalesce(min(verdict.eligible_share), 1) = 0 and checked.payout_amount <> 0)
        """,
        "A line leaves the least share its conditions leave; who is not eligible is paid 0.00.",
        DEFECT,
        reads=(ELIGIBILITY,),
        requirements=("DESK-5.4", "DESK-4.6", "LTI-1.6"),
    )
    yield on.no_rows(
        "is_held_by_its_counter_metrics",
        f"""
        with used as (
            select result.metric_code, result.entity_code, result.period_start_on,
                coalesce(effect.adjusted_value, result.metric_value) as value
            from {RESULTS} as result
            left join metrics.fct_score_adjustment_effect as effect
                on effect.metric_result_key = result.metric_result_key and effect.is_applied
            where result.entity_type = 'team' and result.period_grain = 'quarter' and result.result_status = 'ok'
        )
        select checked.payout_line_id, checked.employee_number, checked.earned_quarter, checked.component_code,
            checked.gate_share, min(rule.share_kept) filter (where used.value is not null) as strictest_share
        from checked
        left join {GATES} as rule on {SAME_PLAN} and rule.tier = checked.tier
            and rule.component_code = checked.component_code and checked.metric_result_key is not null
        left join used on used.metric_code = rule.counter_metric_code and used.entity_code = checked.team_code
            and used.period_start_on = checked.period_start_on
            and (used.value < rule.least_value or used.value > rule.most_value)
        group by all
        having checked.gate_share <> coalesce(min(rule.share_kept) filter (where used.value is not null), 1)
        """,
        "Speed pays in full only while the counter-metrics of the same quarter are within their bounds.",
        DEFECT,
        reads=(GATES, RESULTS, "metrics.fct_score_adjustment_effect"),
        requirements=("OPS-5.5", "SLT-4.5"),
    )
    yield on.no_rows(
        "is_weighed_by_the_phase",
        """
        with leader as (
            select owner_team_code as team_code, service_code from reference.service
            qualify row_number() over (partition by owner_team_code order by criticality, service_code) = 1
        ),
        phase as (
            select leader.team_code, life.phase, life.effective_from, life.effective_to
            from leader inner join reference.service_lifecycle as life on life.service_code = leader.service_code
        )
        select checked.payout_line_id, checked.employee_number, checked.earned_quarter, checked.component_code,
            checked.weight, weighed.weight as phase_weight, checked.weight_source
        from checked
        left join phase on phase.team_code = checked.team_code and checked.period_start_on
            between phase.effective_from and coalesce(phase.effective_to, date '9999-12-31')
        left join reference.lifecycle_weight as weighed on weighed.plan_code = checked.plan_code
            and weighed.plan_version = checked.plan_version and weighed.tier = checked.tier
            and weighed.component_code = checked.component_code and weighed.phase = phase.phase
        where checked.weight_source <> 'adjustment' and (
            (weighed.weight is not null and (checked.weight <> weighed.weight or checked.weight_source <> 'lifecycle'))
            or (weighed.weight is null and checked.weight_source <> 'plan')
        )
        """,
        "Pay goes by the weights of the phase of life the team's leading service was in on the quarter's first day.",
        DEFECT,
        reads=("reference.service", "reference.service_lifecycle", "reference.lifecycle_weight"),
        requirements=("LTI-1.3",),
    )


def _days() -> Iterator[CheckSpec]:
    on = _on(PAYOUTS, "employee_number", "earned_quarter", "segment_start_on")
    yield on.no_rows(
        "leaves_out_days_not_worked",
        f"""
        with day as (
            select distinct employee_number, earned_quarter, segment_start_on, paid_days_value,
                unnest(generate_series(segment_start_on::timestamp, segment_end_on::timestamp, interval 1 day))::date
                    as day_on
            from checked
        ),
        away as (
            select distinct person.employee_number, request.first_on, request.last_on
            from {LEAVE} as request
            inner join {EMPLOYEES} as person on person.employee_id = request.employee_id
            inner join reference.leave_rule as rule on rule.leave_type = request.leave_type and not rule.is_paid
                and request.first_on between rule.effective_from and coalesce(rule.effective_to, {OPEN})
            where request.request_status = 'approved' and request.leave_unit = 'days'
        ),
        valued as (
            select day.employee_number, day.earned_quarter, day.segment_start_on, day.paid_days_value, day.day_on,
                case when bool_or(away.first_on is not null) then 0
                    else coalesce(min(agreement.work_share), 1) end as worked_share
            from day
            cross join core.int_run_context as context
            left join away on away.employee_number = day.employee_number
                and day.day_on between away.first_on and away.last_on
            left join reference.part_time_agreement as agreement on agreement.employee_number = day.employee_number
                and day.day_on between agreement.effective_from and coalesce(agreement.effective_to, {OPEN})
                and day.day_on > agreement.signed_on and agreement.signed_on <= context.as_of_at::date
            group by all
        )
        select employee_number, earned_quarter, segment_start_on, paid_days_value, sum(worked_share) as worked_days
        from valued group by all having paid_days_value <> sum(worked_share)
        """,
        "Paid days are the days of the segment less unpaid leave and the part not worked under a signed agreement.",
        DEFECT,
        reads=(LEAVE, EMPLOYEES, "reference.leave_rule", "reference.part_time_agreement", "core.int_run_context"),
    )
    yield _on(PAYOUTS, "leave_type").no_rows(
        "leave_of_every_kind_has_a_rule",
        f"""
        select leave_type, count(*) as request_count, min(first_on) as first_on from {LEAVE} as request
        where request_status = 'approved' and not exists (
            select 1 from reference.leave_rule as rule where rule.leave_type = request.leave_type
            and request.first_on between rule.effective_from and coalesce(rule.effective_to, {OPEN})
        ) group by leave_type
        """,
        "Of every kind of leave it is said whether its days are paid.",
        "add the kind to seeds/plans/leave_rule.csv, from the first day it was taken on",
        reads=(LEAVE, "reference.leave_rule"),
    )


def _bands() -> Iterator[CheckSpec]:
    on = _on(PAYOUTS, "payout_line_id", "employee_number", "earned_quarter", "component_code")
    yield on.no_rows(
        "climbs_its_bands_once",
        f"""
        with result as (
            select distinct plan_code, plan_version, tier, component_code, team_code, period_start_on, paid_value,
                result_status, running_before_value
            from checked
        ),
        quarter as (
            select distinct period.plan_code, period.plan_version, period.period_start_on
            from core.int_incentive_period as period where period.is_complete
        ),
        earlier as (
            select result.plan_code, result.plan_version, result.tier, result.component_code, result.team_code,
                result.period_start_on, result.running_before_value,
                sum(coalesce(effect.adjusted_value, before.metric_value)) filter (
                    where coalesce(effect.adjusted_value, before.metric_value) >= coalesce(part.threshold_value, -1e9)
                ) as climbed_value
            from result
            inner join {COMPONENTS} as part using (plan_code, plan_version, tier, component_code)
            left join quarter on quarter.plan_code = result.plan_code and quarter.plan_version = result.plan_version
                and quarter.period_start_on < result.period_start_on and part.processing_grain = 'cumulative'
            left join {RESULTS} as before on before.metric_code = part.metric_code and before.entity_type = 'team'
                and before.entity_code = result.team_code and before.period_grain = 'quarter'
                and before.period_start_on = quarter.period_start_on and before.result_status = 'ok'
            left join metrics.fct_score_adjustment_effect as effect
                on effect.metric_result_key = before.metric_result_key and effect.is_applied
            group by all
        )
        select plan_code, tier, component_code, team_code, period_start_on, running_before_value, climbed_value
        from earlier where running_before_value <> coalesce(climbed_value, 0)
        """,
        "A cumulative component begins where the team's earlier quarters of the plan version left off, any other at 0.",
        DEFECT,
        reads=(COMPONENTS, RESULTS, "core.int_incentive_period", "metrics.fct_score_adjustment_effect"),
        requirements=("OPS-7.2",),
    )
    yield on.no_rows(
        "share_follows_from_its_bands",
        f"""
        with offered as (
            select checked.payout_line_id, checked.employee_number, checked.earned_quarter, checked.component_code,
                checked.payout_share, checked.paid_value, checked.running_before_value as before_value,
                part.band_method, checked.result_status = 'ok' and checked.paid_value is not null
                    and checked.paid_value >= coalesce(part.threshold_value, checked.paid_value) as can_earn,
                case when checked.paid_value >= part.accelerator_from_value then part.accelerator_factor else 1 end
                    as factor, band.lower_bound, band.payout_share as band_share,
                lead(band.lower_bound) over step as upper_bound, lead(band.payout_share) over step as upper_share
            from checked
            inner join {COMPONENTS} as part using (plan_code, plan_version, tier, component_code)
            inner join {BANDS} as band using (plan_code, plan_version, component_code)
            window step as (partition by checked.payout_line_id order by band.lower_bound)
        ),
        exact as (
            select payout_line_id, employee_number, earned_quarter, component_code, payout_share, band_method,
                can_earn, factor, sum(case
                    when band_method = 'stepped' then band_share * (
                        greatest(0, least(before_value + paid_value, coalesce(upper_bound, 1e15)) - lower_bound)
                        - greatest(0, least(before_value, coalesce(upper_bound, 1e15)) - lower_bound)
                    )
                    when paid_value < lower_bound or paid_value >= upper_bound then 0
                    when band_method = 'flat' or upper_bound is null then band_share
                    else band_share + (upper_share - band_share) * (paid_value - lower_bound)
                        / (upper_bound - lower_bound)
                end) as exact_share
            from offered group by all
        )
        select payout_line_id, employee_number, earned_quarter, component_code, payout_share, exact_share, factor
        from exact
        where (not can_earn and payout_share <> 0)
        or (can_earn and abs(payout_share - exact_share * factor) > case
            when band_method = 'stepped' then 0.0001 * factor + 0.000051
            when factor = 1 then 0.000051 else 0.00005 * factor + 0.000051 end)
        """,
        "A share lies within the rounding of what threshold, bands and accelerator give for the value pay uses.",
        DEFECT,
        reads=(COMPONENTS, BANDS),
        requirements=("OPS-7.2",),
    )


def _draws() -> Iterator[CheckSpec]:
    on = _on(DRAWS, "employee_number", "earned_quarter", "currency_code")
    yield on.unique(("earning_line_id",), "A quarter's draw is told once.", DEFECT)
    yield on.no_rows(
        "is_owed_until_set_off",
        """
        select employee_number, earned_quarter, currency_code, balance_before_amount, earned_amount, balance_amount
        from checked
        where balance_amount <> greatest(0, balance_before_amount + minimum_amount - payout_amount)
        or earned_amount <> balance_amount - balance_before_amount
        """,
        "What is owed is what was owed before and the minimum, less what was earned, and never below nothing.",
        DEFECT,
    )
    yield on.no_rows(
        "ties_to_the_lines",
        f"""
        select checked.employee_number, checked.earned_quarter, checked.currency_code, checked.payout_amount,
            sum(payout.payout_amount) as line_amount
        from checked
        left join {PAYOUTS} as payout on payout.plan_code = checked.plan_code
            and payout.plan_version = checked.plan_version and payout.employee_number = checked.employee_number
            and payout.earned_quarter = checked.earned_quarter and payout.currency_code = checked.currency_code
        group by all having checked.payout_amount is distinct from sum(payout.payout_amount)
        """,
        "A draw tops up what the lines of the plan earned.",
        DEFECT,
        reads=(PAYOUTS,),
    )
