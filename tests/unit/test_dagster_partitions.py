"""Partitions of raw entities: which windows they are, and what Dagster is told of a range that has landed."""

from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path

import dagster as dg

from dagster_project.lib.instance import open_instance
from dagster_project.lib.partitions import keys_covered, partitions_of, report_partitions, windows_of
from ingestion.settings import Settings, parse_instant
from ingestion.sources import SOURCES

DAILY = SOURCES["servicenow"].entities["incident"]
MONTHLY = SOURCES["payroll"].entities["register_line"]
SNAPSHOT = SOURCES["bamboohr"].entities["employee"]
SETTINGS = Settings(
    Path("w.duckdb"), Path("p"), Path("s"), date(2024, 7, 1), parse_instant("2026-01-05T00:00:00Z", "AS_OF")
)


def test_daily_partitions_run_from_extract_from_to_the_last_whole_day():
    keys = partitions_of(DAILY, SETTINGS).get_partition_keys()
    assert (keys[0], keys[-1], len(keys)) == ("2024-07-01", "2026-01-04", 553)


def test_monthly_partitions_are_named_as_the_landing_names_them():
    keys = partitions_of(MONTHLY, SETTINGS).get_partition_keys()
    assert (keys[0], keys[-1], len(keys)) == ("2024-07", "2025-12", 18)


def test_snapshots_have_no_partitions():
    assert partitions_of(SNAPSHOT, SETTINGS) is None


def test_without_as_of_the_partitions_reach_today():
    open_ended = replace(SETTINGS, as_of=None)
    assert len(partitions_of(DAILY, open_ended).get_partition_keys()) >= 553


def test_adjoining_days_become_ranges_of_at_most_31_days():
    january_on = partitions_of(DAILY, SETTINGS).get_partition_keys()[184 : 184 + 33]
    windows = windows_of(DAILY, [*january_on, "2025-06-10"])
    assert [window.partition_key for window in windows] == [
        "2025-01-01/2025-01-31",
        "2025-02-01/2025-02-02",
        "2025-06-10",
    ]
    assert sum((window.end_at - window.start_at).days for window in windows) == 34


def test_months_stay_single_windows():
    windows = windows_of(MONTHLY, ["2025-02", "2024-12"])
    assert [window.partition_key for window in windows] == ["2024-12", "2025-02"]
    assert windows[1].end_at.isoformat() == "2025-03-01T00:00:00+00:00"


def test_a_landed_range_covers_each_of_its_days():
    assert keys_covered(DAILY, "2025-02-27/2025-03-01") == ["2025-02-27", "2025-02-28", "2025-03-01"]
    assert keys_covered(DAILY, "2025-02-27") == ["2025-02-27"]
    assert keys_covered(MONTHLY, "2025-02") == ["2025-02"]


KEY = dg.AssetKey(["servicenow", "incident"])
DAYS = keys_covered(DAILY, "2024-07-01/2026-01-04")


def report(instance, facts, new_batches):
    """Report from inside a step, as the landing does; returns how many were reported."""
    counted = []

    @dg.asset(name="reporter")
    def reporter(context: dg.AssetExecutionContext):
        counted.append(report_partitions(context, KEY, facts, new_batches))

    assert dg.materialize([reporter], instance=instance).success
    return counted[0]


def reported_by_day(instance):
    """How often each day was reported."""
    records = instance.fetch_materializations(KEY, limit=5000).records
    return Counter(record.asset_materialization.partition for record in records)


def test_dagster_knows_every_day_of_a_first_load_and_its_rows(tmp_path):
    facts = {day: {"batch_id": "b1", "dagster/partition_row_count": 7} for day in DAYS}
    with open_instance(tmp_path) as instance:
        assert report(instance, facts, ["b1"]) == 553
        assert instance.get_materialized_partitions(KEY) == set(DAYS)
        assert reported_by_day(instance) == dict.fromkeys(DAYS, 1)
        records = instance.fetch_materializations(
            dg.AssetRecordsFilter(asset_key=KEY, asset_partitions=["2025-03-30"]), limit=5
        ).records
        assert len(records) == 1
        assert records[0].asset_materialization.metadata["dagster/partition_row_count"].value == 7
        latest = instance.get_latest_materialization_event(KEY).asset_materialization
        assert latest.partition == "2026-01-04"


def test_only_new_batches_and_unknown_days_are_reported_again(tmp_path):
    facts = {day: {"batch_id": "b1"} for day in DAYS[:40]}
    with open_instance(tmp_path) as instance:
        assert report(instance, facts, ["b1"]) == 40
        assert report(instance, facts, []) == 0
        facts[DAYS[3]] = {"batch_id": "b2"}
        facts[DAYS[40]] = {"batch_id": "b3"}
        assert report(instance, facts, ["b2"]) == 2
        counts = reported_by_day(instance)
        assert (counts[DAYS[3]], counts[DAYS[4]], counts[DAYS[40]]) == (2, 1, 1)
