"""A file landed as a set is the file landed line by line, to the character, or it is not landed as a set."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st

from ingestion import bulk, landing
from ingestion.contracts import Entity, Window
from ingestion.extract import extract
from ingestion.settings import Settings
from ingestion.sources import SOURCES, file_drop
from ingestion.sources.file_drop import SingleFile

COLUMNS = ("number", "state", "note", "absent")
ENTITY = Entity("bulk_trial", "event", "file", COLUMNS, ("number",), "Trial.", optional=frozenset({"absent"}))
KEPT = {"whole": ENTITY, "rest": replace(ENTITY, name="event_rest", keeps_record="rest")}
TRIAL = SingleFile(
    name="bulk_trial",
    description="Trial.",
    connector_version="trial/1",
    entities={entity.name: entity for entity in KEPT.values()},
    path_variable="BULK_TRIAL_FILE",
    encoding_variable="BULK_TRIAL_ENCODING",
)
HEADER = "number,state,note,extra/'~"

plain = st.sampled_from(
    ["x", "", "12", " lead", "trail ", "é", "\U0001f600", "?", "\t", "\\", "'", "a\\nb", "null", "#"]
)
quoted = st.sampled_from(['"q"', '"a,b"', '"a\nb"', '"a\r\nb"', '""', '"say ""no"""', '""""', '"\n"', '","'])
broken = st.sampled_from(['"open', 'a"b', '"a"b', ' "a"', '"a" ', "a\rb", "\x00", "\x7f", "\x1b", "\ufeff", '""x', '"'])
cell = st.one_of(plain, plain, plain, quoted, quoted, broken)
clean_cell = st.one_of(plain, plain, quoted)


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """CSV files, half of them well-formed, the others with everything that goes wrong."""
    line_end = draw(st.sampled_from(["\n", "\r\n"]))
    is_clean = draw(st.booleans())
    lines = [HEADER]
    for number in range(draw(st.integers(0, 8))):
        key = f"N{number}" if is_clean else draw(st.sampled_from(["", "N", f"N{number}", f"N{number}"]))
        width = 3 if is_clean else draw(st.sampled_from([3, 3, 3, 3, 2, 4]))
        lines.append(",".join([key, *draw(st.lists(clean_cell if is_clean else cell, min_size=width, max_size=width))]))
        if not is_clean and draw(st.integers(0, 9)) == 0:
            lines.append("")
    text = line_end.join(lines) + (line_end if draw(st.booleans()) else "")
    content = (b"\xef\xbb\xbf" if draw(st.integers(0, 5)) == 0 else b"") + text.encode()
    if not is_clean and len(lines) > 1 and draw(st.integers(0, 5)) == 0:
        at = draw(st.integers(content.index(b"\n") + 1, len(content)))
        content = content[:at] + b"\xff" + content[at:]
    return content


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    folder = tmp_path_factory.mktemp("bulk")
    desk = Settings.from_env({"WAREHOUSE_PATH": str(folder / "warehouse.duckdb")})
    SOURCES[TRIAL.name] = TRIAL
    try:
        landing.prepare(desk)
        with landing.hold_open(desk):
            yield desk
    finally:
        del SOURCES[TRIAL.name]


def landed(desk: Settings, entity: Entity, batch_id: str) -> tuple[list[tuple], list[tuple], list[tuple]]:
    with landing.connect(desk) as connection:
        rows = connection.execute(
            f"select * exclude (_batch_id, _extracted_at) from {entity.table} where _batch_id = ? order by _row_number",
            [batch_id],
        ).fetchall()
        rejects = connection.execute(
            "select row_number, reason, record_bytes from landing.landing_reject where batch_id = ? order by 1, 2",
            [batch_id],
        ).fetchall()
        batch = connection.execute(
            "select received_count, row_count, rejected_count, content_sha256, unknown_columns, missing_columns "
            "from landing.extract_batch where batch_id = ?",
            [batch_id],
        ).fetchall()
    return rows, rejects, batch


def land_both_ways(
    desk: Settings, path: Path, entity: Entity, monkeypatch: pytest.MonkeyPatch
) -> tuple[tuple[list[tuple], ...], tuple[list[tuple], ...], bool]:
    """What the careful path lands, what the file's own way lands, and whether that was the bulk path."""
    results, ways = [], []
    land_file = bulk.land_file

    def watched(*arguments: object, **named: object) -> landing.LandResult | None:
        ways.append(land_file(*arguments, **named))
        return ways[-1]

    monkeypatch.setenv("BULK_TRIAL_FILE", str(path))
    monkeypatch.setattr(bulk, "land_file", watched)
    for from_bytes in (1 << 60, 0):
        monkeypatch.setattr(file_drop, "BULK_FROM_BYTES", from_bytes)
        with landing.connect(desk) as connection:
            for table in (entity.table, "landing.extract_state", "landing.extract_batch", "landing.landing_reject"):
                connection.execute(f"delete from {table}")
        result = extract(desk, TRIAL, entity, Window(path.name), "run")
        assert result.is_new
        results.append(landed(desk, entity, result.batch_id))
    monkeypatch.undo()
    return results[0], results[1], bool(ways and ways[-1])


@pytest.mark.requirement("LTI-7.5")
@pytest.mark.parametrize("kept", ["whole", "rest"])
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=files())
@example(content=(HEADER + "\n" + 'N1,"a\nb",c,\n').encode())
@example(content=(HEADER + "\n" + 'N1,"' + "\n" * 250 + '",c,\n').encode())
@example(content=(HEADER + "\nN1,a,b,c\n\nN2,a,b,c\n").encode())
@example(content=(HEADER + "\nN1,a\x1fb,c,d\nN2,a,b\x1fc,d\n").encode())
@example(content=(HEADER + "\nN1,a,b,c\nN1,a,b,c\n").encode())
def test_both_ways_land_the_same(desk: Settings, tmp_path: Path, kept: str, content: bytes) -> None:
    path = tmp_path / "trial.csv"
    path.write_bytes(content)
    with pytest.MonkeyPatch.context() as monkeypatch:
        careful, chosen, in_bulk = land_both_ways(desk, path, KEPT[kept], monkeypatch)
    event(f"landed {'as a set' if in_bulk else 'line by line'}")
    assert chosen == careful


@pytest.mark.parametrize(("kept", "suffix"), [("whole", ".csv"), ("rest", ".csv.gz")])
def test_a_clean_file_is_landed_as_a_set_in_its_order(
    desk: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: str, suffix: str
) -> None:
    # more than one buffer of the reader and one row group of the table, so that order is not kept by chance
    rows = "".join(f'N{number},"a, ""{number % 7}""\n{number}",é{number:0200d},\n' for number in range(130_000))
    path = tmp_path / f"trial{suffix}"
    content = f"{HEADER}\n{rows}".encode()
    path.write_bytes(gzip.compress(content, 1) if suffix.endswith("gz") else content)
    careful, chosen, in_bulk = land_both_ways(desk, path, KEPT[kept], monkeypatch)
    assert in_bulk
    assert chosen == careful
    assert [row[0] for row in chosen[0]] == [f"N{number}" for number in range(130_000)]


def test_columns_and_rest_are_the_whole_record(desk: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "trial.csv"
    path.write_text(f'{HEADER}\nN1,"a,b",,"the rest"\n')
    _, (rows, _, _), in_bulk = land_both_ways(desk, path, KEPT["rest"], monkeypatch)
    assert in_bulk
    record = '{"extra/\'~":"the rest"}'
    row_hash = duckdb.sql("select md5(concat_ws(chr(31), 'N1', 'a,b', '', $record))", params={"record": record})
    assert rows == [("N1", "a,b", "", None, record, 1, row_hash.fetchone()[0])]


def test_a_file_that_changes_meanwhile_is_not_landed_as_a_set(
    desk: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "trial.csv"
    path.write_text(f"{HEADER}\nN1,a,b,c\n")
    insert = bulk._insert

    def insert_and_append(*arguments: object) -> None:
        insert(*arguments)
        with path.open("a") as file:
            file.write("N2,a,b,c\n")
        monkeypatch.setattr(bulk, "_insert", insert)

    monkeypatch.setattr(bulk, "_insert", insert_and_append)
    monkeypatch.setattr(file_drop, "BULK_FROM_BYTES", 0)
    monkeypatch.setenv("BULK_TRIAL_FILE", str(path))
    with landing.connect(desk) as connection:
        connection.execute(f"delete from {ENTITY.table}; delete from landing.extract_state")
    result = extract(desk, TRIAL, ENTITY, Window(path.name), "run")
    assert (result.row_count, result.is_new) == (2, True)
    assert [row[0] for row in landed(desk, ENTITY, result.batch_id)[0]] == ["N1", "N2"]


@pytest.mark.parametrize(
    "line", ['N5,"never closed,x,', "N5,a,b,c,d", "N5,a", 'N5,"a"b,c,'], ids=["open", "many", "few", "behind"]
)
def test_a_damaged_line_sends_the_file_the_careful_way(
    desk: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    """Nothing is left of the attempt, and the connection goes on as before."""
    path = tmp_path / "trial.csv"
    path.write_text(f"{HEADER}\n" + "".join(f"N{number},a,b,\n" for number in range(5)) + f"{line}\nN6,a,b,\n")
    careful, chosen, in_bulk = land_both_ways(desk, path, KEPT["rest"], monkeypatch)
    assert not in_bulk and chosen == careful
    rows, rejects, _ = chosen
    assert len(rows) == 6 and len(rejects) == 1
