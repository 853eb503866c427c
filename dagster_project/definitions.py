"""Everything Dagster shows. Nothing is defined here: `defs/` is searched and each module contributes its own.

What belongs in `defs/`: assets, checks, jobs, schedules, wired to plain functions in `lib/`, `ingestion/` and
`expectations/`. What does not: SQL, paging, the meaning of an expectation.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from dagster_project.lib.environment import settle_environment
from dagster_project.lib.resources import default_resources


def build_defs(overrides: Mapping[str, Any] | None = None) -> dg.Definitions:
    """All definitions for the warehouse the environment names; `overrides` replaces resources by key."""
    settle_environment()
    return dg.Definitions.merge(
        dg.load_from_defs_folder(path_within_project=Path(__file__).parent),
        dg.Definitions(
            resources={**default_resources(), **(overrides or {})},
            # DuckDB has one writer process: the steps of a run share it
            executor=dg.in_process_executor,
        ),
    )


@dg.definitions
def defs() -> dg.Definitions:
    """The code location."""
    return build_defs()
