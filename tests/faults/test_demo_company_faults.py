"""The demonstration company, read through a server that stumbles at every step: the same in the end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingestion import landing
from ingestion.demo.company import build_company
from ingestion.demo.faults import FaultPlan, FaultRule
from ingestion.demo.model import Company
from ingestion.demo.server import DemoServer
from ingestion.extract import BatchResult, extract_due, write_run_context
from ingestion.settings import Settings
from ingestion.sources import SOURCES
from tests.faults.conftest import Desk

ENTITIES = [entity for source in SOURCES.values() for entity in source.entities.values()]


@pytest.fixture(scope="module")
def company() -> Company:
    return build_company(ticket_count=300)


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingestion.sources.servicenow.PAGE_SIZE", 50)
    monkeypatch.setattr("ingestion.sources.datadog_paging.EVENT_PAGE_SIZE", 50)
    monkeypatch.setattr("ingestion.sources.datadog_paging.PAGE_SIZE", 8)


def extract_everything(desk: Desk) -> list[BatchResult]:
    settings = Settings.from_env({**desk.environment, "WAREHOUSE_PATH": str(desk.settings.warehouse_path)})
    context = write_run_context(settings, "run-1")
    assert (context.as_of_at, context.as_of_policy) == (settings.as_of, "as_of_setting")
    with landing.hold_open(settings):
        return [
            result
            for entity in ENTITIES
            for result in extract_due(settings, entity.source, entity, context.as_of_at, "run-1", desk.progress.append)
        ]


def serve(desk: Desk, server: DemoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.environment = server.environment()
    for name, value in desk.environment.items():
        monkeypatch.setenv(name, value)


def content(desk: Desk) -> dict[str, list[tuple]]:
    with landing.connect(desk.settings, read_only=True) as connection:
        return {
            entity.table: connection.execute(
                f"""
                select r.* exclude (_batch_id, _extracted_at), b.partition_key, b.source_count,
                       b.received_count, b.page_count, b.content_sha256, b.high_water_before,
                       b.high_water_after
                from {entity.table} as r
                inner join landing.extract_batch as b on b.batch_id = r._batch_id
                order by b.window_start_at, b.partition_key, r._row_number
                """
            ).fetchall()
            for entity in ENTITIES
        }


@pytest.fixture(scope="module")
def undisturbed(company: Company, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A warehouse with the whole company, read without any fault."""
    with pytest.MonkeyPatch.context() as monkeypatch, DemoServer(company) as server:
        monkeypatch.setattr("ingestion.sources.servicenow.PAGE_SIZE", 50)
        monkeypatch.setattr("ingestion.sources.datadog_paging.EVENT_PAGE_SIZE", 50)
        monkeypatch.setattr("ingestion.sources.datadog_paging.PAGE_SIZE", 8)
        path: Path = tmp_path_factory.mktemp("undisturbed") / "warehouse.duckdb"
        desk = Desk(Settings.from_env({"WAREHOUSE_PATH": str(path)}))
        landing.prepare(desk.settings)
        monkeypatch.delenv("SERVICENOW_EXPORT_FILE", raising=False)
        serve(desk, server, monkeypatch)
        extract_everything(desk)
        yield desk


@pytest.mark.requirement("OPS-3.1")
def test_every_record_of_the_company_lands(undisturbed: Desk, company: Company) -> None:
    counts = {table: len(rows) for table, rows in content(undisturbed).items()}
    before = company.as_of_at.replace(tzinfo=None)
    assert counts["raw_servicenow.incident"] == len(company.tickets)
    assert counts["raw_servicenow.sys_user_group"] == len(company.teams)
    assert counts["raw_servicenow.cmdb_ci_service"] == len(company.services)
    assert counts["raw_servicenow.change_request"] == len(company.changes)
    assert counts["raw_datadog.monitor"] == len(company.monitors)
    assert counts["raw_datadog.monitor_transition"] == len(company.transitions)
    assert counts["raw_datadog.downtime"] == len(company.downtimes)
    assert counts["raw_datadog.slo"] == len(company.slos)
    assert counts["raw_bamboohr.employee"] == len(company.employees)
    assert counts["raw_bamboohr.job_info"] == len(company.job_infos)
    assert counts["raw_bamboohr.incentive_target"] == len(company.incentive_targets)
    assert counts["raw_servicenow_event_log.incident_event"] == 0
    assert min(counts[table] for table in ("raw_payroll.register_line", "raw_ledger.journal_line")) > 0
    # every audited field at the opening, and every change of one later
    changes = sum(
        (a.ticket_state != b.ticket_state)
        + (a.priority != b.priority)
        + (a.team_code != b.team_code)
        + (a.assigned_to != b.assigned_to)
        + (a.service_code != b.service_code)
        + (a.contract_code != b.contract_code)
        + (a.configuration_item_code != b.configuration_item_code)
        for ticket in company.tickets
        for a, b in zip(ticket.events, ticket.events[1:], strict=False)
    )
    openings = sum(
        5 + bool(ticket.events[0].contract_code) + bool(ticket.events[0].configuration_item_code)
        for ticket in company.tickets
    )
    assert counts["raw_servicenow.sys_audit"] == openings + changes
    stamps = undisturbed.rows("select max(high_water_after) from landing.extract_batch")
    assert stamps[0][0] < before


def test_no_drift_and_nothing_rejected(undisturbed: Desk) -> None:
    assert undisturbed.rows(
        "select distinct rejected_count, missing_columns, unknown_columns, status from landing.extract_batch "
        "where source <> 'legacy_log'"
    ) == [(0, "[]", "[]", "landed")]
    # lines that cannot be read are planted there
    assert undisturbed.rows(
        "select sum(rejected_count), max(missing_columns), max(unknown_columns) from landing.extract_batch "
        "where source = 'legacy_log'"
    ) == [(3, "[]", "[]")]


def test_flattened_fields_of_datadog(undisturbed: Desk, company: Company) -> None:
    first = min(company.transitions, key=lambda row: (row.at, row.id))
    service = {monitor.id: monitor.service_code for monitor in company.monitors}[first.monitor_id]
    assert undisturbed.rows(
        f"select monitor_id, source_state, destination_state, service, timestamp "
        f"from raw_datadog.monitor_transition where id = '{first.id}'"
    ) == [
        (
            str(first.monitor_id),
            first.source_state,
            first.destination_state,
            service,
            first.at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        )
    ]
    downtime = company.downtimes[0]
    assert undisturbed.rows(
        f'select scope, "start", "end", message from raw_datadog.downtime where id = \'{downtime.id}\''
    ) == [
        (
            f"service:{downtime.service_code}",
            downtime.start_at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            downtime.end_at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            downtime.message,
        )
    ]


def test_second_run_adds_nothing(
    desk: Desk, company: Company, undisturbed: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = content(undisturbed)
    last_checks = "select min(last_checked_at) from landing.extract_state where partition_key = 'snapshot'"
    checked = undisturbed.rows(last_checks)
    with DemoServer(company) as server:
        serve(undisturbed, server, monkeypatch)
        results = extract_everything(undisturbed)
    assert results and not any(result.is_new for result in results)
    assert content(undisturbed) == before
    assert checked < undisturbed.rows(last_checks)


def test_a_stumbling_company_lands_the_same(
    desk: Desk, company: Company, undisturbed: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = FaultPlan(
        [
            FaultRule("table/incident", "status", nth=(1,), status=429, retry_after=3),
            FaultRule("table/incident", "status", nth=(3, 4), status=500),
            FaultRule("table/sys_audit", "cut", nth=(2,)),
            FaultRule("table/sys_audit", "malformed", nth=(5,)),
            FaultRule("table/sys_audit.*offset=50$", "duplicate_page", nth=(1,)),
            FaultRule("table/sys_audit.*offset=50$", "short_page", nth=(3,)),
            # not right after a fault of the page before: a page asked for ahead of a restart is not looked at
            FaultRule("table/sys_audit.*offset=100$", "shuffle", nth=(4,)),
            FaultRule("table/sys_audit.*offset=50$", "change_total", nth=(6,)),
            FaultRule("table/sys_audit.*offset=50$", "empty_page", nth=(8,)),
            FaultRule("table/sys_user", "duplicate_page", nth=(2,)),
            FaultRule("api/v2/events", "duplicate_page", nth=(2,)),
            FaultRule("api/v1/monitor", "short_page", nth=(1,)),
            FaultRule("api/v2/downtime", "change_total", nth=(2,)),
            FaultRule("tables/jobInfo", "cut", nth=(1,), share=0.0),
            FaultRule("employees/directory", "malformed", nth=(1,)),
        ]
    )
    with DemoServer(company, fault_plan=plan) as server:
        serve(desk, server, monkeypatch)
        extract_everything(desk)
    assert all(plan.fired()), f"a planned fault never struck: {plan.fired()}"
    assert desk.phases().count("restarted") >= 8
    assert 3.0 in desk.sleeps
    assert content(desk) == content(undisturbed)
