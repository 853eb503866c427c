"""The console command before anything runs: what it refuses, how it says so, which code it ends with."""

import pytest

from dagster_project.cli import main
from dagster_project.lib.commands import SOURCE_VARIABLES


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in SOURCE_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WAREHOUSE_PATH", str(tmp_path / "warehouse.duckdb"))
    monkeypatch.setenv("PUBLISH_PATH", str(tmp_path / "published"))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))


def refused(capfd, *arguments):
    """Run a command that cannot start; returns what it says on stderr."""
    assert main(list(arguments)) == 2
    return capfd.readouterr().err


def test_the_demonstration_never_lands_beside_a_real_source(capfd, monkeypatch, tmp_path):
    monkeypatch.setenv("SERVICENOW_URL", "https://example.service-now.com")
    assert "SERVICENOW_URL is set" in refused(capfd, "demo")
    assert not (tmp_path / "warehouse.duckdb").exists()


def test_run_without_a_source_says_what_to_set(capfd):
    message = refused(capfd, "run")
    assert "no source is configured" in message
    assert all(name in message for name in SOURCE_VARIABLES)


def test_export_run_without_its_file(capfd, tmp_path):
    message = refused(capfd, "export-run", "--file", "missing.csv", "--warehouse", str(tmp_path / "w.duckdb"))
    assert "missing.csv is not a file" in message
    assert not (tmp_path / "w.duckdb").exists()


def test_backfill_refuses_a_range_that_runs_backwards(capfd):
    assert "is before --from" in refused(capfd, "backfill", "--from", "2025-02-02", "--to", "2025-02-01")


def test_backfill_refuses_an_unknown_source(capfd):
    message = refused(capfd, "backfill", "--from", "2025-02-01", "--to", "2025-02-01", "--source", "sap")
    assert "no source 'sap'" in message
    assert "servicenow" in message


def test_backfill_without_a_configured_source(capfd):
    assert "configure the source" in refused(capfd, "backfill", "--from", "2025-02-01", "--to", "2025-02-01")


@pytest.mark.parametrize("command", ["publish", "docs"])
def test_what_needs_a_warehouse_says_that_there_is_none(capfd, command):
    assert "run `sltw demo` or `sltw run` first" in refused(capfd, command)


def test_a_warehouse_named_like_a_schema_is_refused(capfd, monkeypatch, tmp_path):
    monkeypatch.setenv("WAREHOUSE_PATH", str(tmp_path / "finance.duckdb"))
    assert "choose another file name" in refused(capfd, "demo")


@pytest.mark.parametrize("day", ["2025-02-30", "yesterday"])
def test_a_day_that_is_none(capfd, day):
    with pytest.raises(SystemExit) as ended:
        main(["backfill", "--from", day, "--to", "2025-03-01"])
    assert ended.value.code == 2
    assert "is no day" in capfd.readouterr().err
