"""The availability benchmark answers rightly: what it measures is the work, not a part of it."""

from __future__ import annotations

from collections import defaultdict

import duckdb

from benchmarks.availability import SCAN, START_HOUR, availability_sql, generator_sql

MONITORS, DAYS = 7, 4


def test_the_figures_agree_with_minutes_looked_at_one_by_one() -> None:
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        for statement in generator_sql(MONITORS, DAYS).split(";\n"):
            if statement.strip():
                connection.execute(statement)
        # an hour without a sample, over the border of two parts of the build
        connection.execute(
            f"delete from samples where monitor_id = 3 and hour_number between {START_HOUR + 47} and 482184"
        )
        samples = connection.execute(
            "select monitor_id, hour_number * 60 + slot_number, outcome from samples"
        ).fetchall()
        windows = connection.execute(
            "select service_code, hour_number, from_second, to_second from int_monitoring_window"
        ).fetchall()
        scan = connection.execute(SCAN).fetchone()
        for statement in availability_sql(DAYS, 2).split(";\n"):
            found = connection.execute(statement)
        figures = found.fetchone()
    assert scan is not None and figures is not None
    assert scan[:2] == (MONITORS, len(samples))

    states: dict[int, dict[int, str]] = defaultdict(dict)
    for monitor, minute, outcome in samples:
        states[monitor][minute] = "down" if outcome == 2 else "up"
    taken: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for service, hour, first, last in windows:
        for minute in range(60):
            seconds = min(last, minute * 60 + 60) - max(first, minute * 60)
            taken[service][hour * 60 + minute] += max(0, seconds)
    minutes = range(START_HOUR * 60, (START_HOUR + DAYS * 24) * 60)
    expected = defaultdict(int)
    for monitor in range(MONITORS):
        before = "none"
        for minute in minutes:
            state = states[monitor].get(minute, "unknown")
            expected[state] += 60
            expected["flaps"] += {before, state} == {"up", "down"}
            expected["gaps"] += state == "unknown" and before != "unknown"
            expected["windows"] += taken[monitor][minute]
            expected[f"taken {state}"] += taken[monitor][minute]
            before = state
    names = ("up", "down", "unknown", "flaps", "gaps", "windows", "taken up", "taken down")
    assert figures[:9] == (MONITORS, *(expected[name] for name in names))
