"""Availability from samples against a plain oracle that looks at every second by itself.

The oracle knows the rules as they are written down and shares no code with the models: a state per second from
a dictionary of samples, windows as sets of seconds, local time from zoneinfo.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.model_sql import model_sql

HOUR = 3600
INTERVALS = (60, 75, 120, 150, 240, 300, 400, 900, 1800, 3600)
OUTCOMES = ("good", "bad", "unknown", "204", "503", "0", "429", "teapot")
MEANING = {"good": "good", "bad": "bad", "204": "good", "503": "bad", "0": "bad"}
# The hours in which clocks go forward or back in these zones, and a day on which they do not.
STARTS = ("2025-03-30 00:00", "2025-10-25 23:00", "2025-11-02 04:00", "2025-03-09 05:00", "2025-07-01 18:00")
ZONES = ("Etc/UTC", "Europe/Dublin", "America/New_York", "Asia/Kolkata")
MODELS = ("int_sample_clock", "int_monitor_hour", "int_monitoring_window", "int_monitor_bucket", "int_service_bucket")


@dataclass
class Monitor:
    """One monitor of the case: seconds are counted from the case's start."""

    interval: int
    rule: str
    service: str
    first_hour: int
    hours: int
    is_required: bool
    samples: list[tuple[str, int, str, int]] = field(default_factory=list)


@dataclass
class Case:
    """What one example holds."""

    start: int
    as_of: int
    zone: str
    monitors: list[Monitor]
    maintenance: list[tuple[str, int, int]]
    exclusions: list[tuple[str, int, int]]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    start = int(datetime.fromisoformat(draw(st.sampled_from(STARTS))).replace(tzinfo=UTC).timestamp())
    monitors = []
    for _ in range(draw(st.integers(1, 4))):
        hours = draw(st.integers(1, 4))
        monitor = Monitor(
            draw(st.sampled_from(INTERVALS)),
            draw(st.sampled_from(("any", "all"))),
            draw(st.sampled_from(("s1", "s2"))),
            draw(st.integers(0, 1)),
            hours,
            draw(st.booleans()),
        )
        instants = st.integers(-600, 5 * HOUR + 600)
        monitor.samples = draw(
            st.lists(
                st.tuples(st.sampled_from("ab"), instants, st.sampled_from(OUTCOMES), st.integers(0, 9)), max_size=60
            )
        )
        # a probe that is good to the end of an hour, so that there is something to be cut and to break off
        if draw(st.booleans()):
            good_until = draw(st.integers(1, 5)) * HOUR
            monitor.samples += [("a", at, "good", 1) for at in range(0, good_until, monitor.interval)]
        monitors.append(monitor)
    windows = st.lists(
        st.tuples(st.sampled_from(("s1", "s2")), st.integers(-HOUR, 5 * HOUR), st.integers(0, 2 * HOUR)), max_size=4
    )
    return Case(
        start,
        start + draw(st.integers(HOUR // 2, 5 * HOUR)),
        draw(st.sampled_from(ZONES)),
        monitors,
        draw(windows),
        draw(windows),
    )


def at(case: Case, second: int) -> str:
    return f"{datetime.fromtimestamp(case.start + second, UTC):%Y-%m-%d %H:%M:%S}"


def watched(case: Case, monitor: Monitor) -> tuple[int, int]:
    """From which second to which the monitor is expected to speak."""
    first = case.start + monitor.first_hour * HOUR
    return first, min(first + monitor.hours * HOUR, case.as_of)


def expected_states(case: Case, monitor: Monitor) -> tuple[dict[int, str], set[int]]:
    """The state of each interval by its first second, and the intervals that hold a sample."""
    first, last = watched(case, monitor)
    said: dict[int, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for place, second, outcome, _ in monitor.samples:
        moment = case.start + second
        if first <= moment < last:
            said[moment - moment % HOUR % monitor.interval][place].add(MEANING.get(outcome, "unknown"))
    states = {}
    for slot in range(first, last, monitor.interval):
        verdicts = {
            "bad" if "bad" in words else "unknown" if "unknown" in words else "good"
            for words in said.get(slot, {}).values()
        }
        if {"good", "bad"} <= verdicts:
            states[slot] = "down" if monitor.rule == "any" else "up"
        else:
            states[slot] = "up" if "good" in verdicts else "down" if "bad" in verdicts else "unknown"
    return states, set(said)


def expected_changes(case: Case) -> dict[tuple[str, int], tuple[int, int]]:
    """By monitor and hour: changes between up and down from one interval to the next, and gaps that begin."""
    found: dict[tuple[str, int], tuple[int, int]] = {}
    for number, monitor in enumerate(case.monitors):
        before = "nothing"
        for slot, state in expected_states(case, monitor)[0].items():
            changes, gaps = found.get((f"m{number}", slot // HOUR), (0, 0))
            found[f"m{number}", slot // HOUR] = (
                changes + ({before, state} == {"up", "down"}),
                gaps + (state == "unknown" and before != "unknown"),
            )
            before = state
    return found


def expected_buckets(case: Case) -> dict[tuple[str, int], dict[str, int]]:
    """Each monitor's buckets, second by second."""
    found: dict[tuple[str, int], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    inside = {
        name: {
            (service, case.start + second)
            for service, first, length in windows
            for second in range(first, first + length)
        }
        for name, windows in (("maintenance", case.maintenance), ("excluded", case.exclusions))
    }
    for number, monitor in enumerate(case.monitors):
        first, last = watched(case, monitor)
        states, said = expected_states(case, monitor)
        for moment in range(first, last):
            slot = moment - moment % HOUR % monitor.interval
            state = states[slot]
            bucket = found[f"m{number}", moment - moment % 300]
            bucket[f"{state}_seconds"] += 1
            if moment == slot:
                bucket["expected_count"] += 1
                bucket["sample_count"] += slot in said
                bucket["good_count"] += state == "up"
                bucket["bad_count"] += state == "down"
            window = next((name for name, held in inside.items() if (monitor.service, moment) in held), None)
            if window:
                bucket[f"{window}_seconds"] += 1
                bucket["excluded_up_seconds"] += state == "up"
                bucket["excluded_down_seconds"] += state == "down"
    return found


MEASURES = (
    "expected_count",
    "sample_count",
    "good_count",
    "bad_count",
    "up_seconds",
    "down_seconds",
    "unknown_seconds",
    "maintenance_seconds",
    "excluded_seconds",
    "excluded_up_seconds",
    "excluded_down_seconds",
)


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect(config={"threads": 1})
    connection.execute("set timezone = 'UTC'")
    connection.execute(
        """
        create table int_monitor_sample (
            monitor_id varchar, probe_location varchar, sampled_at timestamp, received_at timestamp,
            source_outcome varchar, has_collector_clock boolean);
        create table monitor_register (
            monitor_id varchar, service_code varchar, sample_kind varchar, expected_interval_seconds integer,
            missing_after_seconds integer, location_rule varchar, is_required boolean, effective_from timestamp,
            effective_to timestamp);
        create table monitor_outcome as select * from (values
            ('good', 'good'), ('bad', 'bad'), ('unknown', 'unknown'), ('0', 'bad'), ('2xx', 'good'), ('4xx', 'bad'),
            ('5xx', 'bad'), ('429', 'unknown')) as t (source_outcome, outcome);
        create table int_run_context (as_of_at timestamp);
        create table stg_datadog__downtimes (
            service_code varchar, status varchar, start_at timestamp, end_at timestamp, canceled_at timestamp);
        create table int_exclusion_window (
            exclusion_scope_code varchar, audience varchar, starts_at timestamp, ends_at timestamp);
        create table service (service_code varchar, calendar_code varchar);
        create table calendar (calendar_code varchar, time_zone varchar);
        """
    )
    for model in (*MODELS, "fct_availability_rollup"):
        connection.execute(f"create view view_{model} as {_over_views(model)}")
    yield connection
    connection.close()


def _over_views(model: str) -> str:
    return model_sql(model, {name: f"view_{name}" for name in MODELS}, {"availability_5m_days": 1})


def fill(engine: duckdb.DuckDBPyConnection, case: Case) -> None:
    tables: dict[str, list[tuple[Any, ...]]] = {
        "int_monitor_sample": [
            (f"m{number}", place, at(case, second), at(case, second + delay), outcome, True)
            for number, monitor in enumerate(case.monitors)
            for place, second, outcome, delay in monitor.samples
        ],
        "monitor_register": [
            (
                f"m{number}",
                monitor.service,
                "synthetic",
                monitor.interval,
                0,
                monitor.rule,
                monitor.is_required,
                at(case, monitor.first_hour * HOUR),
                at(case, (monitor.first_hour + monitor.hours) * HOUR),
            )
            for number, monitor in enumerate(case.monitors)
        ],
        "int_run_context": [(at(case, case.as_of - case.start),)],
        "stg_datadog__downtimes": [
            (service, "ended", at(case, first), at(case, first + length), None)
            for service, first, length in case.maintenance
        ],
        "int_exclusion_window": [
            # the warehouse merges windows before they come here; overlapping ones must do no harm either
            (service, "internal", at(case, first), at(case, first + length))
            for service, first, length in case.exclusions
            if length
        ],
        "service": [("s1", "c"), ("s2", "c")],
        "calendar": [("c", case.zone)],
    }
    for table, rows in tables.items():
        engine.execute(f"delete from {table}")
        if rows:
            engine.executemany(f"insert into {table} values ({', '.join('?' * len(rows[0]))})", rows)


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(cases())
def test_buckets_and_roll_ups_agree_with_every_second(engine: duckdb.DuckDBPyConnection, case: Case) -> None:
    fill(engine, case)
    expected = expected_buckets(case)
    columns = ", ".join(MEASURES)
    rows = engine.execute(f"select monitor_id, epoch(bucket_at)::bigint, {columns} from view_int_monitor_bucket")
    found = {(row[0], row[1]): dict(zip(MEASURES, row[2:], strict=True)) for row in rows.fetchall()}
    assert found == {key: {name: bucket[name] for name in MEASURES} for key, bucket in expected.items()}

    rows = engine.execute(
        "select monitor_id, hour_number, state_change_count, gap_count from view_int_monitor_hour"
    ).fetchall()
    assert {row[:2]: row[2:] for row in rows} == expected_changes(case)

    # the service: worst monitor per bucket and part; then local hours and days
    zones = {"Etc/UTC", case.zone}
    totals: dict[tuple[str, str, str, datetime, int], list[int]] = defaultdict(lambda: [0] * 5)
    services: dict[tuple[str, int], list[dict[str, int]]] = defaultdict(list)
    for (monitor_id, moment), bucket in expected.items():
        monitor = case.monitors[int(monitor_id[1:])]
        if monitor.is_required:
            services[monitor.service, moment].append(bucket)
    for (service, moment), buckets in services.items():
        seconds = sum(buckets[0][f"{state}_seconds"] for state in ("up", "down", "unknown"))
        taken = buckets[0]["maintenance_seconds"] + buckets[0]["excluded_seconds"]
        down = max(b["down_seconds"] - b["excluded_down_seconds"] for b in buckets)
        up = min(max(b["up_seconds"] - b["excluded_up_seconds"] for b in buckets), seconds - taken - down)
        lost_down = max(b["excluded_down_seconds"] for b in buckets)
        lost_up = min(max(b["excluded_up_seconds"] for b in buckets), taken - lost_down)
        for zone in zones:
            local = datetime.fromtimestamp(moment, ZoneInfo(zone))
            hour = local.replace(minute=0)
            day = hour.replace(hour=0, fold=0)
            for name, begins in (("hour", hour), ("day", day)):
                key = (service, name, zone, begins.replace(tzinfo=None, fold=0), int(begins.timestamp()))
                for position, figure in enumerate((up + lost_up, down + lost_down, seconds, up, down)):
                    totals[key][position] += figure
    rows = engine.execute(
        """
        select service_code, granularity_code, time_zone, bucket_start_local_at, epoch(bucket_start_at)::bigint,
            up_seconds, down_seconds, up_seconds + down_seconds + unknown_seconds, adjusted_up_seconds,
            adjusted_down_seconds, calendar_seconds
        from view_fct_availability_rollup where granularity_code in ('hour', 'day')
        """
    ).fetchall()
    assert {row[:5]: list(row[5:10]) for row in rows} == totals
    for _, name, zone, local, start, *_, calendar_seconds in rows:
        length = timedelta(days=1) if name == "day" else timedelta(0)
        ends = (local + length).replace(tzinfo=ZoneInfo(zone))
        assert calendar_seconds == (ends.timestamp() - start if name == "day" else HOUR)
