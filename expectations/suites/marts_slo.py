"""Gate marts, service level objectives: budgets add up, verdicts follow from the counts, too little data never pays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from expectations.checks import CheckSpec, On

OBJECTIVES, READINGS = "slt.dim_slo", "slt.fct_slo_reading"
BUDGETS, BURNS = "slt.fct_error_budget", "slt.fct_burn_rate"

DEFECT = "a defect of the model: nothing may be published from it; see the keys below"


def checks() -> list[CheckSpec]:
    """The checks of objectives, budgets and burn rates."""
    return [*_objectives(), *_readings(), *_budgets(), *_burns()]


def _on(table: str, *keys: str, **more: Any) -> On:
    return On(table, table.partition(".")[2], keys=keys, requirements=("SVC-4.0",), **more)


def _objectives() -> Iterator[CheckSpec]:
    on = _on(OBJECTIVES, "slo_code", "slo_version")
    yield on.no_rows(
        "is_in_effect_or_says_why_not",
        """
        select slo_code, slo_version, is_effective, refusal_reason from checked
        where is_effective <> (refusal_reason is null)
        """,
        "An objective takes effect, or gives the reason why not.",
        DEFECT,
    )


def _readings() -> Iterator[CheckSpec]:
    on = _on(READINGS, "slo_code", "slo_version", "reading_at")
    yield on.no_rows(
        "never_falls",
        """
        select slo_code, slo_version, reading_at, total_count, good_count, adjusted_total_count, adjusted_good_count
        from checked
        window w as (partition by slo_code, slo_version order by reading_at)
        qualify least(total_count - lag(total_count) over w, good_count - lag(good_count) over w,
            excluded_count - lag(excluded_count) over w, unknown_count - lag(unknown_count) over w,
            adjusted_total_count - lag(adjusted_total_count) over w,
            adjusted_good_count - lag(adjusted_good_count) over w) < 0
        """,
        "Running totals never fall from one reading to the next.",
        DEFECT,
    )


def _budgets() -> Iterator[CheckSpec]:
    on = _on(BUDGETS, "slo_code", "slo_version", "window_code")
    yield on.unique(
        ("slo_code", "slo_version", "window_code"), "A version of an objective has one budget a window.", DEFECT
    )
    yield on.no_rows(
        "adds_up",
        """
        select slo_code, slo_version, window_code, total_count, good_count, bad_count, adjusted_total_count,
            adjusted_good_count, budget_count, consumed_count, remaining_count
        from checked
        where total_count is distinct from good_count + bad_count
        or consumed_count is distinct from adjusted_total_count - adjusted_good_count
        or remaining_count is distinct from budget_count - consumed_count
        or budget_count is distinct from floor((1 - target_share) * adjusted_total_count)::bigint
        or adjusted_total_count > total_count
        or (exclusion_effect = 'count_good' and adjusted_total_count <> total_count)
        or least(good_count, bad_count, excluded_count, unknown_count, adjusted_good_count, consumed_count) < 0
        """,
        "Good and bad make the total, budget is (1 - target) of what counts, remaining is budget less consumed.",
        DEFECT,
    )
    yield on.no_rows(
        "verdict_follows_the_counts",
        """
        select slo_code, slo_version, window_code, event_count, minimum_event_count, budget_count, consumed_count,
            budget_status, is_payable
        from checked
        where budget_status is distinct from case
            when adjusted_total_count = 0 or event_count < minimum_event_count then 'insufficient_data'
            when consumed_count > (1 - target_share) * adjusted_total_count then 'exhausted'
            else 'within_budget' end
        or is_payable is distinct from (window_end_at = measured_to_at and budget_status <> 'insufficient_data')
        """,
        "A budget is exhausted by more bad events than it allows; too little data, or an open window, never pays.",
        DEFECT,
    )
    yield on.no_rows(
        "is_the_difference_of_its_readings",
        f"""
        select checked.slo_code, checked.slo_version, checked.window_code, checked.total_count,
            later.total_count - earlier.total_count as read_total_count
        from checked
        left join {READINGS} as earlier on earlier.slo_code = checked.slo_code
            and earlier.slo_version = checked.slo_version and earlier.reading_at = checked.window_start_at
        left join {READINGS} as later on later.slo_code = checked.slo_code
            and later.slo_version = checked.slo_version and later.reading_at = checked.measured_to_at
        where checked.total_count is distinct from later.total_count - earlier.total_count
        or checked.adjusted_good_count is distinct from later.adjusted_good_count - earlier.adjusted_good_count
        """,
        "A window's counts are the difference of the readings at its ends.",
        DEFECT,
        reads=(READINGS,),
    )


def _burns() -> Iterator[CheckSpec]:
    on = _on(BURNS, "slo_code", "alert_policy_code", "evaluation_at")
    yield on.no_rows(
        "threshold_follows_from_the_budget_share",
        """
        select slo_code, alert_policy_code, evaluation_at, budget_share, period_seconds, long_window_seconds,
            threshold_factor
        from checked
        where budget_share is not null
        and abs(threshold_factor * long_window_seconds - budget_share * period_seconds) > 0.000001 * long_window_seconds
        """,
        "Threshold = share of the budget x window of the objective / long window (30 days: 14.4, 6, 3, 1).",
        DEFECT,
    )
    yield on.no_rows(
        "alerts_when_both_windows_exceed",
        """
        select slo_code, alert_policy_code, evaluation_at, long_burn_factor, short_burn_factor, threshold_factor,
            event_count, minimum_event_count, burn_status, is_alerting
        from checked
        where is_alerting is distinct from (burn_status = 'alert')
        or (burn_status = 'insufficient_data') is distinct from
            (event_count < minimum_event_count or long_total_count = 0 or short_total_count = 0)
        or (burn_status = 'alert' and least(long_burn_factor, short_burn_factor) < threshold_factor - 0.000001)
        or (burn_status = 'ok' and least(long_burn_factor, short_burn_factor) > threshold_factor + 0.000001)
        """,
        "An alert stands when both windows burn faster than the threshold, never on too little data.",
        DEFECT,
    )
