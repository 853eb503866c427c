"""Drawn tickets, pools and awards through the real models: splits sum to the whole, order of input never matters.

Credit is computed a second time with exact fractions, event by event, and shares no code with the SQL, which works on
whole millionths over a common denominator.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from benchmarks.model_sql import model_sql

SEED = 20261121
EXAMPLES = 12
MILLION = 10**6
START = datetime(2025, 2, 3, 8)  # noqa: DTZ001 (UTC, as the warehouse holds it)
TEAMS = ("desk", "net", "sre", None)
PERSONS = ("a", "b", "c", None)
STATES = ("new", "in_progress", "awaiting_caller", "on_hold", "resolved")

TABLES = """
    create table credit_rule (
        credit_rule_code varchar, resolver_share decimal(9, 4), held_share decimal(9, 4),
        contribution_share decimal(9, 4), minimum_held_seconds integer, floor_seconds integer,
        ceiling_seconds integer, effective_from date, effective_to date
    );
    create table team (team_code varchar, tier integer, cost_centre_code varchar);
    create table int_ticket_course (
        ticket_key varchar, source_system varchar, observation_status varchar, resolved_at timestamp,
        service_code varchar, batch_id varchar
    );
    create table int_ticket_event (
        ticket_key varchar, event_sequence integer, event_at timestamp, ticket_state varchar, team_code varchar,
        assignment_group_name varchar, assigned_employee_number varchar
    );
    create table int_ticket_contribution (
        ticket_key varchar, employee_number varchar, team_code varchar, contribution_weight integer, is_counted boolean
    );
    create table incentive_pool (
        pool_code varchar, currency_code varchar, allocation_basis varchar, person_cap_share decimal(9, 4),
        payment_lag_months integer
    );
    create table incentive_pool_member (
        pool_code varchar, team_code varchar, effective_from date, effective_to date
    );
    create table fct_pool_funding (
        pool_code varchar, earned_quarter varchar, period_start_on date, service_code varchar, funding_status varchar,
        funded_amount decimal(18, 2)
    );
    create table fct_resolution_credit (
        employee_number varchar, team_code varchar, service_code varchar, earned_quarter varchar,
        credit_share decimal(18, 6)
    );
    create table fct_incentive_payout (
        employee_number varchar, team_code varchar, earned_quarter varchar,
        paid_days_value decimal(18, 4), weight decimal(9, 4), payout_share decimal(9, 4), gate_share decimal(9, 4),
        eligible_share decimal(9, 4)
    );
    create table int_reporting_period (
        period_grain varchar, period_code varchar, period_start_on date, period_end_on date, is_complete boolean
    );
    create table int_employee_assignment (
        employee_number varchar, country_code varchar, team_code varchar, assigned_from_on date, assigned_to_on date
    );
    create table long_term_award (
        award_code varchar, employee_number varchar, vesting_schedule_code varchar, granted_on date,
        award_amount decimal(18, 2), currency_code varchar, payment_lag_months integer, approved_on date
    );
    create table vesting_schedule (
        vesting_schedule_code varchar, tranche_number integer, vests_after_months integer, vest_share decimal(9, 6),
        good_leaver_rule varchar
    );
    create table award_event (award_code varchar, event_type varchar, occurred_on date, decided_on date);
    create table int_employment (
        employee_number varchar, is_primary boolean, employed_from_on date, employed_to_on date
    );
    create table int_run_context (as_of_at timestamp);
"""

Row = tuple[Any, ...]


@dataclass
class Ticket:
    """events: (seconds since opening, state, team, person), the last one resolved; contributions: (person, weight)."""

    events: list[tuple[int, str, str | None, str | None]]
    contributions: list[tuple[str, int]]


@dataclass
class Rule:
    """Shares in 1/10000 that sum to 10000; bounds in seconds."""

    resolver: int
    held: int
    minimum: int
    floor: int
    ceiling: int | None


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    resolver = draw(st.integers(0, 10_000))
    floor = draw(st.integers(0, 4_000))
    return Rule(
        resolver,
        draw(st.integers(0, 10_000 - resolver)),
        draw(st.integers(0, 2_000)),
        floor,
        draw(st.one_of(st.none(), st.integers(floor, 20_000))),
    )


@st.composite
def tickets(draw: st.DrawFn) -> Ticket:
    event = st.tuples(st.sampled_from(STATES), st.sampled_from(TEAMS), st.sampled_from(PERSONS))
    passed = draw(st.lists(event, min_size=1, max_size=7))
    steps = draw(st.lists(st.integers(0, 9_000), min_size=len(passed), max_size=len(passed)))
    at, events = 0, []
    for step, (state, team, person) in zip(steps, passed, strict=True):
        events.append((at, state, team, person))
        at += step
    # one that is resolved goes on being worked on, so that its last event is its last resolution
    events.append((at, "in_progress", *draw(st.tuples(st.sampled_from(TEAMS), st.sampled_from(PERSONS)))))
    events.append((at + draw(st.integers(1, 9_000)), "resolved", *events[-1][2:]))
    contribution = st.tuples(st.sampled_from(["a", "b", "d"]), st.integers(1, 3))
    return Ticket(events, draw(st.lists(contribution, max_size=3)))


def expected_credit(rule: Rule, ticket: Ticket) -> dict[tuple[str, str], Fraction]:
    """The exact share of each (holder, person)."""
    named = any(person for _, _, _, person in ticket.events)
    held: dict[tuple[str, str], int] = {}
    for (at, state, team, person), (until, *_) in zip(ticket.events, ticket.events[1:], strict=False):
        if state in ("new", "in_progress") and (person or not named):
            key = (team or "group:Others", person or "")
            held[key] = held.get(key, 0) + until - at
    counted = {}
    for key, seconds in held.items():
        if seconds <= 0 or seconds < rule.minimum:
            counted[key] = 0
        else:
            bounded = max(seconds, rule.floor)
            counted[key] = bounded if rule.ceiling is None else min(bounded, rule.ceiling)
    weights: dict[tuple[str, str], int] = {}
    for person, weight in ticket.contributions:
        weights["sre", person] = weights.get(("sre", person), 0) + weight
    resolver, rest = Fraction(rule.resolver), Fraction(rule.held)
    contributed = Fraction(10_000 - rule.resolver - rule.held)
    if not weights:
        rest, contributed = rest + contributed, Fraction(0)
    if not sum(counted.values()):
        resolver, rest = resolver + rest, Fraction(0)
    _, _, team, person = ticket.events[-1]
    shares = dict.fromkeys([*held, *weights, (team or "group:Others", person or "")], Fraction(0))
    shares[team or "group:Others", person or ""] += resolver
    for key, seconds in counted.items():
        if rest:
            shares[key] += rest * seconds / sum(counted.values())
    for key, weight in weights.items():
        shares[key] += contributed * weight / sum(weights.values())
    return {key: share / 10_000 for key, share in shares.items()}


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(TABLES)
        credit = model_sql("fct_resolution_credit")
        connection.execute(f"create view credit as {credit}")
        connection.execute(f"create view claim as {model_sql('fct_pool_claim')}")
        connection.execute(f"create view vesting as {model_sql('fct_award_vesting')}")
        connection.executemany(
            "insert into team values (?, ?, ?)", [("desk", 1, "C1"), ("net", 2, "C2"), ("sre", 3, "C3")]
        )
        connection.execute("insert into int_run_context values ('2026-01-05')")
        connection.execute(
            "insert into int_reporting_period values ('quarter', '2025-Q1', '2025-01-01', '2025-04-01', true)"
        )
        yield connection


def fill(engine: duckdb.DuckDBPyConnection, table: str, rows: list[Row], mix: random.Random) -> None:
    """The rows in an order of their own each time: none of them may matter."""
    engine.execute(f"delete from {table}")
    mixed = mix.sample(rows, len(rows))
    if mixed:
        one = f"({', '.join('?' * len(mixed[0]))})"
        engine.execute(
            f"insert into {table} values {', '.join([one] * len(mixed))}", [value for row in mixed for value in row]
        )


def drawn(strategy: Any) -> Any:
    def decorate(test: Any) -> Any:
        configured = settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=(Phase.generate,),
            suppress_health_check=[
                HealthCheck.function_scoped_fixture,
                HealthCheck.too_slow,
                HealthCheck.data_too_large,
            ],
        )
        return seed(SEED)(configured(given(strategy)(test)))

    return decorate


@pytest.mark.requirement("OPS-6.2")
@drawn(st.tuples(rules(), st.lists(tickets(), min_size=1, max_size=12), st.integers(0, 99)))
def test_credit_is_the_exact_share_rounded_and_sums_to_one(
    engine: duckdb.DuckDBPyConnection, case: tuple[Rule, list[Ticket], int]
) -> None:
    rule, drawn_tickets, salt = case
    mix = random.Random(salt)
    shares = [n / 10_000 for n in (rule.resolver, rule.held, 10_000 - rule.resolver - rule.held)]
    fill(engine, "credit_rule", [("r", *shares, rule.minimum, rule.floor, rule.ceiling, "2025-01-01", None)], mix)
    courses, events, given_credit = [], [], []
    for number, ticket in enumerate(drawn_tickets):
        key = f"t{number}"
        courses.append((key, "s", "observed", START + timedelta(seconds=ticket.events[-1][0]), "pay", "b"))
        events += [
            (key, n, START + timedelta(seconds=at), state, team, team or "Others", person)
            for n, (at, state, team, person) in enumerate(ticket.events, start=1)
        ]
        given_credit += [(key, person, "sre", weight, True) for person, weight in ticket.contributions]
    fill(engine, "int_ticket_course", courses, mix)
    fill(engine, "int_ticket_event", events, mix)
    fill(engine, "int_ticket_contribution", given_credit, mix)
    query = "select ticket_key, holder_code, coalesce(employee_number, ''), credit_share from credit order by 1, 2, 3"
    found = engine.execute(query).fetchall()
    for table, rows in (("int_ticket_event", events), ("int_ticket_contribution", given_credit)):
        fill(engine, table, rows, mix)
    assert engine.execute(query).fetchall() == found
    for number, ticket in enumerate(drawn_tickets):
        lines = {(holder, person): share for key, holder, person, share in found if key == f"t{number}"}
        expected = expected_credit(rule, ticket)
        assert sum(lines.values()) == 1, lines
        assert set(lines) == set(expected)
        for key, share in lines.items():
            assert abs(Fraction(share) - expected[key]) < Fraction(1, MILLION), (key, share, expected[key])


CLAIMS = st.lists(
    st.tuples(st.sampled_from(["", *"abcdefgh"]), st.sampled_from(["desk", "net", "sre"]), st.integers(0, 3 * MILLION)),
    min_size=1,
    max_size=14,
)


@pytest.mark.requirement("OPS-6.5")
@drawn(st.tuples(st.integers(0, 10**9), st.integers(1, 10_000), CLAIMS, st.integers(0, 99)))
def test_a_pool_is_laid_out_to_the_cent(
    engine: duckdb.DuckDBPyConnection, case: tuple[int, int, list[tuple[str, str, int]], int]
) -> None:
    cents, cap, weights, salt = case
    mix = random.Random(salt)
    fill(engine, "incentive_pool", [("p", "EUR", "resolution_credit", cap / 10_000, 1)], mix)
    fill(engine, "incentive_pool_member", [("p", team, "2025-01-01", None) for team in ("desk", "net", "sre")], mix)
    fill(
        engine,
        "fct_pool_funding",
        [("p", "2025-Q1", "2025-01-01", "pay", "funded", f"{cents // 100}.{cents % 100:02d}")],
        mix,
    )
    credit = [
        (person or None, team, "pay", "2025-Q1", f"{w // MILLION}.{w % MILLION:06d}") for person, team, w in weights
    ]
    fill(engine, "fct_resolution_credit", credit, mix)
    # h left within the quarter, g is in no HRIS
    people = [(p, "IE", "desk", "2024-01-01", "2025-03-31" if p == "h" else None) for p in "abcdefh"]
    fill(engine, "int_employee_assignment", people, mix)
    query = """
        select coalesce(employee_number, ''), claim_status, claimed_amount, earned_amount, unallocated_amount
        from claim order by 1
    """
    found = engine.execute(query).fetchall()
    fill(engine, "fct_resolution_credit", credit, mix)
    assert engine.execute(query).fetchall() == found
    total = sum(w for _, _, w in weights)
    if not total or not cents:
        assert not found
        return
    assert sum(row[2] for row in found) * 100 == cents
    for person, status, claimed, earned, left in found:
        exact = Fraction(cents * sum(w for p, _, w in weights if p == person), total)
        assert abs(Fraction(claimed) * 100 - exact) < 1
        assert earned + left == claimed and earned >= 0 and left >= 0
        expected = {"": "team_without_person", "g": "not_in_hris", "h": "left_before_quarter_end"}.get(person, "earned")
        assert status == expected
        assert earned * 100 == (min(claimed * 100, cents * cap // 10_000) if status == "earned" else 0)


@drawn(st.tuples(st.integers(0, 10**9), st.lists(st.integers(1, 900), min_size=1, max_size=8), st.integers(0, 99)))
def test_tranches_sum_to_the_award(engine: duckdb.DuckDBPyConnection, case: tuple[int, list[int], int]) -> None:
    cents, parts, salt = case
    mix = random.Random(salt)
    shares = [part * MILLION // sum(parts) for part in parts]
    shares[-1] += MILLION - sum(shares)
    schedule = [("v", n, 6 * n, f"{s // MILLION}.{s % MILLION:06d}", "forfeit") for n, s in enumerate(shares, start=1)]
    fill(engine, "vesting_schedule", schedule, mix)
    amount = f"{cents // 100}.{cents % 100:02d}"
    fill(engine, "long_term_award", [("l", "a", "v", "2024-07-01", amount, "EUR", 1, "2024-06-01")], mix)
    fill(engine, "int_employment", [("a", True, "2020-01-01", None)], mix)
    query = (
        "select tranche_number, tranche_amount, earned_amount, pending_amount, forfeited_amount from vesting order by 1"
    )
    found = engine.execute(query).fetchall()
    fill(engine, "vesting_schedule", schedule, mix)
    assert engine.execute(query).fetchall() == found
    assert sum(row[1] for row in found) * 100 == cents
    for number, tranche, earned, pending, forfeited in found:
        assert abs(Fraction(tranche) * 100 - Fraction(cents * shares[number - 1], MILLION)) < 1
        # six months from July 2024 each: the third is due on 1 January 2026, the fourth is not
        assert (earned, pending, forfeited) == ((tranche, 0, 0) if number <= 3 else (0, tranche, 0))
