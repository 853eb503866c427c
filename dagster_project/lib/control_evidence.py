"""What can stand as evidence of a control, kept in the warehouse: every gate check there is, and what came of each run.

The gates' page shows the last run only; whoever asks whether a control worked over a quarter needs each outcome with
its instant. What dbt's own tests gave is kept beside it by the hook `remember_tests`.

Delivers: OPS-2.1
"""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa

from expectations.outcomes import GateResult, Outcome
from expectations.runner import GATES, list_checks
from ingestion import landing
from ingestion.settings import Settings


def write_gate_checks(settings: Settings) -> None:
    """Replace landing.gate_check by the checks of every gate, as the project has them now."""
    rows = [
        (gate, spec.check_name, spec.table, spec.severity, spec.description)
        for gate in GATES
        for spec in list_checks(gate)
    ]
    names = ("gate", "check_name", "table_name", "severity", "description")
    incoming = pa.table({name: pa.array([row[n] for row in rows], pa.string()) for n, name in enumerate(names)})
    with landing.connect(settings) as connection, landing.transaction(connection):
        connection.execute("delete from landing.gate_check")
        connection.register("incoming_rows", incoming)
        connection.execute("insert into landing.gate_check by name select * from incoming_rows")
        connection.unregister("incoming_rows")


def outcome_word(outcome: Outcome) -> str:
    """passed, failed, warned, skipped (its source is absent) or not_judged (the check itself broke)."""
    if outcome.error:
        return "not_judged"
    if outcome.is_skipped:
        return "skipped"
    if outcome.success:
        return "passed"
    return "failed" if outcome.severity == "block" else "warned"


def record_gate(settings: Settings, result: GateResult, run_id: str) -> None:
    """Append one row per check of a judged gate to landing.gate_outcome (judged_at: now, naive UTC)."""
    judged_at = datetime.now(UTC).replace(tzinfo=None)
    outcomes = result.outcomes
    incoming = pa.table(
        {
            "run_id": pa.array([run_id] * len(outcomes), pa.string()),
            "gate": pa.array([result.gate] * len(outcomes), pa.string()),
            "check_name": pa.array([outcome.check_name for outcome in outcomes], pa.string()),
            "judged_at": pa.array([judged_at] * len(outcomes), pa.timestamp("us")),
            "outcome": pa.array([outcome_word(outcome) for outcome in outcomes], pa.string()),
            "failing_row_count": pa.array([outcome.unexpected_count for outcome in outcomes], pa.int64()),
        }
    )
    with landing.connect(settings) as connection, landing.transaction(connection):
        connection.execute("create schema if not exists landing")
        connection.execute(f"create table if not exists landing.gate_outcome ({landing.AUDIT_TABLES['gate_outcome']})")
        connection.register("incoming_rows", incoming)
        connection.execute("insert into landing.gate_outcome by name select * from incoming_rows")
        connection.unregister("incoming_rows")
