"""The dbt layers, one dbt command per step, so that a gate can stand between two of them."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
from dagster_dbt import DbtCliResource, dbt_assets

from dagster_project.lib.dbt_project import STEPS, ParsedProject, load_project
from dagster_project.lib.dbt_step import build_step
from dagster_project.lib.environment import settle_environment
from dagster_project.lib.resources import RunLockResource
from dagster_project.lib.translator import WarehouseTranslator
from ingestion.settings import Settings


def step_assets(parsed: ParsedProject, translator: WarehouseTranslator, step: str) -> dg.AssetsDefinition:
    """The models and seeds of the step's layers (dbt tags)."""

    @dbt_assets(
        manifest=parsed.manifest,
        select=" ".join(f"tag:{layer}" for layer in STEPS[step]),
        name=f"dbt_{step}",
        project=parsed.project,
        dagster_dbt_translator=translator,
    )
    def _step(context: dg.AssetExecutionContext, dbt: DbtCliResource, run_lock: RunLockResource) -> Iterator[Any]:
        yield from build_step(context, dbt, parsed, translator, Settings.from_env(), step)

    return _step


@dg.definitions
def defs() -> dg.Definitions:
    """Assets of every step."""
    parsed = load_project(settle_environment())
    translator = WarehouseTranslator()
    return dg.Definitions(assets=[step_assets(parsed, translator, step) for step in STEPS])
