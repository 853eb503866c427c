"""QuickBooks' nested report as journal lines: from the demonstration server, and where it contradicts itself."""
# ruff: noqa: E501 (the rows stand one a line)

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from ingestion.contracts import InconsistentExtractError, Page, SourceError, Window
from ingestion.demo.company import build_company
from ingestion.demo.faults import FaultPlan, FaultRule, Reply
from ingestion.demo.served_quickbooks import ServedQuickBooks
from ingestion.demo.server import DemoServer
from ingestion.json_records import parse_page
from ingestion.sources.quickbooks import JOURNAL_LINE, QUICKBOOKS, SECTIONS, Report, journal_lines, read_columns

AUGUST = Window.of_month(date(2025, 8, 1))
COLUMNS = ("tx_date", "txn_type", "debit_amount", "credit_amount")


def data(day: str, transaction: str, debit: str = "", credit: str = "") -> dict[str, Any]:
    cells = [{"value": day}, {"value": "Bill", "id": transaction}, {"value": debit}, {"value": credit}]
    return {"ColData": cells, "type": "Data"}


def section(title: str, key: str, rows: list[dict[str, Any]], debit: str = "", credit: str = "") -> dict[str, Any]:
    return {
        "Header": {"ColData": [{"value": title, "id": key}, {"value": ""}, {"value": ""}, {"value": ""}]},
        "Rows": {"Row": rows},
        "Summary": {"ColData": [{"value": f"Total for {title}"}, {"value": ""}, {"value": debit}, {"value": credit}]},
        "type": "Section",
    }


OPENING = {"ColData": [{"value": "Beginning Balance"}, {"value": ""}, {"value": ""}, {"value": ""}], "type": "Data"}


def tree() -> list[dict[str, Any]]:
    """Hosting and messaging below services, and what is owed: one bill of 30.10 in three lines, two of one account."""
    hosting = section("Hosting", "61", [data("2025-08-02", "7", "10.05"), data("2025-08-02", "7", "20.05")], "30.10")
    messaging = section(
        "Messaging", "62", [data("2025-08-03", "8", "1.00"), data("2025-08-09", "9", "", "0.25")], "1.00", "0.25"
    )
    services = section("Services", "60", [hosting, messaging], "31.10", "0.25")
    payable = section(
        "Payable", "33", [OPENING, data("2025-08-02", "7", "", "30.10"), data("2025-08-03", "8", "", "1.00"), data("2025-08-09", "9", "0.25")], "0.25", "31.10",
    )  # fmt: skip
    return [services, payable]


def lines(rows: list[dict[str, Any]]) -> list[Any]:
    report = Report(COLUMNS, rows, "here", "USD")
    return journal_lines(report, JOURNAL_LINE, date(2025, 8, 1), date(2025, 8, 31))


def test_every_line_knows_its_sections_and_its_place() -> None:
    found = [record.values for record in lines(tree())]
    assert [
        (row["transaction_id"], row["account_id"], row["line_number"], row["section_path"]) for row in found if row
    ] == [
        ("7", "61", "1", "Services > Hosting"),
        ("7", "61", "2", "Services > Hosting"),
        ("8", "62", "1", "Services > Messaging"),
        ("9", "62", "1", "Services > Messaging"),
        ("7", "33", "1", "Payable"),
        ("8", "33", "1", "Payable"),
        ("9", "33", "1", "Payable"),
    ]
    assert {row["currency"] for row in found if row} == {"USD"}


def test_the_row_is_kept_as_it_came() -> None:
    first = json.loads(lines(tree())[0].text)
    assert first["row"] == data("2025-08-02", "7", "10.05") and first["section_path"] == ["Services", "Hosting"]


def test_two_lines_that_say_the_same_are_two_records() -> None:
    rows = [section("Hosting", "61", [data("2025-08-02", "7", "20.00"), data("2025-08-02", "7", "20.00")], "40.00")]
    one, other = lines(rows)
    assert one.text != other.text and [record.values["line_number"] for record in (one, other)] == ["1", "2"]


@pytest.mark.parametrize("path", [(0, "Rows", "Row", 0), (0,), (1,)], ids=["inner", "outer", "other"])
@pytest.mark.parametrize("cell", [2, 3])
def test_a_total_that_does_not_add_up_is_refused(path: tuple[Any, ...], cell: int) -> None:
    rows = copy.deepcopy(tree())
    holder: Any = rows
    for step in path:
        holder = holder[step]
    holder["Summary"]["ColData"][cell]["value"] = "31.11"
    with pytest.raises(InconsistentExtractError, match="its lines sum to"):
        lines(rows)


def test_a_lost_line_is_noticed_by_its_total() -> None:
    rows = tree()
    del rows[0]["Rows"]["Row"][0]["Rows"]["Row"][1]
    with pytest.raises(InconsistentExtractError, match=r"Services > Hosting says '30.10' .* sum to 10.05"):
        lines(rows)


def test_a_section_without_its_total_was_cut() -> None:
    rows = tree()
    del rows[1]["Summary"]
    with pytest.raises(InconsistentExtractError, match="Payable ends without its total"):
        lines(rows)


def test_a_grand_total_closes_what_stands_before_it() -> None:
    total = {"Summary": {"ColData": [{"value": "TOTAL"}, {"value": ""}, {"value": "31.35"}, {"value": "31.35"}]}}
    assert len(lines([*tree(), total])) == 7
    total["Summary"]["ColData"][3]["value"] = "31.36"
    with pytest.raises(InconsistentExtractError, match="the report"):
        lines([*tree(), total])


def test_a_line_of_another_month_is_refused() -> None:
    rows = tree()
    rows[1]["Rows"]["Row"][1]["ColData"][0]["value"] = "2025-09-01"
    with pytest.raises(InconsistentExtractError, match="dated 2025-09-01"):
        lines(rows)


def test_a_line_that_cannot_be_read_is_rejected_with_its_bytes() -> None:
    short = {"ColData": [{"value": "2025-08-02"}], "type": "Data"}
    nobody = {"ColData": [{"value": "2025-08-02"}, {"value": "Bill"}, {"value": "0.00"}, {"value": ""}], "type": "Data"}
    word = data("2025-08-02", "7", "much")
    found = lines([section("Hosting", "61", [short, nobody, word])])
    assert [record.reason for record in found] == [
        "wrong_column_count: 1 instead of 4",
        "missing_key: transaction_id",
        "not_an_amount: debit_amount",
    ]
    assert all(record.raw and b'"row"' in record.raw for record in found)


def test_a_report_cut_at_the_cell_limit_is_refused() -> None:
    limit = data("Unable to display more data. Please reduce the date range.", "")
    with pytest.raises(SourceError, match="more cells"):
        lines([section("Hosting", "61", [limit])])


def test_columns_are_read_by_key_and_not_by_title() -> None:
    envelope = {"Columns": {"Column": [
        {"ColTitle": "Datum", "ColType": "tx_date"},
        {"ColTitle": "Soll", "ColType": "Amount", "MetaData": [{"Name": "ColKey", "Value": "debt_amt"}]},
    ]}}  # fmt: skip
    assert read_columns(envelope, "here") == ("tx_date", "debit_amount")
    with pytest.raises(InconsistentExtractError, match="names no columns"):
        read_columns({}, "here")


@pytest.mark.parametrize(
    ("body", "count"),
    [
        (b'{"Header":{"a":1},"Rows":{"Row":[{"x":1},{"x":2}]}}', 2),
        (b'{"Rows":{"other":[1],"Row":[]},"Header":{}}', 0),
        (b'{"Rows":{},"Header":{}}', 0),
    ],
)
def test_records_inside_an_object_are_found(body: bytes, count: int) -> None:
    records, envelope = parse_page(body, SECTIONS)
    assert len(records) == count and "Header" in envelope


def test_a_report_without_its_object_of_rows_is_no_report() -> None:
    with pytest.raises(ValueError, match="no list"):
        parse_page(b'{"Header":{}}', SECTIONS)


# --- by HTTP ---


@pytest.fixture(scope="module")
def company() -> Any:
    return build_company(ticket_count=300)


@pytest.fixture
def served(company: Any, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[DemoServer]:
    plan = FaultPlan(getattr(request, "param", None))
    with DemoServer(company, plan, with_drops=False) as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        yield server


def extracted(window: Window) -> list[Page]:
    return list(QUICKBOOKS.pages(JOURNAL_LINE, window, lambda _: None))


def test_the_books_of_a_month_balance_by_transaction(served: DemoServer) -> None:
    (page,) = extracted(AUGUST)
    sums: dict[str, Decimal] = {}
    for record in page.records:
        assert record.reason is None and record.values
        amount = Decimal(record.values["debit_amount"] or "0") - Decimal(record.values["credit_amount"] or "0")
        sums[record.values["transaction_id"]] = sums.get(record.values["transaction_id"], Decimal(0)) + amount
    assert len(sums) >= 3 and set(sums.values()) == {Decimal(0)}
    assert any(record.values["section_path"] == "Vendor services > Messaging services" for record in page.records)


def test_a_token_is_fetched_where_none_is_given(served: DemoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    (books,) = [system for system in served.systems if isinstance(system, ServedQuickBooks)]
    monkeypatch.delenv("QUICKBOOKS_ACCESS_TOKEN")
    for name, value in books.oauth_environment().items():
        monkeypatch.setenv(name, value)
    assert extracted(AUGUST)[0].records
    monkeypatch.setenv("QUICKBOOKS_REFRESH_TOKEN", "one-that-has-ended")
    with pytest.raises(SourceError, match="a refresh token that has ended has to be consented to anew") as error:
        extracted(AUGUST)
    assert "one-that-has-ended" not in str(error.value)


def test_a_month_without_entries_says_so(served: DemoServer) -> None:
    (page,) = extracted(Window.of_month(date(2024, 12, 1)))
    assert page.records == []


def test_months_begin_where_the_books_begin(served: DemoServer) -> None:
    assert QUICKBOOKS.partition_keys(JOURNAL_LINE)[:2] == ["2025-07", "2025-08"]


def test_a_wrong_month_of_beginning_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUICKBOOKS_FROM", "July")
    with pytest.raises(SourceError, match="QUICKBOOKS_FROM is 'July'"):
        QUICKBOOKS.partition_keys(JOURNAL_LINE)


def test_a_refused_token_is_not_shown(served: DemoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUICKBOOKS_ACCESS_TOKEN", "not-the-token")
    with pytest.raises(SourceError, match="401") as error:
        extracted(AUGUST)
    assert "not-the-token" not in str(error.value) and "QUICKBOOKS_ACCESS_TOKEN" in str(error.value)


def test_a_token_an_error_repeats_is_blanked(served: DemoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUICKBOOKS_ACCESS_TOKEN", "secret-of-an-hour")
    (books,) = [system for system in served.systems if isinstance(system, ServedQuickBooks)]
    refusal = Reply(401, {"fault": {"error": [{"message": "Token expired: secret-of-an-hour"}]}})
    monkeypatch.setattr(books, "answer", lambda request: refusal)
    with pytest.raises(SourceError, match="Token expired") as error:
        extracted(AUGUST)
    assert "secret-of-an-hour" not in str(error.value)


def test_a_section_that_cannot_be_read_refuses_the_report(served: DemoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    (books,) = [system for system in served.systems if isinstance(system, ServedQuickBooks)]
    whole = books.answer

    def damaged(request: Any) -> Reply:
        reply = whole(request)
        reply.payload["Rows"]["Row"][0] = None
        return reply

    monkeypatch.setattr(books, "answer", damaged)
    with pytest.raises(InconsistentExtractError, match="a section of the report cannot be read"):
        extracted(AUGUST)


@pytest.mark.parametrize(
    "served",
    [[FaultRule("/reports/", "empty_page")], [FaultRule("/reports/", "short_page")]],
    indirect=True,
    ids=["empty", "short"],
)
def test_a_report_that_lost_its_rows_is_refused_or_still_balances(served: DemoServer) -> None:
    """All rows gone is a contradiction; a whole top section gone leaves transactions that no longer balance."""
    try:
        (page,) = extracted(AUGUST)
    except InconsistentExtractError as error:
        assert "does not say that there is nothing to report" in str(error)
        return
    debit, credit = (
        sum(Decimal(record.values[name] or "0") for record in page.records if record.values)
        for name in ("debit_amount", "credit_amount")
    )
    assert debit != credit, "the gate's check of vouchers would not see what was lost"
