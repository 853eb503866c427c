"""What was known when: late tickets and late-recorded approvals through the real models, run after run.

A small world worked by hand, from the seeds of a definition and its approvals and the observations of tickets to the
histories; only what is drawn from source systems stands ready. The models' SQL is the project's own, the logs append
as dbt has them append, and the questions are asked with the project's macros.
"""

# ruff: noqa: DTZ001 (instants are UTC without a zone, as in the warehouse)

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from benchmarks.model_sql import model_sql, render
from tests.declared import observation_types, seed_types
from tests.governance import ROOT, SEEDS, fill, rows_of

pytestmark = [pytest.mark.requirement("OPS-4.6")]

Row = Mapping[str, Any]
METRIC_SEEDS = ("metric_definition", "metric_entity_type", "metric_filter", "metric_weight", "metric_measure")
METRIC_SEEDS += ("metric_freeze", "metric_replay")
KINDS = ("ticket_slt", "availability", "ticket", "ticket_intake", "change", "survey", "page_view", "article")
KINDS += ("service_month",)
MODELS = (
    "int_reporting_period",
    "int_metric_vote",
    "int_governance_approval",
    "int_metric_definition",
    "int_metric_request",
    "int_metric_change",
    "int_metric_activation",
    "int_metric_version_period",
    "int_metric_freeze",
    "int_metric_day",
    "int_metric_frozen_slice",
    "int_metric_dimension_use",
    "int_metric_cell",
    "int_metric_part",
    "int_metric_period",
    "int_metric_sum",
    "int_seasonal_index",
    "int_metric_result",
)
LOGS = {
    "int_metric_result_log": "fct_metric_result_history",
    "int_metric_definition_log": "dim_metric_definition_history",
}
FIRST, SECOND = datetime(2025, 3, 20), datetime(2025, 4, 20)
# What has been landed by each run's as-of. February: three of four tickets met their target by the first, a fifth that
# missed it comes late. April: one of two met it on the plain clock (version 1), both after exclusions (version 2).
EARLY = [("a", "2025-02-03", 1, 1), ("b", "2025-02-10", 1, 1), ("c", "2025-02-17", 1, 1), ("d", "2025-02-24", 0, 0)]
LATE = [("e", "2025-02-28", 0, 0), ("f", "2025-04-02", 1, 1), ("g", "2025-04-03", 0, 1)]
AT = "timestamp '{:%Y-%m-%d %H:%M:%S}'"


class Warehouse:
    """The world and its models; a run is what dbt does: build each model in turn, append to the logs."""

    def __init__(self) -> None:
        self.connection = duckdb.connect()
        tables = {name: seed_types()[name] for name in (*SEEDS, *METRIC_SEEDS)}
        tables |= {f"int_observation_{kind}": observation_types(kind) for kind in KINDS}
        tables |= {
            "business_unit": {"business_unit_code": "varchar"},
            "int_vendor_family": {"primary_vendor_code": "varchar"},
            "int_run_context": {"run_id": "varchar", "as_of_at": "timestamp", "as_of_policy": "varchar"},
            "int_plan_activation": {
                "plan_code": "varchar",
                "plan_version": "integer",
                "is_activated": "boolean",
                "effective_from": "date",
                "effective_to": "date",
                "signed_on": "date",
            },
            "int_extract_batch": {"batch_id": "varchar", "finished_at": "timestamp"},
        }
        for name, columns in tables.items():
            listed = ", ".join(f'"{column}" {kind}' for column, kind in columns.items())
            self.connection.execute(f"create table {name} ({listed})")
        self.is_first = True
        self._governed()

    def _governed(self) -> None:
        self.fill("team", [{"team_code": "t1"}])
        shared = {
            "metric_code": "m",
            "metric_name": "m",
            "aggregation_kind": "share",
            "observation_kind": "ticket_slt",
            "denominator_measure": "ticket_count",
            "weighting": "none",
            "value_basis": "raw",
            "value_multiplier": 1,
            "value_divisor": 1,
            "seasonality_policy": "none",
            "shrinkage_policy": "none",
            "prior_sample_count": 0,
            "confidence_level": "0.95",
            "min_sample_count": 1,
            "baseline_days": 0,
            "phase_in_days": 0,
            "unit": "share",
            "direction": "higher_is_better",
        }
        self.versions = [
            {
                **shared,
                "metric_version": 1,
                "numerator_measure": "raw_met_count",
                "exclusion_policy": "raw",
                "effective_from": "2025-01-01",
            },
            {
                **shared,
                "metric_version": 2,
                "numerator_measure": "adjusted_met_count",
                "exclusion_policy": "adjusted",
                "effective_from": "2025-04-01",
            },
        ]
        self.fill("metric_definition", self.versions)
        self.fill(
            "metric_entity_type",
            [{"metric_code": "m", "metric_version": version, "entity_type": "team"} for version in (1, 2)],
        )
        with (ROOT / "seeds" / "metrics" / "metric_measure.csv").open(newline="") as lines:
            self.fill("metric_measure", [{k: v or None for k, v in row.items()} for row in csv.DictReader(lines)])
        self.fill(
            "activation_rule",
            [
                {
                    "change_kind": "formula",
                    "effective_from": "2020-01-01",
                    "body_code": "metrics_board",
                    "min_vote_count": 1,
                    "majority_share": "0.5",
                    "notice_days": 0,
                    "notice_days_without_kpi": 0,
                    "is_impact_assessment_required": False,
                    "min_assessed_days": 0,
                    "is_legal_required": True,
                    "is_works_council_required": False,
                    "start_grain": "month",
                }
            ],
        )
        self.fill("approval_role", [{"approval_type": "legal", "role_code": "legal_counsel"}])
        self.fill(
            "governance_member",
            [
                {
                    "employee_number": "law",
                    "body_code": "metrics_board",
                    "member_function": "legal",
                    "role_code": "legal_counsel",
                    "from_on": "2020-01-01",
                    "recorded_at": "2020-01-01 00:00:00",
                }
            ],
        )
        days = {"first": "2024-11-04", "second": "2025-02-03"}
        self.fill(
            "metric_change_request",
            [
                {
                    "change_request_id": request,
                    "metric_code": "m",
                    "metric_version": version,
                    "change_kind": "formula",
                    "is_kpi_affected": True,
                    "requested_by": "asker",
                    "requested_on": days[request],
                    "recorded_at": f"{days[request]} 09:00:00",
                    "notice_on": days[request],
                    "notice_recorded_at": f"{days[request]} 09:00:00",
                    "proposed_from": proposed_from,
                }
                for request, version, proposed_from in (("first", 1, "2025-01-01"), ("second", 2, "2025-04-01"))
            ],
        )
        self.fill(
            "metric_board_vote",
            [
                {
                    "vote_id": request,
                    "change_request_id": request,
                    "employee_number": "law",
                    "member_function": "legal",
                    "vote": "for",
                    "voted_on": on,
                    "recorded_at": f"{on} 12:00:00",
                }
                for request, on in days.items()
            ],
        )
        self.approve(("first", "2024-11-05", "2024-11-05 12:00:00"))

    def approve(self, *decisions: tuple[str, str, str]) -> None:
        """Legal sign-offs: request, the day it is of, the instant it was recorded."""
        self.fill(
            "governance_approval",
            [
                {
                    "approval_id": request,
                    "register_code": "metric_change_request",
                    "register_id": request,
                    "approval_type": "legal",
                    "decided_by": "law",
                    "decided_on": on,
                    "recorded_at": recorded_at,
                    "decision": "approved",
                }
                for request, on, recorded_at in decisions
            ],
        )

    def fill(self, table: str, rows: Sequence[Row]) -> None:
        fill(self.connection, table, rows)

    def land(self, *tickets: tuple[str, str, int, int]) -> None:
        self.fill(
            "int_observation_ticket_slt",
            [
                {
                    "observation_key": key,
                    "observed_at": on,
                    "team_code": "t1",
                    "raw_met_count": raw,
                    "adjusted_met_count": adjusted,
                    "ticket_count": 1,
                }
                for key, on, raw, adjusted in tickets
            ],
        )

    def run(self, as_of_at: datetime, run_id: str, last_model: str | None = None) -> None:
        """One run; last_model: the model after which it is killed."""
        self.fill("int_run_context", [{"run_id": run_id, "as_of_at": as_of_at}])
        self.fill("int_extract_batch", [{"batch_id": f"batch of {run_id}", "finished_at": as_of_at}])
        for model in MODELS:
            self.connection.execute(f"create or replace table {model} as {model_sql(model)}")
        for log, history in LOGS.items():
            if self.is_first:
                self.connection.execute(f"create table {log} as {model_sql(log)}")
            else:
                self.connection.execute(f"insert into {log} by name {model_sql(log, this=log)}")
            if log == last_model:
                return
            self.connection.execute(f"create or replace table {history} as {model_sql(history)}")
        seal = "int_metric_log_seal"
        if self.is_first:
            self.connection.execute(f"create table {seal} as {model_sql(seal)}")
        else:
            self.connection.execute(f"insert into {seal} by name {model_sql(seal, this=seal)}")
        self.is_first = False

    def seals(self) -> list[tuple[Any, ...]]:
        """(number, log, run, entries, sealed by) of every seal."""
        return self.connection.execute(
            "select seal_number, log_name, run_id, entry_count, sealed_by_run_id from int_metric_log_seal order by all"
        ).fetchall()

    def ask(self, macro: str, *arguments: str) -> list[dict[str, Any]]:
        call = ", ".join(repr(argument) for argument in arguments)
        return rows_of(self.connection, "select * from " + render(f"{{{{ {macro}({call}) }}}}"))

    def known(self, business_on: str, known_at: datetime, grain: str = "month") -> list[tuple[Any, ...]]:
        """(value, version, numerator, denominator, status) of the period that holds a day, as known at an instant."""
        found = self.ask("metric_as_known", "fct_metric_result_history", f"date '{business_on}'", AT.format(known_at))
        names = ("metric_value", "metric_version", "numerator", "denominator", "result_status")
        return [tuple(row[name] for name in names) for row in found if row["period_grain"] == grain]

    def believed(self, business_on: str, known_at: datetime) -> list[int]:
        """The versions believed to hold on a day, as known at an instant."""
        found = self.ask(
            "metric_definition_as_known",
            "dim_metric_definition_history",
            f"date '{business_on}'",
            AT.format(known_at),
        )
        return [row["metric_version"] for row in found]

    def entries(self, log: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(f"select * from {log} order by all").fetchall()


@pytest.fixture
def warehouse() -> Iterator[Warehouse]:
    made = Warehouse()
    made.land(*EARLY)
    made.run(FIRST, "r1")
    yield made
    made.connection.close()


def second_run(warehouse: Warehouse, run_id: str = "r2", last_model: str | None = None) -> None:
    """The late ticket has come, and legal's sign-off of 6 February was recorded on 28 March."""
    warehouse.land(*EARLY, *LATE)
    warehouse.approve(("first", "2024-11-05", "2024-11-05 12:00:00"), ("second", "2025-02-06", "2025-03-28 12:00:00"))
    warehouse.run(SECOND, run_id, last_model)


def test_a_late_ticket_changes_what_is_known_and_not_what_was(warehouse: Warehouse) -> None:
    """3 of 4 = 0.75 as known in March; with the ticket of 28 February that came in April 3 of 5 = 0.6."""
    old = [(Decimal("0.750000"), 1, 3, 4, "ok")]
    assert warehouse.known("2025-02-14", FIRST) == old
    second_run(warehouse)
    assert warehouse.known("2025-02-14", FIRST) == old
    assert warehouse.known("2025-02-14", datetime(2025, 4, 19, 23, 59, 59)) == old
    assert warehouse.known("2025-02-14", SECOND) == [(Decimal("0.600000"), 1, 3, 5, "ok")]
    assert warehouse.known("2025-02-14", datetime(2030, 1, 1)) == [(Decimal("0.600000"), 1, 3, 5, "ok")]
    # nothing was known before the first run, and the half-open day after February is March's
    assert warehouse.known("2025-02-14", datetime(2025, 3, 19)) == []
    assert warehouse.known("2025-02-28", SECOND) != warehouse.known("2025-03-01", SECOND)


def test_a_late_recorded_approval_changes_what_is_believed_and_not_what_was(warehouse: Warehouse) -> None:
    """Version 2 is signed in time to hold from 1 April, which nobody could know on 20 March."""
    assert warehouse.believed("2025-04-15", FIRST) == [1]
    second_run(warehouse)
    assert warehouse.believed("2025-04-15", FIRST) == [1]
    assert warehouse.believed("2025-04-15", SECOND) == [2]
    assert warehouse.believed("2025-03-31", SECOND) == [1]
    assert warehouse.known("2025-04-15", SECOND) == [(Decimal("1.000000"), 2, 2, 2, "provisional")]
    assert warehouse.known("2025-04-15", FIRST) == []
    (entry,) = rows_of(
        warehouse.connection,
        "select * from dim_metric_definition_history where metric_version = 2 and entry_number = 1",
    )
    assert (entry["known_from_at"], entry["known_to_at"]) == (FIRST, SECOND)
    assert not entry["is_activated"] and entry["refusal_reasons"] and entry["effective_from"] is None


def test_the_same_run_twice_adds_nothing(warehouse: Warehouse) -> None:
    second_run(warehouse)
    before = {log: warehouse.entries(log) for log in LOGS}
    second_run(warehouse, "r2 again")
    warehouse.run(datetime(2025, 4, 21), "the next day, nothing new but the quarter's days")
    assert {log: warehouse.entries(log) for log in LOGS} == before


def test_nothing_recorded_is_ever_changed(warehouse: Warehouse) -> None:
    before = {log: set(warehouse.entries(log)) for log in LOGS}
    second_run(warehouse)
    for log, entries in before.items():
        assert entries < set(warehouse.entries(log)), log


def test_a_run_killed_between_does_no_harm(warehouse: Warehouse) -> None:
    """Killed after the first log: the next run finds it as it is, and the histories say the same as without a kill."""
    second_run(warehouse, last_model="int_metric_result_log")
    second_run(warehouse)
    killed = {log: warehouse.entries(log) for log in LOGS}
    whole = Warehouse()
    whole.land(*EARLY)
    whole.run(FIRST, "r1")
    second_run(whole)
    assert killed == {log: whole.entries(log) for log in LOGS}
    assert warehouse.entries("fct_metric_result_history") == whole.entries("fct_metric_result_history")


def test_a_run_that_looks_back_records_nothing(warehouse: Warehouse) -> None:
    """What was known on 20 March was written then; computing it later from more tickets is no knowledge of then."""
    second_run(warehouse)
    before = {log: warehouse.entries(log) for log in LOGS}
    warehouse.run(FIRST, "back")
    assert {log: warehouse.entries(log) for log in LOGS} == before


def test_each_run_seals_what_it_left(warehouse: Warehouse) -> None:
    """r2 is killed before it seals: r3 does it. A run seals too that it adds nothing."""
    results, definitions = LOGS
    (first, second) = warehouse.seals()
    assert (first[:3], second[:3]) == ((1, definitions, "r1"), (1, results, "r1"))
    assert (first[3], second[3]) == tuple(len(warehouse.entries(log)) for log in (definitions, results))
    second_run(warehouse, "r2", last_model="int_metric_result_log")
    second_run(warehouse, "r3")
    added = len(warehouse.entries(results)) - second[3]
    changed = len(warehouse.entries(definitions)) - first[3]
    assert warehouse.seals()[2:] == [
        (2, definitions, "r3", changed, "r3"),
        (2, results, "r2", added, "r3"),
        (2, results, "r3", 0, "r3"),
    ]
    warehouse.fill("team", [{"team_code": "t2"}])
    warehouse.run(SECOND, "r3")
    assert [row[:3] for row in warehouse.seals()[5:]] == [(3, results, "r3")]


def test_what_is_taken_away_is_not_sealed_over(warehouse: Warehouse) -> None:
    before = warehouse.seals()
    warehouse.connection.execute("delete from int_metric_result_log where run_id = 'r1' and period_grain = 'month'")
    second_run(warehouse)
    assert warehouse.seals()[:2] == before
    assert [row for row in warehouse.seals()[2:] if row[2] == "r1"] == []


def test_a_correction_at_the_same_instant_is_the_last_word(warehouse: Warehouse) -> None:
    """The earlier entry stays to be read, and holds at no instant: it ends where it begins."""
    warehouse.land(*EARLY, *LATE)
    warehouse.run(FIRST, "r1 again")
    assert warehouse.known("2025-02-14", FIRST) == [(Decimal("0.600000"), 1, 3, 5, "ok")]
    entries = rows_of(
        warehouse.connection,
        "select * from fct_metric_result_history where period_start_on = date '2025-02-01' order by entry_number",
    )
    assert [(row["known_from_at"], row["known_to_at"], row["run_id"]) for row in entries] == [
        (FIRST, FIRST, "r1"),
        (FIRST, None, "r1 again"),
    ]


def test_a_result_that_is_gone_was_known_until_then_and_may_come_back(warehouse: Warehouse) -> None:
    warehouse.fill("team", [{"team_code": "t2"}])
    warehouse.run(SECOND, "r2")
    found = warehouse.ask("metric_as_known", "fct_metric_result_history", "date '2025-02-14'", AT.format(SECOND))
    assert {row["entity_code"] for row in found} == {"t2"}
    assert warehouse.known("2025-02-14", FIRST) == [(Decimal("0.750000"), 1, 3, 4, "ok")]
    warehouse.run(SECOND, "r2 again")
    third = datetime(2025, 4, 25)
    warehouse.fill("team", [{"team_code": "t1"}])
    warehouse.run(third, "r3")
    assert warehouse.known("2025-02-14", third) == [(Decimal("0.750000"), 1, 3, 4, "ok")]
    numbers = warehouse.connection.execute(
        "select is_withdrawn, known_from_at from fct_metric_result_history "
        "where entity_code = 't1' and period_start_on = date '2025-02-01' order by entry_number"
    ).fetchall()
    assert numbers == [(False, FIRST), (True, SECOND), (False, third)]


def test_a_definition_that_is_gone_can_still_be_read(warehouse: Warehouse) -> None:
    """The version's content and hash stay, though its row is out of the seeds."""
    warehouse.fill("metric_definition", warehouse.versions[:1])
    warehouse.run(SECOND, "r2")
    (entry,) = rows_of(
        warehouse.connection,
        "select * from dim_metric_definition_history where metric_version = 2 and not is_withdrawn",
    )
    assert (entry["numerator_measure"], entry["known_to_at"]) == ("adjusted_met_count", SECOND)
    assert entry["definition_hash"] and entry["proposed_from_on"] == date(2025, 4, 1)
