from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from ingestion.settings import Settings, SettingsError


def test_defaults() -> None:
    settings = Settings.from_env({})
    assert settings == Settings(
        warehouse_path=Path("data/warehouse.duckdb"),
        publish_path=Path("data/published"),
        spool_path=Path("data/spool"),
        extract_from=date(2024, 7, 1),
        as_of=None,
    )


def test_everything_from_the_environment() -> None:
    settings = Settings.from_env(
        {
            "WAREHOUSE_PATH": "/w/a.duckdb",
            "PUBLISH_PATH": "/p",
            "SPOOL_PATH": "/s",
            "EXTRACT_FROM": "2025-01-02",
            "AS_OF": "2026-01-05T01:30:00+01:00",
        }
    )
    assert (settings.warehouse_path, settings.publish_path) == (Path("/w/a.duckdb"), Path("/p"))
    assert (settings.spool_path, settings.extract_from) == (Path("/s"), date(2025, 1, 2))
    assert settings.as_of == datetime(2026, 1, 5, 0, 30, tzinfo=UTC)
    assert settings.as_of.tzinfo is UTC


def test_spool_stands_beside_the_warehouse_and_empty_is_unset() -> None:
    settings = Settings.from_env({"WAREHOUSE_PATH": "/w/a.duckdb", "SPOOL_PATH": "", "AS_OF": ""})
    assert (settings.spool_path, settings.as_of) == (Path("/w/spool"), None)


@pytest.mark.parametrize(("name", "text"), [("EXTRACT_FROM", "1/7/2024"), ("AS_OF", "yesterday")])
def test_a_bad_date_names_the_variable_and_a_good_one(name: str, text: str) -> None:
    with pytest.raises(SettingsError, match=rf"{name} is '{text}'; write .* such as 202"):
        Settings.from_env({name: text})


@pytest.mark.requirement("OPS-4.6")
def test_an_instant_to_come_is_refused() -> None:
    """Later runs would look back behind it and log nothing of what they find."""
    now = datetime.now(UTC)
    Settings.from_env({"AS_OF": now.isoformat()})
    with pytest.raises(SettingsError, match=r"AS_OF is 2\d{3}-.*, still to come .* set AS_OF to an instant"):
        Settings.from_env({"AS_OF": (now + timedelta(minutes=5)).isoformat()})
