"""Gate marts, availability from monitor samples: every second has one state, and every required second one reason."""

from __future__ import annotations

from collections.abc import Iterator

from expectations.checks import CheckSpec, On

ROLLUP, COVERAGE = "slt.fct_availability_rollup", "slt.fct_monitoring_coverage"
DEFECT = "a defect of the model: nothing may be published from it; see the keys below"


def checks() -> list[CheckSpec]:
    """All checks of availability from samples."""
    return [*_rollup(), *_coverage()]


def _rollup() -> Iterator[CheckSpec]:
    on = On(
        ROLLUP,
        "fct_availability_rollup",
        keys=("service_code", "granularity_code", "time_zone", "bucket_start_at"),
        sources=("monitor_samples",),
        requirements=("SVC-5.4",),
    )
    yield on.no_rows(
        "granularities_tell_the_same",
        """
        with totals as (
            select service_code, time_zone, granularity_code, sum(up_seconds) as up_seconds,
                sum(down_seconds) as down_seconds, sum(unknown_seconds) as unknown_seconds,
                sum(maintenance_seconds + excluded_seconds) as taken_out_seconds
            from checked where granularity_code <> '5m' group by all
        )
        select service_code, time_zone, count(distinct (up_seconds, down_seconds, unknown_seconds, taken_out_seconds))
            as answer_count
        from totals group by all having answer_count > 1 or count(*) <> 5
        """,
        "Hours, days, weeks, months and quarters of a service hold the same seconds, in each time zone.",
        DEFECT,
    )
    yield on.no_rows(
        "seconds_fit_the_calendar",
        """
        select service_code, granularity_code, time_zone, bucket_start_at, calendar_seconds, up_seconds, down_seconds
        from checked
        where up_seconds + down_seconds + unknown_seconds > calendar_seconds
            or maintenance_seconds + excluded_seconds > up_seconds + down_seconds + unknown_seconds
            or adjusted_up_seconds > up_seconds or adjusted_down_seconds > down_seconds
        """,
        "No period holds more seconds than its calendar, and nothing is taken out twice.",
        DEFECT,
    )


def _coverage() -> Iterator[CheckSpec]:
    on = On(
        COVERAGE,
        "fct_monitoring_coverage",
        keys=("service_code", "sample_kind", "period_month"),
        sources=("monitor_samples",),
        requirements=("SVC-3.6", "SLT-2.4"),
    )
    yield on.no_rows(
        "every_second_has_a_reason",
        """
        select service_code, sample_kind, period_month, required_seconds, covered_seconds, gap_seconds,
            unmonitored_seconds
        from checked
        where required_seconds <> covered_seconds + gap_seconds + unmonitored_seconds
            or least(covered_seconds, gap_seconds, unmonitored_seconds) < 0
            or is_blind_spot <> (covered_seconds + gap_seconds = 0)
        """,
        "Each required second is covered, a gap or unmonitored, and a blind spot is a month without a monitor.",
        DEFECT,
    )
