"""Outcomes as text, JSON and a page: what a person woken at night gets to read."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from expectations.outcomes import GateResult, Outcome, describe, headline, plain, render
from expectations.report import render_html, write_report


def outcome(name: str = "vouchers_balance", **changed: object) -> Outcome:
    values = {
        "check_name": name,
        "table": "raw_ledger.journal_line",
        "expectation_type": "UnexpectedRowsExpectation",
        "severity": "block",
        "success": False,
        "is_skipped": False,
        "skip_reason": None,
        "observed": "2 failing rows",
        "element_count": 3480,
        "unexpected_count": 2,
        "examples": [{"voucher_number": "V-1", "difference_amount": "0.01"}, {"voucher_number": "V-2"}],
        "description": "The debits of each voucher equal its credits.",
        "how_to_mend": "have the voucher mended",
    }
    return Outcome(**{**values, **changed})  # type: ignore[arg-type]


PASSED = outcome("passed", success=True, unexpected_count=0, examples=[])
WARNED = outcome("warned", severity="warn")
SKIPPED = outcome("skipped", success=True, is_skipped=True, skip_reason="ledger is absent: LEDGER_DROP_PATH is not set")
BROKEN = outcome("broken", error="Binder Error: no column x", unexpected_count=None, element_count=None, examples=[])


def test_only_a_failed_blocking_check_closes_a_gate() -> None:
    assert GateResult("raw", [PASSED, WARNED, SKIPPED]).is_open
    assert not GateResult("raw", [PASSED, outcome()]).is_open
    assert not GateResult("raw", [BROKEN]).is_open


def test_every_outcome_is_counted_once() -> None:
    result = GateResult("raw", [PASSED, WARNED, SKIPPED, outcome(), BROKEN], 1.25)
    kinds = (result.passed, result.blocking, result.warnings, result.skipped)
    assert sorted(o.check_name for kind in kinds for o in kind) == sorted(o.check_name for o in result.outcomes)
    assert headline(result) == "gate raw: CLOSED; 1 passed, 2 failed, 1 warned, 1 skipped in 1.2 s"


def test_a_failure_names_expectation_table_rows_example_and_mending() -> None:
    text = describe(outcome())
    for part in (
        "UnexpectedRowsExpectation on raw_ledger.journal_line",
        "2 of 3,480",
        "voucher_number=V-1, difference_amount=0.01",
        "to mend: have the voucher mended",
    ):
        assert part in text


def test_what_could_not_be_judged_says_why() -> None:
    assert "not judged: Binder Error: no column x" in describe(BROKEN)


def test_rendering_tells_why_checks_were_skipped() -> None:
    text = render(GateResult("raw", [PASSED, SKIPPED, SKIPPED]))
    assert "skipped 2 checks: ledger is absent: LEDGER_DROP_PATH is not set" in text


def test_a_result_survives_json() -> None:
    result = GateResult("raw", [outcome(requirements=("LTI-7.5",)), SKIPPED, BROKEN], 0.5)
    assert GateResult.from_json(result.to_json()) == result


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Decimal("0.10"), "0.10"),
        (datetime.fromisoformat("2025-03-30T01:00:00"), "2025-03-30 01:00:00"),
        (date(2025, 3, 30), "2025-03-30"),
        (b"\xff", "ff"),
        ({"a": [Decimal("1.5"), None]}, {"a": ["1.5", None]}),
        (True, True),
    ],
)
def test_values_become_plain(value: object, expected: object) -> None:
    assert plain(value) == expected


def test_page_shows_failures_and_escapes_what_it_shows() -> None:
    hostile = outcome(examples=[{"number": "<script>alert(1)</script>"}], how_to_mend="a & b")
    page = render_html([GateResult("raw", [hostile, PASSED, SKIPPED])], {"raw": datetime(2026, 1, 5, tzinfo=UTC)})
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page and "<script" not in page
    assert "a &amp; b" in page and "2 of 3,480" in page and "2026-01-05 00:00 UTC" in page
    assert "closed" in page and "not judged" in page  # the gates that have not run yet


def test_page_needs_nothing_from_another_host() -> None:
    page = render_html([GateResult("marts", [outcome()])])
    assert not re.search(r'(src|href)=(?!"#)', page)
    assert "//" not in page.replace("<!--", "")
    assert "default-src 'none'" in page


def test_report_keeps_gates_judged_at_different_times(tmp_path: Path) -> None:
    write_report([GateResult("raw", [PASSED])], tmp_path)
    page = write_report([GateResult("staging", [outcome("second")])], tmp_path)
    text = page.read_text(encoding="utf-8")
    assert "Closed: staging." in text and 'href="#raw"' in text and "second" in text
    write_report([GateResult("staging", [PASSED])], tmp_path)
    assert "Every gate that was judged is open." in page.read_text(encoding="utf-8")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "gate_raw.json",
        "gate_staging.json",
        "index.html",
    ]
