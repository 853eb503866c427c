"""Availability, coverage, gaps, flaps and exclusions of a year of minutely samples, against a bare scan of them.

    python -m benchmarks.availability --folder /tmp/samples --repeats 5 --json figures.json

The samples are generated once, vectorised in SQL (200 monitors x 1 minute x 365 days less one in 500, 105 million
rows) as the warehouse places them: monitor, hour, minute of the hour, outcome as a number. `scan` aggregates them
per monitor: how many, how many good and bad, from when to when. `availability` runs the rules of
core.int_monitor_hour, its own SQL from the placed samples on, and takes downtimes and exclusions out by bit
arithmetic. Both are whole processes, run in turns on the same file; the figures are CPU seconds and peak memory.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from itertools import pairwise
from pathlib import Path

from benchmarks.measure import MeasuredCommandError, Variant, measure, run_once, to_standard_error
from benchmarks.model_sql import model_sql, render

START = "2025-01-01 00:00:00"
START_HOUR = 482_136
SERVICE_COUNT = 50
# Grouping by small whole numbers goes to an array instead of a hash table where their ranges are known and fit so
# many bits: 8 for 200 monitors, 2 for the outcome, 10 for up to a thousand hours, a ninth of a year.
SETTINGS = "set perfect_ht_threshold = 20"
SLICES = 9
CHILD = """
import sys, duckdb
path, file, threads, memory = sys.argv[1:5]
connection = duckdb.connect(path, read_only=not file.endswith("generate.sql"), config={"threads": int(threads)})
connection.execute(f"set memory_limit = '{memory}'; set enable_progress_bar = false")
for statement in open(file).read().split(";\\n"):
    if statement.strip():
        result = connection.execute(statement)
print(result.fetchall())
"""

SCAN = """
select count(*), sum(sample_count), sum(good_count), sum(bad_count), min(first_hour), max(last_hour)
from (
    select
        monitor_id, count(*) as sample_count, sum((outcome = 1)::integer) as good_count,
        sum((outcome = 2)::integer) as bad_count, min(hour_number) as first_hour, max(hour_number) as last_hour
    from samples group by monitor_id
)
"""

# Per monitor, from its hours: what fct_availability_rollup and the coverage mart sum.
PART = """
with windows as (
    select
        hours.monitor_id,
        sum(windows.to_second - windows.from_second) as window_seconds,
        sum(
            {{ bit_seconds_before('hours.up_bits', 'windows.to_second', '60') }}
            - {{ bit_seconds_before('hours.up_bits', 'windows.from_second', '60') }}
        ) as excluded_up_seconds,
        sum(
            {{ bit_seconds_before('hours.down_bits', 'windows.to_second', '60') }}
            - {{ bit_seconds_before('hours.down_bits', 'windows.from_second', '60') }}
        ) as excluded_down_seconds
    from hours
    inner join int_monitoring_window as windows
        on hours.service_code = windows.service_code and hours.hour_number = windows.hour_number
    group by hours.monitor_id
),

states as (
    select
        monitor_id,
        sum(expected_seconds) as expected_seconds,
        60 * sum({{ bits_set('up_bits') }}) as up_seconds,
        60 * sum({{ bits_set('down_bits') }}) as down_seconds,
        sum(state_change_count) as state_change_count,
        sum(gap_count) as gap_count
    from hours
    group by monitor_id
)

select
    monitor_id, expected_seconds, up_seconds, down_seconds, state_change_count, gap_count,
    coalesce(window_seconds, 0) as window_seconds, coalesce(excluded_up_seconds, 0) as excluded_up_seconds,
    coalesce(excluded_down_seconds, 0) as excluded_down_seconds
from states left join windows using (monitor_id)
"""
FIGURES = """
select
    count(*) as monitor_count, sum(up_seconds), sum(down_seconds), sum(unknown_seconds), sum(state_change_count),
    sum(gap_count), sum(window_seconds), sum(excluded_up_seconds), sum(excluded_down_seconds),
    min(raw_share), min(adjusted_share)
from (
    select
        monitor_id, sum(up_seconds) as up_seconds, sum(down_seconds) as down_seconds,
        sum(expected_seconds - up_seconds - down_seconds) as unknown_seconds,
        sum(state_change_count) as state_change_count, sum(gap_count) as gap_count,
        sum(window_seconds) as window_seconds, sum(excluded_up_seconds) as excluded_up_seconds,
        sum(excluded_down_seconds) as excluded_down_seconds,
        sum(up_seconds) / sum(up_seconds + down_seconds) as raw_share,
        sum(up_seconds - excluded_up_seconds)
        / sum(up_seconds + down_seconds - excluded_up_seconds - excluded_down_seconds) as adjusted_share
    from figures group by monitor_id
)
"""


def generator_sql(monitors: int, days: int) -> str:
    """Samples in the order they would land, month by month, a register, and windows of every service."""
    return f"""
    create table samples as
    select
        monitor.number::usmallint as monitor_id,
        ({START_HOUR} + minute.number // 60)::integer as hour_number,
        (minute.number % 60)::utinyint as slot_number,
        (case
            when hash(minute.number * 200 + monitor.number + 7) % 1000 = 0 then 2
            when hash((minute.number // 30) * 200 + monitor.number) % 500 = 0 then 2
            else 1
        end)::utinyint as outcome
    from range({days * 1440}) as minute (number), range({monitors}) as monitor (number)
    where hash(minute.number * 200 + monitor.number + 99) % 500 <> 0;
    create table monitor_register as
    select
        number::usmallint as monitor_id, (number % {SERVICE_COUNT})::usmallint as service_code,
        'synthetic' as sample_kind, 60 as expected_interval_seconds, 180 as missing_after_seconds,
        'any' as location_rule, true as is_required, timestamp '{START}' as effective_from,
        timestamp '{START}' + to_days({days}) as effective_to
    from range({monitors}) as monitor (number);
    create table int_run_context as select timestamp '{START}' + to_days({days}) as as_of_at;
    create table int_monitoring_window as
    select
        service_code, first_hour + piece.number as hour_number,
        case piece.number when 0 then 750 else 0 end::bigint as from_second,
        case piece.number when 2 then 1930 else 3600 end::bigint as to_second,
        first_hour % 2 = 0 as is_maintenance
    from (
        select
            service.number::usmallint as service_code,
            ({START_HOUR} + day.number * 24 + hash(service.number * 1000 + day.number) % 20)::bigint as first_hour
        from range({SERVICE_COUNT}) as service (number), range(0, {days}, 2) as day (number)
    ) as starts, range(3) as piece (number);
    """


def hours_sql(first_hour: int, end_hour: int) -> str:
    """The rules of int_monitor_hour over the hours [first_hour, end_hour) of placed samples.

    Its own SQL but for the steps that read verdicts and clocks and find a sample's place; each monitor is asked
    from one place, so that the place is no key. The hour before the first is read along.
    """
    register = (
        "(select * replace ("
        f"greatest(effective_from, make_timestamp({first_hour - 1} * 3600000000)) as effective_from, "
        f"least(effective_to, make_timestamp({end_hour} * 3600000000)) as effective_to) from monitor_register)"
    )
    text = model_sql("int_monitor_hour", {"monitor_register": register})
    text = _without(text, "samples as (", "run_context as (")
    text = _without(text, "-- a status of its own", "expected as (")
    placed = f"""placed as (
    select monitor_id, outcome, hour_number, slot_number from samples
    where hour_number >= {first_hour - 1} and hour_number < {end_hour}
),

"""
    text = text.replace("placed as (", placed + "unused as (", 1)
    text = _without(text, "unused as (", "outcome_hours as (")
    text = text.replace("        probe_location,\n", "").replace("then probe_location", "then 1")
    text = text.replace("monitor_id, probe_location, hour_number", "monitor_id, hour_number")
    # what the figures need; the model's other columns (disputes, counts) are for the review queue
    return (
        "select monitor_id, service_code, hour_number, expected_seconds, up_bits, down_bits, state_change_count, "
        f"gap_count from ({text}) as built where hour_number >= {first_hour}"
    )


def _without(text: str, first: str, following: str) -> str:
    """The text without what stands between two of its parts."""
    return text[: text.index(first)] + text[text.index(following) :]


def availability_sql(days: int, slices: int) -> str:
    """All figures in one process, the hours built in so many parts as an incremental build would."""
    statements = [SETTINGS]
    bounds = [START_HOUR + days * 24 * number // slices for number in range(slices + 1)]
    for number, (first, end) in enumerate(pairwise(bounds)):
        statements.append(f"create or replace temp table hours as {hours_sql(first, end)}")
        target = "insert into figures" if number else "create temp table figures as"
        statements.append(f"{target} {render(PART)}")
    return ";\n".join([*statements, FIGURES])


def main(arguments: list[str] | None = None) -> int:
    """Command line: generate once, measure, print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.availability", description=__doc__.splitlines()[0])
    parser.add_argument("--monitors", type=int, default=200)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--slices", type=int, default=SLICES, help="parts the year's hours are built in")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--memory", default="150MB", help="DuckDB's own limit for the measured processes")
    parser.add_argument("--folder", type=Path, help="keep the generated file here (default: a temporary folder)")
    parser.add_argument("--json", type=Path, help="write all samples to this file")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"samples_{options.monitors}x{options.days}.duckdb"

        def variant(name: str, sql: str, memory: str = options.memory) -> Variant:
            file = folder / f"{name}.sql"
            file.write_text(sql)
            command = (sys.executable, "-c", CHILD, str(path), str(file), str(options.threads), memory)
            return Variant(name, command)

        try:
            if not path.exists():
                to_standard_error(f"generating {options.monitors * options.days * 1440:,} samples")
                run_once(variant("generate", generator_sql(options.monitors, options.days), "2GB").command)
            report = measure(
                f"{options.monitors} monitors, {options.days} days, one minute",
                [variant("scan", SCAN), variant("availability", availability_sql(options.days, options.slices))],
                options.repeats,
                to_standard_error,
            )
        except MeasuredCommandError as error:
            to_standard_error(str(error))
            return 1
    sys.stdout.write(report.table() + "\n")
    for name, samples in report.samples.items():
        sys.stdout.write(f"{name}: {samples[-1].output}\n")
    if options.json:
        report.write_json(options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
