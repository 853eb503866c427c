"""The archive's format: one rename, a chain of hashes, and nothing that is changed goes unfound."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.lib import archive_content
from dagster_project.lib.archive import (
    CHAIN,
    CHAIN_HALF_WRITTEN,
    HALF_WRITTEN,
    MANIFEST,
    SEAL,
    ArchiveError,
    Content,
    Link,
    archive_lock_path,
    canonical,
    read_chain,
    read_manifest,
    verify,
    write_period,
)
from dagster_project.lib.archive_content import Period
from dagster_project.lib.run_lock import WarehouseBusyError, hold

CLOSED_AT = datetime(2026, 1, 5, tzinfo=UTC)
PERIODS = ("2024-Q3", "2024-Q4", "2025-Q1")


def filler(period: str, seed: int = 1) -> Callable[[Path], Content]:
    """Three files of random bytes, the first of them empty for one period."""

    def fill(folder: Path) -> Content:
        random = Random(f"{period}{seed}")
        for name in ("a.parquet", "b.parquet", "c.parquet"):
            (folder / name).write_bytes(random.randbytes(random.randint(1, 300)))
        tables = {name: {"row_count": 1} for name in ("a.parquet", "b.parquet", "c.parquet")}
        return Content(tables, {"about": period})

    return fill


def close_all(folder: Path, periods: tuple[str, ...] = PERIODS, seed: int = 1) -> list[Link]:
    return [write_period(folder, period, CLOSED_AT, filler(period, seed)) for period in periods]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three closed periods; tests damage copies of it."""
    folder = tmp_path_factory.mktemp("original") / "archive"
    close_all(folder)
    return folder


@contextmanager
def a_copy(original: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "archive"
        shutil.copytree(original, folder)
        yield folder


def found(folder: Path, **more: object) -> list[str]:
    return [str(finding) for finding in verify(folder, **more).findings]  # type: ignore[arg-type]


# --- closing ---


RECORDED: list[tuple[str, str]] | None = None


def record(event: str, arguments: tuple[object, ...]) -> None:
    if RECORDED is not None and event in ("open", "os.listdir", "os.scandir"):
        RECORDED.append((event, str(arguments[0])))


def touched_by_close(archive: Path, period: str, last: str) -> list[tuple[str, str]]:
    """Everything of the archive that a close of the period opens or lists, outside the folder it builds."""
    global RECORDED
    RECORDED = []
    try:
        write_period(archive, period, CLOSED_AT, filler(period))
        seen = RECORDED
    finally:
        RECORDED = None
    within = [(event, Path(name)) for event, name in seen if archive in (Path(name), *Path(name).parents)]
    places = [(event, path.relative_to(archive).as_posix()) for event, path in within]
    return sorted((event, name.replace(last, "last")) for event, name in places if not name.startswith(HALF_WRITTEN))


def test_a_close_reads_the_chain_and_the_last_manifest_however_much_is_archived(tmp_path: Path) -> None:
    """After 2 quarters and after 40 the same opens: nothing of the quarters before the last one is read."""
    sys.addaudithook(record)
    quarters = [f"{2001 + number // 4}-Q{1 + number % 4}" for number in range(41)]
    touched = {}
    for count in (2, 40):
        folder = tmp_path / f"after_{count}" / "archive"
        close_all(folder, tuple(quarters[:count]))
        touched[count] = touched_by_close(folder, quarters[count], quarters[count - 1])
    assert touched[40] == touched[2]
    assert {name for event, name in touched[40] if event == "open"} == {
        *(CHAIN, CHAIN_HALF_WRITTEN, "."),
        f"last/{MANIFEST}",
    }


def test_a_period_names_the_one_before_it(original: Path) -> None:
    links = read_chain(original)
    assert [(link.sequence, link.period) for link in links] == [(1, "2024-Q3"), (2, "2024-Q4"), (3, "2025-Q1")]
    manifests = [read_manifest(original, link) for link in links]
    assert [manifest["previous_manifest_sha256"] for manifest in manifests] == [
        None,
        links[0].manifest_sha256,
        links[1].manifest_sha256,
    ]
    for link, manifest in zip(links, manifests, strict=True):
        folder = original / link.period
        assert manifest["closed_at"] == "2026-01-05T00:00:00Z"
        assert manifest["about"] == link.period
        assert {entry["name"] for entry in manifest["files"]} | {MANIFEST, SEAL} == {p.name for p in folder.iterdir()}
        for entry in manifest["files"]:
            content = (folder / entry["name"]).read_bytes()
            assert (entry["bytes"], entry["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
            assert not (folder / entry["name"]).stat().st_mode & 0o222, "a closed file is nobody's to write"


def test_the_same_content_gives_the_same_bytes(original: Path, tmp_path: Path) -> None:
    close_all(tmp_path / "archive")
    for path in sorted(original.rglob("*")):
        if path.is_file():
            assert (tmp_path / "archive" / path.relative_to(original)).read_bytes() == path.read_bytes(), path


def test_a_period_closes_once(original: Path) -> None:
    with a_copy(original) as folder:
        with pytest.raises(ArchiveError, match=r"2025-Q1 is closed \(manifest sha256 [0-9a-f]{64}\) and .* once only"):
            write_period(folder, "2025-Q1", CLOSED_AT, filler("2025-Q1", 2))
        assert not found(folder)


def test_no_period_closes_behind_a_later_one(original: Path) -> None:
    with (
        a_copy(original) as folder,
        pytest.raises(ArchiveError, match=r"2024-Q2 comes before 2025-Q1, which is closed"),
    ):
        write_period(folder, "2024-Q2", CLOSED_AT, filler("2024-Q2"))


@pytest.mark.parametrize("text", ["2025", "2025-Q5", "2025-Q0", "2025-q1", "25-Q1", "2025-Q1/..", "", "2025-Q1\n"])
def test_only_quarters_are_periods(tmp_path: Path, text: str) -> None:
    with pytest.raises(ArchiveError, match="is no period: write a quarter such as 2025-Q3"):
        write_period(tmp_path / "archive", text, CLOSED_AT, filler("x"))
    with pytest.raises(ArchiveError, match="is no period: write a quarter such as 2025-Q3"):
        Period.of(text)
    assert not (tmp_path / "archive").exists()


def test_what_cannot_be_filled_leaves_nothing(original: Path) -> None:
    def fail(folder: Path) -> Content:
        (folder / "a.parquet").write_bytes(b"half")
        raise OSError("disk full")

    def stray(folder: Path) -> Content:
        (folder / "a.parquet").write_bytes(b"half")
        return Content({}, {})

    with a_copy(original) as folder:
        before = sorted(str(path) for path in folder.rglob("*"))
        with pytest.raises(OSError, match="disk full"):
            write_period(folder, "2025-Q2", CLOSED_AT, fail)
        with pytest.raises(ArchiveError, match=r"a\.parquet was written and is not named"):
            write_period(folder, "2025-Q2", CLOSED_AT, stray)
        assert sorted(str(path) for path in folder.rglob("*")) == before
        assert not found(folder)


def test_one_close_at_a_time(original: Path) -> None:
    with (
        a_copy(original) as folder,
        hold(archive_lock_path(folder), {"what": "another close"}),
        pytest.raises(WarehouseBusyError, match="another close"),
    ):
        write_period(folder, "2025-Q2", CLOSED_AT, filler("2025-Q2"))


def test_the_next_close_clears_what_a_killed_one_left(original: Path) -> None:
    with a_copy(original) as folder:
        left = folder / f"{HALF_WRITTEN}2025-Q2-0011223344556677"
        left.mkdir()
        (left / "a.parquet").write_bytes(b"half")
        (folder / f".{CHAIN}.tmp").write_bytes(b"{")
        seen = verify(folder)
        assert not seen.findings
        assert len(seen.notes) == 2
        write_period(folder, "2025-Q2", CLOSED_AT, filler("2025-Q2"))
        assert not verify(folder).notes
        assert [link.period for link in read_chain(folder)] == [*PERIODS, "2025-Q2"]


def test_killed_between_the_rename_and_the_chain_it_is_closed(original: Path) -> None:
    """The folder stands, chain.json does not name it yet: closed whole; the next close writes it down."""
    with a_copy(original) as folder:
        links = read_chain(folder)
        shorter = {
            "format_version": 1,
            "periods": [
                {"sequence": link.sequence, "period": link.period, "manifest_sha256": link.manifest_sha256}
                for link in links[:2]
            ],
        }
        (folder / CHAIN).write_bytes(canonical(shorter))
        assert read_chain(folder) == links
        seen = verify(folder)
        assert not seen.findings
        assert seen.notes == ["2025-Q1 stands closed; the next close writes it into chain.json"]
        with pytest.raises(ArchiveError, match="2025-Q1 is closed"):
            write_period(folder, "2025-Q1", CLOSED_AT, filler("2025-Q1"))
        write_period(folder, "2025-Q2", CLOSED_AT, filler("2025-Q2"))
        assert not verify(folder).notes
        # the byte that would hide in the meantime does not
        (folder / CHAIN).write_bytes(canonical(shorter))
        shutil.rmtree(folder / "2025-Q2")
        path = folder / "2025-Q1" / MANIFEST
        path.chmod(0o640)
        path.write_bytes(path.read_bytes().replace(b"2026-01-05", b"2026-01-06"))
        assert found(folder)


def test_the_first_close_is_known_from_its_rename_on(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    (link,) = close_all(folder, ("2025-Q1",))
    (folder / CHAIN).write_bytes(canonical({"format_version": 1, "periods": []}))
    assert read_chain(folder) == [link]
    assert not found(folder)


def test_a_damaged_chain_is_not_built_upon(original: Path) -> None:
    with a_copy(original) as folder:
        (folder / CHAIN).write_bytes((folder / CHAIN).read_bytes().replace(b'"2025-Q1"', b'"2025-Q2"'))
        with pytest.raises(ArchiveError, match=r"2025-Q2 is closed|is there and not part of the chain|verify-archive"):
            write_period(folder, "2025-Q2", CLOSED_AT, filler("2025-Q2"))
    with a_copy(original) as folder:
        (folder / CHAIN).unlink()
        with pytest.raises(ArchiveError, match=r"chain\.json is missing beside closed periods"):
            write_period(folder, "2025-Q2", CLOSED_AT, filler("2025-Q2"))
    with a_copy(original) as folder:
        path = folder / "2025-Q1" / MANIFEST
        path.chmod(0o640)
        path.write_bytes(path.read_bytes() + b" ")
        with pytest.raises(ArchiveError, match=r"is not the manifest that was closed"):
            write_period(folder, "2025-Q2", CLOSED_AT, filler("2025-Q2"))


# --- verifying ---


def test_an_untouched_archive_is_never_accused(original: Path, tmp_path: Path) -> None:
    seen = verify(original, {link.period: link.manifest_sha256 for link in read_chain(original)})
    assert not seen.findings and not seen.notes
    assert (seen.periods, seen.file_count) == (list(PERIODS), 12)
    assert not found(tmp_path / "nothing was ever closed here")
    for count in range(1, 6):
        folder = tmp_path / str(count)
        close_all(folder, tuple(f"202{n}-Q{1 + n % 4}" for n in range(count)), seed=count)
        assert not found(folder)


def write(path: Path, content: bytes) -> None:
    path.chmod(0o640)
    path.write_bytes(content)


def test_it_says_which_file_of_which_period_and_what(original: Path) -> None:
    def flip(folder: Path) -> None:
        path = folder / "2024-Q4" / "b.parquet"
        content = bytearray(path.read_bytes())
        content[0] ^= 1
        write(path, bytes(content))

    def swap(folder: Path) -> None:
        one, other = folder / "2024-Q3" / "a.parquet", folder / "2024-Q3" / "b.parquet"
        one.rename(folder / "kept")
        other.rename(one)
        (folder / "kept").rename(other)

    def swap_periods(folder: Path) -> None:
        (folder / "2024-Q3").rename(folder / "kept")
        (folder / "2024-Q4").rename(folder / "2024-Q3")
        (folder / "kept").rename(folder / "2024-Q4")

    def link_away(folder: Path) -> None:
        path = folder / "2024-Q3" / "a.parquet"
        path.rename(folder.parent / "elsewhere")
        path.symlink_to(folder.parent / "elsewhere")

    cases: list[tuple[Callable[[Path], object], str]] = [
        (flip, "2024-Q4/b.parquet: has changed: sha256 "),
        (lambda f: write(f / "2024-Q4" / "b.parquet", b""), "2024-Q4/b.parquet: has changed: 0 bytes, "),
        (lambda f: (f / "2024-Q4" / "b.parquet").unlink(), "2024-Q4/b.parquet: is missing"),
        (
            lambda f: (f / "2024-Q4" / "d.parquet").touch(),
            "2024-Q4/d.parquet: was added: the manifest does not name it",
        ),
        (lambda f: (f / "2024-Q4" / "e" / "f").mkdir(parents=True), "2024-Q4/e/f: was added"),
        (lambda f: (f / "notes.txt").touch(), "notes.txt: was added: no close writes it"),
        (lambda f: (f / "2025-Q2").mkdir(), "2025-Q2: was added: chain.json does not name it"),
        (lambda f: shutil.rmtree(f / "2024-Q4"), "2024-Q4: is missing: number 2 of the chain in chain.json"),
        (lambda f: shutil.rmtree(f / "2025-Q1"), "2025-Q1: is missing: number 3 of the chain in chain.json"),
        (lambda f: (f / "2025-Q1").rename(f / "2025-Q2"), "2025-Q2/manifest.json: is the manifest of 2025-Q1"),
        (lambda f: (f / CHAIN).unlink(), "chain.json: is missing beside closed periods"),
        (lambda f: (f / "2024-Q3" / MANIFEST).unlink(), "2024-Q3/manifest.json: is missing"),
        (lambda f: (f / "2024-Q3" / SEAL).unlink(), "2024-Q3/manifest.sha256: is missing"),
        (swap, "2024-Q3/a.parquet: has changed"),
        (swap_periods, "2024-Q3/manifest.json: is the manifest of 2024-Q4"),
        (link_away, "2024-Q3/a.parquet: is a link"),
    ]
    for damage, said in cases:
        with a_copy(original) as folder:
            damage(folder)
            findings = found(folder)
            assert any(finding.startswith(said) for finding in findings), (said, findings)


def test_a_period_that_was_written_anew_breaks_the_chain(original: Path) -> None:
    """Somebody changes a figure and writes manifest, seal and chain.json to fit: the next manifest tells of it."""
    with a_copy(original) as folder:
        path = folder / "2024-Q4" / MANIFEST
        manifest = json.loads(path.read_bytes())
        manifest["about"] = "another figure"
        write(path, canonical(manifest))
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        write(folder / "2024-Q4" / SEAL, f"{sha256}  {MANIFEST}\n".encode())
        old = read_chain(original)[1].manifest_sha256
        write(folder / CHAIN, (folder / CHAIN).read_bytes().replace(old.encode(), sha256.encode()))
        assert found(folder) == [
            f"2025-Q1/manifest.json: breaks the chain: it names {old} as the one before it, which is {sha256} (2024-Q4)"
        ]


def test_an_archive_that_was_replaced_as_a_whole_is_known_by_the_warehouse(original: Path, tmp_path: Path) -> None:
    registered = {link.period: link.manifest_sha256 for link in read_chain(original)}
    close_all(tmp_path / "other", seed=2)
    assert not found(tmp_path / "other")
    findings = found(tmp_path / "other", registered=registered)
    assert len(findings) == 3
    assert findings[0].startswith("2024-Q3/manifest.json: is another one than the warehouse has registered")
    assert found(tmp_path / "gone", registered=registered) == [
        f"{period}: is missing: the warehouse has it registered as closed" for period in PERIODS
    ]


def damage(folder: Path, kind: str, pick: int, place: int, value: int) -> bool:
    """Damage one file or folder of the archive; False where that kind can do nothing to what was picked."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    path = files[pick % len(files)]
    content = path.read_bytes()
    path.chmod(0o640)
    if kind == "flip":
        changed = bytearray(content)
        changed[place % len(content)] ^= 1 + value % 255
        path.write_bytes(bytes(changed))
    elif kind == "truncate":
        path.write_bytes(content[: place % len(content)])
    elif kind == "append":
        path.write_bytes(content + bytes([value % 256]))
    elif kind == "insert":
        at = place % (len(content) + 1)
        path.write_bytes(content[:at] + bytes([value % 256]) + content[at:])
    elif kind == "delete":
        path.unlink()
    elif kind == "add":
        (path.parent / f"added{value}").write_bytes(content)
    elif kind == "rename":
        path.rename(path.with_name(f"renamed{value}"))
    elif kind == "swap":
        other = files[place % len(files)]
        if other.read_bytes() == content:
            return False
        other.chmod(0o640)
        path.write_bytes(other.read_bytes())
        other.write_bytes(content)
    elif kind == "reorder":
        half = place % len(content)
        if content[half:] + content[:half] == content:
            return False
        path.write_bytes(content[half:] + content[:half])
    elif kind == "drop period":
        shutil.rmtree(folder / PERIODS[pick % 3])
    elif kind == "rename period":
        (folder / PERIODS[pick % 3]).rename(folder / f"20{30 + value % 60}-Q{1 + place % 4}")
    return True


KINDS = (
    *("flip", "truncate", "append", "insert", "delete", "add", "rename", "swap", "reorder"),
    *("drop period", "rename period"),
)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(
    kind=st.sampled_from(KINDS),
    pick=st.integers(0, 1000),
    place=st.integers(0, 100_000),
    value=st.integers(0, 100_000),
)
@pytest.mark.requirement("OPS-2.6")
def test_whatever_is_damaged_is_found(original: Path, kind: str, pick: int, place: int, value: int) -> None:
    with a_copy(original) as folder:
        is_damaged = damage(folder, kind, pick, place, value)
        assert bool(verify(folder).findings) == is_damaged


def test_each_byte_of_chain_manifest_and_seal_is_under_watch(original: Path) -> None:
    """Not a sample: every byte of the files that no other file's hash covers directly."""
    with a_copy(original) as folder:
        for path in (folder / CHAIN, folder / "2025-Q1" / MANIFEST, folder / "2025-Q1" / SEAL):
            content = path.read_bytes()
            for place in range(len(content)):
                write(path, content[:place] + bytes([content[place] ^ 32]) + content[place + 1 :])
                assert verify(folder).findings, (path.name, place)
            write(path, content)
        assert not found(folder)


# --- content ---


def test_the_given_rows_of_unit_tests_are_no_models(tmp_path: Path) -> None:
    """dbt leaves them under the properties' name, beside the models it compiled."""
    marts = tmp_path / "slt" / "models" / "marts"
    for _, name in archive_content.RECOMPUTED:
        for folder, sql in (
            (marts, f'select * from "w"."a"."{name}_input"'),
            (marts / "other.yml", "select 1"),
            (marts / "other.yml" / "models" / "marts", "select 2"),
        ):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{name}.sql").write_text(sql)
    assert archive_content.read_definitions(tmp_path, "w") == {
        f"{schema}.{name}": f'select * from "a"."{name}_input"\n' for schema, name in archive_content.RECOMPUTED
    }


def test_rows_are_written_in_a_total_order(tmp_path: Path) -> None:
    """The same rows in any order of arrival, threads or row groups give the same bytes."""
    rows = [(n % 97, None if n % 7 == 0 else f"t{n % 13}", n % 5, 10**25 + n) for n in range(600)]
    written = []
    for attempt in range(3):
        Random(attempt).shuffle(rows)
        with duckdb.connect() as connection:
            connection.execute("create table line (a integer, t varchar, d decimal(18, 2), wide hugeint)")
            connection.executemany("insert into line values (?, ?, ?, ?)", rows)
            connection.execute("set threads = 1")
            columns = archive_content._columns(connection, "line")
            path = tmp_path / f"{attempt}.parquet"
            archive_content._write(connection, "select * from line", columns, path)
            written.append(path.read_bytes())
            back = connection.execute(f"select sum(wide::hugeint), count(*) from read_parquet('{path}')").fetchone()
            assert back == (sum(row[3] for row in rows), 600), "no whole number may become a float"
    assert written[0] == written[1] == written[2]


def test_a_quarter_is_its_days() -> None:
    assert Period.of("2025-Q1") == Period("2025-Q1", date(2025, 1, 1), date(2025, 4, 1))
    fourth = Period.of("2024-Q4")
    assert (fourth.start_on.isoformat(), fourth.end_on.isoformat()) == ("2024-10-01", "2025-01-01")
    assert fourth.fill("q = '{period}' and d < date '{end}'") == "q = '2024-Q4' and d < date '2025-01-01'"


def test_whatever_the_sql_of_pay_reads_is_archived() -> None:
    """A model that is given another input brings it into the archive by itself, whole."""
    sql = 'select * from "incentives"."fct_incentive_payout" join "core"."int_hold" using (a) join "core"."int_hold" b'
    assert archive_content.tables_read(sql) == ["incentives.fct_incentive_payout", "core.int_hold"]
    tables = archive_content.tables_of_period({"x.y": sql})
    assert tables["core.int_hold"] is None
    assert tables["incentives.fct_incentive_payout"] == "earned_quarter = '{period}'"
    assert {"reference.metric_filter", "reference.achievement_band", "reference.plan_component"} <= set(tables)
