"""Drawn sequences of runs with changing amounts through the real ledger against a ledger kept by hand in plain Python.

The oracle walks from item to item and writes lines as a bookkeeper would; the SQL works on sets. They share no code.
Beside the comparison, what any ledger must keep is asked of the table itself after every run: no line ever changes,
each reversal is the signed copy of its line, pairs that carry forward come to nothing, nobody's payment period that is
over stays below zero, and a person's quarter sums to what was calculated last.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from benchmarks.model_sql import model_sql

pytestmark = [pytest.mark.requirement("LTI-5.1"), pytest.mark.requirement("OPS-7.5")]

SEED = 20260105
EXAMPLES = 40
LEDGER = "fct_payout_ledger"
QUARTERS = {"2025-Q1": "2025-04", "2025-Q2": "2025-07", "2025-Q3": "2025-10", "2025-Q4": "2026-01"}
MONTHS = ["2025-03", "2025-04", "2025-05", "2025-07", "2025-08", "2025-10", "2025-11", "2026-01", "2026-02"]
PAYMENTS = [*QUARTERS.values(), "2026-04"]
PERSONS = ("e1", "e2")

GIVEN = """
    create table int_payment_moment (
        run_id varchar, as_of_at timestamp, as_of_month varchar, next_payment_period varchar
    );
    create table int_closed_quarter (earned_quarter varchar);
    create table fct_earning_line (
        earning_line_id varchar, earning_kind varchar, plan_code varchar, employee_number varchar,
        earned_quarter varchar, team_code varchar, country_code varchar, cost_centre_code varchar,
        currency_code varchar, earned_amount decimal(18, 2), payment_period varchar
    );
    create table fct_cap_application (
        cap_application_key varchar, cap_kind varchar, earning_line_id varchar, earning_kind varchar,
        employee_number varchar, earned_quarter varchar, team_code varchar, country_code varchar,
        cost_centre_code varchar, currency_code varchar, cap_amount decimal(18, 2), payment_period varchar
    );
    create table fct_clawback (
        clawback_key varchar, reason varchar, earning_line_id varchar, earning_kind varchar, employee_number varchar,
        earned_quarter varchar, team_code varchar, country_code varchar, cost_centre_code varchar,
        currency_code varchar, clawback_amount decimal(18, 2), payment_period varchar
    );
"""
FIRST_SQL, NEXT_SQL = model_sql(LEDGER), model_sql(LEDGER, this=LEDGER)


@dataclass(frozen=True)
class Item:
    """What a run calculates: an earning line, a cap or a clawback on it."""

    kind: str
    key: str
    earning_key: str
    person: str
    quarter: str
    centre: str
    amount: Decimal
    payment_period: str


@dataclass(frozen=True)
class Run:
    month: str
    closed: frozenset[str]
    items: tuple[Item, ...]


@dataclass
class Line:
    kind: str
    key: str
    number: int
    type: str
    person: str
    quarter: str | None
    centre: str | None
    amount: Decimal
    payment_period: str
    original: tuple[str, str, int] | None = None

    @property
    def name(self) -> tuple[str, str, int]:
        return self.kind, self.key, self.number


@dataclass
class Books:
    """The ledger a bookkeeper keeps."""

    lines: list[Line] = field(default_factory=list)
    first_month: str | None = None
    last_month: str = ""
    closed: frozenset[str] = frozenset()

    def is_settled(self, period: str, quarter: str | None, month: str) -> bool:
        return period < month or quarter in self.closed

    def of(self, kind: str, key: str) -> list[Line]:
        return [line for line in self.lines if (line.kind, line.key) == (kind, key)]

    def standing(self, kind: str, key: str) -> list[Line]:
        undone = {line.original for line in self.lines if line.type == "reversal"}
        return [line for line in self.of(kind, key) if line.type != "reversal" and line.name not in undone]

    def write(self, item: Item | Line, type_: str, amount: Decimal, period: str, original: Any = None) -> None:
        number = len(self.of(item.kind, item.key)) + 1
        self.lines.append(
            Line(item.kind, item.key, number, type_, item.person, item.quarter, item.centre, amount, period, original)
        )

    def run(self, run: Run) -> None:
        if run.month < self.last_month:
            return
        self.closed = run.closed
        following = next(
            (
                period
                for period in PAYMENTS
                if period >= run.month
                and not any(QUARTERS[quarter] == period for quarter in run.closed if quarter in QUARTERS)
            ),
            run.month,
        )
        known = {line.quarter for line in self.lines if line.kind == "earning"}
        count = len(self.lines)
        calculated = {(item.kind, item.key): item for item in run.items if item.amount or item.kind == "earning"}
        gone = {(line.kind, line.key) for line in self.lines if line.kind != "carry_forward"} - set(calculated)
        for kind, key in sorted(gone):
            for line in self.standing(kind, key):
                self.undo(line, run.month, following)
        order = {"earning": 0, "cap": 1, "clawback": 2}
        for (kind, key), item in sorted(calculated.items(), key=lambda entry: (order[entry[0][0]], entry[0][1])):
            self.book(item, bool(self.of(kind, key)), known, run.month, following)
        self.carry(run.month, following)
        if len(self.lines) > count:
            self.last_month = run.month
            self.first_month = self.first_month or run.month

    def undo(self, line: Line, month: str, following: str) -> None:
        period = following if self.is_settled(line.payment_period, line.quarter, month) else line.payment_period
        self.write(line, "reversal", -line.amount, period, line.name)

    def book(self, item: Item, is_old: bool, known: set[str | None], month: str, following: str) -> None:
        usual = "original" if item.kind == "earning" else item.kind
        lines = self.standing(item.kind, item.key)
        if not is_old and item.kind != "clawback":
            begins = self.first_month is None
            if begins or (item.quarter not in known and item.payment_period < str(self.first_month)):
                self.write(item, usual, item.amount, item.payment_period, self.anchor(item))
                return
        is_locked = self.is_settled(item.payment_period, item.quarter, month) or any(
            self.is_settled(line.payment_period, line.quarter, month) for line in lines
        )
        late = "adjustment" if item.kind == "earning" else usual
        booked = sum((line.amount for line in lines), Decimal(0))
        if not lines:
            if not is_locked:
                self.write(item, usual, item.amount, item.payment_period, self.anchor(item))
            elif item.amount:
                self.write(item, late, item.amount, following, self.anchor(item))
            return
        if any((line.person, line.quarter, line.centre) != (item.person, item.quarter, item.centre) for line in lines):
            for line in lines:
                self.undo(line, month, following)
            self.write(
                item,
                late if is_locked else usual,
                item.amount,
                following if is_locked else item.payment_period,
                self.anchor(item),
            )
        elif booked == item.amount:
            if not is_locked and lines[-1].payment_period != item.payment_period:
                for line in lines:
                    self.undo(line, month, following)
                self.write(item, usual, item.amount, item.payment_period, self.anchor(item))
        elif is_locked:
            self.write(item, "adjustment", item.amount - booked, following, lines[0].name)
        else:
            for line in lines:
                self.undo(line, month, following)
            self.write(item, usual, item.amount, item.payment_period, self.anchor(item))

    def anchor(self, item: Item) -> tuple[str, str, int] | None:
        """The earning a cap or clawback takes from: the last of its lines that stands."""
        if item.kind == "earning":
            return None
        lines = self.standing("earning", item.earning_key)
        return lines[-1].name if lines else None

    def carry(self, month: str, following: str) -> None:
        for person in PERSONS:
            periods = sorted({line.payment_period for line in self.lines if line.person == person})
            over = [period for period in periods if period < month]
            for place, period in enumerate(over):
                balance = self.balance(person, period)
                if balance < 0:
                    target = over[place + 1] if place + 1 < len(over) else following
                    item = Line("carry_forward", f"{person} {period}", 0, "", person, None, None, Decimal(0), period)
                    self.write(item, "carry_forward", -balance, period)
                    self.write(item, "carry_forward", balance, target, self.lines[-1].name)

    def balance(self, person: str, period: str) -> Decimal:
        return sum(
            (line.amount for line in self.lines if (line.person, line.payment_period) == (person, period)), Decimal(0)
        )


@st.composite
def sequences(draw: st.DrawFn) -> list[Run]:
    """Runs whose as-of mostly goes on; what they calculate changes, vanishes, comes back and moves elsewhere."""
    place = draw(st.integers(0, 3))
    closed: frozenset[str] = frozenset()
    lines: dict[str, tuple[str, str, str, Decimal, str]] = {}
    taken: dict[str, Decimal] = {}
    runs = []
    amounts = st.sampled_from([Decimal(text) for text in ("0.00", "0.01", "10.00", "99.99", "250.00", "-40.00")])
    for _ in range(draw(st.integers(2, 7))):
        step = draw(st.sampled_from((0, 0, 1, 1, 2, -1)))
        place = min(max(place + step, 0), len(MONTHS) - 1)
        if draw(st.integers(0, 7)) == 0:
            closed |= {draw(st.sampled_from(sorted(QUARTERS)))}
        for number in range(5):
            key = f"l{number}"
            change = draw(st.sampled_from(("keep", "keep", "amount", "amount", "gone", "centre", "moved")))
            if change == "gone":
                lines.pop(key, None)
            elif change != "keep" or key not in lines:
                quarter = sorted(QUARTERS)[number % 4]
                person, centre, period = PERSONS[number % 2], "c1", QUARTERS[quarter]
                old = lines.get(key)
                amount = draw(amounts) if old is None or change == "amount" else old[3]
                if old is not None:
                    centre, period = old[2], old[4]
                if change == "centre":
                    centre = "c2" if centre == "c1" else "c1"
                if change == "moved":
                    period = draw(st.sampled_from(PAYMENTS))
                lines[key] = (person, quarter, centre, amount, period)
            if draw(st.integers(0, 4)) == 0:
                taken[key] = draw(st.sampled_from([Decimal("-5.00"), Decimal("-300.00"), Decimal("0.00")]))
        items = []
        for key, (person, quarter, centre, amount, period) in lines.items():
            items.append(Item("earning", key, key, person, quarter, centre, amount, period))
            if key in taken:
                kind = "cap" if key in ("l0", "l1") else "clawback"
                items.append(Item(kind, f"{kind} {key}", key, person, quarter, centre, taken[key], period))
        runs.append(Run(MONTHS[place], closed, tuple(items)))
    return runs


class Warehouse:
    """The tables the ledger reads, and the ledger as dbt has it append."""

    def __init__(self) -> None:
        self.connection = duckdb.connect()
        self.connection.execute(GIVEN)
        self.is_first = True

    def run(self, run: Run, number: int) -> None:
        connection = self.connection
        for table in ("int_payment_moment", "int_closed_quarter", "fct_earning_line"):
            connection.execute(f"delete from {table}")
        connection.execute("delete from fct_cap_application")
        connection.execute("delete from fct_clawback")
        closed_payments = {QUARTERS[quarter] for quarter in run.closed}
        following = [period for period in PAYMENTS if period >= run.month and period not in closed_payments]
        as_of_at = datetime.combine(date.fromisoformat(f"{run.month}-15"), datetime.min.time())
        connection.execute(
            "insert into int_payment_moment values (?, ?, ?, ?)",
            [f"run {number}", as_of_at, run.month, following[0] if following else run.month],
        )
        connection.executemany("insert into int_closed_quarter values (?)", [[q] for q in sorted(run.closed)] or [[""]])
        for item in run.items:
            shared = [item.person, item.quarter, "t1", "IE", item.centre, "EUR", item.amount, item.payment_period]
            if item.kind == "earning":
                connection.execute(
                    "insert into fct_earning_line values (?, 'incentive', 'p', ?, ?, ?, ?, ?, ?, ?, ?)",
                    [item.key, *shared],
                )
            elif item.kind == "cap":
                if item.amount:
                    connection.execute(
                        "insert into fct_cap_application values (?, 'pool', ?, 'incentive', ?, ?, ?, ?, ?, ?, ?, ?)",
                        [item.key, item.earning_key, *shared],
                    )
            else:
                connection.execute(
                    "insert into fct_clawback values (?, 'audit', ?, 'incentive', ?, ?, ?, ?, ?, ?, ?, ?)",
                    [item.key, item.earning_key, *shared],
                )
        if self.is_first:
            connection.execute(f"create table {LEDGER} as {FIRST_SQL}")
        else:
            connection.execute(f"insert into {LEDGER} by name {NEXT_SQL}")
        self.is_first = False

    def rows(self) -> list[tuple[Any, ...]]:
        return self.connection.execute(f"select * from {LEDGER} order by entry_number").fetchall()

    def one(self, query: str) -> Any:
        return self.connection.execute(query).fetchone()

    def lines(self) -> list[tuple[Any, ...]]:
        """What the oracle knows of each line; a key of a carried balance as person and period."""
        return self.connection.execute(
            f"""
            select line.item_kind,
                case line.item_kind when 'carry_forward' then line.employee_number || ' ' || first.payment_period
                else line.item_key end,
                line.line_number, line.line_type, line.employee_number, line.earned_quarter, line.cost_centre_code,
                line.amount, line.payment_period,
                original.item_kind, original.line_number
            from {LEDGER} as line
            join {LEDGER} as first
                on line.item_kind = first.item_kind and line.item_key = first.item_key and first.line_number = 1
            left join {LEDGER} as original on line.original_ledger_line_id = original.ledger_line_id
            order by 1, 2, 3
            """
        ).fetchall()


def lines_of(books: Books) -> list[tuple[Any, ...]]:
    """The same of the oracle's; within a run several reversals of an item stand before what is booked anew."""
    return sorted(
        (
            line.kind,
            line.key,
            line.number,
            line.type,
            line.person,
            line.quarter,
            line.centre,
            line.amount,
            line.payment_period,
            line.original[0] if line.original else None,
            line.original[2] if line.original else None,
        )
        for line in books.lines
    )


@seed(SEED)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)
@given(sequences())
def test_the_ledger_is_the_one_kept_by_hand(runs: list[Run]) -> None:
    warehouse, books = Warehouse(), Books()
    before: list[tuple[Any, ...]] = []
    for number, run in enumerate(runs):
        is_looking_back = run.month < books.last_month
        warehouse.run(run, number)
        books.run(run)
        after = warehouse.rows()
        assert after[: len(before)] == before, "a line that was written changed"
        assert warehouse.lines() == lines_of(books)
        warehouse.run(run, number)
        assert warehouse.rows() == after, "a second run without changes wrote lines"
        before = after
        if not is_looking_back:
            conserved(warehouse, run)


def conserved(warehouse: Warehouse, run: Run) -> None:
    """What holds of any ledger, asked of the table itself."""
    calculated: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for item in run.items:
        calculated[item.person, item.quarter] += item.amount
    booked = warehouse.connection.execute(
        f"""
        select employee_number, earned_quarter, sum(amount) from {LEDGER} where earned_quarter is not null
        group by all
        """
    ).fetchall()
    found = {(person, quarter): amount for person, quarter, amount in booked}
    assert {key: found.get(key, Decimal(0)) for key in {*found, *calculated}} == {
        key: calculated.get(key, Decimal(0)) for key in {*found, *calculated}
    }
    assert warehouse.one(
        f"""
        select count(*) from {LEDGER} as undone left join {LEDGER} as line
            on undone.original_ledger_line_id = line.ledger_line_id
        where undone.line_type = 'reversal' and undone.amount is distinct from -line.amount
        """
    ) == (0,)
    assert warehouse.one(
        f"""
        select count(*) from (
            select original_ledger_line_id from {LEDGER} where line_type = 'reversal' group by 1 having count(*) > 1
        )
        """
    ) == (0,)
    assert warehouse.one(f"select coalesce(sum(amount), 0) from {LEDGER} where line_type = 'carry_forward'") == (0,)
    assert warehouse.one(
        f"""
        select count(*) from (
            select employee_number, payment_period from {LEDGER} where payment_period < '{run.month}'
            group by 1, 2 having sum(amount) < 0
        )
        """
    ) == (0,)


# --- worked by hand ---


def earning(key: str, quarter: str, amount: str, centre: str = "c1", period: str | None = None) -> Item:
    return Item("earning", key, key, "e1", quarter, centre, Decimal(amount), period or QUARTERS[quarter])


def appended(warehouse: Warehouse, *runs: Run) -> list[tuple[Any, ...]]:
    """What the last run wrote: type, earning line, number, number of the line it is of, reason, amount, month."""
    for number, run in enumerate(runs):
        warehouse.run(run, number)
    return [
        (*row[:5], str(row[5]), row[6])
        for row in warehouse.connection.execute(
            f"""
            select line.line_type, coalesce(line.earning_line_id, ''), line.line_number, original.line_number,
                line.reason, line.amount, line.payment_period
            from {LEDGER} as line
            left join {LEDGER} as original on line.original_ledger_line_id = original.ledger_line_id
            where line.run_id = 'run {len(runs) - 1}' order by line.entry_number
            """
        ).fetchall()
    ]


NOBODY: frozenset[str] = frozenset()


def test_what_is_not_paid_is_reversed_and_what_is_paid_is_adjusted() -> None:
    """In January 2026: a was paid 30.00 in October and is 34.50 now, so 4.50 more in January. b's 100.00 of January are
    90.00 now: -100.00 and 90.00. c is as it was. d, unpaid, is no longer calculated: -7.00 in its own month. f, paid in
    October, neither: -20.00 in January. g is new in a quarter that was paid: 3.00 in January.
    """
    before = [earning("a", "2025-Q3", "30.00"), earning("b", "2025-Q4", "100.00"), earning("c", "2025-Q4", "5.00")]
    before += [earning("d", "2025-Q4", "7.00"), earning("f", "2025-Q3", "20.00")]
    after = [earning("a", "2025-Q3", "34.50"), earning("b", "2025-Q4", "90.00"), earning("c", "2025-Q4", "5.00")]
    after += [earning("g", "2025-Q3", "3.00")]
    runs = Run("2026-01", NOBODY, tuple(before)), Run("2026-01", NOBODY, tuple(after))
    assert sorted(appended(Warehouse(), *runs), key=lambda line: line[1:3]) == [
        ("adjustment", "a", 2, 1, "recalculated", "4.50", "2026-01"),
        ("reversal", "b", 2, 1, "recalculated", "-100.00", "2026-01"),
        ("original", "b", 3, None, "recalculated", "90.00", "2026-01"),
        ("reversal", "d", 2, 1, "no_longer_calculated", "-7.00", "2026-01"),
        ("reversal", "f", 2, 1, "no_longer_calculated", "-20.00", "2026-01"),
        ("adjustment", "g", 1, None, "earned_after_payment", "3.00", "2026-01"),
    ]


def test_a_closed_quarter_is_adjusted_in_the_period_after_it() -> None:
    """2025-Q4 is closed in January, before its payment month is over. b goes from 100.00 to 90.00: -10.00 in April, the
    line stands. c moves to another cost centre: reversed and booked anew, both in April.
    """
    before = Run("2026-01", NOBODY, (earning("b", "2025-Q4", "100.00"), earning("c", "2025-Q4", "5.00")))
    after = (earning("b", "2025-Q4", "90.00"), earning("c", "2025-Q4", "5.00", centre="c2"))
    lines = appended(Warehouse(), before, Run("2026-01", frozenset({"2025-Q4"}), after))
    assert sorted(lines, key=lambda line: line[1:3]) == [
        ("adjustment", "b", 2, 1, "recalculated", "-10.00", "2026-04"),
        ("reversal", "c", 2, 1, "attributed_anew", "-5.00", "2026-04"),
        ("adjustment", "c", 3, None, "attributed_anew", "5.00", "2026-04"),
    ]


def test_what_is_taken_back_is_carried_until_there_is_something_to_take_it_from() -> None:
    """100.00 of 2025-Q3 are paid in October. In November 130.00 of it are taken back, with the line they come from, in
    the next payment, January. 2025-Q4 earns 90.00: January comes to -40.00. When it is over, 40.00 are carried out
    of it and -40.00 into April.
    """
    paid = earning("a", "2025-Q3", "100.00")
    taken = Item("clawback", "w", "a", "e1", "2025-Q3", "c1", Decimal("-130.00"), "2025-10")
    earned = earning("b", "2025-Q4", "90.00")
    warehouse = Warehouse()
    first = Run("2025-10", NOBODY, (paid,))
    second = Run("2025-11", NOBODY, (paid, taken))
    assert appended(warehouse, first, second) == [("clawback", "a", 1, 1, "audit", "-130.00", "2026-01")]
    third, fourth = Run("2026-01", NOBODY, (paid, taken, earned)), Run("2026-02", NOBODY, (paid, taken, earned))
    assert appended(Warehouse(), first, second, third, fourth) == [
        ("carry_forward", "", 1, None, "carried_out", "40.00", "2026-01"),
        ("carry_forward", "", 2, 1, "carried_in", "-40.00", "2026-04"),
    ]


def test_what_is_below_zero_is_carried_through_every_payment_on_its_way() -> None:
    """The ledger begins in February with -80.00 of October and 50.00 of January: 80.00 are carried out of October into
    January, which comes to -30.00 and carries those into April.
    """
    run = Run("2026-02", NOBODY, (earning("a", "2025-Q3", "-80.00"), earning("b", "2025-Q4", "50.00")))
    assert [line[4:] for line in appended(Warehouse(), run)] == [
        ("earned", "-80.00", "2025-10"),
        ("earned", "50.00", "2026-01"),
        ("carried_out", "80.00", "2025-10"),
        ("carried_in", "-80.00", "2026-01"),
        ("carried_out", "30.00", "2026-01"),
        ("carried_in", "-30.00", "2026-04"),
    ]


def test_a_run_that_looks_back_writes_nothing() -> None:
    """As of October, after January was booked: other amounts, and the ledger is as it was."""
    lines = appended(
        Warehouse(),
        Run("2026-01", NOBODY, (earning("b", "2025-Q4", "100.00"),)),
        Run("2025-10", NOBODY, (earning("b", "2025-Q4", "1.00"), earning("x", "2025-Q3", "1.00"))),
    )
    assert lines == []


def test_a_quarter_from_before_the_ledger_is_loaded_as_it_was_paid() -> None:
    """The ledger begins in November with 2025-Q3. 2025-Q1, loaded later, was due before it began: an original in April,
    which asks nobody to pay it again. 2025-Q4, first calculated in February, was due in January: an adjustment in
    April.
    """
    begun = earning("a", "2025-Q3", "10.00")
    run = Run("2026-02", NOBODY, (begun, earning("b", "2025-Q1", "20.00"), earning("c", "2025-Q4", "30.00")))
    assert sorted(appended(Warehouse(), Run("2025-11", NOBODY, (begun,)), run)) == [
        ("adjustment", "c", 1, None, "earned_after_payment", "30.00", "2026-04"),
        ("original", "b", 1, None, "earned", "20.00", "2025-04"),
    ]


def test_the_oracle_sees_a_ledger_that_changes_a_line() -> None:
    """One cent more on a written line, and neither comparison nor conservation holds."""
    item = Item("earning", "l0", "l0", "e1", "2025-Q1", "c1", Decimal("10.00"), "2025-04")
    run = Run("2025-04", frozenset(), (item,))
    warehouse, books = Warehouse(), Books()
    warehouse.run(run, 1)
    books.run(run)
    assert warehouse.lines() == lines_of(books)
    warehouse.connection.execute(f"update {LEDGER} set amount = amount + 0.01")
    assert warehouse.lines() != lines_of(books)
    with pytest.raises(AssertionError):
        conserved(warehouse, run)
