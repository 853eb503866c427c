"""Measure one day more of the clock against its full rebuild, and prove that both give the same rows.

    python -m benchmarks.clock_increment --folder build/benchmark --tickets 1000000

The history is that of benchmarks/generate_clock.py. What happened on its last day is held back; every table of the
clock is built whole (measured), the day is added, and the clock is built again from what it remembers (measured). A
full refresh of the same day stands beside it and must give the same rows, table by table. Then an exclusion of two
days that nobody knew of is added to one service, in the middle of the history: which tickets it touches, what
computing them anew costs, and again a full refresh that must agree.

Two figures are given of every run. `process`: CPU seconds of the whole dbt process less those of a dbt process that
builds one tiny model. `warehouse`: CPU seconds between handing each statement to DuckDB and getting its answer,
counted in the process itself; dbt runs one model at a time for it, DuckDB with its usual threads.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.clock import PREPARED_MODELS, ROOT, SEGMENT_MODELS, TINY_MODEL, TOTALS_MODELS
from benchmarks.measure import MeasuredCommandError, Sample, machine, run_once, to_standard_error

# Everything between the tickets' events and the clock's two marts.
MODELS = (
    *PREPARED_MODELS, "int_ticket_block", "int_ticket_history", "int_slt_rules", "int_slt_recompute",
    *TOTALS_MODELS, *SEGMENT_MODELS, "int_slt_breach", "int_slt_result", "fct_ticket_slt",
)  # fmt: skip
# One row of these belongs to one ticket: they must be those of a full refresh.
COMPARED_TABLES = (
    "core.int_clock_piece", "core.int_clock_day", "core.int_clock_slot",
    "core.int_ticket_step", "core.int_ticket_situation", "core.int_clock_scope", "core.int_slt_slot_terms",
    "core.int_slt_span", "core.int_slt_telescoped", "core.int_slt_telescoped_breach",
    "core.int_slt_telescoped_interval", "core.int_slt_state_change", "core.int_slt_outline", "core.int_slt_assignment",
    "core.int_slt_interval", "core.int_slt_breach", "core.int_slt_result", "slt.fct_ticket_slt",
    "slt.fct_slt_clock_segment",
)  # fmt: skip
EXCLUDED_SERVICE = "service_07"
EXCLUDED_FROM = "2024-05-06 00:00:00"
EXCLUDED_UNTIL = "2024-05-08 00:00:00"
HOLD_BACK = """
create schema held;
create table held.run_context as select as_of_at from core.int_run_context;
create table held.int_ticket_event as
    select * from core.int_ticket_event where event_at > timestamp '{cut}' order by ticket_id, event_sequence;
create table held.int_ticket as select * from core.int_ticket where opened_at > timestamp '{cut}' order by ticket_id;
delete from core.int_ticket_event where event_at > timestamp '{cut}';
delete from core.int_ticket where opened_at > timestamp '{cut}';
update core.int_run_context set as_of_at = timestamp '{cut}';
checkpoint;
"""
ADD_THE_DAY = """
insert into core.int_ticket_event by name select * from held.int_ticket_event;
insert into core.int_ticket by name select * from held.int_ticket;
update core.int_run_context set as_of_at = (select as_of_at from held.run_context);
checkpoint;
"""


def main(arguments: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.clock_increment")
    parser.add_argument("--folder", type=Path, required=True, help="for the warehouses and the figures")
    parser.add_argument("--tickets", type=int, default=1_000_000)
    parser.add_argument("--chunk", type=int, default=500_000, help="tickets in a range of a whole build")
    parser.add_argument("--project", type=Path, default=ROOT / "dbt_project", help="the dbt project to measure")
    parser.add_argument("--again", action="store_true", help="build the eve anew although the folder holds one")
    parser.add_argument("--keep", action="store_true", help="keep the warehouses of the day and of the exclusion")
    parser.add_argument("--exact", action="store_true", help="compare by except although the sums of hashes agree")
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--full", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--tiny", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    if options.inside:
        return run_inside(options)
    try:
        figures = compare(Benchmark(options))
    except MeasuredCommandError as error:
        to_standard_error(str(error))
        return 1
    path = options.folder / f"clock_increment_{options.tickets}.json"
    path.write_text(json.dumps(figures, indent=2) + "\n")
    sys.stdout.write(as_text(figures))
    return 1 if any(run["differences"] for run in figures["runs"].values() if "differences" in run) else 0


class Benchmark:
    """The folder's warehouses and the dbt processes that build them."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.folder = options.folder.resolve()
        self.eve = self.path("eve")

    def path(self, name: str) -> Path:
        """A warehouse of this benchmark."""
        return self.folder / f"increment_{self.options.tickets}_{name}.duckdb"

    def dbt(self, database: Path, *flags: str) -> dict[str, Any]:
        """One dbt process on a warehouse: what it took, and what each model took of it in DuckDB."""
        figures = self.folder / f"{database.stem}.statements.json"
        command = [
            sys.executable, "-m", "benchmarks.clock_increment", "--folder", str(self.folder), "--inside", str(figures),
            "--project", str(self.options.project), "--chunk", str(self.options.chunk), *flags,
        ]  # fmt: skip
        # dbt parses the whole project anew when the warehouse's path is another one
        work = self.path("work")
        database.rename(work)
        try:
            sample = run_once(command, {"WAREHOUSE_PATH": str(work)}, ROOT)
        finally:
            work.rename(database)
        return _figures(sample, json.loads(figures.read_text()))

    def execute(self, database: Path, sql: str) -> str:
        """SQL in a process of its own: this one must stay small."""
        return run_once([sys.executable, "-m", "benchmarks.run_sql", str(database), sql], folder=ROOT).output

    def differences(self, one: Path, other: Path) -> dict[str, int]:
        """Rows of either warehouse that the other does not hold, by table.

        Sums of the rows' hashes are compared first: sorting sixty million rows against sixty million takes longer
        than everything measured here. Where they differ, or with --exact, the rows are counted by except.
        """
        found = {}
        for table in COMPARED_TABLES:
            attach = f"attach '{other}' as other (read_only); "
            bags = ", ".join(
                f"(select (count(*), sum(hash(hash(t))), sum(hash(hash(t, 1)))) from {name} as t)"
                for name in (table, f"other.{table}")
            )
            is_same = self.execute(one, f"{attach}select a = b from (select {bags}) as sums (a, b)").startswith("(True")
            if is_same and not self.options.exact:
                continue
            sql = (
                attach
                + "select "
                + " + ".join(
                    f"(select count(*) from (from {left} except all from {right}))"
                    for left, right in ((table, f"other.{table}"), (f"other.{table}", table))
                )
            )
            count = int(self.execute(one, sql).strip("(),\n"))
            if count or not is_same:
                found[table] = count
        return found


def compare(benchmark: Benchmark) -> dict[str, Any]:
    """Eve, day and exclusion, each whole and by increment."""
    options, runs = benchmark.options, {}
    if options.again or not benchmark.eve.exists():
        to_standard_error("the eve")
        _build_eve(benchmark, runs)
    day, day_whole = benchmark.path("day"), benchmark.path("day_whole")
    shutil.copy(benchmark.eve, day)
    benchmark.execute(day, ADD_THE_DAY)
    shutil.copy(day, day_whole)
    benchmark.dbt(day_whole, "--tiny")
    runs["dbt alone"] = benchmark.dbt(day_whole, "--tiny")
    to_standard_error("one day more")
    runs["one day more"] = benchmark.dbt(day)
    to_standard_error("the same day, whole")
    runs["the same day, whole"] = benchmark.dbt(day_whole, "--full")
    runs["one day more"] |= {
        "recomputed": _recomputed(benchmark, day),
        "differences": benchmark.differences(day, day_whole),
    }
    if not options.keep:
        day_whole.unlink()
    exclusion, exclusion_whole = benchmark.path("exclusion"), benchmark.path("exclusion_whole")
    shutil.copy(day, exclusion)
    if not options.keep:
        day.unlink()
    run_once([sys.executable, "-c", _ADD_EXCLUSION.format(database=exclusion)], folder=ROOT)
    shutil.copy(exclusion, exclusion_whole)
    to_standard_error("an exclusion in retrospect")
    runs["an exclusion in retrospect"] = benchmark.dbt(exclusion)
    to_standard_error("the same exclusion, whole")
    runs["the same exclusion, whole"] = benchmark.dbt(exclusion_whole, "--full")
    runs["an exclusion in retrospect"] |= {
        "recomputed": _recomputed(benchmark, exclusion),
        "differences": benchmark.differences(exclusion, exclusion_whole),
    }
    if not options.keep:
        exclusion_whole.unlink()
        exclusion.unlink()
    return {"tickets": options.tickets, "machine": machine(), "runs": runs}


def _build_eve(benchmark: Benchmark, runs: dict[str, Any]) -> None:
    """The history without its last day, and every table of the clock built from it."""
    benchmark.eve.unlink(missing_ok=True)
    partial = benchmark.eve.with_suffix(".part")
    partial.unlink(missing_ok=True)
    command = [sys.executable, "-m", "benchmarks.generate_clock", str(partial)]
    to_standard_error(run_once([*command, "--tickets", str(benchmark.options.tickets)], folder=ROOT).output)
    as_of_at = datetime.fromisoformat(
        benchmark.execute(partial, "select cast(as_of_at as varchar) from core.int_run_context").strip("(),'\n")
    )
    benchmark.execute(partial, HOLD_BACK.format(cut=as_of_at - timedelta(days=1)))
    runs["the eve, whole"] = benchmark.dbt(partial, "--full")
    partial.rename(benchmark.eve)


_ADD_EXCLUSION = f"""
import duckdb
from benchmarks.generate_clock import write_exclusion_windows
connection = duckdb.connect('{{database}}')
connection.execute(
    "insert into core.int_exclusion_scope values ('{EXCLUDED_SERVICE}', 'internal', 'EXR-RETRO',"
    " timestamp '{EXCLUDED_FROM}', timestamp '{EXCLUDED_UNTIL}')"
)
write_exclusion_windows(connection)
"""


def _recomputed(benchmark: Benchmark, database: Path) -> dict[str, int]:
    """Tickets that were computed anew, and why."""
    sql = (
        "select string_agg(reasons || '=' || n, ';') from "
        "(select reasons, count(*) as n from core.int_slt_recompute group by reasons)"
    )
    rows = benchmark.execute(database, sql).strip("(),'\n").split(";")
    return {reason: int(count) for reason, count in (row.rsplit("=", 1) for row in rows)}


def _figures(sample: Sample, statements: dict[str, Any]) -> dict[str, Any]:
    return {
        "process_cpu_seconds": round(sample.cpu_seconds, 3),
        "wall_seconds": round(sample.wall_seconds, 3),
        "peak_memory_bytes": sample.peak_memory_bytes,
        "warehouse_cpu_seconds": round(sum(statements["models"].values()), 3),
        **statements,
    }


def as_text(figures: dict[str, Any]) -> str:
    """The figures as a Markdown table, then what each model took."""
    runs = figures["runs"]
    start = runs["dbt alone"]["process_cpu_seconds"]
    pairs = {"one day more": "the same day, whole", "an exclusion in retrospect": "the same exclusion, whole"}
    lines = [
        f"{figures['tickets']} tickets; dbt alone takes {start:.2f} CPU seconds, which are taken off `process`.",
        "",
        "| run | warehouse CPU seconds | to whole | process CPU seconds | to whole | peak memory MB |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, run in runs.items():
        if name == "dbt alone":
            continue
        ratios = ["", ""]
        if name in pairs:
            whole = runs[pairs[name]]
            ratios = [
                f"{run['warehouse_cpu_seconds'] / whole['warehouse_cpu_seconds']:.2%}",
                f"{(run['process_cpu_seconds'] - start) / (whole['process_cpu_seconds'] - start):.2%}",
            ]
        lines.append(
            f"| {name} | {run['warehouse_cpu_seconds']:.2f} | {ratios[0]} | {run['process_cpu_seconds'] - start:.2f} "
            f"| {ratios[1]} | {run['peak_memory_bytes'] / 1e6:.0f} |"
        )
    for name, whole in pairs.items():
        run, other = runs[name], runs[whole]["models"]
        lines += ["", f"{name}: recomputed {run['recomputed']}, differences {run['differences'] or 'none'}", ""]
        lines += ["| model | increment, CPU seconds | whole |", "|---|---:|---:|"]
        for model, seconds in sorted(run["models"].items(), key=lambda item: -item[1]):
            lines.append(f"| {model} | {seconds:.3f} | {other.get(model, 0):.3f} |")
    return "\n".join(lines) + "\n"


def run_inside(options: argparse.Namespace) -> int:
    """Run dbt in this process, with the CPU seconds of every statement added up by model."""
    from dbt.adapters.duckdb.environments import local
    from dbt.cli.main import dbtRunner

    seconds: Counter[str] = Counter()
    slowest: list[tuple[float, str]] = []
    execute = local.DuckDBCursorWrapper.execute

    def measured(self: Any, sql: str, bindings: Any = None) -> Any:
        began = time.process_time()
        try:
            return execute(self, sql, bindings)
        finally:
            took = time.process_time() - began
            seconds[_model_of(sql)] += took
            slowest.append((took, sql[-400:]))

    local.DuckDBCursorWrapper.execute = measured
    models = (TINY_MODEL,) if options.tiny else MODELS
    variables = {
        "slt_slot_count": 2, "slt_chunk_ticket_count": options.chunk, "slt_incremental": True,
    }  # fmt: skip
    result = dbtRunner().invoke([
        "run", "--quiet", "--threads", "1",
        "--project-dir", str(options.project), "--profiles-dir", str(options.project),
        "--target-path", str(options.folder / "target"), "--log-path", str(options.folder / "logs"),
        "--vars", json.dumps(variables), "--select", " ".join(models),
        *(["--full-refresh"] if options.full else []),
    ])  # fmt: skip
    slowest.sort(reverse=True)
    options.inside.write_text(json.dumps({"models": dict(seconds), "slowest": slowest[:25]}, indent=1))
    return 0 if result.success else 1


def _model_of(sql: str) -> str:
    """The node a statement belongs to, by the comment dbt puts before it."""
    _, _, rest = sql.partition('"node_id": "')
    return rest.split('"', 1)[0].removeprefix("model.slt_warehouse.") if rest else "outside models"


if __name__ == "__main__":
    os.environ.setdefault("DBT_SEND_ANONYMOUS_USAGE_STATS", "0")
    sys.exit(main())
