"""Lay out a dbt project around fivetran/dbt_zendesk so that its service-level models run on DuckDB.

    python -m benchmarks.peer_zendesk_patch FOLDER [--mend]

FOLDER, outside this repository, holds `dbt_packages/zendesk`, `dbt_packages/fivetran_utils` and
`dbt_packages/dbt_utils`: the sources of fivetran/dbt_zendesk (v1.6.1), fivetran/dbt_fivetran_utils (branch
releases/v0.4.latest) and dbt-labs/dbt-utils (1.4.1), each unpacked as it is published. Their models stay as they
are. What they lack on DuckDB is given by dispatch from the project around them: adding an interval to a timestamp.
Their lists of packages are taken away, since all packages are there already.

--mend also changes two models: they take the least of a ticket's minute and a schedule's minute after a left join,
which is null where nothing joins on some databases and the ticket's own minute on DuckDB (and PostgreSQL). Mended, it
is null everywhere. For comparing results; the cost is measured on the models as published.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

PACKAGES = ("zendesk", "fivetran_utils", "dbt_utils")
PROJECT = """\
name: peer
version: "1.0"
config-version: 2
profile: peer
macro-paths: ["macros"]
flags: {send_anonymous_usage_stats: false}
dispatch:
  - macro_namespace: fivetran_utils
    search_order: [peer, fivetran_utils]
vars:
  fivetran__remove_empty_table_warnings: true
"""
PROFILES = """\
peer:
  target: duckdb
  outputs:
    duckdb:
      type: duckdb
      path: "{{ env_var('PEER_DATABASE') }}"
      schema: peer
      threads: 2
      settings: {TimeZone: UTC, memory_limit: 13GB}
"""
MACROS = """\
{% macro duckdb__timestamp_add(datepart, interval, from_timestamp) -%}
    (({{ from_timestamp }}) + ({{ interval }}) * interval 1 {{ datepart }})
{%- endmacro %}
"""

MENDED_MODELS = (
    "agent_work_time/int_zendesk__agent_work_time_business_hours.sql",
    "requester_wait_time/int_zendesk__requester_wait_time_business_hours.sql",
)
FRAGMENT = "least(ticket_week_end_time_minute, schedule.end_time_utc)"


def main(arguments: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peer_zendesk_patch")
    parser.add_argument("folder", type=Path, help="with the unpacked packages below dbt_packages")
    parser.add_argument("--mend", action="store_true", help="nulls stay null in two models; for comparing results")
    options = parser.parse_args(arguments)
    folder = options.folder
    missing = [name for name in PACKAGES if not (folder / "dbt_packages" / name / "dbt_project.yml").exists()]
    if missing:
        sys.stderr.write(f"{folder}/dbt_packages lacks {', '.join(missing)}: unpack them there first\n")
        return 2
    lay_out(folder)
    if options.mend:
        mend(folder)
    return 0


def lay_out(folder: Path) -> None:
    """Write the project; safe to repeat."""
    for name in PACKAGES:
        package = folder / "dbt_packages" / name
        (package / "packages.yml").unlink(missing_ok=True)
        shutil.rmtree(package / "integration_tests", ignore_errors=True)
    (folder / "macros").mkdir(exist_ok=True)
    (folder / "dbt_project.yml").write_text(PROJECT)
    (folder / "profiles.yml").write_text(PROFILES)
    (folder / "macros" / "duckdb.sql").write_text(MACROS)


def mend(folder: Path) -> None:
    """Keep nulls of a left join null. Raises ValueError where the place is not found or was mended before."""
    for name in MENDED_MODELS:
        path = folder / "dbt_packages" / "zendesk" / "models" / "sla_policy" / name
        text = path.read_text()
        mended = f"case when schedule.end_time_utc is not null then {FRAGMENT} end"
        if text.count(FRAGMENT) != 1 or mended in text:
            raise ValueError(f"{path}: the place to mend is not there exactly once, or it is mended already")
        path.write_text(text.replace(FRAGMENT, mended))


if __name__ == "__main__":
    sys.exit(main())
