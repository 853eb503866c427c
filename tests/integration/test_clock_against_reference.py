"""Random ticket and monitor histories through the whole warehouse, compared with the plain-Python reference.

The histories are drawn around the instants where clocks go wrong: changes of offset, ends of exclusions,
calendar openings, holidays, midnights; with several events at one instant, re-openings, cancellations and
open tickets. They are served over HTTP, extracted, staged and calculated as real ones are, and every figure
of every ticket must be equal to the second.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from ingestion import extract, landing
from ingestion.demo.model import Company, Downtime, Monitor, MonitorTransition, Ticket, TicketEvent
from ingestion.demo.reference_clock import TicketResult, calculate_availability, calculate_ticket_slts
from ingestion.demo.server import DemoServer
from ingestion.settings import Settings
from ingestion.sources import SOURCES
from tests.golden.golden_company import golden_company, make_ticket
from tests.oracle import _segment_differences, _ticket_differences

ROOT = Path(__file__).resolve().parents[2]
SEED = 20240701
TICKET_COUNT = 600
AS_OF = datetime(2026, 1, 5, tzinfo=UTC)

# Instants (UTC) around which something happens to a calendar or an exclusion of seeds/.
ANCHORS = [
    datetime.fromisoformat(text).replace(tzinfo=UTC)
    for text in (
        "2024-10-27 01:00:00",  # Dublin leaves summer time
        "2024-11-03 06:00:00",  # New York leaves summer time
        "2025-03-09 07:00:00",  # New York goes to summer time
        "2025-03-30 01:00:00",  # Dublin goes to summer time
        "2025-10-26 01:00:00",
        "2025-11-02 06:00:00",
        "2024-11-05 02:00:00",  # exclusion of everything begins
        "2024-11-05 08:30:00",  # and ends
        "2025-03-12 09:00:00",  # two overlapping exclusions of payments
        "2025-03-12 21:00:00",
        "2025-03-13 02:00:00",
        "2025-06-18 11:00:00",  # exclusion of a vendor's services
        "2025-06-19 03:00:00",
        "2024-12-31 18:30:00",  # midnight in India, the day its hours change
        "2025-03-17 09:00:00",  # a holiday in Ireland
        "2025-07-04 12:00:00",  # a holiday in New York
        "2025-09-01 00:00:00",
        "2025-12-31 23:59:59",
    )
]
STEPS_SECONDS = [
    0,
    0,
    1,
    60,
    899,
    900,
    901,
    3600,
    7200,
    14_400,
    14_401,
    28_800,
    57_600,
    115_200,
    86_400,
    604_800,
]
STATES = ["new", "in_progress", "in_progress", "on_hold", "on_hold", "resolved", "resolved", "closed"]
MONITOR_STATES = ["OK", "Warn", "Alert", "No Data"]


def random_ticket(number: int, rng: random.Random, company: Company) -> Ticket:
    """A ticket of up to nine events that begins near an anchor; its service may change on the way."""
    services = [service.service_code for service in company.services] + ["", "payments", "payments"]
    teams = [team.team_code for team in company.teams]
    at = rng.choice(ANCHORS) + timedelta(seconds=rng.choice([-86_400, -3600, -1, 0, 1, 1800, 40_000]))
    service_code = rng.choice(services)
    events: list[TicketEvent] = []
    for place in range(rng.randint(1, 9)):
        if place:
            at += timedelta(seconds=rng.choice(STEPS_SECONDS) + rng.choice([0, 0, 0, rng.randint(0, 5000)]))
        if at >= AS_OF:
            break
        state = rng.choice(STATES) if place else rng.choice(["new", "new", "new", "in_progress", "resolved"])
        if place and rng.random() < 0.03:
            state = "canceled"
        events.append(
            TicketEvent(
                at=at,
                ticket_state=state,
                priority=rng.randint(1, 5),
                team_code=rng.choice(teams),
                assigned_to=None,
                service_code=service_code if rng.random() < 0.95 else rng.choice(services),
            )
        )
    return make_ticket(number, events, "random history")


def random_company() -> Company:
    """The golden company with random tickets, monitors, transitions and downtimes instead of its own."""
    rng = random.Random(SEED)
    company = replace(golden_company(), as_of_at=AS_OF)
    tickets = [random_ticket(number, rng, company) for number in range(1, TICKET_COUNT + 1)]
    monitors, transitions, downtimes = [], [], []
    for monitor_id, service in enumerate(company.services, start=1):
        created_at = datetime(2024, 9, 1, tzinfo=UTC) + timedelta(seconds=rng.randint(0, 10**7))
        monitors.append(Monitor(monitor_id, f"watch {monitor_id}", service.service_code, created_at))
        at, state = created_at, "No Data"
        for _ in range(rng.choice([0, 1, 40])):
            at += timedelta(seconds=rng.choice([1, 300, 86_400, rng.randint(0, 3 * 10**6)]))
            if at >= AS_OF:
                break
            following = rng.choice(MONITOR_STATES)
            key = f"t{len(transitions) + 1:05d}"
            transitions.append(MonitorTransition(key, monitor_id, at, state, following))
            state = following
    for number in range(1, 60):
        start_at = rng.choice(ANCHORS) + timedelta(seconds=rng.randint(-40_000, 40_000))
        downtimes.append(
            Downtime(
                id=f"d{number}",
                service_code=rng.choice(company.services).service_code,
                start_at=start_at,
                end_at=start_at + timedelta(seconds=rng.choice([1, 3600, 100_000])),
                message="planned work",
                created_at=start_at - timedelta(days=7),
                canceled_at=start_at - timedelta(days=1) if rng.random() < 0.3 else None,
            )
        )
    return replace(company, tickets=tickets, monitors=monitors, transitions=transitions, downtimes=downtimes, slos=[])


def run_dbt(warehouse_path: Path, target_path: Path, *arguments: str) -> None:
    """Run dbt in a process of its own on a warehouse; its output is the failure's message."""
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from dbt.cli.main import cli; cli()",
            *arguments,
            *("--project-dir", str(ROOT / "dbt_project"), "--profiles-dir", str(ROOT / "dbt_project")),
            *("--target-path", str(target_path), "--log-path", str(target_path / "logs")),
        ],
        env={**os.environ, "WAREHOUSE_PATH": str(warehouse_path)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


@dataclass(frozen=True)
class Built:
    """The company, the reference's results for it and the warehouse built from it."""

    company: Company
    results: list[TicketResult]
    warehouse_path: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    folder = tmp_path_factory.mktemp("clock")
    warehouse_path = folder / "warehouse.duckdb"
    company = random_company()
    with pytest.MonkeyPatch.context() as patch, DemoServer(company, with_drops=False) as server:
        for name in ("SERVICENOW_EXPORT_FILE", "PAYROLL_DROP_PATH", "LEDGER_DROP_PATH"):
            patch.delenv(name, raising=False)
        for name, value in server.environment().items():
            patch.setenv(name, value)
        patch.setenv("WAREHOUSE_PATH", str(warehouse_path))
        patch.setenv("SPOOL_PATH", str(folder / "spool"))
        settings = Settings.from_env()
        landing.prepare(settings)
        extract.write_source_status(settings)
        extract.write_run_context(settings, "random-histories")
        for source in (SOURCES["servicenow"], SOURCES["datadog"]):
            for entity in source.entities.values():
                extract.extract_due(settings, source, entity, AS_OF, "random-histories")
    run_dbt(
        warehouse_path,
        folder / "target",
        "build",
        "--select",
        "+path:models/marts/slt +rec_itsm_to_mart +rec_itsm_sla_flag",
        "--exclude-resource-type",
        "unit_test",
        "--indirect-selection",
        "buildable",
    )
    yield Built(company, calculate_ticket_slts(company), warehouse_path)


@pytest.mark.slow
def test_every_clock_equals_the_reference(built: Built) -> None:
    with duckdb.connect(str(built.warehouse_path), read_only=True) as connection:
        differences = _ticket_differences(connection, built.results)
        differences += _segment_differences(connection, built.results)
    assert not differences, "\n".join(str(difference) for difference in differences[:20])


@pytest.mark.slow
def test_histories_reach_every_case(built: Built) -> None:
    """The comparison says little about a rule no history touches."""
    statuses = Counter(item.result.slt_status for item in built.results)
    assert len(built.results) >= 300
    for status in ("met", "within_tolerance", "breached", "running", "running_breached", "canceled"):
        assert statuses[status] >= 3, statuses
    for name in ("paused_seconds", "outside_calendar_seconds", "excluded_seconds", "net_seconds"):
        assert sum(getattr(item.result, name) > 0 for item in built.results) >= 20, name
    moved = [item.result for item in built.results if item.result.is_breached_raw]
    assert any(not result.is_breached_adjusted for result in moved)
    assert any(result.breach_at and result.breach_at != result.original_breach_at for result in moved)
    instants = [[event.at for event in ticket.events] for ticket in built.company.tickets]
    assert sum(len(ats) != len(set(ats)) for ats in instants) >= 50


@pytest.mark.slow
def test_availability_equals_the_reference(built: Built) -> None:
    columns = (
        "up_seconds",
        "down_seconds",
        "unknown_seconds",
        "maintenance_seconds",
        "excluded_seconds",
        "adjusted_up_seconds",
        "adjusted_down_seconds",
    )
    expected = {
        (str(item.monitor_id), item.period_month): tuple(getattr(item, name) for name in columns)
        for item in calculate_availability(built.company)
    }
    with duckdb.connect(str(built.warehouse_path), read_only=True) as connection:
        found = {
            (row[0], row[1]): row[2:]
            for row in connection.execute(
                f"select monitor_id, period_month, {', '.join(columns)} from slt.fct_availability"
            ).fetchall()
        }
    assert found == expected
    assert sum(row[3] > 0 for row in found.values()) >= 5
    assert sum(row[4] > 0 for row in found.values()) >= 5
