"""Gates as asset checks: which asset a check stands on, what a result shows, what a failed gate says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dagster as dg

from dagster_project.lib.control_evidence import record_gate
from dagster_project.lib.dbt_project import ParsedProject
from dagster_project.lib.environment import gates_path
from dagster_project.lib.progress import say
from dagster_project.lib.translator import landing_key, table_key
from expectations.outcomes import describe, headline
from expectations.report import write_report
from expectations.runner import GATES, CheckSpec, GateResult, Outcome, list_checks, run_gate
from ingestion.settings import Settings

__all__ = ["GATES", "GateTargetError", "asset_of", "check_keys", "check_spec", "run_checks"]

# The dbt layer whose tables a gate stands on: a check elsewhere could not block what is below the gate.
GATE_LAYER = {"staging": "staging", "marts": "marts"}


class GateTargetError(ValueError):
    """A check stands on a table that its gate cannot block: the message names both."""


def asset_of(gate: str, table: str, parsed: ParsedProject) -> dg.AssetKey:
    """The asset a check on `table` is shown on. Raises GateTargetError when failing it would block nothing.

    Everything below a gate waits for the checks on the assets it reads: raw tables and the landing's own for the
    raw gate, the models of its layer for the others.
    """
    schema, _, name = table.partition(".")
    if gate == "raw":
        if not (schema.startswith("raw_") or schema == "landing"):
            raise GateTargetError(f"the raw gate checks {table}; it stands on raw_* and landing tables only")
        # staging waits for the batch audit, not for each table of the landing
        return landing_key("extract_batch") if schema == "landing" else table_key(schema, name)
    node = parsed.node_of_table(table)
    if node is None:
        raise GateTargetError(f"the {gate} gate checks {table}, which no dbt model builds")
    if GATE_LAYER[gate] not in node["tags"]:
        raise GateTargetError(
            f"the {gate} gate checks {table}, which is not a {GATE_LAYER[gate]} model: what is below the gate "
            "would not wait for it"
        )
    return table_key(schema, name)


def check_name(name: str) -> str:
    """The check's name in Dagster, apart from the dbt tests that stand on the same assets."""
    return f"gate_{name}"


def check_keys(gate: str, parsed: ParsedProject) -> list[dg.AssetCheckKey]:
    """Keys of every check of a gate."""
    return [
        dg.AssetCheckKey(asset_of(gate, spec.table, parsed), check_name(spec.check_name)) for spec in list_checks(gate)
    ]


def check_spec(gate: str, spec: CheckSpec, parsed: ParsedProject) -> dg.AssetCheckSpec:
    """One expectation as an asset check; severity block makes it blocking."""
    return dg.AssetCheckSpec(
        name=check_name(spec.check_name),
        asset=asset_of(gate, spec.table, parsed),
        description=spec.description,
        blocking=spec.severity == "block",
        additional_deps=[landing_key("extract_batch")]
        if gate == "raw" and not spec.table.startswith("landing.")
        else None,
        metadata={"gate": gate, "table": spec.table, "severity": spec.severity},
    )


def check_result(gate: str, outcome: Outcome, parsed: ParsedProject) -> dg.AssetCheckResult:
    """One outcome as an asset check result, with figures and the failing rows' keys."""
    metadata: dict[str, Any] = {
        "table": outcome.table,
        "expectation": outcome.expectation_type,
        "observed": _shown(outcome.observed),
        "element_count": outcome.element_count,
        "unexpected_count": outcome.unexpected_count,
        "how_to_mend": outcome.how_to_mend,
        "error": outcome.error,
    }
    if outcome.examples:
        metadata["examples"] = dg.MetadataValue.json(outcome.examples)
    if outcome.is_skipped:
        metadata["skipped"] = outcome.skip_reason
    return dg.AssetCheckResult(
        passed=outcome.success,
        asset_key=asset_of(gate, outcome.table, parsed),
        check_name=check_name(outcome.check_name),
        severity=dg.AssetCheckSeverity.ERROR if outcome.severity == "block" else dg.AssetCheckSeverity.WARN,
        description=outcome.description if outcome.success else describe(outcome),
        metadata={name: value for name, value in metadata.items() if value is not None},
    )


def _shown(value: Any) -> Any:
    """A JSON value as metadata: containers as JSON, the rest as text; None stays out."""
    if value is None:
        return None
    return dg.MetadataValue.json(value) if isinstance(value, dict | list) else dg.MetadataValue.text(str(value))


def run_checks(
    context: dg.AssetCheckExecutionContext, gate: str, settings: Settings, parsed: ParsedProject
) -> Iterator[dg.AssetCheckResult]:
    """Judge a gate and yield each selected check. Raises dg.Failure naming every failed blocking expectation."""
    result = run_gate(gate, settings.warehouse_path)
    record_gate(settings, result, context.run.run_id)
    selected = {key.name for key in context.selected_asset_check_keys}
    for outcome in result.outcomes:
        if check_name(outcome.check_name) in selected:
            yield check_result(gate, outcome, parsed)
    say(context.log, headline(result))
    write_report([result], gates_path(settings))
    for outcome in result.warnings:
        say(context.log, f"warning of gate {gate}: {brief(outcome)}")
    if not result.is_open:
        raise dg.Failure(description=failure_text(result), allow_retries=False)


def brief(outcome: Outcome) -> str:
    """A failed check in one line."""
    rows = "" if outcome.unexpected_count is None else f", {outcome.unexpected_count:,} rows"
    return f"{outcome.check_name}{rows}: {outcome.description}"


def failure_text(result: GateResult) -> str:
    """What a closed gate says: each failed expectation, its table, how many rows, examples, how to mend it."""
    count = len(result.blocking)
    opening = f"gate {result.gate} is closed, nothing below it was built: {count} blocking checks failed"
    return "\n".join((opening, *(describe(outcome) for outcome in result.blocking)))
