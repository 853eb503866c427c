"""Gate marts, breaches and what follows from them: the log is complete, shares sum to one, the trail reaches the
landing, triggers and rankings rest on their figures.

Judged anew from the tables as they stand. `checks()` is read by `expectations.suites.marts`.
"""

from __future__ import annotations

from collections.abc import Iterator

from expectations.checks import CheckSpec, On

TICKET_SOURCES = ("servicenow", "servicenow_event_log")
BREACHES, ATTRIBUTION, TRACE = "slt.fct_slt_breach", "slt.fct_breach_attribution", "slt.fct_slt_trace"
ATTAINMENT, TRIGGERS, QUEUE = "slt.fct_slt_attainment", "slt.fct_improvement_trigger", "slt.rpt_breach_review_queue"
IMPROVEMENT, RESPONSE = "slt.rpt_improvement_priority", "slt.rpt_response_priority"

DEFECT = "a defect of the model: nothing may be published from it; see the keys below"


def checks() -> list[CheckSpec]:
    """All checks of the breach log and its readings."""
    return [*_log(), *_attribution(), *_trace(), *_triggers(), *_rankings()]


def _on(table: str, *keys: str, prefix: str = "", requirements: tuple[str, ...]) -> On:
    prefix = prefix or table.partition(".")[2]
    return On(table, prefix, keys=keys, sources=TICKET_SOURCES, needs="any", requirements=requirements)


def _log() -> Iterator[CheckSpec]:
    on = _on(BREACHES, "ticket_slt_key", "breach_class", requirements=("SVC-2.6", "SLT-1.4"))
    yield on.no_rows(
        "holds_every_breach_once",
        """
        with results as (
            select ticket_slt_key, is_breached_raw, is_breached_adjusted, is_at_risk, net_seconds, business_seconds
            from slt.fct_ticket_slt where is_breached_raw or is_breached_adjusted or is_at_risk
        ),
        logged as (
            select ticket_slt_key, is_breached_raw, is_breached_adjusted, is_at_risk, net_seconds, business_seconds
            from checked
        )
        (select 'not in the log' as fault, * from (from results except all from logged))
        union all
        (select 'not among the results' as fault, * from (from logged except all from results))
        """,
        "The log holds every breached or at-risk result once, with its flags and figures; a review changes none.",
        DEFECT,
    )
    yield on.no_rows(
        "escalates_by_the_share_used",
        """
        select ticket_slt_key, escalation_path_code, escalation_level_number, net_seconds, target_seconds
        from checked
        where escalation_path_code is null
        or coalesce(escalation_level_number, 0) <> (
            select coalesce(max(level_number), 0) from reference.escalation_path as levels
            where levels.escalation_path_code = checked.escalation_path_code
            and levels.threshold_share * checked.target_seconds <= checked.net_seconds
            and checked.start_at::date between levels.effective_from and coalesce(levels.effective_to, '9999-12-31')
        )
        """,
        "Every breach has an escalation path, and the level is the highest whose share of the target was used.",
        "give seeds/slt_response/escalation_path.csv a path for the phase that is in force on the day of the start",
        reads=("reference.escalation_path",),
    )
    yield on.no_rows(
        "verdict_needs_a_valid_decision",
        """
        select ticket_slt_key, false_positive, review_status, review_id from checked
        where (false_positive in ('confirmed', 'rejected')) <> (review_status = 'decided')
        or (review_status = 'decided' and not exists (
            select 1 from core.int_review_decision as decisions
            where decisions.review_id = checked.review_id and decisions.is_valid
            and decisions.decided_at >= checked.target_reached_at
            and (decisions.decision = 'false_positive') = (checked.false_positive = 'confirmed')
        ))
        or (false_positive = 'suspected') and false_positive_reasons is null
        """,
        "A false positive is confirmed or rejected by a valid decision alone, and suspected for a stated reason.",
        DEFECT,
        requirements=("SLT-5.6",),
    )
    yield _on(QUEUE, "queue_key", prefix="review", requirements=("SLT-5.6",)).no_rows(
        "queue",
        """
        select coalesce(breaches.ticket_slt_key, checked.ticket_slt_key) as ticket_slt_key, checked.queue_key
        from (select ticket_slt_key from slt.fct_slt_breach where false_positive = 'suspected') as breaches
        full join (from checked where queue_reason = 'suspected_breach') as checked using (ticket_slt_key)
        where breaches.ticket_slt_key is null or checked.queue_key is null
        """,
        "Every suspected false positive waits in the review queue, and nothing else does as one.",
        DEFECT,
    )


def _attribution() -> Iterator[CheckSpec]:
    yield _on(ATTRIBUTION, "ticket_slt_key", requirements=("SLT-4.6",)).no_rows(
        "sums_to_the_breach",
        """
        select ticket_slt_key, breaches.net_seconds, held.net_seconds as held_net_seconds, held.held_share
        from (from slt.fct_slt_breach where is_breached_raw or is_breached_adjusted) as breaches
        full join (
            select ticket_slt_key, sum(net_seconds) as net_seconds, sum(held_share) as held_share,
                count(*) filter (where is_longest_holder) as longest_count,
                count(*) filter (where is_holder_at_breach) as at_breach_count
            from checked group by ticket_slt_key
        ) as held using (ticket_slt_key)
        where held.net_seconds is distinct from breaches.net_seconds or held.held_share is distinct from 1
        or held.longest_count is distinct from 1 or held.at_breach_count is distinct from 1
        """,
        "Who held a breached ticket accounts for all its net seconds, in shares that sum to exactly 1.",
        DEFECT,
    )


def _trace() -> Iterator[CheckSpec]:
    on = _on(TRACE, "ticket_slt_key", requirements=("SLT-3.5",))
    yield on.no_rows(
        "sums_to_the_clock",
        """
        select ticket_slt_key, results.wall_seconds, traced.traced_seconds
        from slt.fct_ticket_slt as results
        full join (
            select ticket_slt_key, sum(traced_seconds) as traced_seconds, sum(removed_seconds) as removed_seconds,
                count(*) filter (where evidence_type = 'ticket_record') as record_count, sum(event_count) as event_count
            from checked group by ticket_slt_key
        ) as traced using (ticket_slt_key)
        where traced.traced_seconds is distinct from results.wall_seconds
        or traced.removed_seconds is distinct from results.excluded_seconds
        or traced.record_count is distinct from 1 or not coalesce(traced.event_count, 0) > 0
        """,
        "The trail of every result sums to its clock and leads to its record and its events.",
        DEFECT,
    )
    yield on.no_rows(
        "reaches_the_landing",
        """
        select ticket_slt_key, evidence_type, evidence_code, target_row_key from checked
        where target_row_key is null or definition_hash is null
        or evidence_type <> 'exclusion_request' and not exists (
            select 1 from landing.extract_batch as batches
            where batches.batch_id = checked.batch_id and batches.content_sha256 = checked.content_sha256
        )
        or evidence_type = 'exclusion_request' and removed_seconds > 0 and not exists (
            select 1 from slt.fct_exclusion_effect as effects
            where effects.ticket_slt_key = checked.ticket_slt_key and effects.exclusion_id = checked.evidence_code
        )
        """,
        "Every step of the trail names a landed batch or an exclusion, and the target row and definition behind it.",
        DEFECT,
    )


def _triggers() -> Iterator[CheckSpec]:
    yield _on(ATTAINMENT, "scope_type", "scope_code", "slt_code", "period_month", requirements=("SLT-6.2",)).no_rows(
        "counts_settled_results",
        """
        select slt_code, period_month, sum(result_count) as result_count, any_value(settled_count) as settled_count
        from checked full join (
            select slt_code, date_trunc('month', stop_at)::date as period_month, count(*) as settled_count
            from slt.fct_ticket_slt
            where stop_at is not null and slt_status in ('met', 'within_tolerance', 'breached')
            and service_code is not null
            and date_trunc('month', stop_at) + interval 1 month <= (select as_of_at from core.int_run_context)
            group by all
        ) using (slt_code, period_month)
        where scope_type = 'service' or scope_type is null
        group by slt_code, period_month
        having sum(result_count) is distinct from any_value(settled_count)
        or not bool_and(met_count + breached_count = result_count
            and coalesce((attainment_status = 'missed') = (met_count < attainment_target_share * result_count)
                or attainment_status = 'insufficient_data', attainment_status = 'no_target'))
        """,
        "Months count every settled result of a service once, and are missed where too few of them were met.",
        DEFECT,
    )
    yield _on(TRIGGERS, "improvement_trigger_key", requirements=("SLT-6.2", "SVC-6.5")).no_rows(
        "rests_on_misses",
        """
        select improvement_trigger_key, any_value(misses_count) as misses_count,
            count(*) filter (where months.attainment_status = 'missed') as missed_count
        from checked
        left join slt.fct_slt_attainment as months
            on months.scope_type = checked.scope_type and months.scope_code = checked.scope_code
            and months.slt_code = checked.slt_code
            and months.period_month between checked.first_missed_month and checked.last_missed_month
        group by improvement_trigger_key
        having any_value(checked.misses_count) <> count(*) filter (where months.attainment_status = 'missed')
        or count(*) filter (where months.attainment_status = 'attained') > 0
        or any_value(checked.misses_count) < min(months.misses_required_count)
        or any_value(checked.improvement_plan_code) is null
            and any_value(checked.trigger_status) not in ('rca_due', 'rca_overdue')
        """,
        "A trigger rests on as many missed months in a row as it says, at least those required, with none attained.",
        DEFECT,
    )


def _rankings() -> Iterator[CheckSpec]:
    yield _on(IMPROVEMENT, "scope_type", "scope_code", "slt_code", requirements=("SLT-6.1",)).no_rows(
        "score_follows_from_the_ranks",
        """
        with weights as (select weight_code, weight from reference.improvement_weight where weight_kind = 'factor'),
        scored as (
            select *, (frequency_share * (select weight from weights where weight_code = 'frequency')
                + duration_share * (select weight from weights where weight_code = 'duration')
                + impact_share * (select weight from weights where weight_code = 'impact'))::decimal(18, 6) as score,
                row_number() over (partition by scope_type order by priority_share desc, breached_weight desc,
                    scope_code, slt_code) as place,
                count(*) over (partition by scope_type, breached_count) as equal_count,
                rank() over (partition by scope_type order by breached_count desc) as frequency
            from checked
    )
        select scope_type, scope_code, slt_code, priority_share, score, improvement_rank, place from scored
        where priority_share <> score or improvement_rank <> place or frequency_rank <> frequency
        """,
        "The score is the weighted mean of the three ranks, and the order follows the score.",
        DEFECT,
        reads=("reference.improvement_weight",),
    )
    yield _on(RESPONSE, "scope_type", "scope_code", "slt_code", requirements=("SVC-7.2",)).no_rows(
        "trend_follows_its_figures",
        """
        select scope_type, scope_code, slt_code, trend_code, slope_share, recent_breach_share, earlier_breach_share
        from checked
        where (trend_code = 'worsening' and not coalesce(slope_share > 0 and recent_breach_share > earlier_breach_share,
            false))
        or (trend_code = 'improving' and not coalesce(slope_share < 0 and recent_breach_share < earlier_breach_share,
            false))
        or (trend_code = 'insufficient_data') <> (expected_breach_weight is null)
        or recent_breached_count <> (
            select coalesce(sum(months.breached_count), 0)
            from slt.fct_slt_attainment as months, reference.trend_policy as policies, core.int_run_context as context
            where months.scope_type = checked.scope_type and months.scope_code = checked.scope_code
            and months.slt_code = checked.slt_code and policies.phase = checked.phase
            and months.period_month >= date_trunc('month', context.as_of_at)
                - to_months(policies.recent_month_count)
    )
        """,
        "A trend has the sign of its slope and of the change, and its recent months are the last ones.",
        DEFECT,
        reads=("reference.trend_policy",),
    )
