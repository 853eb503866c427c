"""The main job on the demonstration company: what one run leaves in the warehouse, in Dagster and in the files.

Read-only on `demo_warehouse`; runs nothing itself.
"""

import re
from collections.abc import Iterator

import dagster as dg
import duckdb
import pytest

from dagster_project.lib.dbt_project import load_project
from dagster_project.lib.instance import open_instance
from dagster_project.lib.publish import marts, schema_in_file
from expectations.runner import GATES, list_checks
from ingestion.demo.jira_desk import Desk
from ingestion.settings import Settings
from ingestion.sources import SOURCES
from tests.conftest import DemoWarehouse

# How many months a monthly entity has, and from when, where it is not every one since the company began.
MONTHS = {
    ("monitor_samples", "monitor_sample"): (3, "2025-10"),
    ("datadog", "slo_history"): (6, "2025-07"),
    ("quickbooks", "journal_line"): (6, "2025-07"),
    ("vendor_performance", "record"): (6, "2025-07"),
    ("vendor_performance", "summary"): (6, "2025-07"),
}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def warehouse(demo_warehouse: DemoWarehouse) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(demo_warehouse.warehouse_path), read_only=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def instance(demo_warehouse: DemoWarehouse) -> Iterator[dg.DagsterInstance]:
    with open_instance(demo_warehouse.dagster_home) as found:
        yield found


@pytest.fixture(scope="module")
def manifest(demo_warehouse: DemoWarehouse) -> dict:
    return load_project(Settings.from_env(demo_warehouse.environment)).manifest


def rows(connection, sql, *parameters):
    return connection.execute(sql, list(parameters)).fetchall()


def metadata_of(instance, *key):
    event = instance.get_latest_materialization_event(dg.AssetKey(list(key)))
    assert event is not None, key
    return event.asset_materialization.metadata


def test_the_run_is_in_the_instance_with_every_check(demo_warehouse, instance):
    run = demo_warehouse.run
    assert run.success
    assert instance.get_run_by_id(run.run_id).status == dg.DagsterRunStatus.SUCCESS
    blocking = sum(spec.severity == "block" for gate in GATES for spec in list_checks(gate))
    assert run.checks_passed > blocking
    assert run.checks_failed <= sum(spec.severity == "warn" for gate in GATES for spec in list_checks(gate))


def test_every_record_received_is_landed_or_rejected_with_its_bytes(warehouse):
    received, landed, rejected = rows(
        warehouse,
        "select sum(received_count), sum(row_count), sum(rejected_count) from landing.extract_batch",
    )[0]
    assert received == landed + rejected
    assert rows(warehouse, "select count(*) from landing.landing_reject") == [(rejected,)]
    for source in SOURCES.values():
        for entity in source.entities.values():
            (in_table,), (in_batches,) = rows(
                warehouse,
                f"select count(*) from {entity.table} union all "
                "select coalesce(sum(row_count), 0) from landing.extract_batch where source = ? and entity = ?",
                source.name,
                entity.name,
            )
            assert in_table == in_batches, entity.table


def test_every_ticket_of_the_company_reaches_the_marts(demo_warehouse, warehouse):
    numbers = {ticket.number for ticket in demo_warehouse.company.tickets}
    issues = {ticket.number for ticket in Desk(demo_warehouse.company).tickets()}
    found = dict(
        rows(warehouse, "select source_system, list(distinct ticket_number) from slt.fct_ticket_slt group by 1")
    )
    assert {system: set(keys) for system, keys in found.items()} == {"servicenow": numbers, "jira": issues}


def test_daily_and_monthly_partitions_are_filled_with_their_rows(demo_warehouse, instance, warehouse):
    for source in SOURCES.values():
        for entity in source.entities.values():
            known = instance.get_materialized_partitions(dg.AssetKey([source.name, entity.name]))
            if entity.partitioning == "daily":
                assert (len(known), min(known), max(known)) == (553, "2024-07-01", "2026-01-04"), entity.name
            elif entity.partitioning == "monthly":
                # some began to send later; Datadog keeps the history of an objective for half a year
                count, first = MONTHS.get((source.name, entity.name), (18, "2024-07"))
                assert (len(known), min(known), max(known)) == (count, first, "2025-12"), entity.name
    day = "2025-03-12"
    (record,) = instance.fetch_materializations(
        dg.AssetRecordsFilter(dg.AssetKey(["servicenow", "sys_audit"]), asset_partitions=[day]), limit=2
    ).records
    ((expected,),) = rows(
        warehouse, "select count(*) from raw_servicenow.sys_audit where left(sys_created_on, 10) = ?", day
    )
    assert expected > 0
    assert record.asset_materialization.metadata["dagster/partition_row_count"].value == expected


def test_every_table_shows_its_rows_and_columns(instance, manifest, warehouse):
    for node in manifest["nodes"].values():
        if node["resource_type"] not in ("model", "seed"):
            continue
        metadata = metadata_of(instance, node["schema"], node["alias"])
        table = f'"{node["schema"]}"."{node["alias"]}"'
        assert metadata["dagster/row_count"].value == rows(warehouse, f"select count(*) from {table}")[0][0]
        shown = [(column.name, column.type) for column in metadata["dagster/column_schema"].schema.columns]
        described = rows(warehouse, f"describe {table}")
        assert shown == [(name, data_type) for name, data_type, *_ in described], table


def test_every_mart_shows_from_which_columns_it_is_made(instance, manifest):
    for node in marts(manifest):
        metadata = metadata_of(instance, node["schema"], node["alias"])
        lineage = metadata["dagster/column_lineage"].lineage.deps_by_column
        # of a figure computed from counts alone no single column is the origin
        assert len(lineage) >= len(node["columns"]) / 4, node["name"]
        parents = {dep.asset_key for deps in lineage.values() for dep in deps}
        upstream = {
            dg.AssetKey([parent["schema"], parent["alias"]])
            for parent in (manifest["nodes"].get(name) for name in node["depends_on"]["nodes"])
            if parent
        }
        assert parents & upstream, node["name"]
        assert {column.description for column in metadata["dagster/column_schema"].schema.columns} != {None}


def test_lineage_leads_from_a_payout_to_the_raw_extract(instance):
    def parents(key, column):
        metadata = metadata_of(instance, *key.path)
        if "dagster/column_lineage" not in metadata:
            return set()
        deps = metadata["dagster/column_lineage"].lineage.deps_by_column.get(column, [])
        return {(dep.asset_key, dep.column_name) for dep in deps}

    seen, frontier = set(), {(dg.AssetKey(["slt", "fct_ticket_slt"]), "stop_at")}
    while frontier:
        seen |= frontier
        frontier = {
            found for key, column in frontier if key.path[0] not in SOURCES for found in parents(key, column)
        } - seen
    assert (dg.AssetKey(["servicenow", "sys_audit"]), "sys_created_on") in seen


def test_absent_sources_are_named_and_nothing_is_invented(warehouse, instance):
    assert rows(warehouse, "select source, reason from landing.source_status where not is_configured") == [
        ("servicenow_event_log", "SERVICENOW_EXPORT_FILE is not set")
    ]
    assert metadata_of(instance, "landing", "servicenow_event_log")["is_configured"].value is False
    assert rows(warehouse, "select count(*) from staging.stg_servicenow_event_log__incident_events") == [(0,)]


def test_the_published_files_hold_the_marts_of_their_audience(demo_warehouse, manifest, warehouse):
    for audience in ("bi", "finance"):
        meant = {
            (schema_in_file(node["schema"], audience), node["alias"]): f"{node['schema']}.{node['alias']}"
            for node in marts(manifest)
            if audience in node["config"]["meta"]["audiences"]
        }
        with duckdb.connect(str(demo_warehouse.publish_path / f"{audience}.duckdb"), read_only=True) as connection:
            listed = rows(connection, "select schema_name, table_name, row_count from published.table_list")
            assert {(schema, table) for schema, table, _ in listed} == meant.keys()
            for schema, table, count in listed:
                name = meant[schema, table]
                assert rows(connection, f"select count(*) from {name}") == [(count,)], "readable by its usual name"
                assert rows(warehouse, f"select count(*) from {name}") == [(count,)]
            about = rows(connection, "select warehouse_run_id, batch_count from published.about")
            assert about == rows(
                warehouse,
                "select (select run_id from landing.run_context), (select count(*) from landing.extract_batch)",
            )
            uncommented = rows(
                connection,
                "select table_name, column_name from duckdb_columns() "
                "where comment is null and schema_name <> 'published' and not internal",
            )
            assert uncommented == []


def values_of_type(connection, data_type):
    """Every distinct value of the columns of a type, as text."""
    found = set()
    for schema, table, column in rows(
        connection,
        "select schema_name, table_name, column_name from duckdb_columns() where data_type = ? and not internal",
        data_type,
    ):
        found |= {
            value
            for (value,) in rows(
                connection,
                f'select distinct "{column}"::varchar from "{schema}"."{table}" where "{column}" is not null',
            )
        }
    return found


def test_bi_holds_no_name_no_person_id_and_no_individual_amount(demo_warehouse, warehouse):
    people = demo_warehouse.company.employees
    path = demo_warehouse.publish_path / "bi.duckdb"
    content = path.read_bytes()
    names = {person.display_name for person in people} | {person.email for person in people}
    assert not [name for name in names if name.encode() in content]
    with duckdb.connect(str(path), read_only=True) as connection:
        texts = values_of_type(connection, "VARCHAR")
        amounts = values_of_type(connection, "DECIMAL(18,2)")
    assert not texts & {person.employee_number for person in people}
    numbers = re.compile("|".join(re.escape(person.employee_number) for person in people))
    assert not [text for text in texts if re.fullmatch(rf".*\b({numbers.pattern})\b.*", text)]
    individual = {
        amount
        for (amount,) in rows(
            warehouse,
            "select sum(payout_amount)::varchar from incentives.fct_incentive_payout "
            "group by employee_number, earned_quarter, currency_code having sum(payout_amount) <> 0 "
            "union select payout_amount::varchar from incentives.fct_incentive_payout where payout_amount <> 0",
        )
    }
    assert len(individual) > 100
    assert not amounts & individual
    with duckdb.connect(str(demo_warehouse.publish_path / "finance.duckdb"), read_only=True) as connection:
        assert values_of_type(connection, "DECIMAL(18,2)") >= individual, "the search itself must be able to find"
