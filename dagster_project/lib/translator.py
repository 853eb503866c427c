"""How a dbt node is called, grouped and owned in Dagster, and where a table of the warehouse stands there.

Keys: a raw entity [<source>, <entity>], a landing table or a source's whole landing ["landing", <name>], a
model or seed [<schema>, <name>].
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtProject

from ingestion.sources import SOURCES

# Who is asked when an asset is wrong, by dbt domain (the first folder below a layer), else by layer.
OWNERS = {
    "metrics": "team:service-level-management",
    "slt": "team:service-level-management",
    "incentives": "team:finance-controlling",
    "finance": "team:finance-controlling",
    "governance": "team:service-level-management",
}
DATA_ENGINEERING = "team:data-engineering"


def entity_key(source: str, entity: str) -> dg.AssetKey:
    """Key of a raw entity."""
    return dg.AssetKey([source, entity])


def landing_key(name: str) -> dg.AssetKey:
    """Key of a landing table, or of everything a source owes up to the as-of instant."""
    return dg.AssetKey(["landing", name])


def table_key(schema: str, name: str) -> dg.AssetKey:
    """Key of the asset that stands for the table `schema.name` of the warehouse."""
    if schema.startswith("raw_"):
        return entity_key(schema.removeprefix("raw_"), name)
    return landing_key(name) if schema == "landing" else dg.AssetKey([schema, name])


class WarehouseTranslator(DagsterDbtTranslator):
    """Small methods, composed by the base class in `get_asset_spec`; only the extra deps are added there."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """A source's own `meta.dagster.asset_key`, else the key of its table."""
        meta = dbt_resource_props.get("meta") or dbt_resource_props.get("config", {}).get("meta") or {}
        declared = meta.get("dagster", {}).get("asset_key")
        if declared:
            return dg.AssetKey(declared)
        name = dbt_resource_props.get("identifier") or dbt_resource_props["name"]
        return table_key(dbt_resource_props["schema"], name)

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """`<layer>_<domain>` from the folders: staging_datadog, core_time, marts_finance; reference for seeds."""
        return "_".join(part for part in self._folders(dbt_resource_props) if part)

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """The documented description alone: the SQL stands in the code, not in every asset's page."""
        return dbt_resource_props.get("description") or ""

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str]:
        """Declared owners (meta.dagster.owners or the dbt group's), else by domain."""
        layer, domain = self._folders(dbt_resource_props)
        return list(super().get_owners(dbt_resource_props) or [OWNERS.get(domain, OWNERS.get(layer, DATA_ENGINEERING))])

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None) -> dg.AssetSpec:
        """Staging also waits for the landing of its source and for the batch audit.

        The raw entities are partitioned and stand outside the unpartitioned job of the whole path, so the order
        inside that job comes from these.
        """
        props = self.get_resource_props(manifest, unique_id)
        spec = super().get_asset_spec(manifest, unique_id, project)
        if props["resource_type"] != "model":
            return spec
        sources = {
            manifest["sources"][upstream]["schema"].removeprefix("raw_")
            for upstream in props["depends_on"]["nodes"]
            if upstream.startswith("source.")
        }
        landing = [landing_key(name) for name in sorted(sources & set(SOURCES))]
        if not landing:
            return spec
        known = {dep.asset_key for dep in spec.deps}
        extra = [dg.AssetDep(key) for key in (*landing, landing_key("extract_batch")) if key not in known]
        return spec.replace_attributes(deps=[*spec.deps, *extra])

    @staticmethod
    def _folders(props: Mapping[str, Any]) -> tuple[str, str]:
        if props["resource_type"] == "seed":
            return "reference", ""
        if props["resource_type"] == "source":
            return "raw", ""
        fqn = props.get("fqn") or ["", "", ""]
        return fqn[1] if len(fqn) > 2 else "", fqn[2] if len(fqn) > 3 else ""
