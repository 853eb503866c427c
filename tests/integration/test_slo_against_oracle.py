"""Error budgets and burn rates against brute force: the compiled models on random buckets, event by event in Python.

The oracle shares nothing with the SQL: it walks every bucket for every window, in fractions, and takes local midnights
from zoneinfo. Zones with changes of an hour and of half an hour, one with half an hour's offset, both methods of
slices, both exclusion effects, rolling and calendar windows, an as-of instant anywhere.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pandas
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from dagster_project.lib.dbt_runner import DBT_EXECUTABLE
from dagster_project.lib.environment import DBT_PROJECT_DIR

pytestmark = [pytest.mark.slow, pytest.mark.requirement("SVC-4.0")]

MODELS = [
    ("core", "int_slo_definition"),
    ("core", "int_slo_alert_policy"),
    ("core", "int_slo_window"),
    ("core", "int_slo_evaluation"),
    ("core", "int_slo_event_bucket"),
    ("slt", "fct_slo_reading"),
    ("slt", "fct_error_budget"),
    ("slt", "fct_burn_rate"),
]
ZONES = ["Europe/Dublin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]
# a week or so before a change of clocks somewhere
STARTS = [date(2025, 3, 3), date(2025, 3, 24), date(2025, 10, 20), date(2024, 9, 30)]
SPAN_DAYS = 16
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def seconds_of(moment: datetime) -> int:
    return round((moment - EPOCH).total_seconds())


@dataclass(frozen=True)
class Slo:
    code: str
    method: str
    effect: str
    window: str | int
    zone: str
    slice_seconds: int | None
    slice_target: Fraction | None
    target: Fraction
    minimum: int
    indicator: str = "sample_time"


@dataclass(frozen=True)
class Bucket:
    at_s: int
    up: int
    down: int
    unknown: int
    excluded_up: int
    excluded_down: int


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[duckdb.DuckDBPyConnection, dict[str, str]]]:
    """The models as dbt compiles them, and a connection in which their names hold."""
    folder = tmp_path_factory.mktemp("slo")
    environment = {**os.environ, "WAREHOUSE_PATH": str(folder / "warehouse.duckdb"), "SLTW_PYTHON": sys.executable}
    subprocess.run(
        [
            str(DBT_EXECUTABLE), "--quiet", "compile", "--profiles-dir", str(DBT_PROJECT_DIR), "--target-path",
            str(folder / "target"), "--log-path", str(folder), "--select", *(name for _, name in MODELS),
        ],
        cwd=DBT_PROJECT_DIR, env=environment, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    found = {path.stem: path.read_text() for path in (folder / "target" / "compiled").rglob("*.sql")}
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        connection.execute("set TimeZone = 'UTC'")
        for schema in ("reference", "core", "slt"):
            connection.execute(f"create schema if not exists {schema}")
        yield connection, found


# --- the random company ---


def random_buckets(chance: random.Random, first_s: int) -> list[Bucket]:
    """Buckets of one monitor, mostly up, in runs; some missing; the first is never excluded."""
    buckets = []
    state, excluded = "up", False
    for number in range(SPAN_DAYS * 288):
        if chance.random() < 0.02:
            state = chance.choice(["up", "up", "mixed", "down", "unknown", "absent"])
        if chance.random() < 0.004:
            excluded = not excluded
        if state == "absent":
            continue
        up, down, unknown = {"up": (300, 0, 0), "down": (0, 300, 0), "unknown": (0, 0, 300)}.get(state, (0, 0, 0))
        if state == "mixed":
            up = chance.randint(0, 300)
            down = chance.randint(0, 300 - up)
            unknown = 300 - up - down
        kept = chance.choice([Fraction(1), Fraction(1), Fraction(1, 3)]) if excluded else Fraction(0)
        buckets.append(
            Bucket(first_s + 300 * number, up, down, unknown, int(up * kept), int(down * kept))
        )  # fmt: skip
    return buckets


@dataclass(frozen=True)
class Stretch:
    """What a monitor said over a time, or whether it was excluded."""

    from_s: int
    to_s: int
    value: str


def random_stretches(chance: random.Random, first_s: int, as_of_s: int, values: list[str]) -> list[Stretch]:
    """Stretches from first_s to as_of_s without a gap, some of a second and some of days."""
    stretches, at_s = [], first_s
    while at_s < as_of_s:
        to_s = min(as_of_s, at_s + chance.choice([1, 299, 300, 3_600, chance.randint(1, 90_000)]))
        stretches.append(Stretch(at_s, to_s, chance.choice(values)))
        at_s = to_s
    return stretches


def buckets_of(states: list[Stretch], windows: list[Stretch]) -> list[Bucket]:
    """The stretches cut at every five minutes, one bucket's share after the other."""
    buckets: dict[int, list[int]] = {}
    for state in states:
        for window in windows:
            at_s, to_s = max(state.from_s, window.from_s), min(state.to_s, window.to_s)
            while at_s < to_s:
                end_s = min(to_s, at_s - at_s % 300 + 300)
                sums = buckets.setdefault(at_s - at_s % 300, [0] * 5)
                sums[["up", "down", "unknown"].index(state.value)] += end_s - at_s
                if window.value == "out" and state.value != "unknown":
                    sums[["up", "down"].index(state.value) + 3] += end_s - at_s
                at_s = end_s
    return [Bucket(at_s, *sums) for at_s, sums in sorted(buckets.items())]


def random_slos(chance: random.Random) -> list[Slo]:
    """Every method with every effect and kind of window; the rest by chance."""
    slos = []
    combinations = product(
        ("occurrences", "timeslices", "ratio_timeslices"), ("drop_denominator", "count_good"), (2, "week", "month")
    )
    for number, (method, effect, window) in enumerate(combinations):
        is_sliced = method != "occurrences"
        slos.append(
            Slo(
                code=f"slo-{number}",
                method=method,
                effect=effect,
                window=chance.randint(1, 9) if isinstance(window, int) else window,
                zone=chance.choice(ZONES),
                slice_seconds=chance.choice([300, 600, 900, 3600, 21600]) if is_sliced else None,
                slice_target=Fraction(chance.randint(1, 100), 100) if method == "timeslices" else None,
                target=Fraction(chance.randint(800, 999), 1000),
                minimum=chance.choice([0, 1, 100]),
                indicator=chance.choice(["monitor_time", "sample_time"]),
            )
        )
    for effect in ("drop_denominator", "count_good"):
        slos.append(
            Slo(f"tickets-{effect}", "occurrences", effect, chance.choice([3, "week"]), chance.choice(ZONES), None,
                None, Fraction(9, 10), 5, "ticket_attainment")
        )  # fmt: skip
    return slos


# --- brute force ---


def local_midnight_s(day: date, zone: str) -> int:
    return seconds_of(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC))


def windows_of(slo: Slo, from_on: date, as_of_s: int) -> Iterator[tuple[str, int, int]]:
    """(code, start, end) in seconds of every window that has begun."""
    day = from_on
    while local_midnight_s(day, slo.zone) < as_of_s:
        following = day + timedelta(days=1)
        if isinstance(slo.window, int):
            end_s = local_midnight_s(following, slo.zone)
            if end_s <= as_of_s:
                yield str(day), end_s - slo.window * 86400, end_s
        elif slo.window == "week" and day.weekday() == 0:
            yield str(day), local_midnight_s(day, slo.zone), local_midnight_s(day + timedelta(days=7), slo.zone)
        elif slo.window == "month" and day.day == 1:
            after = (day + timedelta(days=32)).replace(day=1)
            yield f"{day:%Y-%m}", local_midnight_s(day, slo.zone), local_midnight_s(after, slo.zone)
        day = following


def half_up(value: Fraction, scale: int) -> Fraction:
    units = value * 10**scale
    return Fraction((2 * units.numerator + units.denominator) // (2 * units.denominator), 10**scale)


def slices_of(slo: Slo, events: Iterable[Bucket], as_of_s: int) -> list[tuple[int, tuple[int, ...]]]:
    """(start, counts) of every slice, or bucket where none are cut; counts are total, good, excluded, unknown, and
    total and good as adjusted."""
    step = slo.slice_seconds or 300
    slices: dict[int, list[int]] = {}
    for each in events:
        slice_s = each.at_s - each.at_s % step
        if each.at_s >= as_of_s or (slo.slice_seconds and slice_s + step > as_of_s):
            continue
        sums = slices.setdefault(slice_s, [0] * 5)
        for place, value in enumerate((each.up, each.down, each.unknown, each.excluded_up, each.excluded_down)):
            sums[place] += value
    counted = []
    for slice_s, (up, down, unknown, excluded_up, excluded_down) in slices.items():
        total, good, excluded = up + down, up, excluded_up + excluded_down
        if slo.effect == "count_good":
            adjusted_total, adjusted_good = total, good + excluded_down
        else:
            adjusted_total, adjusted_good = total - excluded, good - excluded_up
        values = (total, good, excluded, unknown, adjusted_total, adjusted_good)
        if slo.slice_seconds is not None:
            one = 1 if slo.method == "timeslices" else 1_000_000
            values = (
                one if total else 0,
                slice_good(slo, good, total),
                one if total and excluded == total else 0,
                0 if total else one,
                one if adjusted_total else 0,
                slice_good(slo, adjusted_good, adjusted_total),
            )
        counted.append((slice_s, values))
    return counted


def counts_of(slices: Iterable[tuple[int, tuple[int, ...]]], from_s: int, to_s: int) -> tuple[int, ...]:
    """What begins in [from_s, to_s), one after the other."""
    inside = [values for at_s, values in slices if from_s <= at_s < to_s]
    return tuple(map(sum, zip(*inside, strict=True))) if inside else (0,) * 6


def slice_good(slo: Slo, good: int, total: int) -> int:
    if not total:
        return 0
    if slo.slice_target is not None:
        return int(Fraction(good, total) >= slo.slice_target)
    return int(half_up(Fraction(good, total), 6) * 1_000_000)


def ticket_counts(slo: Slo, tickets: Iterable[dict[str, Any]], from_s: int, to_s: int) -> tuple[int, ...]:
    result = [0] * 6
    for ticket in tickets:
        stop_s = ticket["stop_s"]
        if ticket["status"] not in ("met", "within_tolerance", "breached") or not from_s <= stop_s < to_s:
            continue
        late, late_still = ticket["is_breached_raw"], ticket["is_breached_adjusted"]
        mended = late and not late_still
        result[0] += 1
        result[1] += not late
        result[2] += mended
        if not (mended and slo.effect == "drop_denominator"):
            result[4] += 1
            result[5] += not late_still or ticket["is_forgiven"]
    return tuple(result)


# --- side by side ---


def load(
    connection: duckdb.DuckDBPyConnection, slos: list[Slo], buckets: list[Bucket], tickets: list[dict[str, Any]],
    states: list[Stretch], windows: list[Stretch], first_on: date, as_of_s: int,
) -> None:  # fmt: skip
    def table(name: str, columns: str, rows: list[tuple[Any, ...]]) -> None:
        connection.execute(f"create or replace table {name} ({columns})")
        if rows:
            connection.executemany(f"insert into {name} values ({', '.join('?' * len(rows[0]))})", rows)

    table("core.int_run_context", "as_of_at timestamp", [(datetime.fromtimestamp(as_of_s, UTC).replace(tzinfo=None),)])
    table("reference.service", "service_code varchar", [("s",)])
    table("reference.slt_definition", "slt_code varchar, slt_version integer", [("r", 1)])
    table(
        "reference.slo_definition",
        "slo_code varchar, slo_version integer, slo_name varchar, service_code varchar, indicator varchar, "
        "slt_code varchar, sample_kind varchar, budgeting_method varchar, target_share decimal(18,6), "
        "time_slice_seconds integer, time_slice_target_share decimal(18,6), window_kind varchar, window_days integer, "
        "calendar_unit varchar, time_zone varchar, exclusion_effect varchar, minimum_event_count bigint, "
        "effective_from date, effective_to date",
        [
            (
                slo.code, 1, slo.code, None if slo.indicator == "ticket_attainment" else "s", slo.indicator,
                "r" if slo.indicator == "ticket_attainment" else None, None, slo.method, str(float(slo.target)),
                slo.slice_seconds, None if slo.slice_target is None else str(float(slo.slice_target)),
                "rolling" if isinstance(slo.window, int) else "calendar",
                slo.window if isinstance(slo.window, int) else None,
                None if isinstance(slo.window, int) else slo.window, slo.zone, slo.effect, slo.minimum, first_on, None,
            )
            for slo in slos
        ],
    )  # fmt: skip
    table(
        "reference.slo_alert_policy",
        "slo_code varchar, alert_policy_code varchar, long_window_seconds integer, short_window_seconds integer, "
        "budget_share decimal(18,6), threshold_factor decimal(18,6), minimum_event_count bigint, severity varchar, "
        "notification_target varchar, effective_from date, effective_to date",
        [(slo.code, "a", 43200, 21600, "0.05", None, 1, "page", None, first_on, None) for slo in slos],
    )

    def at(second: int) -> datetime:
        return datetime.fromtimestamp(second, UTC).replace(tzinfo=None)

    table(
        "core.int_monitor_interval",
        "monitor_id varchar, service_code varchar, from_at timestamp, to_at timestamp, monitor_state varchar",
        [("m", "s", at(each.from_s), at(each.to_s), each.value) for each in states],
    )
    table(
        "core.int_availability_piece",
        "service_code varchar, from_at timestamp, to_at timestamp, is_maintenance boolean, is_excluded boolean",
        [("s", at(each.from_s), at(each.to_s), each.value == "out", False) for each in windows],
    )
    frame = pandas.DataFrame(
        [(b.at_s, b.up, b.down, b.unknown, b.excluded_up, b.excluded_down) for b in buckets],
        columns=["at_s", "up_s", "down_s", "unknown_s", "excluded_up_s", "excluded_down_s"],
        dtype="int64",
    )
    connection.register("drawn", frame)
    connection.execute(
        "create or replace table core.int_monitor_bucket as select 'm' as monitor_id, 's' as service_code, "
        "'synthetic' as sample_kind, make_timestamp(at_s * 1000000) as bucket_at, up_s as up_seconds, "
        "down_s as down_seconds, unknown_s as unknown_seconds, 0::bigint as maintenance_seconds, "
        "0::bigint as excluded_seconds, excluded_up_s as excluded_up_seconds, "
        "excluded_down_s as excluded_down_seconds, "
        "0::bigint as expected_count, true as is_required, "
        "0::bigint as good_count, 0::bigint as bad_count from drawn"
    )
    table(
        "slt.fct_ticket_slt",
        "slt_code varchar, service_code varchar, slt_status varchar, stop_at timestamp, is_breached_raw boolean, "
        "is_breached_adjusted boolean, is_forgiven boolean",
        [
            (
                "r", "s", t["status"], datetime.fromtimestamp(t["stop_s"], UTC).replace(tzinfo=None),
                t["is_breached_raw"], t["is_breached_adjusted"], t["is_forgiven"],
            )
            for t in tickets
        ],
    )  # fmt: skip


def random_tickets(chance: random.Random, first_s: int, as_of_s: int) -> list[dict[str, Any]]:
    tickets = []
    for _ in range(120):
        status = chance.choice(["met", "met", "met", "breached", "within_tolerance", "canceled"])
        late_still = status in ("breached", "within_tolerance")
        tickets.append(
            {
                "status": status,
                "stop_s": chance.randrange(first_s, as_of_s),
                "is_breached_raw": late_still or (status == "met" and chance.random() < 0.3),
                "is_breached_adjusted": late_still,
                "is_forgiven": status == "within_tolerance",
            }
        )
    return tickets


@seed(20260321)
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(case=st.integers(0, 2**32), first_on=st.sampled_from(STARTS), cut_s=st.integers(0, 3 * 86400))
def test_budgets_and_burns_agree_with_brute_force(
    compiled: tuple[duckdb.DuckDBPyConnection, dict[str, str]], case: int, first_on: date, cut_s: int
) -> None:
    connection, sql = compiled
    chance = random.Random(case)
    first_s = seconds_of(datetime(first_on.year, first_on.month, first_on.day, tzinfo=UTC))
    as_of_s = first_s + SPAN_DAYS * 86400 - cut_s
    buckets = [bucket for _ in range(2) for bucket in random_buckets(chance, first_s)]
    tickets = random_tickets(chance, first_s, as_of_s)
    slos = random_slos(chance)
    states = random_stretches(chance, first_s, as_of_s, ["up", "up", "down", "unknown"])
    windows = random_stretches(chance, first_s, as_of_s, ["in", "in", "out"])
    load(connection, slos, buckets, tickets, states, windows, first_on, as_of_s)
    for schema, name in MODELS:
        connection.execute(f"create or replace table {schema}.{name} as {sql[name]}")
    refused = connection.execute("select slo_code, refusal_reason from core.int_slo_definition where not is_effective")
    assert not refused.fetchall()

    built = {
        (row[0], row[1]): row[2:]
        for row in connection.execute(
            "select slo_code, window_code, total_count, good_count, excluded_count, unknown_count, "
            "adjusted_total_count, adjusted_good_count, budget_count, adjusted_error_share, budget_status, is_payable "
            "from slt.fct_error_budget"
        ).fetchall()
    }
    stated = buckets_of(states, windows)
    slices = {slo.code: slices_of(slo, stated if slo.indicator == "monitor_time" else buckets, as_of_s) for slo in slos}
    expected = {}
    for slo in slos:
        for code, from_s, to_s in windows_of(slo, first_on, as_of_s):
            end_s = min(to_s, as_of_s)
            if slo.indicator == "ticket_attainment":
                counts = ticket_counts(slo, tickets, from_s, end_s)
            else:
                counts = counts_of(slices[slo.code], from_s, end_s)
            total, bad = counts[4], counts[4] - counts[5]
            events = total // 1_000_000 if slo.method == "ratio_timeslices" else total
            status = "exhausted" if total and Fraction(bad, total) > 1 - slo.target else "within_budget"
            if not total or events < slo.minimum:
                status = "insufficient_data"
            expected[slo.code, code] = (
                *counts,
                (1 - slo.target) * total // 1,
                half_up(Fraction(bad, total), 6) if total else None,
                status,
                to_s <= as_of_s and status != "insufficient_data",
            )
    assert {key: tuple(None if v is None else v for v in row) for key, row in built.items()} == expected

    burns = connection.execute(
        "select slo_code, epoch_us(evaluation_at) // 1000000, period_seconds, long_total_count, long_bad_count, "
        "short_total_count, short_bad_count, burn_status from slt.fct_burn_rate order by 1, 2"
    ).fetchall()
    assert burns
    by_code = {slo.code: slo for slo in slos}
    for code, at_s, period, *figures, status in chance.sample(burns, 60):
        slo = by_code[code]
        parts = []
        for length in (43200, 21600):
            if slo.indicator == "ticket_attainment":
                counts = ticket_counts(slo, tickets, at_s - length, at_s)
            else:
                counts = counts_of(slices[code], at_s - length, at_s)
            parts += [counts[4], counts[4] - counts[5]]
        assert figures == parts, (slo, at_s)
        threshold = Fraction(5, 100) * period / 43200
        if not parts[0] or not parts[2]:
            verdict = "insufficient_data"
        else:
            both = all(Fraction(parts[n + 1], parts[n]) / (1 - slo.target) > threshold for n in (0, 2))
            verdict = "alert" if both else "ok"
        assert status == verdict, (slo, at_s, parts, threshold)
