"""Landing a file of 5 million ticket events, against DuckDB reading the same file into a table by itself.

    python -m benchmarks.landing_file --folder /tmp/events --repeats 5 --json figures.json

The file is an incident event log in the shape of raw_servicenow_event_log.incident_event (36 columns; a tenth of the
symptoms quoted, with commas and quotes in them), generated once in SQL. `read` is
`create table as select * from read_csv(...)` with explicit columns and DuckDB's own settings; `landed` is
`ingestion.extract.extract` as the main job calls it: SHA-256, every byte accounted for, `_record`, `_row_hash`,
`_row_number`, repeats looked for, batch and state written, in one transaction. Both are whole processes into a new
DuckDB file, run in turns.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import MeasuredCommandError, Variant, measure, run_once, to_standard_error

GENERATE = """
copy (
    with numbered as (select range as i, range // 6 as t, range % 6 as step from range({events})),
    drawn as (
        select *, hash(t) as by_ticket, hash(i + 1) as by_event, timestamp '2024-01-01' + to_minutes(t::bigint // 2) as
            opened from numbered
    ),
    timed as (
        select *, [
            opened,
            opened + to_minutes((by_ticket % 9)::bigint),
            opened + to_minutes(30 * step + (by_event % 29)::bigint),
            opened + to_minutes(180 + (by_ticket % 3000)::bigint),
            opened + to_minutes(7500 + (by_ticket % 3000)::bigint)
        ] as instants from drawn
    )
    select
        format('INC{{:07d}}', t) as number,
        ['New', 'Active', 'Active', 'Awaiting User Info', 'Resolved', 'Closed'][step + 1] as incident_state,
        (step < 5)::varchar as active, (by_event % 3)::varchar as reassignment_count, '0' as reopen_count,
        step::varchar as sys_mod_count, (by_ticket % 10 < 8)::varchar as made_sla,
        'Caller ' || (by_ticket % 5000) as caller_id, 'Opened by ' || (by_ticket % 200) as opened_by,
        strftime(instants[1], '%d/%m/%Y %H:%M') as opened_at, 'Created by ' || (by_ticket % 180) as sys_created_by,
        strftime(instants[2], '%d/%m/%Y %H:%M') as sys_created_at, 'Updated by ' || (by_event % 800) as sys_updated_by,
        strftime(instants[3], '%d/%m/%Y %H:%M') as sys_updated_at, 'Phone' as contact_type,
        'Location ' || (by_ticket % 220) as location, 'Category ' || (by_ticket % 59) as category,
        'Subcategory ' || (by_ticket % 254) as subcategory,
        case
            when by_ticket % 10 = 0 then 'Printer, ward ' || (by_ticket % 90) || ' says "paper"'
            else 'Symptom ' || (by_ticket % 520)
        end as u_symptom,
        '?' as cmdb_ci, '2 - Medium' as impact, '2 - Medium' as urgency, '3 - Moderate' as priority,
        'Group ' || (by_event % 78) as assignment_group, 'Resolver ' || (by_event % 230) as assigned_to,
        'true' as knowledge, 'false' as u_priority_confirmation, 'Do Not Notify' as notify, '?' as problem_id,
        '?' as rfc, '?' as vendor, '?' as caused_by, 'code ' || (by_ticket % 17) as closed_code,
        'Resolved by ' || (by_ticket % 210) as resolved_by, strftime(instants[4], '%d/%m/%Y %H:%M') as resolved_at,
        strftime(instants[5], '%d/%m/%Y %H:%M') as closed_at
    from timed order by i
) to '{path}' ({options})
"""

READ = """
import sys, duckdb
path, database, columns = sys.argv[1:4]
types = "{" + ", ".join(f"'{name}': 'VARCHAR'" for name in columns.split()) + "}"
with duckdb.connect(database) as connection:
    connection.execute("set enable_progress_bar = false")
    if path.endswith(".csv"):
        connection.execute(f"create table events as select * from read_csv('{path}', header = true, columns = {types})")
    else:
        reader = f"read_json('{path}', format = 'newline_delimited', columns = {types})"
        connection.execute(f"create table events as select * from {reader}")
    print(connection.execute("select count(*), count(distinct number) from events").fetchone())
"""

LAND = """
import sys
from dataclasses import replace
from ingestion import landing
from ingestion.contracts import Window
from ingestion.extract import extract
from ingestion.settings import Settings
from ingestion.sources import SOURCES

database, partition, keeps = sys.argv[1:4]
settings = Settings.from_env({"WAREHOUSE_PATH": database})
source = SOURCES["servicenow_event_log"]
entity = replace(source.entities["incident_event"], keeps_record=keeps)
landing.prepare(settings)
result = extract(settings, source, entity, Window(partition), "benchmark")
with landing.connect(settings) as connection:
    print(connection.execute(f"select count(*), count(distinct number) from {entity.table}").fetchone(), result.pages)
"""


def main(arguments: list[str] | None = None) -> int:
    """Command line: generate once, measure, print the table."""
    from ingestion.sources import SOURCES

    parser = argparse.ArgumentParser(prog="python -m benchmarks.landing_file", description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=5_000_000)
    parser.add_argument("--format", choices=("csv", "jsonl"), default="csv")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--whole-record", action="store_true", help="also with the record kept a second time, as JSON")
    parser.add_argument("--folder", type=Path, help="keep the generated file here (default: a temporary folder)")
    parser.add_argument("--json", type=Path, help="write all samples to this file")
    options = parser.parse_args(arguments)
    columns = SOURCES["servicenow_event_log"].entities["incident_event"].columns
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"events_{options.events}.{options.format}"

        def variant(name: str, program: str, *arguments: str) -> Variant:
            database = folder / f"{name.replace(' ', '_')}.duckdb"
            given = (str(path), str(database)) if program is READ else (str(database), path.name)
            return Variant(
                name,
                (sys.executable, "-c", program, *given, *arguments),
                {"SERVICENOW_EXPORT_FILE": str(path), "PYTHONPATH": os.pathsep.join(sys.path)},
                lambda: database.unlink(missing_ok=True),
            )

        try:
            if not path.exists():
                to_standard_error(f"generating {options.events:,} events")
                _generate(path, options.events, options.format)
            variants = [variant("read", READ, " ".join(columns))]
            if options.format == "csv":
                variants.append(variant("landed", LAND, "rest"))
            if options.format == "jsonl" or options.whole_record:
                variants.append(variant("landed, record whole", LAND, "whole"))
            for each in variants:
                each.prepare()
            run_once(variants[0].command)  # the file is in the machine's memory for all of them
            report = measure(
                f"{options.events:,} events, {path.stat().st_size / 1e6:,.0f} MB of {options.format}",
                variants,
                options.repeats,
                to_standard_error,
            )
        except MeasuredCommandError as error:
            to_standard_error(str(error))
            return 1
        sizes = {name: (folder / f"{name.replace(' ', '_')}.duckdb").stat().st_size for name in report.samples}
    sys.stdout.write(report.table() + "\n")
    for name, samples in report.samples.items():
        sys.stdout.write(f"{name}: {samples[-1].output}, {sizes[name] / 1e6:,.0f} MB\n")
    if options.json:
        report.write_json(options.json)
    return 0


def _generate(path: Path, events: int, file_format: str) -> None:
    # in a process of its own: this one has to stay small
    written = path.with_name(f"{path.name}.part")
    kind = "format csv, header" if file_format == "csv" else "format json"
    statement = GENERATE.format(events=events, path=written, options=kind)
    program = "import sys, duckdb; duckdb.execute('set enable_progress_bar = false'); duckdb.execute(sys.argv[1])"
    run_once((sys.executable, "-c", program, statement))
    written.rename(path)


if __name__ == "__main__":
    sys.exit(main())
