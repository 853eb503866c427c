"""The promises of the sources: read from the seed, judged on a built warehouse, shown to Dagster and to a person."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.cli import main
from dagster_project.defs.ingestion.landing import source_asset
from dagster_project.defs.ingestion.raw_entities import entity_asset
from dagster_project.lib.freshness import dependents_of_entities, policy_of_entity, policy_of_source, window_of
from expectations.outcomes import describe
from expectations.suites.marts_sources import SLA, checks
from ingestion.contracts import Entity
from ingestion.freshness import Promise, promise_of, read_promises, write_entities
from ingestion.landing import prepare
from ingestion.settings import Settings
from ingestion.sources import SOURCES
from tests.integration.bench import Bench

SPECS = {spec.check_name: spec for spec in checks()}
DAY = date(2025, 6, 1)
ONE = "source_name = 'servicenow' and entity_name = 'incident'"


def promise(entity: str, hours: int | None, calendar: str = "always", first: date = date(2025, 1, 1)) -> Promise:
    return Promise("s", entity, hours, calendar, "major", first, None)


# --- the seed ---


def test_an_entity_goes_before_its_source_and_a_promise_has_its_days() -> None:
    rows = [promise("*", 12), promise("late", 24), promise("next", 1, first=date(2025, 7, 1))]
    assert promise_of(rows, "s", "late", DAY).promised_hours == 24
    assert promise_of(rows, "s", "other", DAY).promised_hours == 12
    assert promise_of(rows, "s", "next", DAY).promised_hours == 12
    assert promise_of(rows, "t", "late", DAY) is None


def test_every_source_is_governed() -> None:
    rows = read_promises()
    today = date(2026, 1, 5)
    missing = [
        f"{source.name}.{entity.name}"
        for source in SOURCES.values()
        for entity in source.entities.values()
        if promise_of(rows, source.name, entity.name, today) is None
    ]
    assert not missing, f"add to seeds/governance/source_sla.csv: {missing}"


# --- what waits, from dbt's lineage ---


def test_what_waits_is_read_from_the_lineage(tmp_path: Path) -> None:
    """raw.a feeds a staging model, a core model and, through it, one mart; raw.b reaches nothing; landing is no raw."""
    node = {"tags": []}
    manifest = {
        "sources": {
            "source.p.raw.a": {"schema": "raw_servicenow", "name": "incident"},
            "source.p.raw.b": {"schema": "raw_servicenow", "name": "sys_user"},
            "source.p.landing.c": {"schema": "landing", "name": "extract_batch"},
        },
        "nodes": {
            "model.p.stg": node,
            "model.p.int": node,
            "model.p.fct": {"tags": ["marts"], "schema": "slt", "alias": "fct"},
            "test.p.t": node,
        },
        "child_map": {
            "source.p.raw.a": ["model.p.stg", "test.p.t"],
            "source.p.landing.c": ["model.p.fct"],
            "model.p.stg": ["model.p.int"],
            "model.p.int": ["model.p.fct", "model.p.stg"],
        },
    }
    found = dependents_of_entities(manifest)
    assert found == [("servicenow", "incident", "slt", "fct")]
    settings = Settings(tmp_path / "w.duckdb", tmp_path / "published", tmp_path / "spool")
    prepare(settings)
    for _ in range(2):
        write_entities(settings, [*found, ("nobody", "knows", "slt", "fct")])
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        assert connection.sql("from landing.entity_dependent").fetchall() == found
        known = sum(len(source.entities) for source in SOURCES.values())
        assert connection.sql("select count(*) from landing.source_entity").fetchone() == (known,)


# --- Dagster's own policies ---


def entity(partitioning: Any) -> Entity:
    return Entity("s", "e", partitioning, ("id",), ("id",), "")


@pytest.mark.parametrize(
    ("promised", "partitioning", "expected"),
    [
        (promise("e", 12), "daily", timedelta(hours=36)),
        (promise("e", 12), "snapshot", timedelta(hours=36)),
        (promise("e", 40, "ie_business"), "monthly", timedelta(days=31, hours=280)),
        (promise("e", 5), "file", timedelta(hours=5)),
        (promise("e", None), "daily", None),
    ],
)
def test_the_time_between_two_deliveries(promised: Promise, partitioning: str, expected: timedelta | None) -> None:
    assert window_of(promised, entity(partitioning)) == expected


def test_policies_stand_on_the_assets() -> None:
    incidents, users = SOURCES["servicenow"].entities["incident"], SOURCES["servicenow"].entities["sys_user"]
    policy = policy_of_entity(SOURCES["servicenow"], incidents)
    assert policy.fail_window.to_timedelta() == timedelta(hours=36)
    assert policy.warn_window.to_timedelta() == timedelta(hours=28.8)
    assert policy_of_entity(SOURCES["servicenow"], users) is None  # an unchanged list is checked, not materialised
    assert policy_of_source(SOURCES["servicenow"]).fail_window.to_timedelta() == timedelta(hours=36)
    assert policy_of_source(SOURCES["servicenow_event_log"]) is None


def test_the_assets_carry_their_policies(tmp_path: Path) -> None:
    source, settings = SOURCES["servicenow"], Settings(tmp_path / "w.duckdb", tmp_path, tmp_path)
    for name in ("incident", "sys_user"):
        (spec,) = entity_asset(source, source.entities[name], settings).specs
        assert spec.freshness_policy == policy_of_entity(source, source.entities[name])
    (spec,) = source_asset(source).specs
    assert spec.freshness_policy == policy_of_source(source) is not None


# --- on a warehouse that was built ---


@pytest.fixture(scope="module")
def bench(demo_warehouse: Any, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench.of(demo_warehouse.warehouse_path, tmp_path_factory.mktemp("freshness"), is_held=False)


@pytest.mark.slow
@pytest.mark.requirement("LTI-7.6")
def test_the_demonstration_keeps_its_promises(bench: Bench) -> None:
    result = bench.run_gate("marts", SPECS.values())
    assert result.is_open and not result.warnings, [describe(o) for o in result.outcomes if not o.success]
    absent = bench.value(f"select count(*) from {SLA} where sla_status = 'absent' and not is_late")
    assert absent == bench.value(f"select count(*) from {SLA} where source_name = 'servicenow_event_log'") == 1
    assert bench.value(f"select waiting_result_count from {SLA} where {ONE}") == 0
    assert bench.value(f"select dependent_result_count from {SLA} where {ONE}") > 20
    # probes and page views began in the window these were found in
    gating = "from landing.drift_finding where is_gating and severity <> 'ignore'"
    assert bench.value(f"select list(distinct entity order by entity) {gating}") == ["rum_event", "synthetic_result"]
    assert bench.value("select count(*) from landing.batch_profile") > 1_000
    assert bench.value("select count(*) from landing.entity_check where entity = 'sys_user'") == 1


FINDINGS = "landing.drift_finding"
DEFECTS = [
    ("rpt_source_sla_promises_are_kept", SLA, f"update {{t}} set is_late = true where {ONE}"),
    ("rpt_source_sla_promises_are_governed", SLA, f"update {{t}} set sla_status = 'ungoverned' where {ONE}"),
    ("rpt_source_sla_lists_every_entity_once", SLA, f"delete from {{t}} where {ONE}"),
    ("rpt_source_sla_lists_every_entity_once", SLA, f"insert into {{t}} select * from {{t}} where {ONE}"),
    ("rpt_source_sla_lateness_follows_the_deadline", SLA, f"update {{t}} set due_at = null where {ONE}"),
    ("rpt_source_sla_lateness_follows_the_deadline", SLA, f"update {{t}} set due_at = '2025-12-31' where {ONE}"),
    ("rpt_source_sla_lateness_follows_the_deadline", SLA, f"update {{t}} set is_late = true where {ONE}"),
    ("rpt_source_sla_lateness_follows_the_deadline", SLA, f"update {{t}} set late_seconds = 60 where {ONE}"),
    (
        "rpt_source_drift_lists_every_finding_of_the_landing",
        FINDINGS,
        "insert into {t} values ('s', 'e', 'c', 'volume', 'warn', 'b', 'p', null, null, null, 1, 2, 3, 6, 't', 't', "
        "null, 'm', false)",
    ),
]


def test_every_check_has_a_defect() -> None:
    assert {name for name, _, _ in DEFECTS} == set(SPECS)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "table", "statement"), DEFECTS, ids=[f"{d[0]}-{n}" for n, d in enumerate(DEFECTS)])
def test_each_check_refuses_its_defect(bench: Bench, name: str, table: str, statement: str) -> None:
    with bench.defect(table, statement):
        outcome = bench.outcome("marts", SPECS[name])
    assert not outcome.success and not outcome.error and outcome.examples, outcome


@pytest.mark.slow
@pytest.mark.requirement("LTI-7.6")
def test_status_says_who_is_late_since_when_and_what_waits(
    bench: Bench, capfd: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As of the run nobody is late; a day and a half later the daily entities are, and the monthly files are not."""
    monkeypatch.chdir(tmp_path)
    for name, path in (("WAREHOUSE_PATH", bench.path), ("PUBLISH_PATH", tmp_path), ("SPOOL_PATH", tmp_path / "s")):
        monkeypatch.setenv(name, str(path))
    assert main(["status"]) == 0
    assert "status: 0 of " in capfd.readouterr().out
    assert main(["status", "--at", "2026-01-06T13:30:00Z"]) == 1
    said = capfd.readouterr().out
    assert (
        "servicenow.incident (critical): late since 2026-01-06 12:00, for 1 h 30 min; data reach to 2026-01-05" in said
    )
    assert "servicenow-data@example.com" in said and re.search(r" marts wait: finance\.\w+, ", said)
    late = {line.split(" ")[0] for line in said.splitlines() if "late since" in line}
    assert "bamboohr.employee" in late and not [name for name in late if name.startswith(("payroll", "ledger"))]
    assert "servicenow_event_log.incident_event" not in late
    bench.sql(
        "insert into landing.extract_batch by name select * replace ('new' as batch_id, "
        "now()::timestamp + interval 1 day as finished_at) from landing.extract_batch "
        "where source = 'servicenow' and entity = 'incident' limit 1",
    )
    assert main(["status", "--at", "2026-01-09T00:00:00Z"]) == 1
    assert "a newer batch has landed" in capfd.readouterr().out
    bench.sql("delete from landing.extract_batch where batch_id = 'new'")
