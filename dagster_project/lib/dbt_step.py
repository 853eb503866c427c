"""Build the dbt layers of a step and say what came of it: rows, columns and lineage of each table, or a clear error.

The models' events are held back until dbt has ended, because their row counts and columns can only be read then
(DuckDB admits no reader beside the writer); test results pass through at once.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DbtCliResource
from dagster_dbt.errors import DagsterDbtCliRuntimeError
from sqlglot.errors import SqlglotError

from dagster_project.lib.column_lineage import column_lineage
from dagster_project.lib.dbt_project import STEPS, ParsedProject
from dagster_project.lib.progress import say
from dagster_project.lib.table_facts import TableFacts, read_table_facts, total_rows
from dagster_project.lib.translator import WarehouseTranslator
from ingestion.settings import Settings

# Indirect selection "buildable": without it staging would run tests that also need marts. Unit tests prove the
# SQL, not the data: they run once per change in the test suite, not with every load.
BUILD_ARGUMENTS = ("build", "--indirect-selection", "buildable", "--exclude-resource-type", "unit_test")


def build_step(
    context: dg.AssetExecutionContext,
    dbt: DbtCliResource,
    parsed: ParsedProject,
    translator: WarehouseTranslator,
    settings: Settings,
    step: str,
) -> Iterator[Any]:
    """Run `dbt build` on a step's layers and yield its events. Raises dg.Failure naming what failed and why."""
    started = time.monotonic()
    layers = STEPS[step]
    layer_of = {unique_id: layer for layer in layers for unique_id in parsed.nodes(layer)}
    waiting = Counter(layer_of.values())
    plan = ", ".join(f"{layer} ({count} tables)" for layer, count in waiting.items())
    say(context.log, f"dbt: building {plan}")
    # a command that dies before it writes its results must not be judged by the results of an earlier one
    (parsed.target_path / "run_results.json").unlink(missing_ok=True)
    invocation = dbt.cli(list(BUILD_ARGUMENTS), context=context, target_path=parsed.target_path)
    outputs: list[dg.Output] = []
    failure: DagsterDbtCliRuntimeError | None = None
    test_count = 0
    try:
        for event in invocation.stream():
            if isinstance(event, dg.Output):
                outputs.append(event)
                layer = layer_of[event.metadata["unique_id"].text]
                waiting[layer] -= 1
                if not waiting[layer]:
                    say(context.log, f"dbt {layer}: built after {time.monotonic() - started:.1f} s")
            else:
                test_count += isinstance(event, dg.AssetCheckResult)
                yield event
    except DagsterDbtCliRuntimeError as error:
        failure = error
    finally:
        if invocation.process.poll() is None:  # an error of ours must not leave a writer behind
            invocation.process.terminate()
            invocation.process.wait()
    facts, metadata = step_metadata(parsed, translator, settings, step)
    for output in outputs:
        unique_id = output.metadata["unique_id"].text
        yield output.with_metadata({**output.metadata, **metadata.get(unique_id, {})})
    if failure is not None:
        raise dg.Failure(description=failure_text(step, parsed.target_path, str(failure)), allow_retries=False)
    say(
        context.log,
        f"dbt {' and '.join(layers)}: {len(outputs)} tables, {total_rows(facts.values()):,} rows, "
        f"{test_count} tests passed in {time.monotonic() - started:.1f} s",
    )


def step_metadata(
    parsed: ParsedProject, translator: WarehouseTranslator, settings: Settings, step: str
) -> tuple[dict[str, TableFacts], dict[str, dict[str, Any]]]:
    """(facts by unique_id, Dagster metadata by unique_id) of a step's tables as they stand in the warehouse.

    Lineage is left out for a model whose SQL sqlglot cannot read; its other figures are given.
    """
    nodes = {unique_id: node for layer in STEPS[step] for unique_id, node in parsed.nodes(layer).items()}
    relations = {unique_id: (node["schema"], node["alias"]) for unique_id, node in nodes.items()}
    parents = {
        upstream: (node["schema"], node.get("alias") or node["identifier"])
        for props in nodes.values()
        for upstream in props.get("depends_on", {}).get("nodes", ())
        if (node := parsed.manifest["nodes"].get(upstream) or parsed.manifest["sources"].get(upstream))
    }
    by_table = read_table_facts(settings.warehouse_path, {*relations.values(), *parents.values()})
    keys = {
        table: translator.get_asset_key(parsed.manifest["nodes"].get(uid) or parsed.manifest["sources"][uid])
        for uid, table in {**parents, **relations}.items()
    }
    facts: dict[str, TableFacts] = {}
    metadata: dict[str, dict[str, Any]] = {}
    for unique_id, table in relations.items():
        if table not in by_table:
            continue
        facts[unique_id] = by_table[table]
        node = nodes[unique_id]
        metadata[unique_id] = {
            "dagster/row_count": by_table[table].row_count,
            "dagster/column_schema": _column_schema(by_table[table], node),
            **_lineage(
                parsed,
                node,
                [parents[u] for u in node["depends_on"].get("nodes", ()) if u in parents],
                by_table,
                keys,
            ),
        }
    return facts, metadata


def failure_text(step: str, target_path: Path, fallback: str) -> str:
    """What failed in the last dbt command, one line each, from run_results.json; else dbt's own text."""
    failed = []
    try:
        results = json.loads((target_path / "run_results.json").read_text(encoding="utf-8"))["results"]
    except (FileNotFoundError, json.JSONDecodeError):
        results = []
    for result in results:
        if result["status"] in ("error", "fail", "runtime error"):
            kind, _, name = result["unique_id"].split(".", 2)
            failed.append(f"{kind} {name}: {(result.get('message') or result['status']).strip()}")
    if not failed:
        return f"dbt failed in {' and '.join(STEPS[step])}: {fallback}"
    return f"dbt failed in {' and '.join(STEPS[step])}, {len(failed)} of {len(results)} nodes:\n" + "\n".join(failed)


def _column_schema(facts: TableFacts, node: Mapping[str, Any]) -> dg.TableSchema:
    documented = node.get("columns", {})
    return dg.TableSchema(
        columns=[
            dg.TableColumn(name, data_type, description=comment or documented.get(name, {}).get("description"))
            for name, data_type, comment in facts.columns
        ]
    )


def _lineage(
    parsed: ParsedProject,
    node: Mapping[str, Any],
    parents: list[tuple[str, str]],
    by_table: Mapping[tuple[str, str], TableFacts],
    keys: Mapping[tuple[str, str], dg.AssetKey],
) -> dict[str, Any]:
    compiled = parsed.target_path / "compiled" / node["package_name"] / node["original_file_path"]
    if node["resource_type"] != "model" or not compiled.exists():
        return {}
    columns = {
        parent: {name: data_type for name, data_type, _ in by_table[parent].columns}
        for parent in parents
        if parent in by_table
    }
    try:
        lineage = column_lineage(compiled.read_text(encoding="utf-8"), columns)
    except SqlglotError:
        return {}
    deps = {
        column: [
            dg.TableColumnDep(keys[schema, table], name) for schema, table, name in sources if (schema, table) in keys
        ]
        for column, sources in lineage.items()
    }
    return {"dagster/column_lineage": dg.TableColumnLineage({name: found for name, found in deps.items() if found})}
