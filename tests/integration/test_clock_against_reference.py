"""Random ticket and monitor histories through the whole warehouse, compared with the plain-Python reference.

The histories are drawn around the instants where clocks go wrong: changes of offset, ends of exclusions,
calendar openings, holidays, midnights; with several events at one instant, re-openings, cancellations and
open tickets. They are served over HTTP, extracted, staged and calculated as real ones are, and every figure
of every ticket must be equal to the second.
"""

from __future__ import annotations

import random
import shutil
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
from tests.run_dbt import run_dbt

SEED = 20240701
TICKET_COUNT = 600
AS_OF = datetime(2026, 1, 5, tzinfo=UTC)
MODELS = (
    "fct_ticket_slt",
    "fct_slt_clock_segment",
    "fct_exclusion_effect",
    "fct_availability",
    "rec_itsm_to_mart",
    "rec_itsm_sla_flag",
)

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
        for name in ("SERVICENOW_EXPORT_FILE", "PAYROLL_DROP_PATH", "LEDGER_DROP_PATH", "MONITOR_SAMPLE_DROP_PATH"):
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
        " ".join(f"+{model}" for model in MODELS),
        "--exclude-resource-type",
        "unit_test",
        "--indirect-selection",
        "buildable",
        # in many ranges of tickets, most without a clock that ends near as_of; a whole refresh below is one range
        *("--vars", "{slt_chunk_ticket_count: 199}"),
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
def test_the_two_ways_to_a_clock_say_the_same(built: Built, tmp_path: Path) -> None:
    """Every clock by its state changes, none telescoped: results and stretches are the same in every row."""
    stepwise = tmp_path / "stepwise.duckdb"
    shutil.copy(built.warehouse_path, stepwise)
    run_dbt(
        stepwise,
        tmp_path / "target",
        *("run", "--full-refresh", "--vars", "{slt_telescoping: false}"),
        *("--select", "int_slt_situation_slot+,+fct_ticket_slt int_slt_situation_slot+,+fct_slt_clock_segment"),
    )
    with duckdb.connect() as connection:
        connection.execute(f"attach '{stepwise}' as stepwise (read_only)")
        connection.execute(f"attach '{built.warehouse_path}' as built (read_only)")
        for table in ("slt.fct_ticket_slt", "slt.fct_slt_clock_segment"):
            for left, right in (("built", "stepwise"), ("stepwise", "built")):
                rows = connection.execute(
                    f"select * from {left}.{table} except all select * from {right}.{table} limit 5"
                ).fetchall()
                assert not rows, (table, left, rows)
        telescoped = [
            connection.execute(f"select count(*) from {name}.core.int_slt_telescoped").fetchone()[0]
            for name in ("built", "stepwise")
        ]
    assert telescoped[0] >= 300
    assert telescoped[1] == 0


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


# ------------------------------------------------------------------------------------------ one day more

CLOCK_TABLES = (
    "core.int_ticket_step",
    "core.int_slt_span",
    "core.int_slt_telescoped",
    "core.int_slt_telescoped_breach",
    "core.int_slt_telescoped_interval",
    "core.int_slt_state_change",
    "core.int_slt_outline",
    "core.int_slt_assignment",
    "core.int_slt_interval",
    "core.int_slt_breach",
    "core.int_slt_result",
    "slt.fct_ticket_slt",
    "slt.fct_slt_clock_segment",
)
NEXT_DAY = AS_OF + timedelta(days=1)
INCREMENTAL = ("--vars", "{slt_incremental: true}")
# What may come with a day: time, events of a new batch, an exclusion prolonged in retrospect, a holiday nobody knew.
NEXT_DAY_CHANGES = f"""
update landing.run_context set as_of_at = timestamp '{NEXT_DAY:%Y-%m-%d %H:%M:%S}';
create temp table resolved as
    select * replace (
        'next-' || sys_id as sys_id, 'next-day' as _batch_id, '6' as newvalue,
        '{AS_OF + timedelta(hours=5):%Y-%m-%d %H:%M:%S}' as sys_created_on
    )
    from raw_servicenow.sys_audit
    where fieldname = 'state' and documentkey in (
        select sys_id from raw_servicenow.incident
        where number in (
            select ticket_number from slt.fct_ticket_slt where slt_status in ('running', 'running_breached')
        )
        order by sys_id limit 20
    )
    qualify row_number() over (partition by documentkey order by sys_created_on desc, sys_id) = 1;
insert into raw_servicenow.sys_audit select * from resolved;
insert into landing.extract_batch
    select * replace ('next-day' as batch_id) from landing.extract_batch
    where entity = 'sys_audit' order by batch_id limit 1;
update reference.exclusion_request set ends_at = ends_at + interval 30 hour where exclusion_id = 'EXR-0001';
insert into reference.calendar_holiday by name
    select 'us_business' as calendar_code, date '2025-03-14' as holiday_on, 'Snow' as holiday_name;
"""


@pytest.mark.nightly
@pytest.mark.slow
def test_one_day_more_equals_a_full_refresh(built: Built, tmp_path: Path) -> None:
    """Only the tickets a change touches are computed anew; every row is as if all were."""
    step_by_step, at_once = tmp_path / "step_by_step.duckdb", tmp_path / "at_once.duckdb"
    shutil.copy(built.warehouse_path, step_by_step)
    with duckdb.connect(str(step_by_step)) as connection:
        before = dict(connection.execute("select ticket_slt_key, net_seconds from slt.fct_ticket_slt").fetchall())
        connection.execute(NEXT_DAY_CHANGES)
    shutil.copy(step_by_step, at_once)
    selection = ("run", "--select", "+fct_ticket_slt +fct_slt_clock_segment")
    run_dbt(step_by_step, tmp_path / "target", *selection, *INCREMENTAL)
    run_dbt(at_once, tmp_path / "target", *selection, "--full-refresh")

    with duckdb.connect() as connection:
        connection.execute(f"attach '{step_by_step}' as one (read_only); attach '{at_once}' as whole (read_only)")
        for table in CLOCK_TABLES:
            for left, right in (("one", "whole"), ("whole", "one")):
                rows = connection.execute(
                    f"select * from {left}.{table} except all select * from {right}.{table} limit 5"
                ).fetchall()
                assert not rows, (table, left, rows)
        reasons = dict(
            connection.execute(
                "select reason, count(*) from (select unnest(string_split(reasons, ', ')) as reason"
                " from one.core.int_slt_recompute) group by reason"
            ).fetchall()
        )
        after = dict(connection.execute("select ticket_slt_key, net_seconds from one.slt.fct_ticket_slt").fetchall())
        stopped_again = connection.execute(
            "select count(*) from one.slt.fct_ticket_slt where stop_at = ?",
            [AS_OF.replace(tzinfo=None) + timedelta(hours=5)],
        ).fetchone()[0]
    assert set(reasons) == {"history_changed", "clock_running", "clock_changed"}
    assert sum(reasons.values()) < TICKET_COUNT
    assert stopped_again >= 10
    assert sum(before[key] != after[key] for key in before) >= 50


@pytest.mark.nightly
@pytest.mark.slow
def test_a_changed_definition_computes_every_clock_anew(built: Built, tmp_path: Path) -> None:
    """A run whose rules are not those remembered keeps nothing: here the targets are others."""
    warehouse_path = tmp_path / "warehouse.duckdb"
    shutil.copy(built.warehouse_path, warehouse_path)
    with duckdb.connect(str(warehouse_path)) as connection:
        connection.execute("update reference.slt_target set target_seconds = target_seconds + 60")
        expected = connection.execute("select sum(target_seconds) + 60 * count(*) from slt.fct_ticket_slt").fetchone()
    run_dbt(
        warehouse_path, tmp_path / "target", "run", "--select", "+fct_ticket_slt +fct_slt_clock_segment", *INCREMENTAL
    )
    with duckdb.connect(str(warehouse_path), read_only=True) as connection:
        assert connection.execute("select reasons from core.int_slt_recompute where ticket_id = 0").fetchall() == [
            ("registry_changed, rules_changed",)
        ]
        assert connection.execute("select sum(target_seconds) from slt.fct_ticket_slt").fetchone() == expected


@pytest.mark.nightly
@pytest.mark.slow
@pytest.mark.parametrize(
    "numbered_anew",
    [
        # the numbers a later registry would give: in another order
        "create or replace table core.int_ticket_situation as select * replace ("
        "(select max(situation_id) + 1 from core.int_ticket_situation) - situation_id as situation_id"
        ") from core.int_ticket_situation",
        # what the rows that are kept were written by
        "update clock_memory.terms set slot_terms_id = slot_terms_id + 1",
    ],
    ids=["situations", "terms"],
)
def test_numbers_given_anew_compute_every_clock_anew(built: Built, tmp_path: Path, numbered_anew: str) -> None:
    """A registry that somebody dropped numbers its rows again, and kept rows would mean others by theirs."""
    warehouse_path = tmp_path / "warehouse.duckdb"
    shutil.copy(built.warehouse_path, warehouse_path)
    with duckdb.connect(str(warehouse_path)) as connection:
        connection.execute(numbered_anew)
    run_dbt(
        warehouse_path, tmp_path / "target", "run", "--select", "+fct_ticket_slt +fct_slt_clock_segment", *INCREMENTAL
    )
    with duckdb.connect() as connection:
        connection.execute(f"attach '{warehouse_path}' as again (read_only)")
        connection.execute(f"attach '{built.warehouse_path}' as before (read_only)")
        assert connection.execute(
            "select reasons from again.core.int_slt_recompute where ticket_id = 0"
        ).fetchall() == [("registry_changed",)]
        for table in ("slt.fct_ticket_slt", "slt.fct_slt_clock_segment"):
            assert not connection.execute(
                f"select * from again.{table} except all select * from before.{table} limit 5"
            ).fetchall(), table


@pytest.mark.nightly
@pytest.mark.slow
def test_a_run_that_died_is_made_good_though_its_input_went_back(built: Built, tmp_path: Path) -> None:
    """The first run sees a longer exclusion and ends before the segments; the next one no longer finds it."""
    warehouse_path = tmp_path / "warehouse.duckdb"
    shutil.copy(built.warehouse_path, warehouse_path)

    def prolong(hours: int) -> None:
        with duckdb.connect(str(warehouse_path)) as connection:
            connection.execute(
                f"update reference.exclusion_request set ends_at = ends_at + interval ({hours}) hour "
                "where exclusion_id = 'EXR-0001'"
            )

    prolong(240)
    run_dbt(warehouse_path, tmp_path / "target", "run", "--select", "+fct_ticket_slt", *INCREMENTAL)
    prolong(-240)
    run_dbt(
        warehouse_path, tmp_path / "target", "run", "--select", "+fct_ticket_slt +fct_slt_clock_segment", *INCREMENTAL
    )
    with duckdb.connect() as connection:
        connection.execute(f"attach '{warehouse_path}' as again (read_only)")
        connection.execute(f"attach '{built.warehouse_path}' as before (read_only)")
        reasons = connection.execute("select distinct reasons from again.core.int_slt_recompute").fetchall()
        assert any("left_by_a_run_that_died" in reason for (reason,) in reasons), reasons
        for table in ("slt.fct_ticket_slt", "slt.fct_slt_clock_segment"):
            assert not connection.execute(
                f"select * from again.{table} except all select * from before.{table} limit 5"
            ).fetchall(), table
