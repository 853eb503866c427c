"""Files that are not what they should be: nothing lost, nothing silently altered."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import pytest

from ingestion.contracts import Progress, SourceError
from ingestion.extract import extract, window_for_partition
from ingestion.sources import SOURCES
from tests.faults.conftest import Desk

COLUMNS = SOURCES["ledger"].entities["journal_line"].columns
MONTH = "2025-03"


def ledger_line(number: int, description: str = "wages") -> list[str]:
    return [
        f"V{number:04d}",
        "1",
        "2025-03-31",
        MONTH,
        "6100",
        "CC-1110",
        f"{number}.10",
        "0.00",
        "EUR",
        description,
        "",
    ]


def csv_text(rows: list[list[str]], header: tuple[str, ...] = COLUMNS) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([list(header), *rows])
    return out.getvalue()


@pytest.fixture
def drop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "drop"
    folder.mkdir()
    monkeypatch.setenv("LEDGER_DROP_PATH", str(folder))
    return folder / f"journal_{MONTH}.csv"


def landed(desk: Desk) -> list[tuple]:
    return desk.rows("select voucher_number, debit_amount, description from raw_ledger.journal_line order by all")


def rejects(desk: Desk) -> list[tuple]:
    return desk.rows("select row_number, reason, record_bytes from landing.landing_reject order by row_number")


def test_a_month_is_landed_to_the_character(desk: Desk, drop: Path) -> None:
    rows = [ledger_line(1, 'says "yes",\nthen no'), ledger_line(2, "größer"), ledger_line(3, "")]
    drop.write_text(csv_text(rows), encoding="utf-8")
    result = desk.extract("ledger", "journal_line", MONTH)
    assert (result.received_count, result.row_count, result.rejected_count) == (3, 3, 0)
    assert landed(desk) == [(row[0], row[6], row[9]) for row in rows]
    assert desk.rows(
        "select _record ->> '$.description' from raw_ledger.journal_line where voucher_number='V0001'"
    ) == [('says "yes",\nthen no',)]


def test_unchanged_file_adds_nothing_and_a_corrected_one_is_a_new_batch(desk: Desk, drop: Path) -> None:
    drop.write_text(csv_text([ledger_line(1)]))
    first = desk.extract("ledger", "journal_line", MONTH)
    again = desk.extract("ledger", "journal_line", MONTH)
    assert (again.is_new, again.batch_id, again.row_count) == (False, first.batch_id, 1)
    # the same content in another wrapping is the same content
    with gzip.open(drop.with_suffix(".csv.gz"), "wb") as file:
        file.write(drop.read_bytes())
    drop.unlink()
    assert not desk.extract("ledger", "journal_line", MONTH).is_new
    drop.with_suffix(".csv.gz").unlink()
    drop.write_text(csv_text([ledger_line(1), ledger_line(2)]))
    second = desk.extract("ledger", "journal_line", MONTH)
    assert second.is_new
    assert desk.rows("select current_batch_id from landing.extract_state") == [(second.batch_id,)]
    assert desk.rows("select _batch_id, count(*) from raw_ledger.journal_line group by 1 order by 2") == [
        (first.batch_id, 1),
        (second.batch_id, 2),
    ]


def test_another_encoding_is_refused_whole_then_read_as_declared(
    desk: Desk, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [ledger_line(1, "Prämie"), ledger_line(2, "plain"), ledger_line(3, "café – 5 €")]
    drop.write_bytes(csv_text(rows).encode("cp1252"))
    with pytest.raises(SourceError, match="looks like cp1252") as caught:
        desk.extract("ledger", "journal_line", MONTH)
    assert "LEDGER_ENCODING=cp1252" in str(caught.value) and "line 2" in str(caught.value)
    assert desk.is_empty()
    monkeypatch.setenv("LEDGER_ENCODING", "cp1252")
    assert desk.extract("ledger", "journal_line", MONTH).row_count == 3
    assert landed(desk) == [(row[0], row[6], row[9]) for row in rows]
    assert desk.rows("select connector_version from landing.extract_batch") == [("ledger-csv/1 encoding=cp1252",)]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be-with-mark"])
def test_byte_order_mark_decides(desk: Desk, drop: Path, encoding: str) -> None:
    rows = [ledger_line(1, "Prämie\nin two lines"), ledger_line(2, "✓")]
    text = csv_text(rows)
    drop.write_bytes(b"\xfe\xff" + text.encode("utf-16-be") if encoding.endswith("mark") else text.encode(encoding))
    result = desk.extract("ledger", "journal_line", MONTH)
    assert (result.row_count, result.missing_columns, result.unknown_columns) == (2, (), ())
    assert landed(desk) == [(row[0], row[6], row[9]) for row in rows]


def test_utf16_without_mark_is_refused_then_read_as_declared(
    desk: Desk, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop.write_bytes(csv_text([ledger_line(1, "é")]).encode("utf-16-le"))
    with pytest.raises(SourceError, match="UTF-16 without a byte order mark"):
        desk.extract("ledger", "journal_line", MONTH)
    assert desk.is_empty()
    monkeypatch.setenv("LEDGER_ENCODING", "utf-16-le")
    assert desk.extract("ledger", "journal_line", MONTH).row_count == 1
    assert landed(desk) == [("V0001", "1.10", "é")]


def test_damaged_line_in_a_utf8_file_is_rejected_with_its_bytes(desk: Desk, drop: Path) -> None:
    lines = csv_text([ledger_line(1, "fine ü"), ledger_line(2, "XX"), ledger_line(3)]).encode()
    drop.write_bytes(lines.replace(b"XX", b"bro\xffken"))
    result = desk.extract("ledger", "journal_line", MONTH)
    assert (result.received_count, result.row_count, result.rejected_count) == (3, 2, 1)
    ((row_number, reason, record),) = rejects(desk)
    assert (row_number, reason) == (2, "undecodable_bytes: not text in the file's encoding")
    assert record.startswith(b"V0002,") and b"bro\xffken" in record
    assert [row[0] for row in landed(desk)] == ["V0001", "V0003"]


def test_wrong_number_of_columns_is_rejected_and_counted(desk: Desk, drop: Path) -> None:
    text = csv_text([ledger_line(1), ledger_line(2)[:-1], [*ledger_line(3), "extra"], ledger_line(4)])
    drop.write_text(text)
    result = desk.extract("ledger", "journal_line", MONTH)
    assert (result.received_count, result.row_count, result.rejected_count) == (4, 2, 2)
    assert [row[:2] for row in rejects(desk)] == [
        (2, "wrong_column_count: 10 instead of 11"),
        (3, "wrong_column_count: 12 instead of 11"),
    ]
    assert b"".join(row[2] for row in rejects(desk)).decode() == "".join(text.splitlines(keepends=True)[2:4])


@pytest.mark.parametrize("row_count", [5, 500])
def test_quote_that_is_never_closed_swallows_nothing(desk: Desk, drop: Path, row_count: int) -> None:
    lines = csv_text([ledger_line(number) for number in range(row_count)]).splitlines(keepends=True)
    lines[2] = lines[2].replace("wages", '"wages')
    drop.write_text("".join(lines))
    result = desk.extract("ledger", "journal_line", MONTH)
    assert (result.received_count, result.row_count, result.rejected_count) == (row_count, row_count - 1, 1)
    ((row_number, reason, record),) = rejects(desk)
    assert (row_number, record.decode()) == (2, lines[2])
    assert reason.startswith("malformed_csv")


def test_repeated_line_is_rejected_and_a_line_with_the_same_key_is_not(desk: Desk, drop: Path) -> None:
    drop.write_text(csv_text([ledger_line(1), ledger_line(2), ledger_line(1), ledger_line(2, "corrected")]))
    result = desk.extract("ledger", "journal_line", MONTH)
    assert (result.received_count, result.row_count, result.rejected_count) == (4, 3, 1)
    assert [row[:2] for row in rejects(desk)] == [(3, "duplicate_in_extract")]


def test_missing_and_new_columns(desk: Desk, drop: Path) -> None:
    position = COLUMNS.index("reference")
    rows = [[*ledger_line(number)[:position], "emea"] for number in (1, 2)]
    drop.write_text(csv_text(rows, header=(*COLUMNS[:position], "region")))
    result = desk.extract("ledger", "journal_line", MONTH)
    assert (result.row_count, result.missing_columns, result.unknown_columns) == (
        2,
        ("reference",),
        ("region",),
    )
    assert desk.rows("select distinct reference, _record ->> '$.region' from raw_ledger.journal_line") == [
        (None, "emea")
    ]


def test_missing_key_column_loses_nothing(desk: Desk, drop: Path) -> None:
    drop.write_text(csv_text([ledger_line(1)[1:], ledger_line(2)[1:]], header=COLUMNS[1:]))
    result = desk.extract("ledger", "journal_line", MONTH)
    assert (result.received_count, result.row_count, result.missing_columns) == (2, 0, ("voucher_number",))
    assert [row[1] for row in rejects(desk)] == ["missing_key: voucher_number"] * 2


@pytest.mark.parametrize(("content", "missing"), [(csv_text([]), ()), ("", COLUMNS)])
def test_empty_file_is_a_batch_of_no_rows(desk: Desk, drop: Path, content: str, missing: tuple[str, ...]) -> None:
    drop.write_text(content)
    result = desk.extract("ledger", "journal_line", MONTH)
    assert (result.is_new, result.received_count, result.missing_columns) == (True, 0, missing)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (csv_text([ledger_line(1)]).replace(",", ";"), "not separated by commas"),
        ("V0001,1,2025-03-31\n", "no header of journal_line"),
        (csv_text([], header=(*COLUMNS, "account")), "names a column twice: account"),
    ],
)
def test_file_of_another_shape_is_refused(desk: Desk, drop: Path, content: str, message: str) -> None:
    drop.write_text(content)
    with pytest.raises(SourceError, match=message) as caught:
        desk.extract("ledger", "journal_line", MONTH)
    assert str(drop) in str(caught.value) and desk.is_empty()


def test_cut_archive_is_refused(desk: Desk, drop: Path) -> None:
    whole = gzip.compress(csv_text([ledger_line(number) for number in range(2000)]).encode())
    drop.with_suffix(".csv.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SourceError, match="compressed file is cut or damaged"):
        desk.extract("ledger", "journal_line", MONTH)
    assert desk.is_empty()


def test_file_that_grows_while_it_is_read_is_refused(desk: Desk, drop: Path) -> None:
    drop.write_text(csv_text([ledger_line(1)]))

    def someone_still_writes(event: Progress) -> None:
        if event.phase == "extracting":
            with drop.open("a") as file:
                file.write(",".join(ledger_line(event.row_count + 1)) + "\n")

    entity = SOURCES["ledger"].entities["journal_line"]
    with pytest.raises(SourceError, match="the content changed while it was read"):
        extract(
            desk.settings,
            "ledger",
            entity,
            window_for_partition(entity, MONTH),
            "run-1",
            someone_still_writes,
        )
    assert desk.is_empty()


def test_two_files_for_one_month_are_refused(desk: Desk, drop: Path) -> None:
    drop.write_text(csv_text([]))
    drop.with_suffix(".csv.gz").write_bytes(gzip.compress(csv_text([]).encode()))
    with pytest.raises(SourceError, match="two files claim 2025-03"):
        desk.extract("ledger", "journal_line", MONTH)


def test_missing_folder_and_missing_month_are_told(desk: Desk, drop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SourceError, match="no file for 2025-03"):
        desk.extract("ledger", "journal_line", MONTH)
    monkeypatch.setenv("LEDGER_DROP_PATH", str(drop.parent / "nowhere"))
    with pytest.raises(SourceError, match="the folder is not there"):
        desk.extract("ledger", "journal_line", MONTH)
