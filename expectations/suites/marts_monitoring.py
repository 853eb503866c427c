"""Gate marts, monitoring itself: no silence is lost, clocks are judged by their limits, alerts and tickets all stand.

What is flagged is no defect of the warehouse: it warns, with the rows somebody has to see to.
"""

from __future__ import annotations

from collections.abc import Iterator

from expectations.checks import CheckSpec, On

GAP, SKEW = "slt.fct_monitoring_gap", "slt.flag_clock_skew"
MATCH, OBJECTIVE = "slt.chk_identity_and_alert_match", "slt.rec_slo_to_datadog"
DEFECT = "a defect of the model: nothing may be published from it; see the keys below"
UNMATCHED_SHARE = 0.25


def checks() -> list[CheckSpec]:
    """All checks of monitoring."""
    return [*_gaps(), *_clocks(), *_matches(), *_objectives()]


def _gaps() -> Iterator[CheckSpec]:
    on = On(GAP, "fct_monitoring_gap", keys=("monitor_id", "gap_from_at"), requirements=("SLT-3.2",))
    yield on.no_rows(
        "holds_every_missing_sample",
        """
        with expected as (
            select monitor_id, sum(expected_count - bit_count(sample_bits)) as missing_count
            from core.int_monitor_hour group by monitor_id
        ),
        told as (
            select monitor_id, sum(missing_count) as missing_count from checked
            where gap_kind = 'missing_samples' group by monitor_id
        )
        select expected.monitor_id, expected.missing_count, coalesce(told.missing_count, 0) as told_count
        from expected left join told on expected.monitor_id = told.monitor_id
        where expected.missing_count <> coalesce(told.missing_count, 0)
        """,
        "The samples missing in a monitor's gaps are those it owed and did not send.",
        DEFECT,
        reads=("core.int_monitor_hour",),
    )
    yield on.no_rows(
        "gaps_stand_apart",
        """
        select monitor_id, gap_from_at, gap_to_at, gap_seconds, following_at from (
            select *, lead(gap_from_at) over (partition by monitor_id, gap_kind order by gap_from_at) as following_at
            from checked
        ) as ordered
        where following_at < gap_to_at or gap_seconds <= 0
            or gap_seconds <> epoch_us(gap_to_at) // 1000000 - epoch_us(gap_from_at) // 1000000
            or is_flagged <> (gap_seconds > allowed_seconds)
        """,
        "Gaps of a monitor do not overlap, last as long as they say, and are flagged by what is allowed.",
        DEFECT,
    )


def _clocks() -> Iterator[CheckSpec]:
    on = On(
        SKEW,
        "flag_clock_skew",
        keys=("measure_code", "first_system", "second_system", "day_on"),
        requirements=("SVC-3.4", "SLT-3.2"),
    )
    yield on.no_rows(
        "follows_its_limits",
        """
        select measure_code, first_system, second_system, day_on, offset_seconds, skew_status, is_flagged
        from checked
        where is_flagged <> (skew_status in ('first_ahead', 'first_behind'))
            or (skew_status not in ('too_few_readings', 'no_limit') and skew_status is distinct from case
                when offset_seconds > highest_limit_seconds then 'first_ahead'
                when offset_seconds < lowest_limit_seconds then 'first_behind'
                else 'within_limits'
            end)
            or offset_seconds not between lowest_offset_seconds and highest_offset_seconds
        """,
        "An offset is flagged by its limits and lies within what was read.",
        DEFECT,
    )
    yield on.no_rows(
        "measure_has_a_limit",
        """
        select measure_code, min(day_on) as first_on, max(day_on) as last_on, count(*) as reading_count
        from checked
        where skew_status = 'no_limit' or lowest_limit_seconds is null or highest_limit_seconds is null
        group by measure_code
        """,
        "What two clocks are compared by has a limit: without one no clock is ever called wrong.",
        "add the measure to seeds/services/clock_skew_limit.csv",
    )
    yield on.no_rows(
        "clocks_agree",
        """
        select measure_code, first_system, second_system, day_on, offset_seconds, touched_kind, touched_count
        from checked where is_flagged and not is_corrected
        """,
        "No two clocks are further apart than their limits (those whose samples are moved apart).",
        "have the clock named first set by a time service; what it touched is counted in touched_count",
        "warn",
    )


def _matches() -> Iterator[CheckSpec]:
    on = On(
        MATCH,
        "chk_identity_and_alert_match",
        keys=("alert_ticket_key",),
        sources=("datadog",),
        requirements=("OPS-3.2",),
    )
    yield on.no_rows(
        "every_alert_is_judged",
        """
        with alerts as (
            select incident_id from staging.stg_datadog__incidents where detection_method = 'monitor'
        )
        select coalesce(checked.alert_incident_id, alerts.incident_id) as incident_id
        from alerts full join checked on checked.alert_incident_id = alerts.incident_id
        where alerts.incident_id is null and checked.alert_incident_id is not null
            or checked.alert_ticket_key is null
        """,
        "Each alert of monitoring is matched or said to have no ticket, and no other stands here.",
        DEFECT,
        reads=("staging.stg_datadog__incidents",),
    )
    yield on.no_rows(
        "alert_stands_once",
        """
        select alert_incident_id, count(*) as pair_count, string_agg(ticket_number, ', ' order by ticket_number)
            as ticket_numbers
        from checked where alert_incident_id is not null group by alert_incident_id having count(*) <> 1
        """,
        "Each alert has one pair: two tickets for one alert would count its work twice.",
        DEFECT,
    )
    yield on.no_rows(
        "validity_follows_both_sides",
        """
        select alert_ticket_key, match_status, identity_status, is_valid from checked
        where is_valid <> (
                match_status = 'matched'
                and identity_status in ('employed_in_team', 'employed_in_another_team', 'employed_team_unknown')
            )
            or (match_status = 'matched') <> (alert_incident_id is not null and opened_at is not null)
            or (employee_assignment_key is not null and identity_status not like 'employed%')
            or (hris_team_code is not null) <> (identity_status in ('employed_in_team', 'employed_in_another_team'))
        """,
        "A pair is valid when alert and ticket are there and its person was employed.",
        DEFECT,
    )
    yield on.no_rows(
        "alerts_and_tickets_meet",
        """
        select alert_ticket_key, match_status, reason_code, ticket_number from checked
        where match_status <> 'matched'
        """,
        f"At most {UNMATCHED_SHARE:.0%} of the alerts and of the tickets machines opened lack the other.",
        "see why by reason_code: the integration that opens tickets does not pass the number on, or is down",
        "warn",
        tolerated_share=UNMATCHED_SHARE,
    )
    yield on.no_rows(
        "people_are_known",
        """
        select alert_ticket_key, ticket_number, identity_status from checked
        where identity_status in ('not_in_hris', 'not_employed_then')
        """,
        "Whoever has a ticket that an alert opened is in HRIS and was employed when it was given to them.",
        "mend the assignment in the ITSM tool or the person's dates in HRIS: such work is attributed to nobody",
        "warn",
    )


def _objectives() -> Iterator[CheckSpec]:
    on = On(OBJECTIVE, "rec_slo_to_datadog", keys=("slo_id", "window_from_at"), sources=("datadog",))
    yield on.no_rows(
        "adds_up",
        """
        select slo_id, window_from_at, datadog_share, measured_share, difference_share, rec_status from checked
        where difference_share is distinct from datadog_share - measured_share
            or (rec_status = 'matched') <> (explanation_code = 'equal')
            or (rec_status = 'matched' and abs(difference_share) > 0.00001)
            or counted_down_seconds > down_seconds
            or down_seconds + corrected_seconds - (down_seconds - counted_down_seconds) > window_seconds
        """,
        "The difference is Datadog's figure less ours, and what matches differs by no more than it is exact to.",
        DEFECT,
    )
    yield on.no_rows(
        "differences_are_explained",
        """
        select slo_id, service_code, window_from_at, datadog_share, measured_share, difference_share
        from checked where explanation_code = 'not_explained'
        """,
        "Where Datadog says another figure than ours, it is known why.",
        "compare the history column of the raw record with the monitor's changes of state of that month",
        "warn",
    )
