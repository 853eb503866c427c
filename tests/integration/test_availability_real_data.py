"""Availability of real monitors, a real vendor's outages taken out, against a calculation of its own.

The monitors' history holds a row per change of state and about one heartbeat a day, so that intervals are
integrated: a state holds until the next row, and for HOLD at most; later than that it is unknown. The vendor's
outages lie years before the monitors' history. They are moved by whole weeks, so that hours and weekdays stay, and
taken as exclusions of every site: what is tested is the arithmetic on real shapes, not who was to blame.
"""

from __future__ import annotations

import csv
import gzip
import json
import os
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb
import pytest

from benchmarks.model_sql import model_sql
from ingestion.vendor_status import OutageCandidate, read_outage

HOLD = timedelta(hours=26)
MOVED = timedelta(weeks=261)
AS_OF = datetime(2026, 6, 22, tzinfo=UTC)
MODELS = ("int_monitor_interval", "int_availability_piece", "fct_availability")


def real_file(name: str) -> Path:
    folder = os.environ.get("REAL_DATA_DIR")
    if not folder:
        pytest.skip("REAL_DATA_DIR is not set")
    path = Path(folder) / name
    assert path.is_file(), f"REAL_DATA_DIR={folder} holds no {name}"
    return path


@pytest.fixture(scope="module")
def outages() -> list[Any]:
    with gzip.open(real_file("vendor_outages_aws.jsonl.gz"), "rt", encoding="utf-8") as lines:
        return [read_outage(json.loads(line)) for line in lines]


@pytest.fixture(scope="module")
def checks() -> dict[str, list[tuple[datetime, str]]]:
    """(instant, state) by site, in order; a status code of 0 or from 400 on is down, as the history says itself."""
    found: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
    with gzip.open(real_file("monitor_checks_foodcoop.csv.gz"), "rt", encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            state = "up" if 200 <= int(row["code"]) < 400 else "down"
            assert state == row["status"]
            found[row["slug"]].append((datetime.fromisoformat(row["last_updated"]).replace(microsecond=0), state))
    return {slug: sorted(set(rows)) for slug, rows in sorted(found.items())}


def test_windows_of_the_vendor_are_read_or_refused(outages: list[Any]) -> None:
    read = [outage for outage in outages if isinstance(outage, OutageCandidate)]
    refused = Counter(outage.reason.partition(":")[0] for outage in outages if not isinstance(outage, OutageCandidate))
    assert (len(outages), len(read)) == (576, 460)
    assert refused == {"no_window": 80, "unresolved": 34, "implausible_window": 2}
    assert all(outage.starts_at < outage.ends_at for outage in read)


def test_raw_and_adjusted_availability_agree_with_a_calculation_of_its_own(
    checks: dict[str, list[tuple[datetime, str]]], outages: list[Any]
) -> None:
    windows = sorted(
        (outage.starts_at + MOVED, outage.ends_at + MOVED) for outage in outages if isinstance(outage, OutageCandidate)
    )
    expected = by_hand(checks, windows)
    found = by_models(checks, windows)
    assert found == expected
    total = {name: sum(row[position] for row in expected.values()) for position, name in enumerate(MEASURES)}
    raw = Fraction(total["up"], total["up"] + total["down"])
    adjusted = Fraction(total["adjusted_up"], total["adjusted_up"] + total["adjusted_down"])
    covered = Fraction(total["up"] + total["down"], total["up"] + total["down"] + total["unknown"])
    shares = tuple(f"{float(share):.6f}" for share in (raw, adjusted, covered))
    assert (total, shares) == (TOTALS, ("0.979345", "0.979326", "0.650950"))


MEASURES = ("up", "down", "unknown", "excluded", "adjusted_up", "adjusted_down")
# Seconds of all 53 sites together, checked by hand; sites that were given up stay unknown to the end.
TOTALS = {
    "up": 441_503_014,
    "down": 9_311_399,
    "unknown": 241_734_374,
    "excluded": 14_834_220,
    "adjusted_up": 432_025_103,
    "adjusted_down": 9_120_250,
}


def by_hand(
    checks: dict[str, list[tuple[datetime, str]]], windows: list[tuple[datetime, datetime]]
) -> dict[tuple[str, str], tuple[int, ...]]:
    """Seconds by site and month, from intervals cut one by one."""
    merged: list[list[datetime]] = []
    for start, end in windows:
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    found: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * 6)
    for slug, rows in checks.items():
        for position, (at, state) in enumerate(rows):
            following = rows[position + 1][0] if position + 1 < len(rows) else AS_OF
            for start, end, held in (
                (at, min(following, at + HOLD), state),
                (min(following, at + HOLD), following, "unknown"),
            ):
                while start < end:
                    month_end = (start.replace(day=1, hour=0, minute=0, second=0) + timedelta(days=32)).replace(day=1)
                    stop = min(end, month_end)
                    seconds = int((stop - start).total_seconds())
                    inside = sum(
                        max(0, int((min(stop, last) - max(start, first)).total_seconds())) for first, last in merged
                    )
                    figures = found[slug, f"{start:%Y-%m}"]
                    figures[("up", "down", "unknown").index(held)] += seconds
                    figures[3] += inside
                    if held != "unknown":
                        figures[4 if held == "up" else 5] += seconds - inside
                    start = stop
    return {key: tuple(figures) for key, figures in found.items()}


def by_models(
    checks: dict[str, list[tuple[datetime, str]]], windows: list[tuple[datetime, datetime]]
) -> dict[tuple[str, str], tuple[int, ...]]:
    """The same from the warehouse's own models over state changes."""
    transitions = []
    for slug, rows in checks.items():
        for position, (at, state) in enumerate(rows):
            transitions.append((slug, at, "OK" if state == "up" else "Alert"))
            following = rows[position + 1][0] if position + 1 < len(rows) else AS_OF
            if at + HOLD < following:
                transitions.append((slug, at + HOLD, "No Data"))
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(
            """
            create table stg_datadog__monitors (
                monitor_id varchar, service_code varchar, created_at timestamp, batch_id varchar);
            create table stg_datadog__monitor_transitions (
                monitor_transition_id varchar, monitor_id varchar, transition_at timestamp, destination_state varchar,
                batch_id varchar);
            create table stg_datadog__downtimes (
                service_code varchar, status varchar, start_at timestamp, end_at timestamp, canceled_at timestamp);
            create table int_run_context (as_of_at timestamp);
            create table int_exclusion_window (
                service_code varchar, exclusion_scope_code varchar, audience varchar, starts_at timestamp,
                ends_at timestamp)
            """
        )
        connection.execute("insert into int_run_context values (?)", [AS_OF.replace(tzinfo=None)])
        connection.executemany(
            "insert into stg_datadog__monitors values (?, ?, ?, 'b')",
            [(slug, slug, rows[0][0].replace(tzinfo=None)) for slug, rows in checks.items()],
        )
        connection.executemany(
            "insert into stg_datadog__monitor_transitions values (?, ?, ?, ?, 'b')",
            [
                (f"{number:06}", slug, at.replace(tzinfo=None), state)
                for number, (slug, at, state) in enumerate(transitions)
            ],
        )
        connection.execute("create table moved (starts_at timestamp, ends_at timestamp)")
        connection.executemany(
            "insert into moved values (?, ?)",
            [(start.replace(tzinfo=None), end.replace(tzinfo=None)) for start, end in windows],
        )
        connection.execute(
            "insert into int_exclusion_window "
            "select monitor_id, monitor_id, 'internal', starts_at, ends_at from stg_datadog__monitors, moved"
        )
        for model in MODELS:
            connection.execute(f"create table {model} as {model_sql(model)}")
        rows = connection.execute(
            "select monitor_id, period_month, up_seconds, down_seconds, unknown_seconds, excluded_seconds, "
            "adjusted_up_seconds, adjusted_down_seconds from fct_availability"
        ).fetchall()
    return {(row[0], f"{row[1]:%Y-%m}"): row[2:] for row in rows}
