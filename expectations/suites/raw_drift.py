"""Gate raw, drift: what `ingestion.drift` found in the current batches, each kind of finding a check of its own.

Thresholds are governed (seeds/drift/drift_threshold.csv) and differ by entity and column; the descriptions state the
defaults. Findings are read from landing.drift_finding, which is judged anew before the gate.

Sources of the measures: median and median absolute deviation, B. Iglewicz and D. Hoaglin, How to Detect and Handle
Outliers (ASQC, 1993); population stability index, N. Siddiqi, Credit Risk Scorecards (Wiley, 2006), with the mean of
two samples of one population, B. Yurdakul (Western Michigan University, 2018); values never seen, I. J. Good (1953).
"""

from __future__ import annotations

from collections.abc import Iterator

from expectations.checks import CheckSpec, On
from ingestion.drift import GATING_DAYS, HISTORY_COUNT, MEND, Default, read_defaults

FINDINGS = "landing.drift_finding"
PROFILES = "landing.batch_profile"
WORDS = {
    "volume": "The rows of {what} are within {robust_factor} robust deviations of the median, or within a factor of "
    "{factor} of it",
    "null_share": "The share of empty values of each column is within {robust_factor} robust deviations of the median, "
    "or within {min_change_share} of it",
    "column_emptied": "No column that was filled comes empty in {min_row_count} rows or more",
    "column_lost": "No column of the contract that came before is gone",
    "column_new": "No column comes that no earlier extract had",
    "category_new": "No value comes in a column of few values that no earlier one had, beyond what chance gives",
    "category_lost": "A value that every earlier slice had comes where {min_row_count} rows of it are to be expected",
    "category_share": "The shares of the values keep a population stability index of at most {index_limit}",
    "duration": "Median and 90th percentile of each quantity are within {robust_factor} robust deviations, or within a "
    "factor of {factor}",
}
REQUIREMENTS = {
    "column_lost": ("LTI-7.1",),
    "column_new": ("LTI-7.1",),
    "column_emptied": ("LTI-7.1",),
}


def checks() -> Iterator[CheckSpec]:
    """All checks of drift: first that everything was judged, then a blocking and a warning one per measure."""
    yield On("landing.extract_state", "drift", keys=("source", "entity", "partition_key")).no_rows(
        "profiles_are_complete",
        f"""
        select checked.source, checked.entity, checked.partition_key, checked.current_batch_id from checked
        where checked.current_batch_id not in (select batch_id from {PROFILES})
        """,
        "Each current batch has been profiled, so that nothing escapes the comparison.",
        "call ingestion.drift.hold_against_history before the gate",
        reads=(PROFILES,),
        requirements=("SLT-3.2",),
    )
    defaults = read_defaults()
    for measure, mend in MEND.items():
        for severity in ("block", "warn"):
            yield On(
                FINDINGS,
                "drift",
                keys=("source", "entity", "column_name", "batch_id"),
                rows=f"select * from {FINDINGS} where is_gating",
                requirements=REQUIREMENTS.get(measure, ("SLT-3.2",)),
            ).no_rows(
                f"{measure}_{severity}s",
                f"""
                select source, entity, column_name, batch_id, slice_from_at, expected_text as expected,
                    found_text as found, history_count, first_batch_id, how_to_mend
                from checked where measure = '{measure}' and severity = '{severity}'
                """,
                _description(measure, defaults[measure], severity),
                mend,
                severity,
            )


def _description(measure: str, default: Default, severity: str) -> str:
    factor = f"{1 + float(default.min_change_share):g}" if default.min_change_share else ""
    text = WORDS[measure].format(
        what="a window, list or month",
        factor=factor,
        robust_factor=default.robust_factor,
        min_change_share=default.min_change_share,
        min_row_count=default.min_row_count,
        index_limit=default.index_limit,
    )
    consequence = "blocks" if severity == "block" else "warns"
    return (
        f"{text} (default; judged from {default.min_history_count} earlier ones on, against the last {HISTORY_COUNT}, "
        f"in windows of the last {GATING_DAYS} days; where drift_threshold says it {consequence})."
    )
