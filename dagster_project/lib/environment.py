"""Where a warehouse keeps what belongs to it, and an environment in which nothing reports home.

Beside the warehouse file `<dir>/<stem>.duckdb` stand `<stem>.duckdb.lock` and `<stem>.duckdb.dbt.lock` (see
run_lock), `<stem>_state/` (the dbt target folder) and `logs/`.
"""

from __future__ import annotations

import os
from pathlib import Path

from ingestion.settings import Settings, SettingsError

REPO_ROOT = Path(__file__).resolve().parents[2]
DBT_PROJECT_DIR = REPO_ROOT / "dbt_project"
SEEDS_DIR = REPO_ROOT / "seeds"

SCHEMAS = frozenset(
    ("landing", "staging", "core", "slt", "metrics", "incentives", "finance", "governance", "reference")
)

# dbt, Great Expectations and whatever honours the common wish; Dagster's own switch is in dagster.yaml.
NO_TELEMETRY = {
    "DO_NOT_TRACK": "1",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "GX_ANALYTICS_ENABLED": "false",
    "DAGSTER_DISABLE_TELEMETRY": "1",
}


def settle_environment() -> Settings:
    """Switch telemetry off, make the paths absolute in the environment and return the settings.

    dbt runs in its own working folder, so a relative WAREHOUSE_PATH would name another file there.
    """
    os.environ.update(NO_TELEMETRY)
    settings = Settings.from_env()
    if settings.warehouse_path.stem in SCHEMAS:
        raise SettingsError(
            f"WAREHOUSE_PATH is {settings.warehouse_path}: a database named like its schema "
            f"{settings.warehouse_path.stem} makes names ambiguous; choose another file name"
        )
    os.environ["WAREHOUSE_PATH"] = str(settings.warehouse_path.absolute())
    os.environ["PUBLISH_PATH"] = str(settings.publish_path.absolute())
    os.environ["SPOOL_PATH"] = str(settings.spool_path.absolute())
    os.environ["ARCHIVE_PATH"] = str(settings.archive_path.absolute())
    os.environ["PAYROLL_EXPORT_PATH"] = str(settings.payroll_export_path.absolute())
    return Settings.from_env()


def state_path(settings: Settings) -> Path:
    """The folder of derived files that may be deleted at any time (dbt target, gates' page)."""
    return settings.warehouse_path.absolute().parent / f"{settings.warehouse_path.stem}_state"


def dbt_target_path(settings: Settings) -> Path:
    """The target folder of dbt: one per warehouse, because the parsed project holds the database's name."""
    return state_path(settings) / "dbt"


def gates_path(settings: Settings) -> Path:
    """The folder of the gates' page (index.html) and their last results."""
    return state_path(settings) / "gates"


def logs_path(settings: Settings) -> Path:
    """Where the console commands keep what Dagster and dbt would have printed."""
    return settings.warehouse_path.absolute().parent / "logs"


def default_dagster_home() -> Path:
    """DAGSTER_HOME, or data/dagster_home below the current folder."""
    return Path(os.environ.get("DAGSTER_HOME") or "data/dagster_home").absolute()
