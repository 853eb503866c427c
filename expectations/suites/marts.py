"""Gate marts, between the marts and whoever reads them: nothing was lost, every cent ties, nobody is
exposed.

Conservation is judged anew from the tables as they stand, apart from the models that built them.
Reconciliation rows that do not match are no defect of the warehouse: they warn, and the finance marts
explain them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from expectations.checks import CheckSpec, FromModels, On, quoted, text_list
from expectations.suites import beside

TICKET_SOURCES = ("servicenow", "servicenow_event_log", "jira")
SLT_STATUSES = (
    "met",
    "within_tolerance",
    "breached",
    "running",
    "running_breached",
    "canceled",
    "invalid",
)
CLOCK_CLASSES = ("paused", "outside_calendar", "excluded", "net", "stopped")
RECONCILED = (
    "matched",
    "amount_differs",
    "missing_left",
    "missing_right",
    "timing",
    "duplicate",
    "wrong_period",
    "wrong_currency",
    "source_absent",
)
# Statuses that need nobody's attention.
SETTLED = ("matched", "timing", "source_absent")
MART_SCHEMAS = ("slt", "metrics", "incentives", "finance", "governance")
MONEY_COLUMNS = {
    "incentives.fct_incentive_payout": ("target_amount", "payout_amount"),
    "incentives.mart_team_payout": ("target_amount", "payout_amount"),
    "finance.rec_payout_to_payroll": ("payout_amount", "payroll_amount", "difference_amount"),
    "finance.rec_payout_to_gl": ("payout_amount", "gl_amount", "difference_amount"),
}
# Names that tell of a person whatever they hold, and where persons are listed by every way to name them.
PERSONAL_NAME = r"(^|_)(employee|person|display_name|full_name|e?mail|user_name|caller|assigned_to|requested_by)(_|$)"
PERSONS = {
    "staging.stg_bamboohr__employees": ("employee_number", "display_name", "work_email"),
    "staging.stg_bamboohr__delisted_employees": ("employee_number", "display_name", "work_email"),
    "staging.stg_workday__workers": ("worker_id", "display_name", "work_email"),
    "staging.stg_jira__accounts": ("account_id", "display_name", "email_address"),
    "staging.stg_servicenow__users": ("user_id", "user_name", "display_name", "email", "employee_number"),
}

TICKETS, SEGMENTS = "slt.fct_ticket_slt", "slt.fct_slt_clock_segment"
EFFECTS, AVAILABILITY = "slt.fct_exclusion_effect", "slt.fct_availability"
RESULTS, EVIDENCE = "metrics.fct_metric_result", "metrics.fct_metric_evidence"
PAYOUTS, TRACE, TEAM_PAYOUTS = (
    "incentives.fct_incentive_payout",
    "incentives.fct_payout_trace",
    "incentives.mart_team_payout",
)
REC_ITSM, REC_FLAG = "finance.rec_itsm_to_mart", "finance.rec_itsm_sla_flag"
REC_PAYROLL, REC_GL = "finance.rec_payout_to_payroll", "finance.rec_payout_to_gl"
CONTROL = "governance.rpt_exclusion_control"

DEFECT = "a defect of the model: nothing may be published from it; see the keys below"


def checks() -> list[CheckSpec]:
    """All checks of the gate, domain by domain."""
    return [
        *_clock(),
        *_exclusions(),
        *_availability(),
        *_payouts(),
        *_trace(),
        *_itsm(),
        *_reconciliations(),
        *_types(),
        *_privacy(),
        *(check for suite in beside("marts") for check in suite.checks()),
    ]


def _on(table: str, *keys: str, **more: Any) -> On:
    return On(table, table.partition(".")[2], keys=keys, **more)


def _clock() -> Iterator[CheckSpec]:
    on = _on(TICKETS, "ticket_slt_key", "ticket_number", "slt_code", sources=TICKET_SOURCES, needs="any")
    yield on.check(
        "has_rows",
        "ExpectTableRowCountToBeBetween",
        "There are results (a source of tickets is there).",
        "see that slt_definition.csv and slt_target.csv are in effect when the tickets were opened",
        arguments={"min_value": 1},
    )
    yield on.known("ticket_slt_key", DEFECT)
    yield on.unique(("ticket_slt_key",), "A ticket has one result per SLT.", DEFECT)
    yield on.unique(
        ("ticket_key", "slt_code"),
        "A ticket has one result per SLT.",
        DEFECT,
        name="ticket_and_slt_are_unique",
    )
    yield on.in_set("slt_status", SLT_STATUSES, DEFECT)
    yield on.known("slt_status", DEFECT)
    yield on.no_rows(
        "seconds_add_up",
        """
        select ticket_slt_key, wall_seconds, paused_seconds, outside_calendar_seconds, excluded_seconds,
            net_seconds, business_seconds
        from checked
        where wall_seconds is distinct from paused_seconds + outside_calendar_seconds + excluded_seconds +
            net_seconds + stopped_seconds
        or business_seconds is distinct from excluded_seconds + net_seconds
        or least(paused_seconds, outside_calendar_seconds, excluded_seconds, net_seconds, stopped_seconds) < 0
        """,
        "wall = paused + outside calendar + excluded + net; business = excluded + net; none is negative.",
        DEFECT,
    )
    yield on.no_rows(
        "wall_is_the_time_between",
        """
        select ticket_slt_key, slt_status, start_at, stop_at, end_at, as_of_at, wall_seconds from checked
        where slt_status <> 'invalid' and (
            wall_seconds <> epoch_us(end_at) // 1000000 - epoch_us(start_at) // 1000000
            or end_at is distinct from coalesce(stop_at, as_of_at, end_at)
        )
        """,
        "The wall seconds of a result are those from its start to its end: stop, cancellation or the run's instant.",
        DEFECT,
    )
    yield on.no_rows(
        "verdict_follows_the_seconds",
        """
        select ticket_slt_key, slt_status, target_seconds, tolerance_seconds, business_seconds, net_seconds,
            is_breached_raw, is_breached_adjusted, is_forgiven, original_breach_at, breach_at
        from checked
        where is_breached_raw is distinct from (business_seconds > target_seconds)
        or is_breached_adjusted is distinct from (net_seconds > target_seconds)
        or is_forgiven is distinct from (slt_status = 'within_tolerance')
        or (original_breach_at is not null) <> is_breached_raw
        or (breach_at is not null) <> is_breached_adjusted
        or original_breach_at > breach_at
        or slt_status is distinct from case
            when slt_status in ('invalid', 'canceled') then slt_status
            when stop_at is null and net_seconds > target_seconds then 'running_breached'
            when stop_at is null then 'running'
            when net_seconds <= target_seconds then 'met'
            when net_seconds - target_seconds <= tolerance_seconds then 'within_tolerance'
            else 'breached'
        end
        """,
        "Breach flags, instants of breach and status follow from the seconds, strictly beyond the target.",
        DEFECT,
    )
    segments = _on(
        SEGMENTS,
        "ticket_slt_key",
        "from_at",
        "clock_class",
        sources=TICKET_SOURCES,
        needs="any",
    )
    yield segments.unique(("ticket_slt_key", "from_at", "clock_class"), "A stretch has each class once.", DEFECT)
    yield segments.in_set("clock_class", CLOCK_CLASSES, DEFECT)
    yield segments.known("reason", "each second has a reason: " + DEFECT)
    yield segments.check(
        "seconds_are_positive",
        "ExpectColumnValuesToBeBetween",
        "A segment holds at least one second.",
        DEFECT,
        arguments={"column": "seconds", "min_value": 1},
    )
    yield segments.no_rows(
        "sum_to_the_result",
        f"""
        with summed as (
            select
                ticket_slt_key,
                sum(seconds) filter (where clock_class <> 'stopped') as wall_seconds,
                sum(seconds) filter (where clock_class = 'paused') as paused_seconds,
                sum(seconds) filter (where clock_class = 'outside_calendar') as outside_calendar_seconds,
                sum(seconds) filter (where clock_class = 'excluded') as excluded_seconds,
                sum(seconds) filter (where clock_class = 'net') as net_seconds
            from checked group by ticket_slt_key
        )
        select
            coalesce(result.ticket_slt_key, summed.ticket_slt_key) as ticket_slt_key,
            result.wall_seconds, summed.wall_seconds as segment_wall_seconds,
            result.paused_seconds, summed.paused_seconds as segment_paused_seconds,
            result.outside_calendar_seconds, summed.outside_calendar_seconds as
                segment_outside_calendar_seconds,
            result.excluded_seconds, summed.excluded_seconds as segment_excluded_seconds,
            result.net_seconds, summed.net_seconds as segment_net_seconds
        from {TICKETS} as result
        full join summed on summed.ticket_slt_key = result.ticket_slt_key
        where result.ticket_slt_key is null
        or result.wall_seconds <> coalesce(summed.wall_seconds, 0)
        or result.paused_seconds <> coalesce(summed.paused_seconds, 0)
        or result.outside_calendar_seconds <> coalesce(summed.outside_calendar_seconds, 0)
        or result.excluded_seconds <> coalesce(summed.excluded_seconds, 0)
        or result.net_seconds <> coalesce(summed.net_seconds, 0)
        """,
        "The clock's segments sum to the result, class by class, to the second.",
        DEFECT,
        reads=(TICKETS,),
    )


def _exclusions() -> Iterator[CheckSpec]:
    control = _on(CONTROL, "exclusion_id", requirements=("SLT-5.2",))
    yield control.unique(("exclusion_id",), "Each exclusion request is listed once.", DEFECT)
    yield control.no_rows(
        "lists_every_request",
        """
        select coalesce(request.exclusion_id, checked.exclusion_id) as exclusion_id,
            request.exclusion_id is not null as is_requested, checked.exclusion_id is not null as is_listed
        from reference.exclusion_request as request
        full join checked on checked.exclusion_id = request.exclusion_id
        where request.exclusion_id is null or checked.exclusion_id is null
        """,
        "Every exclusion request is listed, whether it took effect or not.",
        DEFECT,
        reads=("reference.exclusion_request",),
    )
    yield control.known("reason", "a request that took no effect must say why: " + DEFECT)
    yield control.no_rows(
        "effect_is_approved",
        """
        select exclusion_id, decision, requested_by = approved_by as is_self_approved, approved_at, reason
        from checked
        where is_effective and (
            decision is distinct from 'approved' or approved_by is null or approved_at is null
            or requested_by is null or approved_by = requested_by
        )
        """,
        "Only a request that somebody other than its requester approved takes effect.",
        DEFECT,
        requirements=("SLT-5.2", "OPS-5.3"),
    )
    effects = _on(
        EFFECTS,
        "exclusion_id",
        "ticket_slt_key",
        sources=TICKET_SOURCES,
        needs="any",
        requirements=("OPS-5.3",),
    )
    yield effects.unique(("exclusion_id", "ticket_slt_key"), "An exclusion's effect on a result is told once.", DEFECT)
    yield effects.no_rows(
        "comes_from_an_effective_request",
        f"""
        select checked.exclusion_id, checked.ticket_slt_key, control.reason
        from checked left join {CONTROL} as control on control.exclusion_id = checked.exclusion_id
        where not coalesce(control.is_effective, false)
        """,
        "Only effective exclusions move a result.",
        DEFECT,
        reads=(CONTROL,),
    )
    yield effects.no_rows(
        "sums_to_the_excluded_seconds",
        f"""
        with summed as (
            select ticket_slt_key, sum(removed_seconds) as removed_seconds from checked group by
                ticket_slt_key
        )
        select coalesce(result.ticket_slt_key, summed.ticket_slt_key) as ticket_slt_key,
            result.excluded_seconds,
            summed.removed_seconds
        from {TICKETS} as result
        full join summed on summed.ticket_slt_key = result.ticket_slt_key
        where coalesce(result.excluded_seconds, 0) <> coalesce(summed.removed_seconds, 0)
        """,
        "The seconds the exclusions took out of a result sum to its excluded seconds.",
        DEFECT,
        reads=(TICKETS,),
    )


def _availability() -> Iterator[CheckSpec]:
    on = _on(AVAILABILITY, "monitor_id", "period_month", sources=("datadog",), requirements=("OPS-1.6",))
    yield on.unique(("monitor_id", "service_code", "period_month"), "A monitor has one row a month.", DEFECT)
    yield on.no_rows(
        "seconds_fit_the_month",
        """
        select monitor_id, period_month, up_seconds, down_seconds, unknown_seconds, maintenance_seconds,
            excluded_seconds, adjusted_up_seconds, adjusted_down_seconds
        from checked
        where least(up_seconds, down_seconds, unknown_seconds, maintenance_seconds, excluded_seconds,
            adjusted_up_seconds, adjusted_down_seconds) < 0
        or up_seconds + down_seconds + unknown_seconds
            > 86400 * date_diff('day', period_month, (period_month + interval 1 month)::date)
        or adjusted_up_seconds > up_seconds or adjusted_down_seconds > down_seconds
        or maintenance_seconds + excluded_seconds > up_seconds + down_seconds + unknown_seconds
        or (up_seconds - adjusted_up_seconds) + (down_seconds - adjusted_down_seconds)
            > maintenance_seconds + excluded_seconds
        """,
        "A monitor's seconds fit the month, and no more are taken out than maintenance and exclusions cover.",
        DEFECT,
    )


def _payouts() -> Iterator[CheckSpec]:
    on = _on(
        PAYOUTS,
        "payout_line_id",
        "employee_number",
        "earned_quarter",
        "component_code",
        sources=("bamboohr",),
    )
    yield on.unique(("payout_line_id",), "A payout line is told once.", DEFECT)
    for column in ("payout_line_id", "employee_number", "payout_amount", "currency_code", "cost_centre_code"):
        yield on.known(column, DEFECT)
    yield on.check(
        "amount_is_not_negative",
        "ExpectColumnValuesToBeBetween",
        "No calculated payout is negative.",
        DEFECT,
        arguments={"column": "payout_amount", "min_value": 0},
    )
    yield on.no_rows(
        "lines_sum_to_the_total",
        """
        with totalled as (
            select
                plan_code, employee_number, earned_quarter, currency_code,
                sum(payout_amount) as payout_amount,
                sum(cast(payout_amount * 100 as hugeint)) as paid_cents,
                sum(cast(target_amount * 100 as hugeint) * cast(paid_days_value * 10000 as hugeint)
                    * cast(weight * 10000 as hugeint) * cast(payout_share * 10000 as hugeint)
                    * cast(gate_share * 10000 as hugeint) * cast(eligible_share * 10000 as hugeint)) as exact_numerator,
                max(quarter_days) * 100000000000000000000::hugeint as denominator
            from checked group by plan_code, employee_number, earned_quarter, currency_code
        )
        select employee_number, earned_quarter, currency_code, payout_amount,
            (2 * exact_numerator + denominator) // (2 * denominator) as exact_total_cents
        from totalled
        where paid_cents <> (2 * exact_numerator + denominator) // (2 * denominator)
        """,
        "A person's lines of a quarter sum to the exact total, rounded half up to the cent.",
        DEFECT,
    )
    yield on.no_rows(
        "line_is_near_its_share",
        """
        select payout_line_id, employee_number, earned_quarter, component_code, payout_amount
        from checked
        where abs(cast(payout_amount * 100 as hugeint) * quarter_days * 100000000000000000000::hugeint
            - cast(target_amount * 100 as hugeint) * cast(paid_days_value * 10000 as hugeint)
                * cast(weight * 10000 as hugeint) * cast(payout_share * 10000 as hugeint)
                * cast(gate_share * 10000 as hugeint) * cast(eligible_share * 10000 as hugeint)
            ) >= quarter_days * 100000000000000000000::hugeint
        """,
        "No line is a whole cent away from target x paid days x weight x shares of bands, gates and eligibility.",
        DEFECT,
    )
    yield on.no_rows(
        "days_are_paid_once",
        """
        with segment as (
            select distinct employee_number, earned_quarter, period_start_on, period_end_on, segment_start_on,
                segment_end_on, segment_days, quarter_days
            from checked
        ),
        ordered as (
            select *, lag(segment_end_on) over (
                partition by employee_number, earned_quarter order by segment_start_on
            ) as previous_end_on
            from segment
        )
        select employee_number, earned_quarter, segment_start_on, segment_end_on, segment_days,
            previous_end_on
        from ordered
        where segment_start_on <= previous_end_on or segment_start_on < period_start_on
        or segment_end_on >= period_end_on
        or segment_days <> date_diff('day', segment_start_on, segment_end_on) + 1
        """,
        "A person is paid for each day of a quarter at most once, and for no day outside it.",
        DEFECT,
    )
    yield on.no_rows(
        "weights_sum_to_one",
        """
        select employee_number, earned_quarter, segment_start_on, sum(weight) as weight
        from checked group by employee_number, earned_quarter, segment_start_on, team_code, currency_code
        having sum(weight) <> 1
        """,
        "The components of a segment weigh one together.",
        "mend the weights in seeds/plans/plan_component.csv",
    )
    yield on.no_rows(
        "pays_only_on_data",
        f"""
        select checked.payout_line_id, checked.employee_number, checked.earned_quarter,
            checked.component_code,
            result.result_status, checked.metric_value, checked.payout_amount
        from checked left join {RESULTS} as result on result.metric_result_key = checked.metric_result_key
        where (checked.payout_amount <> 0 and coalesce(result.result_status, '') <> 'ok')
        or (result.result_status = 'ok' and checked.metric_value is distinct from result.metric_value)
        """,
        "A line pays only on a final metric result, by the value of that result.",
        DEFECT,
        reads=(RESULTS,),
    )
    teams = _on(TEAM_PAYOUTS, "team_code", "earned_quarter", "currency_code", sources=("bamboohr",))
    yield teams.no_rows(
        "ties_to_the_lines",
        f"""
        with summed as (
            select team_code, earned_quarter, currency_code, payment_period, sum(payout_amount) as
                payout_amount, count(distinct employee_number) as participant_count
            from {PAYOUTS} group by all
        )
        select coalesce(checked.team_code, summed.team_code) as team_code,
            coalesce(checked.earned_quarter, summed.earned_quarter) as earned_quarter,
            coalesce(checked.currency_code, summed.currency_code) as currency_code
        from checked full join summed using (team_code, earned_quarter, currency_code, payment_period)
        where checked.is_suppressed is null or summed.participant_count is null
        or (not checked.is_suppressed and (
            checked.payout_amount <> summed.payout_amount or checked.participant_count <>
                summed.participant_count
        ))
        """,
        "A team's payout is the sum of its persons' lines, each group is there, suppressed or shown.",
        DEFECT,
        reads=(PAYOUTS,),
    )
    yield teams.no_rows(
        "hides_small_groups",
        """
        select team_code, earned_quarter, currency_code from checked
        where participant_count < 5
        or (is_suppressed and (participant_count is not null or payout_amount is not null
            or target_amount is not null or payout_to_target_share is not null))
        """,
        "A group of fewer than five persons shows no figure.",
        DEFECT,
    )


def _trace() -> Iterator[CheckSpec]:
    on = _on(
        TRACE,
        "payout_line_id",
        "evidence_type",
        "evidence_key",
        sources=("bamboohr",),
        requirements=("LTI-7.5",),
    )
    yield on.no_rows(
        "covers_every_paid_line",
        f"""
        select payout.payout_line_id, payout.employee_number, payout.earned_quarter, payout.component_code,
            payout.payout_amount
        from {PAYOUTS} as payout
        where payout.payout_amount <> 0 and payout.payout_line_id not in (
            select payout_line_id from checked where is_in_numerator
        )
        """,
        "Each line that pays leads to at least one ticket or monitor that earned it.",
        DEFECT,
        reads=(PAYOUTS,),
    )
    yield on.no_rows(
        "sums_to_the_result",
        f"""
        with summed as (
            select payout_line_id, metric_result_key, sum(numerator_weight) as numerator,
                sum(evidence_weight) as denominator
            from checked group by payout_line_id, metric_result_key
        )
        select summed.payout_line_id, summed.metric_result_key, result.numerator, summed.numerator as
            traced_numerator, result.denominator, summed.denominator as traced_denominator
        from summed left join {RESULTS} as result on result.metric_result_key = summed.metric_result_key
        where result.numerator is distinct from summed.numerator
        or result.denominator is distinct from summed.denominator
        """,
        "The traces of a line sum to the metric result it was paid by.",
        DEFECT,
        reads=(RESULTS,),
    )
    yield on.no_rows(
        "belongs_to_a_line",
        f"""
        select distinct checked.payout_line_id from checked
        where checked.payout_line_id not in (select payout_line_id from {PAYOUTS})
        """,
        "Each trace belongs to a payout line.",
        DEFECT,
        reads=(PAYOUTS,),
    )
    yield on.no_rows(
        "leads_to_a_batch",
        """
        select checked.evidence_type, checked.batch_id, count(*) as trace_count, min(checked.evidence_key)
            as evidence_key
        from checked
        where checked.batch_id is null or checked.batch_id not in (select batch_id from landing.extract_batch)
        group by checked.evidence_type, checked.batch_id
        """,
        "Each trace leads to the extract batch its evidence came in.",
        DEFECT,
        reads=("landing.extract_batch",),
    )


def _itsm() -> Iterator[CheckSpec]:
    on = _on(
        REC_ITSM,
        "source_system",
        "opened_month",
        sources=TICKET_SOURCES,
        needs="any",
        requirements=("OPS-3.5",),
    )
    yield on.no_rows(
        "explains_every_ticket",
        """
        select source_system, opened_month, raw_count, mart_count, difference_count, deleted_count,
            no_target_count, after_as_of_count, unexplained_count, explanation
        from checked
        where unexplained_count <> 0 or difference_count <> raw_count - mart_count
        or difference_count <> deleted_count + no_target_count + after_as_of_count
        or (difference_count <> 0 and coalesce(explanation, '') = '')
        """,
        "Each ticket landed has its results, or is counted under the reason why not.",
        DEFECT,
    )
    yield on.no_rows(
        "explains_every_event",
        """
        select source_system, opened_month, raw_event_count, core_event_count, late_event_count,
            deleted_event_count, unexplained_event_count
        from checked where unexplained_event_count <> 0
        """,
        "Each event landed is in the tickets' histories, lies after the run's instant, or is gone from the source.",
        DEFECT,
    )
    yield on.no_rows(
        "ties_to_both_sides",
        f"""
        select * from (
            select
                (select coalesce(sum(raw_count), 0) from checked where source_system = 'servicenow')
                    as servicenow_count,
                (select count(distinct number) from raw_servicenow.incident) as raw_servicenow_count,
                (select coalesce(sum(raw_count), 0) from checked where source_system = 'servicenow_event_log')
                    as event_log_count,
                (select count(distinct number) from raw_servicenow_event_log.incident_event
                    where _batch_id in (select current_batch_id from landing.extract_state)) as
                        raw_event_log_count,
                (select coalesce(sum(raw_count), 0) from checked where source_system = 'jira') as jira_count,
                (select count(distinct id) from raw_jira.issue) as raw_jira_count,
                (select coalesce(sum(slt_row_count), 0) from checked) as result_count,
                (select count(*) from {TICKETS}) as mart_result_count
        ) as totals
        where servicenow_count <> raw_servicenow_count or event_log_count <> raw_event_log_count
        or jira_count <> raw_jira_count
        or result_count <> mart_result_count
        """,
        "The reconciliation's totals are the tickets landed and the results in the mart.",
        DEFECT,
        reads=(
            TICKETS,
            "raw_servicenow.incident",
            "raw_servicenow_event_log.incident_event",
            "raw_jira.issue",
            "landing.extract_state",
        ),
    )
    yield on.no_rows(
        "every_ticket_has_a_target",
        "select source_system, opened_month, no_target_count, explanation from checked where no_target_count > 0",
        "Every ticket has a target (those that have none are listed with the reason, and count for nobody).",
        "add the missing priority or service to seeds/slt/slt_target.csv",
        "warn",
    )
    yield on.no_rows(
        "every_result_that_pays_has_a_target",
        f"""
        select owed.slt_code, owed.ticket_key
        from core.int_slt_outline as owed
        anti join {TICKETS} as result on result.ticket_slt_key = owed.ticket_slt_key
        where owed.slt_code in (
            select unnest(string_split(filter.dimension_values, '|'))
            from reference.metric_filter as filter
            where filter.dimension_code = 'slt_code' and not filter.is_excluded
        )
        """,
        "Every ticket has the result of each SLT a metric measures: one that has none would leave pay unseen.",
        "add the missing priority or service to seeds/slt/slt_target.csv",
        reads=(TICKETS, "core.int_slt_outline", "reference.metric_filter"),
    )
    flags = _on(REC_FLAG, "ticket_number", "slt_code", sources=TICKET_SOURCES, needs="any", requirements=("OPS-3.5",))
    yield flags.no_rows(
        "has_every_ticket",
        """
        select coalesce(ticket.ticket_key, checked.ticket_key) as ticket_key, count(checked.ticket_key) as
            row_count
        from core.int_ticket as ticket
        full join checked on checked.ticket_key = ticket.ticket_key
        group by all having count(checked.ticket_key) <> 1 or count(ticket.ticket_key) = 0
        """,
        "Each ticket is compared with the source's own SLA flag once.",
        DEFECT,
        reads=("core.int_ticket",),
    )
    yield flags.no_rows(
        "explains_each_disagreement",
        """
        select ticket_number, slt_code, slt_status, made_sla, is_breached_adjusted, is_agreeing,
            disagreement_reason
        from checked
        where (is_agreeing is distinct from true and coalesce(disagreement_reason, '') = '')
        or (is_agreeing and disagreement_reason is not null)
        """,
        "Where our verdict and the source's differ, or cannot be compared, the reason is told.",
        DEFECT,
    )


def _reconciliations() -> Iterator[CheckSpec]:
    for table, right_amount, right_total, sources, requirement in (
        (
            REC_PAYROLL,
            "payroll_amount",
            """
            select line.currency_code, sum(coalesce(line.amount, 0)) as amount
            from staging.stg_payroll__register_lines as line
            inner join reference.payroll_earning_code as code on code.earning_code = line.earning_code
            where code.earning_role = 'incentive' group by line.currency_code
            """,
            ("bamboohr", "payroll"),
            "LTI-7.4",
        ),
        (
            REC_GL,
            "gl_amount",
            """
            select line.currency_code, sum(line.debit_amount - line.credit_amount) as amount
            from staging.stg_ledger__journal_lines as line
            inner join reference.gl_account as account on account.account_code = line.account_code
            where account.account_role = 'incentive_expense' group by line.currency_code
            """,
            ("bamboohr", "ledger"),
            "LTI-7.4",
        ),
    ):
        is_payroll = table == REC_PAYROLL
        keys = ("employee_number", "earned_quarter") if is_payroll else ("earned_quarter", "cost_centre_code")
        on = _on(
            table,
            "rec_key",
            *keys,
            "currency_code",
            sources=sources,
            needs="any",
            requirements=(requirement,) if is_payroll else (),
        )
        key_list = ", ".join(on.keys)
        reads = (
            (PAYOUTS, "staging.stg_payroll__register_lines", "reference.payroll_earning_code")
            if is_payroll
            else (PAYOUTS, "staging.stg_ledger__journal_lines", "reference.gl_account")
        )
        yield on.unique(("rec_key",), f"{table} has one row per key.", DEFECT)
        yield on.in_set("status", RECONCILED, DEFECT)
        for column in ("status", "explanation"):
            yield on.known(column, "a line that nobody explains cannot be closed: " + DEFECT)
        yield on.no_rows(
            "ties_to_both_sides",
            f"""
            with left_side as (
                select currency_code, sum(payout_amount) as amount from {PAYOUTS} group by currency_code
            ),
            right_side as ({right_total}),
            reconciled as (
                select currency_code, sum(payout_amount) as payout_amount, sum({right_amount}) as
                    {right_amount}, sum(difference_amount) as difference_amount
                from checked group by currency_code
            ),
            spine as (
                select currency_code from left_side union select currency_code from right_side
                union select currency_code from reconciled
            )
            select spine.currency_code, left_side.amount as calculated_amount, reconciled.payout_amount,
                right_side.amount as source_amount, reconciled.{right_amount}, reconciled.difference_amount
            from spine
            left join left_side on left_side.currency_code is not distinct from spine.currency_code
            left join right_side on right_side.currency_code is not distinct from spine.currency_code
            left join reconciled on reconciled.currency_code is not distinct from spine.currency_code
            where coalesce(left_side.amount, 0) <> coalesce(reconciled.payout_amount, 0)
            or coalesce(right_side.amount, 0) <> coalesce(reconciled.{right_amount}, 0)
            or coalesce(reconciled.difference_amount, 0)
                <> coalesce(reconciled.{right_amount}, 0) - coalesce(reconciled.payout_amount, 0)
            """,
            "Both sides' totals are in the reconciliation to the cent, and its differences sum to theirs.",
            DEFECT,
            reads=reads,
        )
        yield on.no_rows(
            "status_is_honest",
            f"""
            select {key_list}, status, payout_amount, {right_amount}, difference_amount, explanation from
                checked
            where difference_amount is distinct from {right_amount} - payout_amount
            or (status = 'matched' and difference_amount <> 0)
            or (status = 'amount_differs' and difference_amount = 0)
            or (status = 'missing_left' and payout_amount <> 0)
            or (status = 'missing_right' and {right_amount} <> 0)
            or trim(explanation) = ''
            """,
            "A row is matched only without a difference, and a difference is called by its name.",
            DEFECT,
        )
        yield on.no_rows(
            "needs_nobody",
            f"""
            select {key_list}, status, difference_amount, age_days, explanation from checked
            where status not in ({text_list(SETTLED)}) order by abs(difference_amount) desc, rec_key
            """,
            "Every line matches, or is not due yet.",
            "work through the lines listed: each says what differs and since when",
            "warn",
        )


def _types() -> Iterator[CheckSpec]:
    for table, columns in MONEY_COLUMNS.items():
        for column in columns:
            yield _on(table).check(
                f"{column}_is_money",
                "ExpectColumnValuesToBeOfType",
                f"{table}.{column} is DECIMAL(18,2).",
                "cast it in the model and in its contract: no float touches money",
                arguments={"column": column, "type_": "DECIMAL(18,2)"},
            )
    yield _on(PAYOUTS).no_rows(
        "no_float_in_the_marts",
        f"""
        select schema_name || '.' || table_name as table_name, column_name, data_type
        from duckdb_columns()
        where database_name = current_database() and schema_name in ({text_list(MART_SCHEMAS)}) and (
            regexp_matches(data_type, '(DOUBLE|FLOAT|REAL)')
            or (column_name like '%\\_amount' escape '\\' and data_type <> 'DECIMAL(18,2)')
            or (column_name like '%\\_share' escape '\\' and data_type not like 'DECIMAL(%')
        )
        """,
        "No mart has a float; amounts are DECIMAL(18,2) and shares DECIMAL.",
        "cast the column in the model and in its contract",
    )


def _privacy() -> Iterator[CheckSpec]:
    on = _on(TEAM_PAYOUTS, requirements=("OPS-2.3",))
    yield on.no_rows(
        "bi_columns_name_no_person",
        FromModels(exposing_columns),
        "No column that goes to the audience bi has the name of a personal one, and no amount or "
        "measured value goes there from a table that holds persons.",
        "classify the column as personal or pay in the model's yml, or take bi from its audiences",
    )
    yield on.no_rows(
        "bi_values_name_no_person",
        FromModels(exposing_values),
        "No value that goes to the audience bi is an employee number, user, name or e-mail address of a person.",
        "classify the column as personal in the model's yml, or drop it from the mart",
        reads=tuple(PERSONS),
    )


def published_columns(models_path: Path, audience: str) -> dict[str, dict[str, tuple[str, str]]]:
    """The columns of the marts meant for an audience: {'schema.table': {column: (classification, data
    type)}}.

    Read from the properties beside the models (<models_path>/<domain>/*.yml; the domain is the schema), which
    publishing goes by as well. Raises FileNotFoundError when there are none.
    """
    paths = sorted(models_path.rglob("*.yml"))
    if not paths:
        raise FileNotFoundError(f"no model properties below {models_path}: whom the marts are for is unknown")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    tables: dict[str, dict[str, tuple[str, str]]] = {}
    for path in paths:
        for model in (yaml.load(path.read_text(encoding="utf-8"), Loader=loader) or {}).get("models") or ():  # noqa: S506
            if audience in (_meta(model).get("audiences") or ()):
                tables[f"{path.relative_to(models_path).parts[0]}.{model['name']}"] = {
                    column["name"]: (
                        _meta(column).get("classification", "unclassified"),
                        str(column.get("data_type", "")).lower(),
                    )
                    for column in model.get("columns") or ()
                }
    return tables


def _meta(node: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**(node.get("meta") or {}), **((node.get("config") or {}).get("meta") or {})}


def exposing_columns(models_path: Path) -> str | None:
    """A query of the columns that bi would see and that tell of a person by name or by the table's grain."""
    rows = []
    for table, columns in published_columns(models_path, "bi").items():
        has_persons = any(kind == "personal" for kind, _ in columns.values())
        rows += [f"('{table}', '{column}', '{kind}', {has_persons})" for column, (kind, _) in columns.items()]
    if not rows:
        return None
    return f"""
        select table_name, column_name, classification, has_persons
        from (values {", ".join(rows)}) as published (table_name, column_name, classification, has_persons)
        where classification not in ('personal', 'pay') and (
            classification <> 'public'
            or regexp_matches(column_name, '{PERSONAL_NAME}')
            or (has_persons and regexp_matches(column_name, '_(amount|value)$'))
        )
    """


def exposing_values(models_path: Path) -> str | None:
    """A query of the text columns that bi would see and that hold a value by which a person is known.

    It tells how many rows, never the value.
    """
    persons = " union ".join(
        f"select {column} as named from {table} where {column} is not null"
        for table, columns in PERSONS.items()
        for column in columns
    )
    parts = [
        f"select '{table}' as table_name, '{column}' as column_name, count(*) as row_count from {table} "
        f"where {quoted(column)} in (select named from persons)"
        for table, columns in published_columns(models_path, "bi").items()
        for column, (kind, data_type) in columns.items()
        if kind == "public" and data_type in ("varchar", "text", "string")
    ]
    if not parts:
        return None
    found = " union all ".join(parts)
    return f"with persons as ({persons}) select * from ({found}) as found where row_count > 0"
