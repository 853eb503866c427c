"""Drawn breaches and drawn runs of months through the real models against plain loops.

The oracle of attribution cuts a ticket's life at every instant where anything changes and looks at each piece by
itself; that of the triggers walks through the months one by one. Neither shares code with the SQL, which reads a
running total at the hand-overs and numbers islands.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from benchmarks.model_sql import model_sql

SEED = 20251106
DAY = 86_400
FIRST_DAY = 20_094  # 2025-01-06
DAYS = 3
HOLDERS = (("desk", "Desk"), ("sre", "Sre"), (None, "Group 70"), (None, None))

TABLES = """
    create table fct_slt_breach (
        ticket_slt_key varchar, ticket_key varchar, slt_code varchar, slt_version integer, service_code varchar,
        breach_class varchar, is_breached_raw boolean, is_breached_adjusted boolean, start_at timestamp,
        stop_at timestamp, as_of_at timestamp, target_reached_at timestamp, net_seconds bigint, business_seconds bigint
    );
    create table fct_ticket_slt (ticket_slt_key varchar, calendar_code varchar, end_at timestamp);
    create table fct_slt_clock_segment (
        ticket_slt_key varchar, from_at timestamp, to_at timestamp, clock_class varchar,
        seconds bigint
    );
    create table int_ticket_event (
        ticket_key varchar, event_sequence integer, event_at timestamp, team_code varchar,
        assignment_group_name varchar, exclusion_scope_code varchar
    );
    create table slt_definition (
        slt_code varchar, slt_version integer, target_policy varchar, exclusion_audience varchar
    );
    create table int_clock_scope (
        scope_id integer, calendar_code varchar, exclusion_scope_code varchar, audience varchar
    );
    create table fct_slt_attainment (
        scope_type varchar, scope_code varchar, slt_code varchar, phase varchar, period_month date,
        result_count bigint, breached_count bigint, overrun_seconds bigint, attainment_share decimal(18, 6),
        attainment_target_share decimal(18, 6), attainment_status varchar, misses_required_count integer,
        rca_due_days integer
    );
    create table improvement_plan (
        improvement_plan_code varchar, scope_type varchar, scope_code varchar, slt_code varchar,
        owner_employee_number varchar, opened_on date, due_on date, closed_on date, plan_state varchar,
        root_cause varchar
    );
    create table int_run_context (run_id varchar, as_of_at timestamp);
    insert into slt_definition values ('x', 1, 'as_of_stop', 'internal');
    insert into int_clock_scope values (1, 'office', 'payments', 'internal');
    insert into int_run_context values ('r', timestamp '2026-01-10');
"""
PIECES = 12  # at least the places of a day in int_clock_day; what a model does not read stays unread
DAY_COLUMNS = ", ".join(f"from_s_{n} bigint, to_s_{n} bigint, is_active_{n} integer" for n in range(1, PIECES + 1))


def instant(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC).replace(tzinfo=None)


# --- attribution ---


@dataclass
class Life:
    """A ticket from start to stop (seconds since 1970): when it ran or paused and who held it, from which second on."""

    start: int
    stop: int
    states: list[tuple[int, bool]]
    holders: list[tuple[int, tuple[str | None, str | None]]]
    calendar: str

    def running(self, second: int) -> bool:
        return [runs for at, runs in self.states if at <= second][-1]

    def holder(self, second: int) -> str:
        team, group = [holder for at, holder in self.holders if at <= second][-1]
        return team or (f"group:{group}" if group else "unassigned")

    def first_held(self, code: str) -> int:
        return min(at for at, _ in self.holders if self.holder(at) == code)


@st.composite
def clocks(draw: st.DrawFn) -> list[tuple[int, int, bool]]:
    """Open pieces of every day: from, to, and whether no exclusion covers them."""
    pieces = []
    for day in range(FIRST_DAY, FIRST_DAY + DAYS):
        cuts = sorted(draw(st.sets(st.integers(0, DAY), max_size=PIECES)))
        pieces += [
            (day * DAY + a, day * DAY + b, draw(st.booleans())) for a, b in zip(cuts[::2], cuts[1::2], strict=False)
        ]
    return pieces


@st.composite
def lives(draw: st.DrawFn) -> Life:
    start = FIRST_DAY * DAY + draw(st.integers(0, DAY))
    stop = start + draw(st.integers(1, (DAYS - 1) * DAY - 1))
    inside = st.integers(start, stop)
    changed, handed = sorted(draw(st.sets(inside, max_size=3))), sorted(draw(st.lists(inside, max_size=5)))
    states = [(at, draw(st.booleans())) for at in (start, *changed)]
    holders = [(at, draw(st.sampled_from(HOLDERS))) for at in (start, *handed)]
    return Life(start, stop, states, holders, draw(st.sampled_from(("office", "office", "office", "nowhere"))))


def pieces_of(life: Life, clock: list[tuple[int, int, bool]]) -> Iterator[tuple[int, int, str]]:
    """(from, to, class) between any two neighbouring instants at which something changes."""
    cuts = {life.start, life.stop, *(at for at, _ in life.states), *(at for at, _ in life.holders)}
    cuts |= {at for a, b, _ in clock for at in (a, b)}
    ordered = sorted(at for at in cuts if life.start <= at <= life.stop)
    for a, b in pairwise(ordered):
        inside = [free for from_s, to_s, free in clock if from_s <= a < to_s]
        kind = "paused" if not life.running(a) else "closed" if not inside else "net" if inside[0] else "excluded"
        yield a, b, kind


def load(db: duckdb.DuckDBPyConnection, clock: list[tuple[int, int, bool]], tickets: list[Life]) -> None:
    for table in ("fct_slt_breach", "fct_ticket_slt", "fct_slt_clock_segment", "int_ticket_event", "int_clock_day"):
        db.execute(f"delete from {table}")
    open_before = active_before = 0
    for day in range(FIRST_DAY, FIRST_DAY + DAYS + 1):
        today = [piece for piece in clock if piece[0] // DAY == day]
        row: list[Any] = [1, day, open_before, active_before]
        for number in range(PIECES):
            row += [today[number][0], today[number][1], int(today[number][2])] if number < len(today) else [0, 0, 0]
        db.execute(f"insert into int_clock_day values ({', '.join('?' * len(row))})", row)
        open_before += sum(b - a for a, b, _ in today)
        active_before += sum(b - a for a, b, free in today if free)
    for number, life in enumerate(tickets):
        key = f"t{number}"
        sums: dict[str, int] = defaultdict(int)
        segments: dict[tuple[int, int, str], int] = defaultdict(int)
        changes = sorted({at for at, _ in life.states})
        for a, b, kind in pieces_of(life, clock):
            since = max(at for at in changes if at <= a)
            until = min((at for at in changes if at > a), default=life.stop)
            segments[since, until, kind] += b - a
            sums[kind] += b - a
        if not sums["net"] + sums["excluded"]:
            continue
        reached = next(a for a, _, kind in pieces_of(life, clock) if kind == ("net" if sums["net"] else "excluded"))
        db.execute(
            "insert into fct_slt_breach values (?, ?, 'x', 1, 'payments', 'breached', true, ?, ?, ?, ?, ?, ?, ?)",
            [key, key, sums["net"] > 0, instant(life.start), instant(life.stop), instant(life.stop), instant(reached),
             sums["net"], sums["net"] + sums["excluded"]],
        )  # fmt: skip
        db.execute("insert into fct_ticket_slt values (?, ?, ?)", [key, life.calendar, instant(life.stop)])
        db.executemany(
            "insert into fct_slt_clock_segment values (?, ?, ?, ?, ?)",
            [[key, instant(a), instant(b), kind, s] for (a, b, kind), s in segments.items()],
        )
        db.executemany(
            "insert into int_ticket_event values (?, ?, ?, ?, ?, 'payments')",
            [[key, n, instant(at), *holder] for n, (at, holder) in enumerate(life.holders, 1)],
        )


def expected(life: Life, clock: list[tuple[int, int, bool]]) -> dict[str, tuple[int, int, int, bool, bool]]:
    """holder: net and excluded seconds, share in 10^-6, longest, at the breach."""
    net: dict[str, int] = defaultdict(int)
    excluded: dict[str, int] = defaultdict(int)
    holders, reached = set(), {}
    for a, b, kind in pieces_of(life, clock):
        if kind in ("net", "excluded"):
            (net if kind == "net" else excluded)[life.holder(a)] += b - a
            reached.setdefault(kind, life.holder(a))
            holders.add(life.holder(a))
    basis = net if sum(net.values()) else excluded
    total = sum(basis.values())
    units = {code: basis[code] * 10**6 // total for code in holders}
    order = sorted(holders, key=lambda code: (life.first_held(code), code))
    rest = 10**6 - sum(units.values())
    for code in sorted(order, key=lambda code: -(basis[code] * 10**6 % total))[:rest]:
        units[code] += 1
    longest = max(order, key=lambda code: basis[code])
    at_breach = reached["net" if sum(net.values()) else "excluded"]
    return {code: (net[code], excluded[code], units[code], code == longest, code == at_breach) for code in holders}


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(TABLES)
        connection.execute(
            "create table int_clock_day (scope_id integer, day_number integer, open_before_seconds bigint, "
            f"active_before_seconds bigint, {DAY_COLUMNS})"
        )
        for model in ("fct_breach_attribution", "fct_improvement_trigger"):
            connection.execute(f"create view {model} as {model_sql(model)}")
        yield connection


@seed(SEED)
@settings(
    max_examples=25, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)  # a model call costs more than a draw
@given(clock=clocks(), tickets=st.lists(lives(), min_size=8, max_size=20))
def test_attribution_agrees_with_a_plain_count(
    engine: duckdb.DuckDBPyConnection, clock: list[tuple[int, int, bool]], tickets: list[Life]
) -> None:
    load(engine, clock, tickets)
    found: dict[str, dict[str, tuple[int, int, int, bool, bool]]] = defaultdict(dict)
    measured: dict[str, bool] = {}
    for key, holder, net, excluded, units, longest, at_breach, is_measured in engine.execute(
        "select ticket_slt_key, holder_code, net_seconds, excluded_seconds, cast(held_share * 1000000 as bigint), "
        "is_longest_holder, is_holder_at_breach, is_measured from fct_breach_attribution"
    ).fetchall():
        found[key][holder] = (net, excluded, units, longest, at_breach)
        measured[key] = measured.get(key, True) and is_measured
    for number, life in enumerate(tickets):
        kinds = {kind for _, _, kind in pieces_of(life, clock)}
        rows = found.get(f"t{number}", {})
        if not kinds & {"net", "excluded"}:
            assert not rows
            continue
        wanted = expected(life, clock)
        assert sum(row[2] for row in rows.values()) == 10**6
        assert sum(row[3] for row in rows.values()) == 1
        assert sum(row[0] for row in rows.values()) == sum(row[0] for row in wanted.values())
        assert sum(row[1] for row in rows.values()) == sum(row[1] for row in wanted.values())
        if life.calendar == "office":
            assert measured[f"t{number}"]
            # a holder whose hand-overs fall into a counted stretch but get nothing of it has a row of zeros
            assert {code: row for code, row in rows.items() if row[0] or row[1]} == wanted
            assert all(row == (0, 0, 0, False, False) for code, row in rows.items() if code not in wanted)


# --- three misses in a row ---


def triggers(months: list[str | None], required: int) -> list[tuple[date, date, date, int, bool]]:
    """(opened, first missed, last missed, misses, still going) walked month by month from January 2025."""
    found, run = [], []
    for number, status in enumerate([*months, "end"]):
        if status == "missed":
            run.append(date(2025 + number // 12, number % 12 + 1, 1))
        elif status in ("attained", "end"):
            if len(run) >= required:
                third = run[required - 1]
                opened = date(third.year + third.month // 12, third.month % 12 + 1, 1)
                found.append((opened, run[0], run[-1], len(run), status == "end"))
            run = []
    return found


@seed(SEED)
@settings(max_examples=30, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(
    series=st.lists(
        st.tuples(
            st.lists(
                st.sampled_from(("missed", "missed", "missed", "attained", "insufficient_data", "no_target", None)),
                max_size=16,
            ),
            st.integers(1, 4),
        ),
        min_size=10,
        max_size=25,
    )
)
def test_triggers_agree_with_a_walk_through_the_months(
    engine: duckdb.DuckDBPyConnection, series: list[tuple[list[str | None], int]]
) -> None:
    engine.execute("delete from fct_slt_attainment")
    rows = [
        [f"s{number}", date(2025 + month // 12, month % 12 + 1, 1), status, required]
        for number, (months, required) in enumerate(series)
        for month, status in enumerate(months)
        if status
    ]
    if rows:
        engine.executemany(
            "insert into fct_slt_attainment values ('service', ?, 'x', 'resolution', ?, 10, 5, 1, 0.5, 0.9, ?, ?, 30)",
            rows,
        )
    found: dict[str, list[Any]] = defaultdict(list)
    for code, *row in engine.execute(
        "select scope_code, opened_on, first_missed_month, last_missed_month, misses_count, is_continuing "
        "from fct_improvement_trigger order by scope_code, trigger_sequence"
    ).fetchall():
        found[code].append(tuple(row))
    for number, (months, required) in enumerate(series):
        assert found.get(f"s{number}", []) == triggers(months, required)
