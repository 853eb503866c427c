"""JSON lines and Parquet by the door CSV comes through: nesting kept, drift told, malformed lines turned away."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingestion.contracts import SourceError
from ingestion.sources import SOURCES
from tests.faults.conftest import Desk

COLUMNS = SOURCES["ledger"].entities["journal_line"].columns
MONTH = "2025-03"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LEDGER_DROP_PATH", str(tmp_path / "drop"))
    (tmp_path / "drop").mkdir()
    return tmp_path / "drop"


def line(number: int, **changes: object) -> dict[str, object]:
    return dict.fromkeys(COLUMNS) | {"voucher_number": f"V{number}", "line_number": 1} | changes


def rejects(desk: Desk) -> list[tuple]:
    return desk.rows("select row_number, reason, record_bytes from landing.landing_reject order by row_number")


def test_json_lines_are_kept_as_they_came(desk: Desk, folder: Path) -> None:
    text = (
        '{"voucher_number": "V1", "line_number": 1, "debit_amount": 1.10, "description": {"de": "Prämie", "n": [1.50]},'
        ' "region": {"code": "emea"}, "currency": null}'
    )
    (folder / f"journal_{MONTH}.jsonl").write_text(text + "\r\n\n", encoding="utf-8")
    result = desk.extract("ledger", "journal_line", MONTH)
    assert (result.row_count, result.unknown_columns) == (1, ("region",))
    assert set(result.missing_columns) == set(COLUMNS) - {
        "voucher_number",
        "line_number",
        "debit_amount",
        "description",
        "currency",
    }
    assert desk.rows(
        "select line_number, debit_amount, description, currency, _record::varchar from raw_ledger.journal_line"
    ) == [("1", "1.10", '{"de":"Prämie","n":[1.5]}', None, text)]


@pytest.mark.requirement("LTI-7.5")
def test_malformed_lines_are_turned_away_with_their_bytes(desk: Desk, folder: Path) -> None:
    bad = [
        b'{"voucher_number": "V2", ',
        b"[1, 2]",
        b'"text"',
        b'{"voucher_number": "V3", "line_number": 1} trailing',
        b'{"voucher_number": "V4", "line_number": 1, "description": "bro\xffken"}',
        b'{"line_number": 7}',
        b'{"voucher_number": "V5", "line_number": NaN}',
        b'{"voucher_number": "V6", "line_number": 1, "description": "\\ud800"}',
    ]
    good = [json.dumps(line(number)).encode() for number in (1, 9)]
    content = b"\n".join([good[0], *bad, good[1], good[1]]) + b"\n"
    with gzip.open(folder / f"journal_{MONTH}.jsonl.gz", "wb") as file:
        file.write(content)
    result = desk.extract("ledger", "journal_line", MONTH)
    assert (result.received_count, result.row_count, result.rejected_count) == (11, 2, 9)
    assert [reason.partition(":")[0] for _, reason, _ in rejects(desk)] == [
        "malformed_json",
        "not_an_object",
        "not_an_object",
        "malformed_json",
        "undecodable_bytes",
        "missing_key",
        "malformed_json",
        "undecodable_bytes",
        "duplicate_in_extract",
    ]
    assert [row[2].rstrip(b"\n") for row in rejects(desk)] == [*bad, good[1]]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_decides_for_json_lines_too(desk: Desk, folder: Path, encoding: str) -> None:
    rows = [json.dumps(line(number, description="größer"), ensure_ascii=False) for number in (1, 2)]
    (folder / f"journal_{MONTH}.ndjson").write_text("\n".join(rows), encoding=encoding)
    assert desk.extract("ledger", "journal_line", MONTH).row_count == 2
    assert desk.rows("select distinct description from raw_ledger.journal_line") == [("größer",)]


def test_an_empty_file_of_json_lines_says_nothing_of_columns(desk: Desk, folder: Path) -> None:
    (folder / f"journal_{MONTH}.jsonl").write_text("\n")
    result = desk.extract("ledger", "journal_line", MONTH)
    assert (result.is_new, result.received_count, result.missing_columns) == (True, 0, ())


def test_columns_that_hold_only_texts_do_not_stand_for_a_typed_record(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log.jsonl"
    text = '{"number": "INC1", "sys_mod_count": 0, "sys_updated_at": "1/2/2025 10:00", "watch_list": ["a", {"b": 1}]}'
    path.write_text(text)
    monkeypatch.setenv("SERVICENOW_EXPORT_FILE", str(path))
    desk.extract("servicenow_event_log", "incident_event", path.name)
    (row,) = desk.rows("select sys_mod_count, _record::varchar from raw_servicenow_event_log.incident_event")
    assert row == ("0", text)
    source = SOURCES["servicenow_event_log"]
    entity = source.entities["incident_event"]
    from ingestion.contracts import Window

    assert source.distinct_texts(entity, Window(path.name), "sys_updated_at") == {"1/2/2025 10:00"}


def test_parquet_keeps_digits_instants_and_nesting(desk: Desk, folder: Path) -> None:
    table = pa.table(
        {
            "voucher_number": ["V1", "V2", None],
            "line_number": [1, 2, 3],
            "posted_on": [date(2025, 3, 31)] * 3,
            "debit_amount": pa.array([Decimal("1.10"), None, None], pa.decimal128(12, 2)),
            "description": [{"de": "Prämie", "n": [1, 2]}] * 3,
            "booked_at": [datetime(2025, 3, 31, 22, tzinfo=UTC)] * 3,
        }
    )
    pq.write_table(table, folder / f"journal_{MONTH}.parquet")
    result = desk.extract("ledger", "journal_line", MONTH)
    assert (result.received_count, result.row_count, result.unknown_columns) == (3, 2, ("booked_at",))
    assert "account" in result.missing_columns
    assert [row[:2] for row in rejects(desk)] == [(3, "missing_key: voucher_number")]
    assert desk.rows(
        "select line_number, posted_on, debit_amount, description, _record ->> '$.booked_at', "
        "_record ->> '$.description.n[1]' from raw_ledger.journal_line order by 1"
    ) == [
        ("1", "2025-03-31", "1.10", '{"de":"Prämie","n":[1,2]}', "2025-03-31T22:00:00+00:00", "2"),
        ("2", "2025-03-31", None, '{"de":"Prämie","n":[1,2]}', "2025-03-31T22:00:00+00:00", "2"),
    ]


def test_a_cut_parquet_file_is_refused_whole(desk: Desk, folder: Path) -> None:
    path = folder / f"journal_{MONTH}.parquet"
    pq.write_table(pa.table({"voucher_number": ["V1"], "line_number": [1]}), path)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(SourceError, match="no whole Parquet file"):
        desk.extract("ledger", "journal_line", MONTH)
    assert desk.is_empty()


def test_one_month_in_two_formats_is_refused(desk: Desk, folder: Path) -> None:
    (folder / f"journal_{MONTH}.jsonl").write_text("")
    (folder / f"journal_{MONTH}.csv").write_text("")
    with pytest.raises(SourceError, match="two files claim 2025-03"):
        desk.extract("ledger", "journal_line", MONTH)
