"""The dbt project as Dagster sees it: its layers, its parsed manifest, the resource that runs it.

The manifest is not in the repository. `load_project` parses the project when the manifest is missing or
any file it is made from has changed, so that a fresh clone, a test and a scheduled run all work without a build step.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dagster_dbt import DbtCliResource, DbtProject

from dagster_project.lib.dbt_parse import ensure_parsed
from dagster_project.lib.dbt_runner import DBT_EXECUTABLE
from dagster_project.lib.environment import DBT_PROJECT_DIR, dbt_target_path
from ingestion.settings import Settings

# One dbt command per step, since a gate can only stand between two commands; layers without a gate between them
# share one, since each command spends some four seconds before its first node.
STEPS = {"staging": ("reference", "staging"), "marts": ("core", "marts")}
LAYERS = tuple(layer for layers in STEPS.values() for layer in layers)


@dataclass(frozen=True)
class ParsedProject:
    """A dbt project and its manifest (the JSON as dbt wrote it)."""

    project: DbtProject
    manifest: Mapping[str, Any]

    @property
    def target_path(self) -> Path:
        """The target folder of this warehouse, absolute."""
        return Path(self.project.target_path)

    def nodes(self, layer: str) -> dict[str, Mapping[str, Any]]:
        """The models or seeds of a layer by unique_id (layer = dbt tag)."""
        return {
            unique_id: node
            for unique_id, node in self.manifest["nodes"].items()
            if layer in node.get("tags", ()) and node["resource_type"] in ("model", "seed")
        }

    def node_of_table(self, table: str) -> Mapping[str, Any] | None:
        """The model or seed that builds `schema.name`, or None."""
        for node in self.manifest["nodes"].values():
            if node["resource_type"] in ("model", "seed") and f"{node['schema']}.{node['alias']}" == table:
                return node
        return None


_PARSED: dict[tuple[Path, int], ParsedProject] = {}


class ChildDbtResource(DbtCliResource):
    """DbtCliResource that leaves dbt itself to the child process.

    The base class also imports dbt here and opens an adapter, for metadata that we read in one query instead
    (see table_facts): two seconds a run, and one more place that could hold the warehouse open.
    """

    def _initialize_dbt_core_adapter(self, args: Sequence[str]) -> None:  # type: ignore[override]
        return None


def dbt_resource(project: DbtProject | None = None) -> DbtCliResource:
    """The dbt command as a child process that holds the dbt lock (see dbt_runner)."""
    os.environ["SLTW_PYTHON"] = sys.executable
    return ChildDbtResource(
        project_dir=project or os.fspath(DBT_PROJECT_DIR),
        dbt_executable=os.fspath(DBT_EXECUTABLE),
        global_config_flags=["--log-level-file", "info", "--log-format-file", "text"],
    )


def load_project(settings: Settings) -> ParsedProject:
    """The project and its manifest, parsed again when any of its files has changed.

    Raises DbtParseError with dbt's own message when the project does not parse.
    """
    manifest_path = ensure_parsed(settings)
    key = (manifest_path, manifest_path.stat().st_mtime_ns)
    if key not in _PARSED:
        _PARSED.clear()
        _PARSED[key] = ParsedProject(
            DbtProject(DBT_PROJECT_DIR, target_path=dbt_target_path(settings)),
            json.loads(manifest_path.read_text(encoding="utf-8")),
        )
    return _PARSED[key]
