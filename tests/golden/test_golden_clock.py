"""The hand-worked clock cases against the reference calculation."""

from __future__ import annotations

import pytest

from ingestion.demo.reference_clock import TicketResult, calculate_ticket_slts, load_slt_reference
from tests.golden.clock_cases import CLOCK_CASES, Clock, ClockCase
from tests.golden.golden_company import case_number, golden_company, utc


@pytest.fixture(scope="module")
def results() -> dict[tuple[str, str], TicketResult]:
    found = calculate_ticket_slts(golden_company(), load_slt_reference())
    return {(item.ticket_number, item.slt_code): item for item in found}


@pytest.mark.parametrize(
    ("case", "expected"),
    [pytest.param(case, clock, id=f"{case.name}-{clock.slt_code}") for case in CLOCK_CASES for clock in case.expected],
)
def test_hand_worked_clock(case: ClockCase, expected: Clock, results: dict[tuple[str, str], TicketResult]) -> None:
    item = results[case_number(case), expected.slt_code]
    result = item.result

    def instant(text: str | None) -> object:
        return None if text is None else utc(text)

    assert {
        "slt_status": result.slt_status,
        "target_seconds": item.target_seconds,
        "start_at": result.start_at,
        "stop_at": result.stop_at,
        "net_seconds": result.net_seconds,
        "excluded_seconds": result.excluded_seconds,
        "paused_seconds": result.paused_seconds,
        "outside_calendar_seconds": result.outside_calendar_seconds,
        "wall_seconds": result.wall_seconds,
        "business_seconds": result.business_seconds,
        "is_breached_raw": result.is_breached_raw,
        "is_breached_adjusted": result.is_breached_adjusted,
        "is_forgiven": result.is_forgiven,
        "original_breach_at": result.original_breach_at,
        "breach_at": result.breach_at,
    } == {
        "slt_status": expected.slt_status,
        "target_seconds": expected.target_seconds,
        "start_at": utc(case.events[0][0]),
        "stop_at": instant(expected.stop_at),
        "net_seconds": expected.net_seconds,
        "excluded_seconds": expected.excluded_seconds,
        "paused_seconds": expected.paused_seconds,
        "outside_calendar_seconds": expected.outside_calendar_seconds,
        "wall_seconds": expected.wall_seconds,
        "business_seconds": expected.net_seconds + expected.excluded_seconds,
        "is_breached_raw": expected.is_breached_raw,
        "is_breached_adjusted": expected.is_breached_adjusted,
        "is_forgiven": expected.slt_status == "within_tolerance",
        "original_breach_at": instant(expected.original_breach_at),
        "breach_at": instant(expected.breach_at),
    }, case.working


def test_every_ticket_has_both_clocks(results: dict[tuple[str, str], TicketResult]) -> None:
    assert len(results) == 2 * len(golden_company().tickets)
