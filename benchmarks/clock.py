"""Measure the clock: the floor, the engine's totals and its explained segments, side by side.

    python -m benchmarks.clock --folder build/benchmark --tickets 1000000 --repeats 5

The floor is what no engine can go below: the same events scanned and grouped by ticket, its result stored like
the engine's own. It is measured on the event table by its text key and on the narrow table the clock reads. The
engine is the dbt model itself, as a whole dbt process; a dbt process that builds one tiny model stands beside
it, so that what dbt costs to start can be told from what the clock costs.

The first run with a folder generates the warehouse and builds what the clock reads (not measured); later runs
with the same number of tickets use it again.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from benchmarks.measure import MeasuredCommandError, Report, Variant, measure, run_once, to_standard_error

ROOT = Path(__file__).resolve().parent.parent
# What the clock reads and the generator does not write: built once, before measuring.
PREPARED_MODELS = (
    "int_clock_horizon", "int_calendar_segment", "int_slt_definition", "int_ticket_id", "int_ticket_situation",
    "int_slt_situation", "int_slt_situation_slot", "int_slt_situation_target", "int_clock_scope", "int_clock_change",
    "int_clock_piece", "int_clock_day", "int_clock_slot", "int_slt_terms", "int_slt_slot_terms", "int_ticket_step",
)  # fmt: skip
# Start and ends, how long, and when beyond the target.
TOTALS_MODELS = ("int_slt_span", "int_slt_telescoped", "int_slt_telescoped_breach")
# From the totals to the explained stretches: those of clocks that telescope, of the others, and the mart of both.
SEGMENT_MODELS = (
    "int_slt_telescoped_interval", "int_slt_state_change", "int_slt_outline", "int_slt_assignment", "int_slt_interval",
    "fct_slt_clock_segment",
)  # fmt: skip
TINY_MODEL = "int_clock_horizon"
FLOOR = """
create or replace table slt.benchmark_floor as
select {key}, min({at}) as first_at, max({at}) as last_at, count(*) as event_count from core.{table} group by {key}
"""


def main(arguments: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.clock")
    parser.add_argument("--folder", type=Path, required=True, help="for the warehouse and the figures")
    parser.add_argument("--tickets", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--project", type=Path, default=ROOT / "dbt_project", help="the dbt project to measure")
    parser.add_argument("--segments", action="store_true", help="also measure fct_slt_clock_segment")
    options = parser.parse_args(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    folder = options.folder.resolve()
    database = folder / f"clock_{options.tickets}.duckdb"
    try:
        if not database.exists():
            prepare(database, options.tickets, options.project, folder)
        report = compare(database, options.project, folder, options.repeats, options.segments)
    except MeasuredCommandError as error:
        to_standard_error(str(error))
        return 1
    report.write_json(folder / f"clock_{options.tickets}.json")
    sys.stdout.write(f"{report.title}\n\n{report.table()}\n")
    return 0


def prepare(database: Path, tickets: int, project: Path, folder: Path) -> None:
    """Generate the warehouse and build what the clock reads."""
    partial = database.with_suffix(".part")
    partial.unlink(missing_ok=True)
    command = [sys.executable, "-m", "benchmarks.generate_clock", str(partial), "--tickets", str(tickets)]
    to_standard_error(run_once(command, folder=ROOT).output)
    run_once(dbt(project, folder, *PREPARED_MODELS), {"WAREHOUSE_PATH": str(partial)}, ROOT)
    partial.rename(database)


def compare(database: Path, project: Path, folder: Path, repeats: int, with_segments: bool) -> Report:
    """Floor, engine and dbt alone, interleaved."""
    environment = {"WAREHOUSE_PATH": str(database)}

    def floor(key: str, at: str, table: str) -> list[str]:
        sql = FLOOR.format(key=key, at=at, table=table)
        return [sys.executable, "-m", "benchmarks.run_sql", str(database), sql]

    variants = [
        Variant("floor: events by text key", floor("ticket_key", "event_at", "int_ticket_event"), folder=ROOT),
        Variant("floor: narrow steps by integer", floor("ticket_id", "event_s", "int_ticket_step"), folder=ROOT),
        Variant("dbt alone", dbt(project, folder, TINY_MODEL), environment, folder=ROOT),
        Variant("clock totals, two targets", dbt(project, folder, *TOTALS_MODELS, full=True), environment, folder=ROOT),
    ]
    if with_segments:
        command = dbt(project, folder, *SEGMENT_MODELS, full=True)
        variants.append(Variant("explained segments", command, environment, folder=ROOT))
        size = "create or replace table slt.benchmark_copy as from slt.fct_slt_clock_segment"
        copying = [sys.executable, "-m", "benchmarks.run_sql", str(database), size]
        variants.append(Variant("copying the segments", copying, folder=ROOT))
    return measure(f"Service-level clock: {database.stem}", variants, repeats, to_standard_error)


def dbt(project: Path, folder: Path, *models: str, full: bool = False) -> list[str]:
    """A dbt process that runs the models."""
    command = [
        str(Path(sys.executable).parent / "dbt"), "run", "--quiet",
        "--project-dir", str(project), "--profiles-dir", str(project),
        "--target-path", str(folder / "target"), "--log-path", str(folder / "logs"),
        "--vars", "{slt_slot_count: 2, slt_chunk_ticket_count: 1000000}",
        "--select", *models,
    ]  # fmt: skip
    return [*command, "--full-refresh"] if full else command


if __name__ == "__main__":
    os.environ.setdefault("DBT_SEND_ANONYMOUS_USAGE_STATS", "0")
    sys.exit(main())
