"""What Dagster is shown: keys, jobs, checks and cron as a snapshot, and the rules every definition keeps.

The snapshot stands beside this file. When a change of it is meant:
    SLTW_UPDATE_SNAPSHOT=1 .venv/bin/python -m pytest tests/unit/test_dagster_definitions.py
"""

import os
from collections import Counter
from pathlib import Path

import dagster as dg
import pytest

from dagster_project.lib.dbt_project import LAYERS, STEPS, load_project
from dagster_project.lib.environment import settle_environment
from dagster_project.lib.gates import GateTargetError, asset_of, check_keys
from dagster_project.lib.resources import RunLockResource
from expectations.runner import GATES, list_checks
from ingestion.sources import SOURCES

SNAPSHOT = Path(__file__).with_suffix(".snapshot.txt")
OUR_JOBS = {"warehouse", "publish_only", "re_extract_daily", "re_extract_monthly", "close_period", "verify_archive"} | {
    "payroll_export",
    "verify_payroll_export",
}


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    folder = tmp_path_factory.mktemp("definitions")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WAREHOUSE_PATH", str(folder / "warehouse.duckdb"))
        patch.setenv("PUBLISH_PATH", str(folder / "published"))
        patch.setenv("AS_OF", "2026-01-05T00:00:00Z")
        yield folder


@pytest.fixture(scope="module")
def parsed(environment):
    return load_project(settle_environment())


@pytest.fixture(scope="module")
def definitions(environment):
    from dagster_project.definitions import build_defs

    return build_defs()


@pytest.fixture(scope="module")
def graph(definitions):
    return definitions.resolve_asset_graph()


def is_ours(key):
    """Whether a check is a gate's own (the others are dbt tests)."""
    return key.name.startswith("gate_")


def test_the_browser_can_load_every_definition(definitions):
    """A job named like one of its steps works in process, but not in the code server of `dagster dev`."""
    definitions.get_repository_def().load_all_definitions()


def test_keys_jobs_checks_and_cron_are_as_noted(definitions, graph):
    repository = definitions.get_repository_def()
    lines = [f"job {name}" for name in sorted(OUR_JOBS & set(repository.job_names))]
    lines += [
        f"schedule {schedule.name}: {schedule.cron_schedule} {schedule.execution_timezone} -> {schedule.job_name}"
        for schedule in repository.schedule_defs
    ]
    checks = Counter(key.asset_key for key in graph.asset_check_keys if is_ours(key))
    for key in sorted(graph.get_all_asset_keys()):
        node = graph.get(key)
        partitions = type(node.partitions_def).__name__ if node.partitions_def else "-"
        lines.append(f"asset {key.to_user_string()} [{node.group_name}] {partitions} gate checks {checks[key]}")
    now = "\n".join(lines) + "\n"
    if os.environ.get("SLTW_UPDATE_SNAPSHOT"):
        SNAPSHOT.write_text(now)
    assert now == SNAPSHOT.read_text(), "see the head of this file when the change is meant"


def test_every_job_runs_in_one_process_and_holds_the_run_lock_in_every_step(definitions):
    for name in OUR_JOBS:
        job = definitions.resolve_job_def(name)
        assert job.executor_def.name == "in_process"
        for node in job.nodes:
            assert "run_lock" in node.definition.required_resource_keys, (name, node.name)


def test_every_asset_has_a_description_owners_kinds_and_a_group(graph):
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.description, key
        assert node.owners, key
        assert node.kinds, key
        assert node.group_name != "default", key


def test_every_entity_of_every_source_is_an_asset_partitioned_as_its_source_is(graph):
    kinds = {"daily": dg.DailyPartitionsDefinition, "monthly": dg.MonthlyPartitionsDefinition}
    for source in SOURCES.values():
        for entity in source.entities.values():
            node = graph.get(dg.AssetKey([source.name, entity.name]))
            assert node.group_name == source.name
            expected = kinds.get(entity.partitioning)
            assert isinstance(node.partitions_def, expected) if expected else node.partitions_def is None
            assert (node.backfill_policy is not None) == (expected is not None)
            schema = node.metadata["dagster/column_schema"]
            assert [column.name for column in schema.columns][: len(entity.columns)] == list(entity.columns)


def test_every_model_and_seed_is_built_by_the_job_of_the_whole_path(definitions, parsed):
    job = definitions.resolve_job_def("warehouse")
    selected = job.asset_layer.selected_asset_keys
    nodes = [n for n in parsed.manifest["nodes"].values() if n["resource_type"] in ("model", "seed")]
    assert {dg.AssetKey([node["schema"], node["alias"]]) for node in nodes} <= selected
    assert sum(len(parsed.nodes(layer)) for layer in LAYERS) == len(nodes)
    assert {dg.AssetKey(["landing", name]) for name in SOURCES} <= selected
    assert {dg.AssetKey(["published", "bi"]), dg.AssetKey(["published", "finance"])} <= selected


@pytest.mark.parametrize("gate", GATES)
def test_every_check_of_a_gate_is_an_asset_check_and_the_severe_ones_block(graph, parsed, gate):
    specs = list_checks(gate)
    keys = check_keys(gate, parsed)
    assert len(set(keys)) == len(specs)
    for spec, key in zip(specs, keys, strict=True):
        check = graph.get_check_spec(key)
        assert check.blocking == (spec.severity == "block"), key
        assert check.description == spec.description


@pytest.mark.parametrize(("gate", "below"), [("raw", "dbt_staging"), ("staging", "dbt_marts"), ("marts", "publish")])
def test_what_is_below_a_gate_waits_for_it(definitions, gate, below):
    """One dependency on the gate's step is enough to be stopped by any of its checks: see test_dagster_gates."""
    dependencies = definitions.resolve_job_def("warehouse").graph.dependencies
    by_name = {node.alias or node.name: inputs for node, inputs in dependencies.items()}
    waits_for = {
        dependency.output
        for definition in by_name[below].values()
        for dependency in definition.get_node_dependencies()
        if dependency.node == f"gate_{gate}"
    }
    assert waits_for


def test_a_step_waits_for_the_landing_of_the_sources_it_reads(graph):
    for name, source in (
        ("stg_servicenow__incidents", "servicenow"),
        ("stg_payroll__register_lines", "payroll"),
    ):
        parents = graph.get(dg.AssetKey(["staging", name])).parent_keys
        assert dg.AssetKey(["landing", source]) in parents
        assert dg.AssetKey(["landing", "extract_batch"]) in parents


@pytest.mark.parametrize(
    ("gate", "table", "complaint"),
    [
        ("raw", "staging.stg_servicenow__incidents", "stands on raw_"),
        ("staging", "slt.fct_ticket_slt", "not a staging model"),
        ("marts", "core.int_ticket", "not a marts model"),
        ("marts", "slt.fct_nowhere", "which no dbt model builds"),
    ],
)
def test_a_check_that_could_block_nothing_is_refused(parsed, gate, table, complaint):
    with pytest.raises(GateTargetError, match=complaint):
        asset_of(gate, table, parsed)


def test_resources_can_be_replaced(environment):
    from dagster_project.definitions import build_defs

    patient = RunLockResource(wait_seconds=7)
    assert build_defs({"run_lock": patient}).resources["run_lock"] is patient


def test_layers_without_a_gate_between_them_share_one_dbt_command():
    assert STEPS == {"staging": ("reference", "staging"), "marts": ("core", "marts")}
