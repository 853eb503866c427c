"""The lock of metric definitions: new versions are appended, what stands is never rewritten."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from dagster_project.lib.metric_lock import compare, main, read_lock

HEADER = "metric_code,metric_version,definition_hash\n"


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A warehouse that computes two versions of one definition."""
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema core")
        connection.execute(
            "create table core.int_metric_definition as "
            "select 'm' as metric_code, unnest([1, 2]) as metric_version, unnest(['h1', 'h2']) as definition_hash"
        )
    monkeypatch.setenv("WAREHOUSE_PATH", str(path))
    return path


@pytest.mark.requirement("OPS-4.6")
def test_a_new_version_is_appended_and_what_stands_stays(warehouse: Path, tmp_path: Path) -> None:
    lock = tmp_path / "lock.csv"
    lock.write_text(HEADER + "m,1,h1\n")
    assert main(["--lock", str(lock)]) == 1, "a version without a lock is something to do"
    assert lock.read_text() == HEADER + "m,1,h1\n"
    assert main(["--write", "--lock", str(lock)]) == 0
    assert lock.read_text() == HEADER + "m,1,h1\nm,2,h2\n"
    assert main(["--lock", str(lock)]) == 0


@pytest.mark.requirement("OPS-4.6")
@pytest.mark.parametrize(
    ("line", "says"),
    [("m,1,other\n", "changed: m version 1 is locked as other and computes as h1"), ("m,3,h3\n", "gone: m version 3")],
)
def test_a_changed_or_missing_version_is_refused_and_nothing_is_written(
    warehouse: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str, says: str
) -> None:
    lock = tmp_path / "lock.csv"
    lock.write_text(HEADER + line)
    assert main(["--write", "--lock", str(lock)]) == 1
    assert lock.read_text() == HEADER + line
    assert says in capsys.readouterr().out


def test_a_version_locked_twice_is_refused(tmp_path: Path) -> None:
    lock = tmp_path / "lock.csv"
    lock.write_text(HEADER + "m,1,h1\nm,1,h2\n")
    with pytest.raises(ValueError, match=r"line 3: m version 1 is locked twice"):
        read_lock(lock)


def test_without_a_warehouse_the_command_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("WAREHOUSE_PATH", raising=False)
    with pytest.raises(SystemExit):
        main([])
    assert "WAREHOUSE_PATH is not set" in capsys.readouterr().err


def test_nothing_to_do_where_all_is_locked() -> None:
    state = compare({("m", 1): "h"}, {("m", 1): "h"})
    assert not state.new and not state.changed and not state.gone
