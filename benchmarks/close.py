"""What closing a quarter takes after two archived quarters and after forty, by the archive's own steps.

    python -m benchmarks.close --warehouse data/warehouse.duckdb --compiled <dbt target>/compiled --period 2025-Q3

The archived quarters are all the given one's real files under other names, written by the close's own code. A measured
process writes the tables of the quarter, computes it anew, and chains it behind them; demands and gates, which ask the
warehouse and not the archive, are left out. Whole processes in turns.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from benchmarks.measure import MeasuredCommandError, Variant, measure, to_standard_error
from dagster_project.lib import archive, archive_content

ARCHIVED = (2, 40)
CLOSED_AT = datetime(2026, 1, 5, tzinfo=UTC)
LAST = "2099-Q4"
CHILD = """
import sys
from pathlib import Path
from benchmarks.close import close
close(*(Path(argument) for argument in sys.argv[1:4]), sys.argv[4])
"""


def close(archive_path: Path, warehouse_path: Path, compiled_path: Path, period_code: str) -> None:
    """Close the period's content as the last quarter of the archive."""
    definitions = archive_content.read_definitions(compiled_path, warehouse_path.stem)

    with duckdb.connect(str(warehouse_path), read_only=True) as connection:

        def fill(folder: Path) -> archive.Content:
            period = archive_content.Period.of(period_code)
            tables = archive_content.write_tables(connection, folder, period, definitions)
            files = [{**entry, "name": name} for name, entry in tables.items()]
            done = archive_content.recompute_folder(folder, period_code, files)
            if done.differences:
                raise archive.ArchiveError("; ".join(done.differences))
            return archive.Content(tables, {"control_totals": archive_content.control_totals(folder)})

        archive.write_period(archive_path, LAST, CLOSED_AT, fill)


def grow(archive_path: Path, model: Path, count: int) -> None:
    """Close `count` quarters with the files of a closed one."""
    link = archive.read_chain(model)[-1]
    tables = {entry["name"]: entry for entry in archive.read_manifest(model, link)["files"]}

    def fill(folder: Path) -> archive.Content:
        for name in tables:
            shutil.copy(model / link.period / name, folder / name)
            (folder / name).chmod(0o640)
        return archive.Content(tables, {})

    for number in range(count):
        archive.write_period(archive_path, f"{2000 + number // 4}-Q{1 + number % 4}", CLOSED_AT, fill)


def main(arguments: list[str] | None = None) -> int:
    """Command line: archive once, measure closes, print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.close", description=__doc__.splitlines()[0])
    parser.add_argument("--warehouse", type=Path, required=True)
    parser.add_argument("--compiled", type=Path, required=True, help="dbt's folder of compiled models")
    parser.add_argument("--period", required=True, help="a quarter the warehouse has paid")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write all samples to this file")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        close(folder / "model", options.warehouse, options.compiled, options.period)
        variants = []
        for count in ARCHIVED:
            place = folder / f"after_{count}"
            grow(place / "kept", folder / "model", count)

            def restore(place: Path = place) -> None:
                shutil.rmtree(place / "archive", ignore_errors=True)
                shutil.copytree(place / "kept", place / "archive")

            parts = (str(place / "archive"), str(options.warehouse), str(options.compiled), options.period)
            command = (sys.executable, "-c", CHILD, *parts)
            variants.append(Variant(f"after {count} quarters", command, prepare=restore))
        try:
            report = measure("closing a quarter", variants, options.repeats, to_standard_error)
        except MeasuredCommandError as error:
            to_standard_error(str(error))
            return 1
    sys.stdout.write(f"{report.title}\n\n{report.table()}\n")
    if options.json:
        report.write_json(options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
