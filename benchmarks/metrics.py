"""The metric layer with a thousand definition versions, against one grouped scan of the same observations.

    python -m benchmarks.metrics --tickets 10000000 --versions 1000 --repeats 3 --json figures.json

Observations of tickets are drawn once, vectorised in SQL: a year, 40 teams, 60 services, 800 persons, five measures,
three dimensions. Definitions are rows of the seeds (a metric has four versions, a quarter each), in turn shares,
weighted shares, means, sums and standardised shares, for teams, services, business units and vendors, one in ten for
persons.
Two scans to compare with, each one statement that groups the observations once and sums the five measures: `scan` by
month, team and dimensions alone; `scan_sets` by the grouping sets the results stand on, month and dimensions with each
of the five entity types, persons among them. `metrics` runs the SQL of the models from the definitions to the results,
every table stored. `cells` stops after the pass over the observations. All are whole processes, run in turns on the
same file; the figures are CPU seconds and peak memory.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import MeasuredCommandError, Variant, measure, run_once, to_standard_error
from benchmarks.model_sql import DBT, model_sql, render

TEAMS, SERVICES, PERSONS, UNITS, VENDORS = 40, 60, 800, 6, 8
VERSIONS_OF_A_METRIC = 4
DEFINED = ("int_metric_definition", "int_metric_freeze", "int_metric_day", "int_metric_frozen_slice")
CELLS = (*DEFINED, "int_metric_dimension_use", "int_metric_cell")
LAYER = (*CELLS, "int_metric_part", "int_metric_period", "int_metric_sum", "int_seasonal_index", "int_metric_result")
CHILD = """
import sys, duckdb
path, file, threads, memory = sys.argv[1:5]
connection = duckdb.connect(path, config={"threads": int(threads)})
connection.execute(f"set memory_limit = '{memory}'; set enable_progress_bar = false; set timezone = 'UTC'")
for statement in open(file).read().split(";\\n"):
    if statement.strip():
        result = connection.execute(statement)
print(result.fetchall())
"""
SCAN = """
create or replace table benchmark_scan as
select
    date_trunc('month', observed_at)::date as month_on, team_code, slt_code, priority, channel,
    sum(raw_met_count) as raw_met_count, sum(adjusted_met_count) as adjusted_met_count,
    sum(ticket_count) as ticket_count, sum(net_seconds) as net_seconds, sum(business_seconds) as business_seconds,
    count(*) as observation_count
from int_observation_ticket_slt group by all;
select count(*) from benchmark_scan
"""
SCAN_SETS = """
create or replace table benchmark_scan_sets as
select
    month_on, employee_number, team_code, service_code, business_unit_code, vendor_code, slt_code, priority, channel,
    sum(raw_met_count) as raw_met_count, sum(adjusted_met_count) as adjusted_met_count,
    sum(ticket_count) as ticket_count, sum(net_seconds) as net_seconds, sum(business_seconds) as business_seconds,
    count(*) as observation_count
from (select *, date_trunc('month', observed_at)::date as month_on from int_observation_ticket_slt) as dated
group by grouping sets (
    (month_on, slt_code, priority, channel, employee_number),
    (month_on, slt_code, priority, channel, team_code),
    (month_on, slt_code, priority, channel, service_code),
    (month_on, slt_code, priority, channel, business_unit_code),
    (month_on, slt_code, priority, channel, vendor_code)
);
select count(*) from benchmark_scan_sets
"""


def _columns(kind: str) -> str:
    """An observation table's columns with their types, from the macros."""
    listed = render(
        "{% for column in metric_entities().values() %}{{ column }} varchar, {% endfor %}"
        "{% for dimension in metric_dimensions() %}{{ dimension }} varchar, {% endfor %}"
        "{% for measure in metric_observations()[kind].measures %}{{ measure }} bigint, {% endfor %}".replace(
            "[kind]", f"['{kind}']"
        )
    )
    return f"observation_key varchar, observed_at timestamp, {listed} batch_id varchar"


def generator_sql(tickets: int, versions: int) -> str:
    """Observations, definitions and what they refer to."""
    seeds = DBT.parent / "seeds" / "metrics"
    kinds = render("{{ metric_observations() | join(' ') }}").split()
    empty = ";\n".join(f"create table int_observation_{kind} ({_columns(kind)})" for kind in kinds)
    return f"""
    {empty};
    insert into int_observation_ticket_slt by name
    select
        number::varchar as observation_key,
        timestamp '2025-01-01' + to_seconds((hash(number) % 31536000)::bigint) as observed_at,
        'e' || hash(number + 1) % {PERSONS} as employee_number,
        't' || hash(number + 2) % {TEAMS} as team_code,
        's' || hash(number + 3) % {SERVICES} as service_code,
        'u' || hash(number + 4) % {UNITS} as business_unit_code,
        case when hash(number + 5) % 3 = 0 then 'v' || hash(number + 5) % {VENDORS} end as vendor_code,
        ['response', 'incident_resolution', 'request_resolution'][(1 + hash(number + 6) % 3)::integer] as slt_code,
        (1 + hash(number + 7) % 5)::varchar as priority,
        ['portal', 'phone', 'mail', 'chat'][(1 + hash(number + 8) % 4)::integer] as channel,
        (hash(number + 9) % 100 < 80)::bigint as raw_met_count,
        (hash(number + 9) % 100 < 85)::bigint as adjusted_met_count,
        1 as ticket_count,
        (hash(number + 10) % 200000)::bigint as net_seconds,
        (hash(number + 11) % 100000)::bigint as business_seconds,
        'drawn' as batch_id
    from range({tickets}) as ticket (number);
    create table int_run_context as select 'drawn' as run_id, timestamp '2026-01-01' as as_of_at;
    create table team as select 't' || number as team_code from range({TEAMS}) as drawn (number);
    create table service as select 's' || number as service_code from range({SERVICES}) as drawn (number);
    create table business_unit as select 'u' || number as business_unit_code from range({UNITS}) as drawn (number);
    create table int_vendor_family as
    select 'v' || number as primary_vendor_code from range({VENDORS}) as drawn (number);
    create table metric_measure as select * from read_csv('{seeds / "metric_measure.csv"}', header = true);
    create table metric_freeze as
    select * from read_csv('{seeds / "metric_freeze.csv"}', header = true) limit 0;
    create table approval_role as select 'metric_freeze' as approval_type, 'chair' as role_code limit 0;
    create table governance_member as
    select * from read_csv('{seeds.parent / "governance" / "governance_member.csv"}', header = true);
    create table metric_replay as
    select * from read_csv('{seeds / "metric_replay.csv"}', header = true) limit 0;
    create table metric_definition as
    with drawn as (
        select
            'm' || number // {VERSIONS_OF_A_METRIC} as metric_code,
            (1 + number % {VERSIONS_OF_A_METRIC})::integer as metric_version,
            number // {VERSIONS_OF_A_METRIC} % 5 as turn,
            date '2025-01-01' + to_months((number % {VERSIONS_OF_A_METRIC} * 3)::integer) as starts_at
        from range({versions}) as drawn (number)
    )
    select
        template.* replace (
            drawn.metric_code as metric_code,
            drawn.metric_version as metric_version,
            ['share', 'weighted_share', 'mean', 'sum', 'share'][turn + 1] as aggregation_kind,
            ['raw_met_count', 'adjusted_met_count', 'net_seconds', 'ticket_count', 'adjusted_met_count'][turn + 1]
                as numerator_measure,
            case when turn <> 3 then 'ticket_count' end as denominator_measure,
            case turn when 1 then 'priority' else 'none' end as weighting,
            case turn when 4 then 'priority' end as standardised_by,
            case turn when 4 then 'standardised' else 'raw' end as value_basis,
            starts_at::date as effective_from,
            case
                when drawn.metric_version < {VERSIONS_OF_A_METRIC} then (starts_at + to_months(3))::date - 1
            end as effective_to
        )
    from drawn
    cross join (
        select * from read_csv('{seeds / "metric_definition.csv"}', header = true)
        where metric_code = 'slt_attainment' and metric_version = 2
    ) as template;
    create table int_metric_version_period as
    select metric_code, metric_version, effective_from, effective_to from metric_definition;
    create table metric_entity_type as
    select metric_code, metric_version, unnest(['team', 'service', 'business_unit', 'vendor']) as entity_type
    from metric_definition
    union all
    select metric_code, metric_version, 'person' from metric_definition where metric_code like '%7';
    create table metric_filter as
    select
        metric_code, metric_version, 'both' as applies_to, 'slt_code' as dimension_code,
        ['response', 'incident_resolution', 'request_resolution'][(1 + hash(metric_code) % 3)::integer]
            as dimension_values,
        false as is_excluded
    from metric_definition
    union all
    select
        metric_code, metric_version, 'both', 'channel',
        ['portal', 'phone', 'mail', 'chat'][(1 + hash(metric_code, 1) % 4)::integer],
        hash(metric_code, 2) % 2 = 0
    from metric_definition;
    create table metric_weight as
    select metric_code, metric_version, 'priority' as dimension_code, number::varchar as dimension_value,
        (20 - 3 * number)::integer as weight
    from metric_definition, range(1, 6) as drawn (number) where weighting = 'priority';
    create table int_reporting_period as {model_sql("int_reporting_period")}
    """


def layer_sql(models: tuple[str, ...]) -> str:
    """The models in the order they build on each other, each stored."""
    statements = [f"create or replace table {name} as {model_sql(name)}" for name in models]
    return ";\n".join([*statements, f"select count(*) from {models[-1]}"])


def main(arguments: list[str] | None = None) -> int:
    """Command line: generate once, measure, print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.metrics", description=__doc__.splitlines()[0])
    parser.add_argument("--tickets", type=int, default=10_000_000)
    parser.add_argument("--versions", type=int, default=1_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory", default="4GB", help="DuckDB's own limit for the measured processes")
    parser.add_argument("--models", action="store_true", help="tell what each model takes alone, once")
    parser.add_argument("--folder", type=Path, help="keep the generated file here (default: a temporary folder)")
    parser.add_argument("--json", type=Path, help="write all samples to this file")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"metrics_{options.tickets}_{options.versions}.duckdb"

        def variant(name: str, sql: str) -> Variant:
            file = folder / f"{name}.sql"
            file.write_text(sql)
            command = (sys.executable, "-c", CHILD, str(path), str(file), str(options.threads), options.memory)
            return Variant(name, command)

        try:
            if not path.exists():
                to_standard_error(f"generating {options.tickets:,} tickets and {options.versions:,} versions")
                run_once(variant("generate", generator_sql(options.tickets, options.versions)).command)
            variants = [
                variant("scan", SCAN),
                variant("scan_sets", SCAN_SETS),
                variant("cells", layer_sql(CELLS)),
                variant("metrics", layer_sql(LAYER)),
            ]
            if options.models:
                variants += [variant(name, layer_sql((name,))) for name in LAYER]
            report = measure(
                f"{options.tickets:,} tickets, {options.versions:,} definition versions",
                variants,
                1 if options.models else options.repeats,
                to_standard_error,
            )
        except MeasuredCommandError as error:
            path.unlink(missing_ok=True)
            to_standard_error(str(error))
            return 1
    sys.stdout.write(f"{report.title}\n\n{report.table()}\n")
    for name, samples in report.samples.items():
        sys.stdout.write(f"{name}: {samples[-1].output}\n")
    for base, said in {
        "scan": "one scan grouped by team",
        "scan_sets": "one scan grouped by all five entity types",
    }.items():
        sys.stdout.write(f"the metric layer takes {report.ratio('metrics', base):.2f} times {said}\n")
    if options.json:
        report.write_json(options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
