"""The files people and tools read: one per audience, replaced after the last gate has opened."""

from collections.abc import Iterator

import dagster as dg

from dagster_project.lib.dbt_project import load_project
from dagster_project.lib.environment import settle_environment
from dagster_project.lib.progress import say
from dagster_project.lib.publish import AUDIENCES, marts, publish
from dagster_project.lib.resources import RunLockResource
from dagster_project.lib.translator import DATA_ENGINEERING, WarehouseTranslator
from ingestion.settings import Settings

DESCRIPTIONS = {
    "bi": "Public columns of the marts meant for analysts: no name, no person id, no individual amount.",
    "finance": "The marts finance reconciles and pays from, with persons and amounts.",
}


def audience_key(audience: str) -> dg.AssetKey:
    """Key of an audience's file."""
    return dg.AssetKey(["published", audience])


@dg.definitions
def defs() -> dg.Definitions:
    """One step for all audiences. It reads every mart's key, so that any failed check of the last gate stops it."""
    manifest = load_project(settle_environment()).manifest
    translator = WarehouseTranslator()
    specs = [
        dg.AssetSpec(
            audience_key(audience),
            deps=[translator.get_asset_key(node) for node in marts(manifest)],
            description=DESCRIPTIONS[audience],
            group_name="published",
            owners=[DATA_ENGINEERING],
            kinds={"duckdb", "file"},
        )
        for audience in AUDIENCES
    ]

    @dg.multi_asset(name="publish", specs=specs)
    def publish_audiences(
        context: dg.AssetExecutionContext, run_lock: RunLockResource
    ) -> Iterator[dg.MaterializeResult]:
        settings = Settings.from_env()
        parsed = load_project(settings)
        for audience in AUDIENCES:
            done = publish(settings.warehouse_path, settings.publish_path, parsed.manifest, audience, context.run_id)
            say(
                context.log,
                f"published {audience}: {len(done.row_counts)} tables, {sum(done.row_counts.values()):,} rows, "
                f"{done.size_bytes / 1e6:.1f} MB in {done.path}",
            )
            yield dg.MaterializeResult(
                asset_key=audience_key(audience),
                metadata={
                    "path": dg.MetadataValue.path(done.path),
                    "dagster/row_count": sum(done.row_counts.values()),
                    "size_bytes": done.size_bytes,
                    "rows_by_table": dg.MetadataValue.json(done.row_counts),
                },
            )

    return dg.Definitions(assets=[publish_audiences])
