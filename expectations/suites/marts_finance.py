"""Gate marts, vendors held against their own data and ours: nothing reported is left out, verdicts follow from figures.

`checks()` is read by `expectations.suites.marts`.
"""

from __future__ import annotations

from collections.abc import Iterator

from expectations.checks import CheckSpec, On

VENDORS = "finance.rec_vendor_to_measured"
SUMMARIES = "staging.stg_vendor_performance__summaries"
RECORDS = "staging.stg_vendor_performance__records"
STATUSES = (
    "matched",
    "summary_differs_from_raw",
    "raw_differs_from_measured",
    "missing_raw",
    "missing_summary",
    "missing_report",
    "missing_measured",
)
DEFECT = "a defect of the model: nothing may be published from it; see the keys below"


def checks() -> list[CheckSpec]:
    """All checks of this module."""
    return list(_vendors())


def _vendors() -> Iterator[CheckSpec]:
    on = On(
        VENDORS,
        VENDORS.partition(".")[2],
        keys=("rec_key", "vendor_code", "service_code", "measure", "period_month"),
        sources=("vendor_performance",),
        requirements=("SLT-7.2", "OPS-6.6"),
    )
    yield on.unique(("rec_key",), "A vendor's service, measure and month is one row.", DEFECT)
    yield on.in_set("status", STATUSES, DEFECT)
    yield on.known("explanation", DEFECT)
    yield on.no_rows(
        "lists_every_report",
        f"""
        select summary.vendor_code, summary.service_code, summary.measure, summary.period_month,
            summary.claimed_share, checked.claimed_share as listed_share
        from {SUMMARIES} as summary left join checked using (vendor_code, service_code, measure, period_month)
        where summary.claimed_share is distinct from checked.claimed_share
        union all
        select null, null, null, null, count(*), (select sum(raw_record_count) from checked)
        from {RECORDS} having count(*) <> (select coalesce(sum(raw_record_count), 0) from checked)
        """,
        "Every claim stands in it as it came, and every raw record is counted once.",
        DEFECT,
        reads=(SUMMARIES, RECORDS),
    )
    yield on.no_rows(
        "status_follows_from_the_figures",
        """
        select rec_key, vendor_code, service_code, measure, period_month, status, claimed_share, raw_share,
            measured_share, claimed_record_count, raw_record_count
        from checked
        where (status = 'matched') <> coalesce(
            abs(claimed_share - raw_share) <= summary_tolerance_share
            and abs(raw_share - measured_share) <= measured_tolerance_share
            and raw_record_count = coalesce(claimed_record_count, raw_record_count),
            false
        )
        or claimed_difference_share is distinct from claimed_share - raw_share
        or measured_difference_share is distinct from raw_share - measured_share
        """,
        "Matched is what agrees within its tolerances with all its records there, and nothing else.",
        DEFECT,
    )
    yield on.no_rows(
        "needs_nobody",
        """
        select rec_key, vendor_code, service_code, measure, period_month, status, explanation from checked
        where status <> 'matched'
        """,
        "Every vendor's claim agrees with its raw data and with what we measured.",
        "take it up with the vendor before the next review; a credit or a payment may hang on it",
        "warn",
    )
