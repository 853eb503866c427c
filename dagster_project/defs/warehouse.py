"""The job of the whole path, its schedule, and the job that only publishes."""

import dagster as dg

from dagster_project.defs.publish.audiences import audience_key
from dagster_project.lib.dbt_project import LAYERS, load_project
from dagster_project.lib.environment import settle_environment
from dagster_project.lib.gates import GATES, check_keys
from dagster_project.lib.publish import AUDIENCES
from dagster_project.lib.translator import WarehouseTranslator, landing_key
from ingestion.landing import AUDIT_TABLES
from ingestion.sources import SOURCES

# After the monthly drops and the last UTC day are there; the as-of instant is then the start of that day.
DAILY_CRON = "30 3 * * *"

# Two thousand events a run are kept in the instance; the log for people has what steps say and what fails.
READABLE_LOG = {"loggers": {"console": {"config": {"log_level": "INFO"}}}}


@dg.definitions
def defs() -> dg.Definitions:
    """Jobs and schedule."""
    parsed = load_project(settle_environment())
    translator = WarehouseTranslator()
    gate_keys = {gate: check_keys(gate, parsed) for gate in GATES}
    landing = [landing_key(name) for name in (*AUDIT_TABLES, *SOURCES)]
    built = [translator.get_asset_key(node) for layer in LAYERS for node in parsed.nodes(layer).values()]
    published = [audience_key(audience) for audience in AUDIENCES]
    warehouse = dg.define_asset_job(
        "warehouse",
        selection=dg.AssetSelection.assets(*landing, *built, *published)
        | dg.AssetSelection.checks(*(key for keys in gate_keys.values() for key in keys)),
        description=(
            "The whole path: land what is owed, gate, staging, gate, core, marts, gate, publish. A gate that fails "
            "leaves everything below it, and what was published before, as it was."
        ),
        executor_def=dg.in_process_executor,
        config=READABLE_LOG,
    )
    publish_only = dg.define_asset_job(
        "publish_only",
        selection=dg.AssetSelection.assets(*published) | dg.AssetSelection.checks(*gate_keys["marts"]),
        description="Judge the marts as they stand and publish them again.",
        executor_def=dg.in_process_executor,
        config=READABLE_LOG,
    )
    daily = dg.ScheduleDefinition(
        name="warehouse_daily", job=warehouse, cron_schedule=DAILY_CRON, execution_timezone="UTC"
    )
    return dg.Definitions(jobs=[warehouse, publish_only], schedules=[daily])
