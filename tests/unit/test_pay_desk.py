"""The reference calculation and the pay desk: brute force, properties, and the planted faults."""

from __future__ import annotations

import csv
import random
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.demo.company import build_company, company_as_of
from ingestion.demo.model import Company, Employee, IncentiveTarget, JobInfo, Monitor, MonitorTransition
from ingestion.demo.pay_desk import (
    JOURNAL_COLUMNS,
    REGISTER_COLUMNS,
    PayDesk,
    expected_reconciliation,
    journal_lines,
    payroll_lines,
    run_pay_desk,
    write_drops,
)
from ingestion.demo.reference_clock import (
    Calendar,
    CalendarSegment,
    SltDefinition,
    SltTarget,
    calculate_availability,
    calculate_ticket_slts,
    load_slt_reference,
    merge_windows,
    ticket_slt,
    to_instant,
    to_seconds,
)
from ingestion.demo.reference_pay import (
    calculate_reference,
    half_up_cents,
    half_up_share,
    largest_remainder,
    pay_segments,
)
from tests.golden.golden_company import golden_company, make_events, make_ticket, utc
from tests.oracle import WallClock, brute_force_slt

REFERENCE = load_slt_reference()
ROLES = {
    "new": "running",
    "in_progress": "running",
    "on_hold": "paused",
    "resolved": "stopped",
    "closed": "stopped",
    "canceled": "canceled",
    "unknown": "carry",
}
# Around every change of clocks in Dublin and New York, a change of office hours in India, and bank holidays.
STARTS = (
    "2024-10-25 12:00:00",
    "2024-11-01 12:00:00",
    "2024-12-23 06:00:00",
    "2024-12-30 09:00:00",
    "2025-03-07 15:00:00",
    "2025-03-28 18:00:00",
    "2025-06-18 00:00:00",
)
WALL_CLOCKS = {code: WallClock(calendar) for code, calendar in REFERENCE.calendars.items()}
MINUTES = 3 * 24 * 60


def make_definition(reopen_policy: str = "running_through", **changes: object) -> SltDefinition:
    base = SltDefinition(
        slt_code="test",
        slt_version=1,
        source_system="servicenow",
        phase="resolution",
        reopen_policy=reopen_policy,
        target_policy="as_of_stop",
        exclusion_audience="internal",
        at_risk_share=Fraction(3, 4),
        effective_from=date(2015, 1, 1),
        effective_to=None,
        clock_roles=ROLES,
    )
    return replace(base, **changes)


def make_target(target_seconds: int, tolerance_seconds: int = 0) -> SltTarget:
    return SltTarget("test", 1, "", 3, "", target_seconds, tolerance_seconds, date(2015, 1, 1), None)


# ---------------------------------------------------------------------------------- clock: brute force


@st.composite
def histories(draw: st.DrawFn) -> dict:
    minutes = draw(st.lists(st.integers(0, MINUTES), min_size=0, max_size=7))
    states = draw(st.lists(st.sampled_from(sorted(ROLES)), min_size=len(minutes) + 1, max_size=len(minutes) + 1))
    # Few tickets are canceled.
    if draw(st.booleans()):
        states = ["on_hold" if state == "canceled" else state for state in states]
    windows = draw(st.lists(st.tuples(st.integers(-600, MINUTES), st.integers(0, 1500)), min_size=0, max_size=3))
    return {
        "start": draw(st.sampled_from(STARTS)),
        "minutes": [0, *sorted(minutes)],
        "states": states,
        "windows": windows,
        "calendar": draw(st.sampled_from(sorted(REFERENCE.calendars))),
        "reopen_policy": draw(st.sampled_from(("first_stop", "running_through", "resume", "new_cycle"))),
        "target": draw(st.integers(1, 900)),
    }


@settings(max_examples=100, deadline=None)
@given(histories())
def test_interval_arithmetic_equals_counting_minute_by_minute(history: dict) -> None:
    start = utc(history["start"])
    events = make_events(
        [
            ((start + timedelta(minutes=minute)).strftime("%Y-%m-%d %H:%M:%S"), state, 3)
            for minute, state in zip(history["minutes"], history["states"], strict=True)
        ],
        "",
        "sre",
    )
    as_of = start + timedelta(minutes=MINUTES)
    windows = [
        (to_seconds(start) + 60 * first, to_seconds(start) + 60 * (first + length))
        for first, length in history["windows"]
    ]
    definition = make_definition(history["reopen_policy"])
    target = make_target(history["target"] * 60)
    fast = ticket_slt(
        events, definition, target, REFERENCE.calendars[history["calendar"]], merge_windows(windows), as_of
    )
    slow = brute_force_slt(events, definition, target, WALL_CLOCKS[history["calendar"]], windows, as_of)

    assert fast.stop_at == slow.stop_at
    assert (fast.slt_status == "canceled") == slow.is_canceled
    assert (
        fast.paused_seconds,
        fast.outside_calendar_seconds,
        fast.excluded_seconds,
        fast.net_seconds,
    ) == (slow.paused_seconds, slow.outside_calendar_seconds, slow.excluded_seconds, slow.net_seconds)
    assert fast.original_breach_at == slow.original_breach_at
    assert fast.breach_at == slow.breach_at
    assert fast.is_breached_adjusted == (slow.breach_at is not None)
    assert fast.is_breached_raw == (slow.original_breach_at is not None)

    # The pieces tile the clock without gap or overlap.
    stopped = sum(piece.to_s - piece.from_s for piece in fast.pieces if piece.clock_class == "stopped")
    assert stopped == slow.stopped_seconds
    assert sum(piece.to_s - piece.from_s for piece in fast.pieces) == fast.wall_seconds + stopped
    for before, after in zip(fast.pieces, fast.pieces[1:], strict=False):
        assert before.to_s == after.from_s


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(("ie_extended", "us_business", "in_business")))
def test_interval_arithmetic_equals_counting_second_by_second(seed: int, calendar_code: str) -> None:
    """Two hours around an opening, with events and windows at odd seconds."""
    rng = random.Random(seed)
    start = {
        "ie_extended": utc("2025-03-30 00:00:07"),  # opens 00:30 local, clocks change half an hour later
        "us_business": utc("2025-03-10 11:11:11"),  # first morning of summer time
        "in_business": utc("2025-01-01 03:01:01"),  # first opening at 09:00 instead of 09:30
    }[calendar_code]
    offsets = sorted(rng.randrange(7200) for _ in range(4))
    events = make_events(
        [
            ((start + timedelta(seconds=offset)).strftime("%Y-%m-%d %H:%M:%S"), rng.choice(sorted(ROLES)), 3)
            for offset in [0, *offsets]
        ],
        "",
        "sre",
    )
    first = to_seconds(start) + rng.randrange(5000)
    windows = [(first, first + rng.randrange(3000)), (first + 100, first + 200)]
    definition, target = make_definition("running_through"), make_target(rng.randrange(1, 3600))
    as_of = start + timedelta(seconds=7200)
    calendar = REFERENCE.calendars[calendar_code]
    fast = ticket_slt(events, definition, target, calendar, merge_windows(windows), as_of)
    slow = brute_force_slt(events, definition, target, WALL_CLOCKS[calendar_code], windows, as_of, step=1)
    assert (fast.net_seconds, fast.excluded_seconds, fast.paused_seconds, fast.outside_calendar_seconds) == (
        slow.net_seconds,
        slow.excluded_seconds,
        slow.paused_seconds,
        slow.outside_calendar_seconds,
    )
    assert (fast.breach_at, fast.original_breach_at) == (slow.breach_at, slow.original_breach_at)


# ------------------------------------------------------------------------------- clock: single rules


REOPENED = (
    ("2025-04-01 00:00:00", "new", 3),
    ("2025-04-01 02:00:00", "resolved", 3),
    ("2025-04-01 03:00:00", "in_progress", 3),
    ("2025-04-01 04:00:00", "on_hold", 3),
    ("2025-04-01 06:00:00", "resolved", 3),
    ("2025-04-01 07:00:00", "closed", 3),
)


@pytest.mark.parametrize(
    ("reopen_policy", "start_at", "stop_at", "net_hours", "paused_hours"),
    [
        ("first_stop", "2025-04-01 00:00:00", "2025-04-01 02:00:00", 2, 0),
        ("running_through", "2025-04-01 00:00:00", "2025-04-01 06:00:00", 4, 2),
        ("resume", "2025-04-01 00:00:00", "2025-04-01 06:00:00", 3, 2),
        ("new_cycle", "2025-04-01 03:00:00", "2025-04-01 06:00:00", 1, 2),
    ],
)
def test_reopen_policies(reopen_policy: str, start_at: str, stop_at: str, net_hours: int, paused_hours: int) -> None:
    result = ticket_slt(
        make_events(REOPENED, "", "sre"),
        make_definition(reopen_policy),
        make_target(3600),
        REFERENCE.calendars["always"],
        [],
        utc("2025-04-02 00:00:00"),
    )
    assert (result.start_at, result.stop_at) == (utc(start_at), utc(stop_at))
    assert (result.net_seconds, result.paused_seconds) == (net_hours * 3600, paused_hours * 3600)


def test_unknown_reopen_policy_is_refused() -> None:
    with pytest.raises(ValueError, match="reopen_policy 'for_ever' is not one of first_stop"):
        make_definition("for_ever")


def test_state_without_a_role_is_refused_with_the_file_to_mend() -> None:
    events = make_events((("2025-04-01 00:00:00", "pondering", 3),), "", "sre")
    with pytest.raises(ValueError, match=r"no clock_role for ticket_state 'pondering'.*slt_condition\.csv"):
        ticket_slt(
            events,
            make_definition(),
            make_target(1),
            REFERENCE.calendars["always"],
            [],
            utc("2025-04-02 00:00:00"),
        )


def test_history_before_the_opening_is_invalid() -> None:
    events = make_events((("2025-04-01 12:00:00", "new", 3), ("2025-04-01 09:00:00", "resolved", 3)), "", "sre")
    result = ticket_slt(
        events,
        make_definition(),
        make_target(1),
        REFERENCE.calendars["always"],
        [],
        utc("2025-04-02 00:00:00"),
    )
    assert (result.slt_status, result.stop_at, result.net_seconds) == ("invalid", None, 0)


def test_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        to_seconds(datetime(2025, 4, 1))  # noqa: DTZ001


def test_segment_in_the_hour_that_does_not_exist_is_not_open_twice() -> None:
    """01:00-02:00 Dublin on 2025-03-30 is skipped by the clocks: the opening has no length."""
    calendar = Calendar("test", "Europe/Dublin", [CalendarSegment(7, 3600, 7200, date(2015, 1, 1), None)])
    assert sum(end - start for start, end in calendar.openings_on(date(2025, 3, 30))) == 0
    assert sum(end - start for start, end in calendar.openings_on(date(2025, 3, 23))) == 3600


@pytest.mark.parametrize("time_zone", ["Pacific/Kiritimati", "Pacific/Auckland", "Pacific/Pago_Pago"])
def test_no_zone_loses_a_day_at_the_edges(time_zone: str) -> None:
    """Open all day in a zone up to 14 hours from UTC: every second of any window is open."""
    segments = [CalendarSegment(weekday, 0, 86_400, date(2015, 1, 1), None) for weekday in range(1, 8)]
    calendar = Calendar("test", time_zone, segments)
    for hour in range(24):
        start = to_seconds(utc(f"2025-04-05 {hour:02d}:00:00"))
        assert sum(end - begin for begin, end in calendar.openings(start, start + 7200)) == 7200


def test_a_ticket_without_target_row_has_no_result() -> None:
    company = golden_company()
    company.tickets = [
        make_ticket(1, make_events((("2025-04-01 00:00:00", "new", 9),), "identity", "sre"), "no such priority")
    ]
    assert calculate_ticket_slts(company) == []


def test_the_service_at_the_moment_of_the_policy_chooses_target_and_calendar() -> None:
    company = golden_company()
    events = make_events((("2025-04-01 00:00:00", "new", 2),), "payments", "sre")
    events += make_events((("2025-04-01 01:00:00", "in_progress", 2),), "vpn", "sre")
    company.tickets = [make_ticket(1, events, "moved")]
    results = {item.slt_code: item for item in calculate_ticket_slts(company)}
    response, resolution = results["incident_response"], results["incident_resolution"]
    assert (response.service_code, response.target_seconds) == ("payments", 1800)
    assert (resolution.service_code, resolution.target_seconds) == ("vpn", 28800)


# -------------------------------------------------------------------------------------- availability


def test_availability_equals_counting_minute_by_minute() -> None:
    rng = random.Random(7)
    company = golden_company()
    created = utc("2025-03-10 06:00:00")
    company.as_of_at = utc("2025-03-16 00:00:00")
    company.monitors = [Monitor(9, "payments", "payments", created)]
    at = created + timedelta(minutes=200)
    company.transitions = []
    state = "OK"
    while at < company.as_of_at:
        following = rng.choice(["OK", "Warn", "Alert", "No Data"])
        company.transitions.append(MonitorTransition(f"t{len(company.transitions)}", 9, at, state, following))
        state, at = following, at + timedelta(minutes=rng.randrange(1, 600))
    maintenance = (utc("2025-03-12 06:00:00"), utc("2025-03-12 10:30:00"))  # overlaps EXR-0001 from 09:00
    company.downtimes = [
        replace(
            golden_company().downtimes[0],
            service_code="payments",
            start_at=maintenance[0],
            end_at=maintenance[1],
        )
    ]
    excluded = (utc("2025-03-12 09:00:00"), utc("2025-03-13 02:00:00"))  # EXR-0001 and EXR-0008

    counts: Counter[str] = Counter()
    minute = created
    while minute < company.as_of_at:
        known = [item.destination_state for item in company.transitions if item.at <= minute]
        state = known[-1] if known else ""
        kind = "up" if state in ("OK", "Warn") else "down" if state == "Alert" else "unknown"
        counts[kind] += 60
        if maintenance[0] <= minute < maintenance[1]:
            counts["maintenance"] += 60
        elif excluded[0] <= minute < excluded[1]:
            counts["excluded"] += 60
        else:
            counts["adjusted_" + kind] += 60
        minute += timedelta(minutes=1)

    (row,) = calculate_availability(company)
    assert row.period_month == date(2025, 3, 1)
    assert {
        "up": row.up_seconds,
        "down": row.down_seconds,
        "unknown": row.unknown_seconds,
        "maintenance": row.maintenance_seconds,
        "excluded": row.excluded_seconds,
        "adjusted_up": row.adjusted_up_seconds,
        "adjusted_down": row.adjusted_down_seconds,
    } == {name: counts[name] for name in counts if name != "adjusted_unknown"}


def test_downtime_canceled_beforehand_removes_nothing() -> None:
    company = golden_company()
    (april,) = [row for row in calculate_availability(company) if row.period_month == date(2025, 4, 1)]
    # The window 00:00-04:00 was canceled, 03:00-05:00 was not.
    assert (april.maintenance_seconds, april.down_seconds, april.adjusted_down_seconds) == (
        7200,
        14400,
        10800,
    )


@pytest.mark.parametrize(
    ("canceled_at", "maintenance_seconds", "adjusted_down_seconds"),
    [
        # The alert is 00:00-04:00 and the window 01:00-03:00.
        pytest.param(None, 7200, 7200, id="kept"),
        pytest.param("2025-04-10 00:30:00", 0, 14400, id="before_it_began"),
        pytest.param("2025-04-10 01:00:00", 0, 14400, id="as_it_began"),
        pytest.param("2025-04-10 01:45:00", 2700, 11700, id="while_it_ran"),
        pytest.param("2025-04-10 03:00:00", 7200, 7200, id="as_it_ended"),
        pytest.param("2025-04-11 00:00:00", 7200, 7200, id="when_it_was_over"),
    ],
)
def test_downtime_takes_effect_until_it_is_canceled(
    canceled_at: str | None, maintenance_seconds: int, adjusted_down_seconds: int
) -> None:
    company = golden_company()
    company.downtimes = [
        replace(
            company.downtimes[0],
            start_at=utc("2025-04-10 01:00:00"),
            end_at=utc("2025-04-10 03:00:00"),
            canceled_at=utc(canceled_at) if canceled_at else None,
        )
    ]
    (april,) = [row for row in calculate_availability(company) if row.period_month == date(2025, 4, 1)]
    assert (april.maintenance_seconds, april.down_seconds, april.adjusted_down_seconds) == (
        maintenance_seconds,
        14400,
        adjusted_down_seconds,
    )


# ------------------------------------------------------------------------------------------- metrics


def test_the_version_in_force_decides_whether_exclusions_and_tolerance_count() -> None:
    """20 tickets a quarter, one forgiven: the raw version 1 misses it, the adjusted version 2 keeps it."""
    company = golden_company()
    company.tickets = [
        make_ticket(
            number,
            make_events(((f"{day} 00:00:00", "new", 3), (stopped_at, "resolved", 3)), "identity", "db-eng"),
            "",
        )
        for day, last in (("2024-08-01", "2024-08-01 16:00:01"), ("2025-02-01", "2025-02-01 16:00:01"))
        for number, stopped_at in enumerate([f"{day} 16:00:00"] * 19 + [last])
    ]
    results = {
        (item.metric_version, item.period_start_on): (item.numerator, item.denominator)
        for item in calculate_reference(company).metrics
        if item.metric_code == "slt_attainment"
        and item.entity_code == "db-eng"
        and item.period_grain == "quarter"
        and item.denominator
    }
    assert results == {(1, date(2024, 7, 1)): (19, 20), (2, date(2025, 1, 1)): (20, 20)}


def test_too_few_tickets_pay_nothing() -> None:
    company = golden_company()
    company.tickets = [item for item in company.tickets if item.number != "INC0001001"]  # 19 of 20 left
    reference = calculate_reference(company)
    (metric,) = [
        item
        for item in reference.metrics
        if (item.metric_code, item.entity_code, item.period_grain, item.period_start_on)
        == ("slt_attainment", "sd-emea", "quarter", date(2025, 4, 1))
    ]
    assert (metric.sample_count, metric.metric_value, metric.result_status) == (19, None, "insufficient_data")
    lines = [item for item in reference.payouts if item.employee_number == "e2001"]
    assert {item.payout_amount for item in lines} == {Decimal("0.00")}


# --------------------------------------------------------------------------------------------- money


@given(st.lists(st.fractions(0, 10_000, max_denominator=9_999), min_size=1, max_size=12))
def test_largest_remainder_keeps_the_total_and_moves_no_line_by_a_cent(amounts: list[Fraction]) -> None:
    lines = largest_remainder(amounts)
    assert sum(lines) * 100 == half_up_cents(sum(amounts))
    for exact, line in zip(amounts, lines, strict=True):
        assert abs(Fraction(line) - exact) < Fraction(1, 100)


@given(st.integers(0, 10**9), st.integers(1, 10**9))
def test_half_up_share_is_decimal_half_up(numerator: int, denominator: int) -> None:
    numerator %= denominator + 1
    # Enough digits to be exact about the half: the quotient either ends or is not a half.
    quotient = (Decimal(numerator) / Decimal(denominator)).quantize(Decimal("1e-6"), rounding=ROUND_HALF_UP)
    assert half_up_share(numerator, denominator) == Fraction(quotient)


def make_employee(hired: str, terminated: str | None = None) -> Employee:
    return Employee(
        "1",
        "e1",
        "A",
        "a@example.com",
        "IE",
        date.fromisoformat(hired),
        date.fromisoformat(terminated) if terminated else None,
        True,
    )


def make_terms(*rows: tuple[str, str, str]) -> tuple[list[JobInfo], list[IncentiveTarget]]:
    jobs, targets = [], []
    for number, (on, team_code, amount) in enumerate(rows, start=1):
        jobs.append(JobInfo(str(number), "1", date.fromisoformat(on), team_code, ""))
        targets.append(IncentiveTarget(str(number), "1", date.fromisoformat(on), Decimal(amount), "EUR"))
    return jobs, targets


@pytest.mark.parametrize(
    ("hired", "terminated", "rows", "expected"),
    [
        ("2020-01-01", None, [("2020-01-01", "sre", "100")], [("2025-01-01", "2025-03-31", 90)]),
        ("2020-01-01", "2025-01-01", [("2020-01-01", "sre", "100")], []),
        ("2020-01-01", "2025-01-02", [("2020-01-01", "sre", "100")], [("2025-01-01", "2025-01-01", 1)]),
        ("2025-03-31", None, [("2025-03-31", "sre", "100")], [("2025-03-31", "2025-03-31", 1)]),
        ("2025-04-01", None, [("2025-04-01", "sre", "100")], []),
        (  # a row that changes nothing does not split
            "2020-01-01",
            None,
            [("2020-01-01", "sre", "100"), ("2025-02-01", "sre", "100.00")],
            [("2025-01-01", "2025-03-31", 90)],
        ),
        (  # a raise does
            "2020-01-01",
            None,
            [("2020-01-01", "sre", "100"), ("2025-02-01", "sre", "110")],
            [("2025-01-01", "2025-01-31", 31), ("2025-02-01", "2025-03-31", 59)],
        ),
        (  # of two rows on one day the one entered later holds
            "2020-01-01",
            None,
            [("2020-01-01", "sre", "100"), ("2025-02-01", "vpn", "110"), ("2025-02-01", "sre", "100")],
            [("2025-01-01", "2025-03-31", 90)],
        ),
    ],
)
def test_pay_segments(hired: str, terminated: str | None, rows: list, expected: list) -> None:
    jobs, targets = make_terms(*rows)
    segments = pay_segments(make_employee(hired, terminated), jobs, targets, date(2025, 1, 1), date(2025, 4, 1))
    found = [
        (item.segment_start_on.isoformat(), item.segment_end_on.isoformat(), item.segment_days) for item in segments
    ]
    assert found == expected


# ------------------------------------------------------------------------- pay desk on the real company


@pytest.fixture(scope="module")
def company() -> Company:
    return build_company(ticket_count=3000)


@pytest.fixture(scope="module")
def desk(company: Company) -> PayDesk:
    return run_pay_desk(company)


PAYROLL_FAULTS = {
    "payroll_line_off_by_one_cent": "amount_differs",
    "payroll_line_missing": "missing_right",
    "payroll_line_duplicated": "duplicate",
    "payroll_line_not_entitled": "missing_left",
    "payroll_line_in_wrong_period": "wrong_period",
    "payroll_line_in_wrong_currency": "wrong_currency",
}

PAY_STATUSES = {"amount_differs", "missing_left", "missing_right", "duplicate", "wrong_period", "wrong_currency"}


def planted_rows(company: Company, name: str) -> dict[tuple[str, str, str], tuple[str, str, str]]:
    """Expected (status, calculated, booked) by (quarter, party, currency) out of the planted facts."""
    rows = {}
    for fact in company.planted:
        for row in fact.detail.get(name, []):
            party = row.get("employee_number") or row["cost_centre_code"]
            key = (row["earned_quarter"], party, row["currency_code"])
            assert key not in rows, "two faults meet in one row"
            rows[key] = (row["status"], row["calculated_amount"], row["booked_amount"])
    return rows


def test_every_fault_is_planted_once(company: Company, desk: PayDesk) -> None:
    codes = Counter(fact.code for fact in company.planted)
    for code in [*PAYROLL_FAULTS, "ledger_line_in_wrong_fiscal_period"]:
        assert codes[code] == 1, code
    for fact in company.planted:
        if fact.code in PAYROLL_FAULTS:
            statuses = {row["status"] for row in fact.detail["expected_payout_to_payroll"]}
            assert statuses == {PAYROLL_FAULTS[fact.code]}


def test_reconciliation_shows_the_faults_and_nothing_else(company: Company, desk: PayDesk) -> None:
    reconciliation = expected_reconciliation(company, desk)
    for name, rows in (
        ("expected_payout_to_payroll", reconciliation.payout_to_payroll),
        ("expected_payout_to_gl", reconciliation.payout_to_gl),
    ):
        found = {
            (row.earned_quarter, row.party, row.currency_code): (
                row.status,
                str(row.calculated_amount),
                str(row.booked_amount),
            )
            for row in rows
            if row.status not in ("matched", "timing")
        }
        assert found == planted_rows(company, name)
        # The last quarter is due after as_of; everything else is matched.
        assert {row.earned_quarter for row in rows if row.status == "timing"} == {"2025-Q4"}
        assert sum(row.status == "matched" for row in rows) > 10


def test_every_finding_is_planted_three_times(company: Company, desk: PayDesk) -> None:
    """By the facts alone; the two that mean a source is absent, or that nothing is due yet, are nobody's fault."""
    for name, statuses in (
        ("expected_payout_to_payroll", PAY_STATUSES),
        ("expected_payout_to_gl", PAY_STATUSES),
        ("expected_accrual_to_payment", PAY_STATUSES),
        ("expected_accrual_to_gl", PAY_STATUSES),
        ("expected_hris_to_payroll", PAY_STATUSES - {"wrong_period"}),
        ("expected_withholding_to_payroll", {"amount_differs", "missing_left", "missing_right"}),
    ):
        counts = Counter(row["status"] for fact in company.planted for row in fact.detail.get(name, []))
        assert counts.keys() == statuses, name
        assert min(counts.values()) >= 3, (name, counts)


def test_faults_never_meet_in_one_quarter_and_cost_centre(company: Company, desk: PayDesk) -> None:
    slots: list[tuple[str, str]] = []
    for fact in company.planted:
        slots += {
            (row["earned_quarter"], row["cost_centre_code"]) for row in fact.detail.get("expected_payout_to_gl", [])
        }
    assert len(slots) == len(set(slots)) == 26


def test_a_second_run_plants_the_same_faults_again(company: Company, desk: PayDesk) -> None:
    before = list(company.planted)
    payroll = payroll_lines(company, desk.payouts)
    journal = journal_lines(company, payroll)
    assert (payroll, journal) == (desk.payroll, desk.journal)
    assert company.planted == before


def test_an_earlier_as_of_shows_the_same_faults_as_far_as_they_go(company: Company, desk: PayDesk) -> None:
    earlier = company_as_of(company, datetime(2025, 6, 1, tzinfo=UTC))
    run_pay_desk(earlier)

    def faults(of: Company) -> dict[str, str]:
        codes = (*PAYROLL_FAULTS, "ledger_line_in_wrong_fiscal_period")
        return {fact.code: fact.detail["settled_at"] for fact in of.planted if fact.code in codes}

    assert faults(earlier) == {
        code: settled_at for code, settled_at in faults(company).items() if settled_at <= "2025-06-01 00:00:00"
    }
    assert len(faults(earlier)) == 4


def test_payroll_without_its_faults_is_the_payout(company: Company, desk: PayDesk) -> None:
    """Person, quarter and currency: all but the planted ones are paid exactly what was calculated."""
    faulty = set(planted_rows(company, "expected_payout_to_payroll"))
    calculated: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for line in desk.payouts:
        if line.earned_quarter != "2025-Q4":
            calculated[line.earned_quarter, line.employee_number, line.currency_code] += line.payout_amount
    paid: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for item in desk.payroll:
        if item.earning_code == "INC":
            paid[item.earned_quarter, item.employee_number, item.currency_code] += item.amount
    clean = {key: amount for key, amount in calculated.items() if amount and key not in faulty}
    assert clean == {key: amount for key, amount in paid.items() if key not in faulty}
    assert len(clean) > 200


def test_everybody_is_paid_a_base_for_the_days_employed(company: Company, desk: PayDesk) -> None:
    left_out = {
        (row["employee_number"], row["period_code"])
        for fact in company.planted
        if fact.code.startswith("base_line_missing_")
        for row in fact.detail["expected_hris_to_payroll"]
    }
    lines = {(item.employee_number, item.pay_period): item for item in desk.payroll if item.earning_code == "BASE"}
    for employee in company.employees:
        for month in range(1, 13):
            first = date(2025, month, 1)
            last = date(2025, month + 1, 1) - timedelta(days=1) if month < 12 else date(2025, 12, 31)
            is_employed = employee.hired_on <= last and (
                employee.terminated_on is None or employee.terminated_on > first
            )
            key = (employee.employee_number, f"2025-{month:02d}")
            assert (key in lines) == (is_employed and key not in left_out), key


def test_drops_are_whole_months_of_balanced_vouchers(company: Company, desk: PayDesk, tmp_path: Path) -> None:
    write_drops(company, tmp_path / "payroll", tmp_path / "ledger", desk)
    months = [f"2024-{month:02d}" for month in range(7, 13)] + [f"2025-{month:02d}" for month in range(1, 13)]
    assert sorted(path.name for path in (tmp_path / "payroll").iterdir()) == [
        f"payroll_register_{month}.csv" for month in months
    ]
    assert sorted(path.name for path in (tmp_path / "ledger").iterdir()) == [f"journal_{month}.csv" for month in months]

    register: list[dict[str, str]] = []
    for month in months:
        text = (tmp_path / "payroll" / f"payroll_register_{month}.csv").read_text(encoding="utf-8")
        rows = list(csv.DictReader(text.splitlines()))
        assert tuple(rows[0]) == REGISTER_COLUMNS
        assert {row["pay_period"] for row in rows} == {month}
        register += rows
    assert len({row["payroll_line_id"] for row in register}) == len(register) == len(desk.payroll)

    expense: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for month in months:
        text = (tmp_path / "ledger" / f"journal_{month}.csv").read_text(encoding="utf-8")
        rows = list(csv.DictReader(text.splitlines()))
        assert tuple(rows[0]) == JOURNAL_COLUMNS
        balances: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for row in rows:
            debit, credit = Decimal(row["debit_amount"]), Decimal(row["credit_amount"])
            assert (debit == 0) != (credit == 0)
            assert debit >= 0 <= credit
            balances[row["voucher_number"], row["currency"]] += debit - credit
            if row["account"] in ("6100", "6210"):
                expense[month, row["currency"]] += debit
        assert set(balances.values()) == {Decimal(0)}
        assert len({number for number, _ in balances}) == len(balances)
    paid: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in register:
        # what is withheld is cost all the same
        if row["earning_code"] != "TAX-INC":
            paid[row["pay_period"], row["currency"]] += Decimal(row["amount"])
    payment_periods = {line.earned_quarter: line.payment_period for line in desk.payouts}
    for fact in company.planted:
        if fact.code.startswith("ledger_line_"):
            for row in fact.detail["expected_payout_to_gl"]:
                paid[payment_periods[row["earned_quarter"]], row["currency_code"]] += Decimal(row["difference_amount"])
    assert paid == expense


def test_only_one_ledger_line_leaves_its_month(company: Company, desk: PayDesk) -> None:
    moved = [line for line in desk.journal if line.fiscal_period != f"{line.posted_on:%Y-%m}"]
    (fact,) = [item for item in company.planted if item.code == "ledger_line_in_wrong_fiscal_period"]
    assert [(line.voucher_number, line.line_number, line.fiscal_period) for line in moved] == [
        (fact.detail["voucher_number"], fact.detail["line_number"], fact.detail["fiscal_period"])
    ]


def test_payments_wait_for_the_end_of_their_month(company: Company) -> None:
    """A day before the payment month ends nothing of the quarter is paid; with its end all of it is."""
    golden = golden_company()
    golden.as_of_at = datetime(2025, 7, 31, tzinfo=UTC)
    assert not [line for line in run_pay_desk(golden).payroll if line.earning_code == "INC"]
    golden.as_of_at = datetime(2025, 8, 1, tzinfo=UTC)
    paid = {
        line.employee_number: line.amount
        for line in run_pay_desk(golden).payroll
        if line.earned_quarter == "2025-Q2" and line.earning_code == "INC"
    }
    assert paid["e2003"] == Decimal("1244.74")
    assert "e2005" not in paid  # 0.00 is not paid


def test_a_transfer_is_costed_to_both_cost_centres() -> None:
    golden = golden_company()
    desk = run_pay_desk(golden)
    (line,) = [
        item
        for item in desk.payroll
        if (item.employee_number, item.earned_quarter, item.earning_code) == ("e2003", "2025-Q2", "INC")
    ]
    # 118.68 + 175.33 and 386.11 + 280.20 + 284.42
    assert dict(line.costing) == {"CC-1110": Decimal("294.01"), "CC-1210": Decimal("950.73")}
    assert line.cost_centre_code == "CC-1210"


def test_instants_round_trip() -> None:
    at = utc("2025-03-30 01:00:00")
    assert to_instant(to_seconds(at)) == at
