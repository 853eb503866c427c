"""The statistics models on random data, compared with plain Python that shares no code with them.

Each model is rendered with the project's own macros and run in an empty DuckDB on small tables made here.
"""
# ruff: noqa: DTZ001 (the warehouse's instants are UTC without a zone)

from __future__ import annotations

import math
import random
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import jinja2
import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

DBT = Path(__file__).resolve().parents[2] / "dbt_project"
MACROS = ("engine/time.sql", "engine/values.sql", "engine/statistics.sql", "money/exact.sql", "money/quarter.sql")
MONDAY = date(2025, 1, 6)
SEEDS = st.integers(min_value=0, max_value=2**32)
EXAMPLES = settings(max_examples=20, deadline=None, derandomize=True)


@cache
def rendered(model: str) -> str:
    """The model's SQL as dbt gives it to DuckDB, reading tables of the refs' names."""
    environment = jinja2.Environment(extensions=["jinja2.ext.do"], autoescape=False)
    macros: dict[str, Any] = {}

    def dispatch(name: str, _: str | None = None) -> Any:
        return macros[f"duckdb__{name}"]

    environment.globals |= {
        "ref": lambda name: name,
        "return": lambda value: value,
        "config": lambda **_: "",
        "adapter": SimpleNamespace(dispatch=dispatch),
    }
    text = "\n".join((DBT / "macros" / name).read_text() for name in MACROS)
    macros |= vars(environment.from_string(text).module)
    environment.globals |= {name: macro for name, macro in macros.items() if not name.startswith("_")}
    (path,) = (DBT / "models").rglob(f"{model}.sql")
    return environment.from_string(path.read_text()).render()


@cache
def database() -> duckdb.DuckDBPyConnection:
    """One empty database for all examples: opening one costs more than most of them."""
    return duckdb.connect(config={"threads": 1})


def literal(value: Any) -> str:
    """A value as DuckDB reads it; far faster than binding row by row."""
    if value is None:
        return "null"
    return str(value) if isinstance(value, (bool, int, float)) else f"'{value}'"


def run(model: str, **tables: tuple[str, Iterable[Sequence[Any]]]) -> list[dict[str, Any]]:
    """The model's rows over tables of the given columns ('name type, ..') and rows."""
    connection = database()
    for name, (columns, rows) in tables.items():
        connection.execute(f"create or replace table {name} ({columns})")
        values = [f"({', '.join(map(literal, row))})" for row in rows]
        if values:
            connection.execute(f"insert into {name} values {', '.join(values)}")
    cursor = connection.execute(rendered(model))
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def context(at: datetime) -> tuple[str, list[tuple[datetime]]]:
    return "as_of_at timestamp", [(at,)]


def same(given_value: Any, expected: float | None, of: Any = "") -> None:
    if expected is None or given_value is None:
        assert given_value is None and expected is None, (of, given_value, expected)
    else:
        assert float(given_value) == pytest.approx(expected, rel=1e-9, abs=2e-6), of


# --- control charts ---


def chart_oracle(points: list[tuple[float, int, int]], kind: str, baseline: set[int], least: int, weeks: int) -> list:
    """(centre, sigma, flags) of each point (value, met, n) in order; None where it is not judged."""
    used = [place for place, point in enumerate(points) if point[2] >= least]
    base = [place for place in used if place in baseline]
    found: list[Any] = [None] * len(points)
    if not base or len(base) < weeks:
        return found
    ranges = [abs(points[b][0] - points[a][0]) for a, b in pairwise(used) if a >= min(baseline) and b in baseline]
    if kind == "proportion":
        centre = sum(points[p][1] for p in base) / sum(points[p][2] for p in base)
    elif ranges:
        centre = statistics.fmean(points[p][0] for p in base)
    else:
        return found
    zones: list[tuple[float, float]] = []
    for place in used:
        value, _, count = points[place]
        sigma = math.sqrt(centre * (1 - centre) / count) if kind == "proportion" else statistics.fmean(ranges) / 1.128
        zones.append((value - centre, sigma))

        def beyond(size: int, sign: int, width: float) -> int:
            return sum(1 for distance, sigma in zones[-size:] if sign * distance > width * sigma)

        sign = (zones[-1][0] > 0) - (zones[-1][0] < 0)
        here = abs(zones[-1][0])
        found[place] = (
            centre,
            sigma,
            here > 3 * sigma,
            sign != 0 and here > 2 * sigma and beyond(3, sign, 2) >= 2,
            sign != 0 and here > sigma and beyond(5, sign, 1) >= 4,
            sign != 0 and beyond(8, sign, 0) == 8,
        )
    return found


@pytest.mark.parametrize("kind", ["individuals", "proportion"])
@EXAMPLES
@seed(20240701)
@given(number=SEEDS)
def test_control_charts(kind: str, number: int) -> None:
    rng = random.Random(number)
    drift = rng.choice([0, 0, 40])
    tickets, points = [], []
    for week in range(rng.randint(1, 40)):
        count = rng.choice([1, 4, 5, 6, 9])
        late = [rng.random() < rng.choice([0.1, 0.3]) for _ in range(count)]
        net = [rng.randint(100, 900) + drift * week for _ in range(count)]
        stop = datetime.combine(MONDAY, datetime.min.time()) + timedelta(days=7 * week, seconds=rng.randint(0, 604_799))
        tickets += [
            ("x", None, stop, n, "breached" if bad else rng.choice(["met", "within_tolerance"]))
            for n, bad in zip(net, late, strict=True)
        ]
        met = count - sum(late)
        points.append((statistics.median(net) if kind == "individuals" else met / count, met, count))
    first = rng.choice([0, 0, 3])
    last = first + rng.randint(3, 20)
    statistic = "median_net_seconds" if kind == "individuals" else "met_share"
    rows = run(
        "fct_control_chart",
        fct_ticket_slt=(
            "slt_code text, service_code text, stop_at timestamp, net_seconds bigint, slt_status text",
            [*tickets, ("x", None, None, 1, "running"), ("x", None, datetime(2025, 1, 7), 1, "invalid")],
        ),
        control_chart_baseline=(
            "slt_code text, service_code text, chart_kind text, statistic_code text, baseline_from date, "
            "baseline_to date, minimum_ticket_count int, minimum_week_count int",
            [("x", None, kind, statistic, MONDAY + timedelta(days=7 * first), MONDAY + timedelta(days=7 * last), 5, 3)],
        ),
        int_run_context=context(datetime(2026, 6, 1)),
    )
    rows.sort(key=lambda row: row["week_start_on"])
    expected = chart_oracle(points, kind, set(range(first, last + 1)), 5, 3)
    assert len(rows) == len(points)
    for row, (value, _, count), verdict in zip(rows, points, expected, strict=True):
        same(row["observed_value"], value)
        flags = tuple(
            row[name] for name in ("is_beyond_limits", "has_two_of_three", "has_four_of_five", "has_eight_on_one_side")
        )
        if verdict is None:
            assert row["point_status"] == ("low_volume" if count < 5 else "no_baseline") and not any(flags)
            continue
        centre, sigma, *judged = verdict
        same(row["centre_value"], centre)
        same(row["sigma_value"], sigma)
        if all(abs(abs(value - centre) - width * sigma) > 1e-9 for width in (1, 2, 3)):
            assert flags == tuple(judged), (row, judged)
        assert row["point_status"].startswith("signal") is any(flags)


# --- what is usual ---


def counted_days(counts: dict[date, int], rng: random.Random) -> list[tuple[str, None, datetime]]:
    start = datetime.min.time()
    return [
        ("servicenow", None, datetime.combine(day, start) + timedelta(seconds=rng.randint(0, 86_399)))
        for day, count in counts.items()
        for _ in range(count)
    ]


@EXAMPLES
@seed(20240701)
@given(number=SEEDS)
def test_seasonal_index(number: int) -> None:
    rng = random.Random(number)
    first = date(2022, 1, 1) - timedelta(days=1)
    days = [first + timedelta(days=n) for n in range(1 + rng.randint(700, 1200))]
    counts = {day: rng.choice([0, 1, 1, 2]) * rng.choice([0, 1]) for day in days} | {first: 1, days[-1]: 1}
    tickets = counted_days(counts, rng)
    as_of = datetime.combine(days[-1] + timedelta(days=1), datetime.min.time())
    rows = run(
        "fct_seasonal_index",
        int_ticket=("source_system text, service_code text, opened_at timestamp", tickets),
        int_run_context=context(as_of),
    )
    counts.pop(first)
    given_index = {(row["cycle_code"], row["season_number"]): row["seasonal_factor"] for row in rows}
    assert len(given_index) == len(rows) == 7 + 12 + 24

    days = sorted(counts)
    ratios: dict[int, list[float]] = defaultdict(list)
    for place in range(3, len(days) - 3):
        level = sum(counts[day] for day in days[place - 3 : place + 4]) / 7
        if level:
            ratios[days[place].isoweekday()].append(counts[days[place]] / level)
    means = {season: statistics.fmean(values) for season, values in ratios.items()}
    for season in range(1, 8):
        same(given_index["weekday", season], means[season] * 7 / sum(means.values()), season)

    whole = defaultdict(list)
    for day in days:
        whole[day.year, day.month].append(counts[day])
    if days[-1].month == (days[-1] + timedelta(days=1)).month:
        whole.pop((days[-1].year, days[-1].month))
    daily = [statistics.fmean(whole[month]) for month in sorted(whole)]
    months: dict[int, list[float]] = defaultdict(list)
    for place in range(6, len(daily) - 6):
        level = (sum(daily[place - 6 : place + 6]) + sum(daily[place - 5 : place + 7])) / 24
        months[sorted(whole)[place][1]].append(daily[place] / level)
    enough = all(len(months[season]) >= 2 for season in range(1, 13))
    means = {season: statistics.fmean(values) for season, values in months.items() if values}
    for season in range(1, 13):
        same(given_index["month_of_year", season], means[season] * 12 / sum(means.values()) if enough else None)

    hours = Counter(at.hour for _, _, at in tickets if at.date() != first)
    for hour in range(24):
        expected = hours[hour] * 24 / sum(hours.values()) if sum(hours.values()) >= 240 else None
        same(given_index["hour_of_day", hour], expected)


@EXAMPLES
@seed(20240701)
@given(number=SEEDS)
def test_dynamic_baseline(number: int) -> None:
    rng = random.Random(number)
    days = [MONDAY + timedelta(days=n) for n in range(rng.randint(8, 120))]
    counts = {day: rng.choice([0, 0, 1, 3, 9, 30]) for day in days} | {days[0]: 1}
    medians = [rng.choice([100, 100, 100, 100, 110.5, 900]) for _ in range(rng.randint(1, 20))]
    rows = run(
        "fct_dynamic_baseline",
        int_ticket=("source_system text, service_code text, opened_at timestamp", counted_days(counts, rng)),
        fct_control_chart=(
            "slt_code text, service_code text, statistic_code text, is_low_volume boolean, week_start_on date, "
            "observed_value decimal(18,6)",
            [("x", None, "median_net_seconds", False, MONDAY + timedelta(days=7 * n), v) for n, v in enumerate(medians)]
            + [("x", None, "median_net_seconds", True, date(2024, 1, 1), 5)],
        ),
        int_run_context=context(datetime.combine(days[-1] + timedelta(days=1), datetime.min.time())),
    )
    got = {(row["measure_code"], row["period_start_on"]): row for row in rows}
    assert len(got) == len(rows) == len(days) - 1 + len(medians)
    series: list[tuple[str, list[date], list[float]]] = [
        ("median_net_seconds", [MONDAY + timedelta(days=7 * n) for n in range(len(medians))], medians)
    ]
    for weekday in range(7):
        mine = [day for day in days[1:] if day.weekday() == weekday]
        series.append(("ticket_count", mine, [counts[day] for day in mine]))
    for measure, at, values in series:
        for place, value in enumerate(values):
            row, earlier = got[measure, at[place]], values[max(0, place - 8) : place]
            same(row["observed_value"], value)
            assert row["window_count"] == len(earlier)
            if len(earlier) < 6:
                assert row["baseline_status"] == "insufficient_data" and not row["is_anomaly"]
                continue
            middle = statistics.median(earlier)
            away = [abs(other - middle) for other in earlier]
            mad = statistics.median(away)
            if measure == "ticket_count":
                sigma = max(1.4826 * mad, math.sqrt(max(middle, 1)))
            else:
                sigma = 1.4826 * mad or 1.253314 * statistics.fmean(away)
            same(row["baseline_value"], middle)
            same(row["median_deviation_value"], mad)
            same(row["deviation_factor"], (value - middle) / sigma if sigma else None)
            assert row["baseline_status"] == ("ok" if sigma else "no_variation")
            assert row["is_anomaly"] is (sigma > 0 and abs(value - middle) > 3.5 * sigma)


# --- proposals and forecasts ---


@EXAMPLES
@seed(20240701)
@given(number=SEEDS)
def test_threshold_calibration(number: int) -> None:
    rng = random.Random(number)
    services = ["a", "b", "c", "d"]
    net = {s: [rng.randint(0, 500) * rng.choice([1, 10]) for _ in range(rng.choice([5, 29, 30, 77]))] for s in services}
    edges = {
        (rng.choice(services), rng.choice(services)): rng.choice(["internal", "internal", "v", "w"])
        for _ in range(rng.randint(0, 5))
    }
    vendor = {s: rng.choice([None, "v", "w"]) for s in services}
    share = rng.choice([0.5, 0.9, 0.95])
    target = rng.choice([100, 450, 2000])
    rows = run(
        "rpt_threshold_calibration",
        fct_ticket_slt=(
            "source_system text, ticket_key text, phase text, service_code text, priority int, slt_status text, "
            "net_seconds bigint, target_seconds bigint, stop_at timestamp",
            [
                ("servicenow", f"{s}{n}", "resolution", s, 3, "met", seconds, target, datetime(2025, 5, 1))
                for s in services
                for n, seconds in enumerate(net[s])
            ],
        ),
        int_ticket=(
            "ticket_key text, source_system text, service_code text, priority int, opened_at timestamp, "
            "source_resolved_at timestamp, has_history_contradiction boolean",
            [],
        ),
        int_ticket_event=("ticket_key text, event_at timestamp, ticket_state text", []),
        calibration_policy=(
            "phase text, attainment_share decimal(18,6), confidence_share decimal(18,6), "
            "confidence_factor decimal(18,6), window_months int, minimum_sample_count int, rounding_seconds int, "
            "effective_from date, effective_to date",
            [("resolution", share, 0.95, 1.959964, 12, 30, 60, date(2024, 1, 1), None)],
        ),
        service=("service_code text, vendor_code text", vendor.items()),
        service_component=(
            "parent_code text, component_code text, owner_code text, effective_from date, effective_to date",
            [(parent, child, owner, date(2024, 1, 1), None) for (parent, child), owner in edges.items()],
        ),
        int_run_context=context(datetime(2026, 1, 1)),
    )

    def quantile(values: list[int]) -> int | None:
        return sorted(values)[math.ceil(round(len(values) * share, 6)) - 1] if len(values) >= 30 else None

    assert {row["service_code"] for row in rows} == set(services) and len(rows) == len(services)
    for row in rows:
        service = row["service_code"]
        below, todo = {service}, [service]
        while todo:
            here = todo.pop()
            new = {child for parent, child in edges if parent == here} - below
            below |= new
            todo += new
        own, ordered = quantile(net[service]), sorted(net[service])
        needed = [quantile(net[other]) for other in below - {service}]
        owners = {owner for (parent, _), owner in edges.items() if parent in below}
        for name in ({vendor[other] for other in below} | owners) - {None, "internal"}:
            needed.append(quantile([n for s in services if vendor[s] == name for n in net[s]]))
        measured = [q for q in needed if q is not None]
        assert row["dependency_count"] == len(needed)
        assert row["unmeasured_dependency_count"] == len(needed) - len(measured)
        assert row["dependency_seconds"] == max(measured, default=None)
        assert row["quantile_seconds"] == own
        assert row["observed_attainment_share"] is not None
        same(row["observed_attainment_share"], sum(n <= target for n in ordered) / len(ordered))
        if own is None:
            assert row["calibration_verdict"] == "insufficient_data" and row["proposed_target_seconds"] is None
            continue
        assert row["proposed_target_seconds"] == math.ceil(max([own, *measured]) / 60) * 60
        spread = 1.959964 * math.sqrt(len(ordered) * share * (1 - share))
        lower, upper = (math.ceil(len(ordered) * share + sign * spread) for sign in (-1, 1))
        assert row["lower_seconds"] == (ordered[lower - 1] if lower >= 1 else None)
        assert row["upper_seconds"] == (ordered[upper - 1] if upper <= len(ordered) else None)


def add_months(month: date, count: int) -> date:
    place = month.year * 12 + month.month - 1 + count
    return date(place // 12, place % 12 + 1, 1)


def forecast_of(method: str, known: list[float], ahead: int) -> float | None:
    if method == "mean":
        return statistics.fmean(known)
    if method == "drift":
        return known[-1] + ahead * (known[-1] - known[0]) / (len(known) - 1)
    return known[len(known) + ahead - 13] if len(known) + ahead - 13 >= 0 else None


@EXAMPLES
@seed(20240701)
@given(number=SEEDS)
def test_forecast(number: int) -> None:
    rng = random.Random(number)
    count = rng.choice([5, 12, 13, 18, 26])
    volume = [rng.randint(25, 60) + rng.choice([0, 3]) * n for n in range(count)]
    met = [rng.randint(total // 2, total) for total in volume]
    first = date(2023, 1, 1)
    tickets = [
        ("x", None, at, at, "met" if place < met[n] else "breached")
        for n in range(count)
        for place in range(volume[n])
        for at in [datetime.combine(add_months(first, n), datetime.min.time())]
    ]
    last = add_months(first, count)
    rows = run(
        "fct_slt_forecast",
        fct_ticket_slt=(
            "slt_code text, service_code text, start_at timestamp, stop_at timestamp, slt_status text",
            tickets,
        ),
        int_run_context=context(datetime(last.year, last.month, 20)),
    )
    got = {(row["measure_code"], row["horizon_months"]): row for row in rows}
    assert len(got) == len(rows) == 6
    series = {
        "ticket_count": [float(v) for v in volume],
        "attainment_share": [m / v for m, v in zip(met, volume, strict=True)],
    }
    for measure, values in series.items():
        trials: dict[str, list[tuple[float, float]]] = defaultdict(list)
        for method in ("mean", "drift", "seasonal_naive"):
            for origin in range(max(2, count - 6), count):
                for ahead in (1, 2, 3):
                    forecast = forecast_of(method, values[:origin], ahead)
                    if origin + ahead <= count and forecast is not None:
                        trials[method].append((forecast, values[origin + ahead - 1]))
        errors = {m: statistics.fmean(abs(f - a) for f, a in pairs) for m, pairs in trials.items()}
        for ahead in (1, 2, 3):
            row = got[measure, ahead]
            if count < 12:
                assert row["forecast_status"] == "insufficient_data" and row["forecast_value"] is None
                continue
            most = max(len(pairs) for pairs in trials.values())
            fair = {m: e for m, e in errors.items() if len(trials[m]) == most}
            method = row["method_code"]
            assert errors[method] == pytest.approx(min(fair.values()), rel=1e-9, abs=1e-12)
            same(row["backtest_error_value"], errors[method])
            forecast = forecast_of(method, values, ahead)
            assert forecast is not None
            total = len(values)
            if method == "mean":
                sigma = statistics.stdev(values) * math.sqrt(1 + 1 / total)
            elif method == "drift":
                slope = (values[-1] - values[0]) / (total - 1)
                squares = sum((b - a - slope) ** 2 for a, b in pairwise(values))
                sigma = math.sqrt(squares / (total - 2)) * math.sqrt(ahead * (1 + ahead / (total - 1)))
            else:
                pairs = list(zip(values, values[12:], strict=False))
                sigma = math.sqrt(sum((b - a) ** 2 for a, b in pairs) / len(pairs)) if pairs else math.nan
            top = 1.0 if measure == "attainment_share" else math.inf
            same(row["forecast_value"], min(max(forecast, 0), top))
            same(row["lower_limit_value"], min(max(forecast - 1.959964 * sigma, 0), top))
            same(row["upper_limit_value"], min(forecast + 1.959964 * sigma, top))


# --- capacity ---

STAFFING = (
    "team_code text, staffed_calendar_code text, handling_seconds bigint, weekly_working_seconds bigint, "
    "productive_share decimal(18,6), staffed_agent_count int, response_attainment_share decimal(18,6), "
    "utilisation_limit_share decimal(18,6), effective_from date, effective_to date"
)


@EXAMPLES
@seed(20240701)
@given(number=SEEDS)
def test_capacity_peak_and_agents(number: int) -> None:
    rng = random.Random(number)
    opens, closes = rng.randint(0, 11), rng.randint(12, 24)
    segments = [
        (datetime(2025, 1, 1) + timedelta(days=n, hours=opens), datetime(2025, 1, 1) + timedelta(days=n, hours=closes))
        for n in range(31)
        if rng.random() < 0.7
    ] + [(datetime(2024, 12, 30), datetime(2024, 12, 30, 1))]
    busy = [datetime(2025, 1, rng.randint(1, 31), rng.randint(0, 23)) for _ in range(5)]
    arrivals = [
        datetime(2025, 1, 1) + timedelta(seconds=rng.randint(0, 31 * 86_400 - 1)) for _ in range(rng.randint(0, 90))
    ]
    arrivals += [rng.choice(busy) + timedelta(seconds=rng.randint(0, 3599)) for _ in range(rng.randint(1, 60))]
    people = [
        (
            date(2024, 12, 1) + timedelta(days=rng.randint(0, 60)),
            rng.choice([None, date(2025, 1, rng.randint(1, 31)), date(2025, 2, 9)]),
        )
        for _ in range(rng.randint(0, 6))
    ]
    people = [(start, end) for start, end in people if end is None or end > start]
    (row,) = run(
        "int_capacity",
        int_ticket=(
            "ticket_key text, has_history_contradiction boolean",
            [(f"t{n}", False) for n in range(len(arrivals) + 1)],
        ),
        int_ticket_event=(
            "ticket_key text, team_code text, event_at timestamp",
            [(f"t{n}", "desk", at) for n, at in enumerate(arrivals)]
            + [(f"t{n}", "desk", at + timedelta(days=1)) for n, at in enumerate(arrivals[:5])]
            + [(f"t{len(arrivals)}", "other", datetime(2025, 1, 1))],
        ),
        int_employee_assignment=(
            "team_code text, assigned_from_on date, assigned_to_on date",
            [("desk", a, b) for a, b in people],
        ),
        int_calendar_segment=(
            "calendar_code text, opens_at timestamp, closes_at timestamp",
            [("c", a, b) for a, b in segments],
        ),
        team_staffing=(STAFFING, [("desk", "c", 600, 126_000, 0.7, None, 0.9, 0.8, date(2024, 1, 1), None)]),
        int_run_context=context(datetime(2025, 2, 10)),
    )
    open_hours = [
        start + timedelta(hours=n)
        for start, end in segments
        if start.year == 2025
        for n in range(int((end - start).total_seconds()) // 3600)
    ]
    counts = Counter(at.replace(minute=0, second=0) for at in arrivals)
    hourly = sorted(counts[hour] for hour in open_hours)
    person_days = sum(
        max(0, (min(end or date(2025, 2, 1), date(2025, 2, 1)) - max(start, date(2025, 1, 1))).days)
        for start, end in people
    )
    assert row["open_seconds"] == 3600 * len(open_hours)
    assert row["ticket_count"] == len(arrivals) and row["open_ticket_count"] == sum(hourly)
    assert row["peak_hour_ticket_count"] == (hourly[math.ceil(len(hourly) * 95 / 100) - 1] if hourly else 0)
    assert row["employee_days"] == person_days
    productive = person_days * 126_000 * 7 // 10
    assert row["agent_count"] == (productive // (7 * 3600 * len(open_hours)) if open_hours else 0)


def erlang_c(load: float, agents: int) -> float:
    """Share that waits, from the sum of Poisson terms as textbooks print it."""
    if agents <= load:
        return 1.0
    last = load**agents / math.factorial(agents) * agents / (agents - load)
    return last / (sum(load**k / math.factorial(k) for k in range(agents)) + last)


def answered(load: float, agents: int, target: int, handling: int) -> float:
    return 0.0 if agents <= load else 1 - erlang_c(load, agents) * math.exp((load - agents) * target / handling)


@EXAMPLES
@seed(20240701)
@given(number=SEEDS)
def test_erlang_c(number: int) -> None:
    rng = random.Random(number)
    arrivals, handling = rng.randint(1, 60), rng.choice([60, 300, 900, 3601])
    load = arrivals * handling / 3600
    agents, target, promised = rng.randint(0, 80), rng.choice([15, 900, 7200]), rng.choice([0.8, 0.95])
    (row,) = run(
        "rpt_capacity",
        int_capacity=(
            "team_code text, period_month date, staffed_calendar_code text, ticket_count bigint, "
            "open_ticket_count bigint, peak_hour_ticket_count bigint, busiest_hour_number int, "
            "handling_seconds bigint, agent_count bigint, workload_seconds bigint, capacity_seconds bigint, "
            "response_attainment_share decimal(18,6), utilisation_limit_share decimal(18,6)",
            [("t", date(2025, 1, 1), "c", 9, 9, arrivals, 9, handling, agents, 100, 200, promised, 0.8)],
        ),
        fct_ticket_slt=(
            "team_code text, slt_code text, phase text, priority int, start_at timestamp, target_seconds bigint",
            [("t", "r", "response", 1, datetime(2025, 1, 9), target)],
        ),
    )
    same(row["wait_share"], erlang_c(load, agents), (load, agents))
    reached = answered(load, agents, target, handling)
    same(row["predicted_attainment_share"], reached)
    needed = next(n for n in range(200) if answered(load, n, target, handling) >= promised)
    if needed <= math.ceil(load) + agents + 30:
        assert row["required_agent_count"] == needed
    assert row["capacity_verdict"] == (
        "target_not_feasible" if agents <= load else "capacity_ok" if reached >= promised else "target_at_risk"
    )
    if row["capacity_verdict"] == "target_at_risk":
        suggested = row["suggested_peak_target_seconds"]
        assert answered(load, agents, suggested, handling) >= promised - 1e-9
        assert answered(load, agents, suggested - 61, handling) < promised + 1e-9


# --- gates ---


@EXAMPLES
@seed(20240701)
@given(number=SEEDS)
def test_decision_gates(number: int) -> None:
    rng = random.Random(number)
    opened = [datetime(2025, 3, 1) + timedelta(seconds=rng.randint(0, 20 * 86_400)) for _ in range(rng.randint(0, 60))]
    incidents = [
        (f"i{n}", rng.choice(["a", "b"]), rng.randint(1, 4), at, rng.choice([True, False, None]))
        for n, at in enumerate(opened)
    ]
    begin = datetime(2025, 3, 12) + timedelta(seconds=rng.randint(0, 86_400))
    end = begin + timedelta(hours=rng.randint(1, 20))
    before, after = rng.choice([1, 5, 9]) * 86_400, rng.choice([1, 3, 7]) * 86_400
    metric = rng.choice(["incidents_per_day", "urgent_incidents_per_day", "breached_share"])
    comparison = rng.choice(["relative_increase_above", "increase_above", "after_above"])
    threshold, least = rng.choice([0.0, 0.25, 1.0]), rng.choice([1, 5, 12])
    as_of = datetime(2025, 3, 18)
    (row,) = run(
        "fct_decision_gate",
        int_change_request=(
            "change_request_key text, change_number text, change_type text, service_code text, "
            "planned_start_at timestamp, planned_end_at timestamp, is_implemented boolean, batch_id text",
            [("c", "C", "normal", "a", begin, end, True, "b"), ("d", "D", "normal", "a", begin, end, False, "b")],
        ),
        int_ticket=(
            "ticket_key text, service_code text, priority int, opened_at timestamp, has_history_contradiction boolean",
            [(key, service, priority, at, False) for key, service, priority, at, _ in incidents],
        ),
        fct_ticket_slt=(
            "ticket_key text, slt_status text, is_breached_adjusted boolean",
            [(key, "met", late) for key, _, _, _, late in incidents if late is not None]
            + [(key, "canceled", True) for key, *_ in incidents],
        ),
        decision_gate=(
            "gate_code text, metric_code text, change_type text, service_code text, before_seconds bigint, "
            "after_seconds bigint, comparison text, threshold_value decimal(18,6), minimum_sample_count int, "
            "tripped_decision text, consequence text, effective_from date, effective_to date",
            [
                (
                    "g",
                    metric,
                    None,
                    None,
                    before,
                    after,
                    comparison,
                    threshold,
                    least,
                    "rollback",
                    "undo",
                    date(2025, 1, 1),
                    None,
                )
            ],
        ),
        int_run_context=context(as_of),
    )

    def figure(start: datetime, stop: datetime, seconds: int) -> tuple[int, float | None]:
        mine = [i for i in incidents if i[1] == "a" and start <= i[3] < stop]
        if metric == "breached_share":
            judged = [i for i in mine if i[4] is not None]
            return len(judged), sum(i[4] for i in judged) / len(judged) if judged else None
        kept = [i for i in mine if metric == "incidents_per_day" or i[2] <= 2]
        return len(kept), len(kept) * 86_400 / seconds

    count_before, was = figure(begin - timedelta(seconds=before), begin, before)
    count_after, became = figure(end, end + timedelta(seconds=after), after)
    deviation: float | None = None
    if comparison == "after_above":
        deviation = became
    elif was is not None and became is not None:
        deviation = became - was if comparison == "increase_above" else (became - was) / was if was else None
    if end + timedelta(seconds=after) > as_of:
        expected = ("window_open", "hold")
    elif count_before + count_after < least:
        expected = ("sample_too_small", "hold")
    elif deviation is None:
        expected = ("nothing_to_compare", "hold")
    else:
        expected = ("threshold_exceeded", "rollback") if deviation > threshold else ("within_threshold", "proceed")
    assert (row["before_sample_count"], row["after_sample_count"]) == (count_before, count_after)
    same(row["before_value"], was)
    same(row["after_value"], became)
    same(row["deviation_value"], deviation)
    if deviation is None or abs(deviation - threshold) > 1e-9 or expected[1] == "hold":
        assert (row["reason"], row["gate_decision"]) == expected
    assert row["change_decision"] == row["gate_decision"]
