"""Drawn chains of overlapping duties through the real model against a diary that is filled in second by second.

The diary takes one duty after the other, from the strongest on, and writes it down where every second of it is still
free; the SQL ranks overlaps in sets. They share no code. Duties are short and many, so that they chain.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from benchmarks.model_sql import model_sql
from tests.property import strategies  # noqa: F401  (draws by the seed alone: backend "seeded")

SEED = 20260105
EXAMPLES = 60
BEGINNING = datetime(2025, 1, 6, 18, tzinfo=UTC).replace(tzinfo=None)
PERSONS = ("p1", "p2")
SQL = model_sql("fct_on_call_duty")

GIVEN = """
    create table int_on_call_stretch (
        on_call_stretch_key varchar, duty_source varchar, duty_code varchar, criticality integer, employee_id varchar,
        employee_number varchar, team_code varchar, country_code varchar, starts_at timestamp, ends_at timestamp,
        duty_on date, refusal_code varchar, batch_id varchar
    );
    create table on_call_rate (
        country_code varchar, duty_source varchar, criticality integer, reward_amount decimal(18, 2),
        currency_code varchar, frequent_from_number integer, frequent_factor decimal(9, 4), payment_lag_months integer,
        effective_from date, effective_to date
    );
    create table team (team_code varchar, cost_centre_code varchar);
    insert into team values ('t', 'c');
    insert into on_call_rate
    select 'IE', 'shift', criticality, 10, 'EUR', 99, 1.25, 1, '2024-01-01', null from range(1, 4) as c (criticality);
"""


@dataclass(frozen=True)
class Duty:
    """A stretch of duty: seconds since the beginning, its end not in it."""

    person: str
    criticality: int
    start: int
    seconds: int
    is_refused: bool


DUTIES = st.lists(
    st.builds(
        Duty,
        st.sampled_from(PERSONS),
        st.integers(1, 3),
        st.integers(0, 120),
        st.integers(1, 25),
        st.integers(0, 9).map(lambda number: number == 0),
    ),
    min_size=12,
    max_size=30,
)


def diary(duties: list[Duty]) -> dict[str, str]:
    """Each duty's status: rewarded where all its seconds were free when its turn came."""
    status = {}
    taken: set[tuple[str, int]] = set()
    turn = sorted(
        enumerate(duties), key=lambda each: (each[1].criticality, -each[1].seconds, each[1].start, f"k{each[0]:02}")
    )
    for number, duty in turn:
        own = {(duty.person, second) for second in range(duty.start, duty.start + duty.seconds)}
        if duty.is_refused:
            status[f"k{number:02}"] = "on_leave"
        elif own & taken:
            status[f"k{number:02}"] = "overlapped"
        else:
            taken |= own
            status[f"k{number:02}"] = "rewarded"
    return status


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        opened.execute(GIVEN)
        yield opened


def calculated(connection: duckdb.DuckDBPyConnection, duties: list[Duty]) -> dict[str, str]:
    connection.execute("delete from int_on_call_stretch")
    for number, duty in enumerate(duties):
        start = BEGINNING + timedelta(seconds=duty.start)
        connection.execute(
            "insert into int_on_call_stretch values (?, 'shift', 'N', ?, ?, ?, 't', 'IE', ?, ?, ?, ?, 'b')",
            [f"k{number:02}", duty.criticality, duty.person, duty.person, start,
             start + timedelta(seconds=duty.seconds), start.date(), "on_leave" if duty.is_refused else None],
        )  # fmt: skip
    return dict(connection.execute(f"select on_call_stretch_key, duty_status from ({SQL})").fetchall())


@pytest.mark.requirement("DESK-2.4")
@seed(SEED)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=False,
    database=None,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(duties=DUTIES)
def test_what_stands_is_what_a_diary_has(connection: duckdb.DuckDBPyConnection, duties: list[Duty]) -> None:
    assert calculated(connection, duties) == diary(duties)


@pytest.mark.requirement("DESK-2.4")
@pytest.mark.parametrize("length", [1, 2, 3, 4, 9, 30])
def test_of_a_chain_every_second_duty_stands(connection: duckdb.DuckDBPyConnection, length: int) -> None:
    """Each duty overlaps the next by one second and is stronger than it: the first, third, fifth, ... stand."""
    chain, start = [], 0
    for number in range(length):
        seconds = 100 - number
        chain.append(Duty("p1", 2, start, seconds, False))
        start += seconds - 1
    status = calculated(connection, chain)
    assert [status[f"k{number:02}"] for number in range(length)] == [
        "overlapped" if number % 2 else "rewarded" for number in range(length)
    ]
    assert status == diary(chain)


def test_the_drawn_duties_do_chain() -> None:
    """Among the draws are duties that overlap only what is displaced itself, which is what this is about."""
    found = 0

    @seed(SEED)
    @settings(max_examples=EXAMPLES, backend="seeded", deadline=None, database=None, phases=(Phase.generate,))
    @given(duties=DUTIES)
    def count(duties: list[Duty]) -> None:
        nonlocal found
        status = diary(duties)
        for number, duty in enumerate(duties):
            if status[f"k{number:02}"] != "rewarded":
                continue
            found += any(
                status[f"k{other:02}"] == "overlapped"
                and (each.criticality, -each.seconds) < (duty.criticality, -duty.seconds)
                and each.person == duty.person
                and each.start < duty.start + duty.seconds
                and duty.start < each.start + each.seconds
                for other, each in enumerate(duties)
            )

    count()
    assert found >= EXAMPLES // 2, found
