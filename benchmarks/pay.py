"""Pay of fifty thousand people over three years: a full rebuild, a ledger from nothing, and the runs after it.

    python -m benchmarks.pay --participants 50000 --json figures.json

Drawn once, vectorised in SQL: participants in teams of 100 in three tiers, five countries and currencies, a plan of 12
components a tier (flat, interpolated and stepped, a third of them held in check by another metric), 13 quarters, leave
or part time for one in ten, two conditions of eligibility each, duty paid to one in five, base pay, unions and limits
of every kind. With 12 quarters ended the models run in their order, each a process of its own that stores its table:
payout lines, earning lines, limits, and the ledger from nothing. Then a thirteenth quarter ends, three results of the
quarter before are corrected (100 lines each), everything that is no ledger is built anew, and the ledger appends; once
more with nothing new, and once more when one earning line in a hundred, of any quarter, is a cent more. The figures are
CPU seconds and peak memory of whole processes, and the most that DuckDB put aside on disk for one.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
import threading
from dataclasses import asdict
from pathlib import Path

from benchmarks.measure import MeasuredCommandError, Sample, run_once, to_standard_error
from benchmarks.metrics import CHILD
from benchmarks.model_sql import model_sql

TEAM_SIZE, TIERS, COMPONENTS, COUNTRIES, QUARTERS = 100, 3, 12, 5, 13
LEDGER = "fct_payout_ledger"
BUILT = ("fct_incentive_payout", "fct_earning_line", "fct_cap_application")
CORRECTED = 3
EARNED = """
    earning_line_id varchar, earning_kind varchar, plan_code varchar, employee_number varchar, earned_quarter varchar,
    team_code varchar, country_code varchar, cost_centre_code varchar, currency_code varchar,
    earned_amount decimal(18, 2), payment_period varchar
"""


def generator_sql(participants: int) -> str:
    """Plans, people and results; every drawn number is a hash of what it is drawn for."""
    teams = max(participants // TEAM_SIZE, TIERS)
    return f"""
    create macro draw(name, key, ceiling) as (hash(name || ' ' || key) % ceiling)::bigint;
    create table quarter as
    select
        n as number, (date '2023-01-01' + to_months((3 * n)::integer))::date as start_on,
        (date '2023-01-01' + to_months((3 * n + 3)::integer))::date as end_on,
        year(start_on) || '-Q' || quarter(start_on) as code
    from range({QUARTERS}) as drawn (n);
    create table int_reporting_period as
    select 'quarter' as period_grain, code as period_code, start_on as period_start_on, end_on as period_end_on
    from quarter;
    create table int_incentive_period as
    select
        'p' as plan_code, 1::integer as plan_version, code as earned_quarter, start_on as period_start_on,
        end_on as period_end_on, (end_on - start_on)::integer as quarter_days,
        strftime(end_on, '%Y-%m') as payment_period,
        number < {QUARTERS} - 1 as is_complete
    from quarter;
    create table team as
    select
        't' || n as team_code, (1 + n % {TIERS})::integer as tier, 'C' || n % {COUNTRIES} as country_code,
        'CC' || n as cost_centre_code
    from range({teams}) as drawn (n);
    create table person as
    select
        n as number, 'e' || n as employee_number, 't' || n % {teams} as team_code,
        'C' || n % {teams} % {COUNTRIES} as country_code, 'CUR' || n % {teams} % {COUNTRIES} as currency_code,
    from range({participants}) as drawn (n);
    create table int_employee_assignment as
    select
        employee_number, country_code, team_code,
        (50000 + draw('target', employee_number, 250000))::decimal(18, 2) * 0.01::decimal(3, 2)
            as quarterly_target_amount,
        currency_code, date '2020-01-01' as assigned_from_on, null::date as assigned_to_on,
        true as is_in_incentive_plan, 'b1' as employee_batch_id, 'b2' as job_info_batch_id,
        'b3' as incentive_target_batch_id
    from person;
    create table int_plan_activation as
    select
        'p' as plan_code, 1::integer as plan_version, 'C' || n as country_code, true as is_activated,
        date '2022-01-01' as effective_from
    from range({COUNTRIES}) as drawn (n);
    create table plan_component as
    select
        'p' as plan_code, 1::integer as plan_version, (1 + t)::integer as tier, 'c' || t || '-' || k as component_code,
        'm' || k as metric_code, [0.0834, 0.0833, 0.0833][1 + k % 3]::decimal(9, 4) as weight,
        ['flat', 'interpolated', 'stepped'][1 + (t + k) % 3] as band_method, 'outcome' as role,
        if((t + k) % 3 = 2 and k % 2 = 0, 'cumulative', 'individual') as processing_grain,
        if(k % 4 = 0, 0.2, null)::decimal(18, 6) as threshold_value,
        if(k % 5 = 0, 0.9, null)::decimal(18, 6) as accelerator_from_value,
        if(k % 5 = 0, 1.25, null)::decimal(9, 4) as accelerator_factor
    from range({TIERS}) as tiers (t), range({COMPONENTS}) as components (k);
    create table achievement_band as
    select
        plan_code, plan_version, component_code, (b + 1)::integer as band_number,
        (b * 0.2)::decimal(18, 6) as lower_bound, (b * 0.25)::decimal(9, 4) as payout_share
    from plan_component, range(5) as bands (b);
    create table counter_gate as
    select
        plan_code, plan_version, tier, component_code, 'm0' as counter_metric_code,
        0.2::decimal(18, 6) as least_value, null::decimal(18, 6) as most_value, 0.5::decimal(9, 4) as share_kept
    from plan_component where metric_code in ('m1', 'm2', 'm3', 'm4');
    create table fct_metric_result as
    select
        'r' || k || team_code || code as metric_result_key, 'm' || k as metric_code, 1::integer as metric_version,
        'team' as entity_type, team_code as entity_code, 'quarter' as period_grain, start_on as period_start_on,
        (draw('value', k || team_code || code, 1000000) * 0.000001::decimal(7, 6))::decimal(18, 6) as metric_value,
        if(draw('little', k || team_code || code, 50) = 0, 'insufficient_data', 'ok') as result_status
    from range({COMPONENTS}) as components (k), team, quarter;
    create table fct_score_adjustment_effect as
    select metric_result_key, 'a' as adjustment_id, 0.5::decimal(18, 6) as adjusted_value, true as is_applied
    from fct_metric_result where draw('adjusted', metric_result_key, 1000) = 0;
    create table int_component_weight as
    select plan_code, plan_version, tier, component_code, '' as earned_quarter, weight from plan_component limit 0;
    create table int_lifecycle_weight as
    select plan_code, plan_version, component_code, '' as team_code, '' as earned_quarter, '' as phase, weight
    from plan_component limit 0;
    create table int_work_share as
    select
        employee_number, start_on + 10 as from_on, start_on + 31 as to_on, 0.5::decimal(9, 4) as work_share,
        'part_time' as reasons
    from person, quarter where draw('away', employee_number || code, 10) = 0;
    create table fct_eligibility as
    select
        'p' as plan_code, 1::integer as plan_version, employee_number, code as earned_quarter, team_code,
        'rule' || rule as rule_code, draw('met', employee_number || code || rule, 50) > 0 as is_met,
        if(is_met, 1, 0)::decimal(9, 4) as eligible_share, if(not is_met, 'not met', null) as reason
    from person, quarter, range(2) as rules (rule);
    create table fct_on_call_reward ({EARNED});
    insert into fct_on_call_reward
    select
        'o' || employee_number || code, 'on_call', null, employee_number, code, team_code, country_code, 'CC',
        currency_code, 100.00, strftime(end_on, '%Y-%m')
    from person, quarter
    where draw('duty', employee_number, 5) = 0
    and end_on <= (select max(period_end_on) from int_incentive_period where is_complete);
    create table fct_draw ({EARNED});
    create table fct_pool_allocation ({EARNED});
    create table fct_award_vesting ({EARNED}, is_earned boolean);
    create table int_base_pay as
    select
        code as earned_quarter, employee_number, currency_code, team_code, country_code,
        (300000 + draw('base', employee_number, 900000))::decimal(18, 2) * 0.01::decimal(3, 2) as base_amount,
        3::bigint as register_month_count
    from person, quarter;
    create table int_union_membership as
    select
        employee_number, 'u' || draw('union', employee_number, 4) as union_code, date '2020-01-01' as member_from_on,
        null::date as member_to_on
    from person where draw('member', employee_number, 4) = 0;
    create table int_agreement_rule as
    select *, date '2023-01-01' as counts_from_on, null::date as counts_to_on, true as is_counted
    from (
        select
            'country' || n as rule_id, 'person_share' as cap_kind, 'country' as scope_type, 'C' || n as scope_code,
            0.2::decimal(18, 6) as limit_share, null::decimal(18, 2) as limit_amount, null::varchar as currency_code
        from range({COUNTRIES}) as drawn (n)
        union all
        select 'union' || n, 'collective_agreement', 'union', 'u' || n, 0.15, null, null from range(4) as drawn (n)
        union all
        select 'pool' || n, 'pool', 'all', null, null, {participants} * if(n = 0, 150, 300), 'CUR' || n
        from range({COUNTRIES}) as drawn (n)
        union all
        select 'team' || n, 'personnel_cost_share', 'team', 't' || n, 0.1, null, null from range(20) as drawn (n)
    ) as rules;
    create table int_closed_quarter (earned_quarter varchar);
    create table fct_clawback (
        clawback_key varchar, reason varchar, earning_line_id varchar, earning_kind varchar, employee_number varchar,
        earned_quarter varchar, team_code varchar, country_code varchar, cost_centre_code varchar,
        currency_code varchar, clawback_amount decimal(18, 2), payment_period varchar
    );
    {moment_sql("2026-01")};
    select count(*) from fct_eligibility
    """


def moment_sql(month: str) -> str:
    """The run's place in the calendar of payments."""
    return (
        f"create or replace table int_payment_moment as select 'run {month}' as run_id, "
        f"timestamp '{month}-15' as as_of_at, '{month}' as as_of_month, '{month}' as next_payment_period"
    )


NEXT_QUARTER = f"""
    {moment_sql("2026-04")};
    insert into fct_on_call_reward
    select * replace ('next' || earning_line_id as earning_line_id, '2026-Q1' as earned_quarter,
        '2026-04' as payment_period)
    from fct_on_call_reward where earned_quarter = '2025-Q4';
    update int_incentive_period set is_complete = true;
    update fct_metric_result set metric_value = 1 - metric_value, result_status = 'ok'
    where metric_result_key in (
        select metric_result_key from fct_metric_result
        where period_start_on = date '2025-10-01' and metric_code = 'm7' order by 1 limit {CORRECTED}
    );
    select count(*) from fct_on_call_reward
"""


ONE_IN_A_HUNDRED = """
    update fct_earning_line set earned_amount = earned_amount + 0.01 where draw('changed', earning_line_id, 100) = 0;
    select count(*) from fct_earning_line where draw('changed', earning_line_id, 100) = 0
"""


class Aside:
    """The most bytes a folder held while something ran: what DuckDB puts aside there is gone in the end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.most_bytes = 0
        self._is_over = threading.Event()
        self._watch = threading.Thread(target=self._look)

    def __enter__(self) -> Aside:
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._watch.join()

    def _look(self) -> None:
        while not self._is_over.wait(0.2):
            held = 0
            for path in self.folder.glob("*"):
                with contextlib.suppress(FileNotFoundError):
                    held += path.stat().st_size
            self.most_bytes = max(self.most_bytes, held)


def statement(model: str, this: str | None = None) -> str:
    """The model's query without comment lines, which may hold what parts statements."""
    lines = model_sql(model, this=this).splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith("--"))


def build_sql(model: str) -> str:
    """A model stored in place of what was there; what it gives back is how many rows it has."""
    return f"create or replace table {model} as {statement(model)};\nselect count(*) from {model}"


def main(arguments: list[str] | None = None) -> int:
    """Command line: draw, run the models one by one, print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pay", description=__doc__.splitlines()[0])
    parser.add_argument("--participants", type=int, default=50_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory", default="3GB", help="DuckDB's own limit for the measured processes")
    parser.add_argument("--aside", default="20GB", help="the most DuckDB may put aside on disk for one process")
    parser.add_argument("--folder", type=Path, help="keep the database here (default: a temporary folder)")
    parser.add_argument("--json", type=Path, help="write all samples to this file")
    options = parser.parse_args(arguments)
    appended = f"insert into {LEDGER} by name {statement(LEDGER, this=LEDGER)};\nselect count(*) from {LEDGER}"
    stages = {
        "generate": generator_sql(options.participants),
        **{f"{model}, 12 quarters": build_sql(model) for model in BUILT},
        f"{LEDGER}, from nothing": build_sql(LEDGER),
        "one quarter more": NEXT_QUARTER,
        **{f"{model}, 13 quarters": build_sql(model) for model in BUILT},
        f"{LEDGER}, appended": appended,
        f"{LEDGER}, nothing new": appended,
        "one earning line in a hundred changed": ONE_IN_A_HUNDRED,
        f"{LEDGER}, behind it": appended,
    }
    samples: dict[str, Sample] = {}
    aside_bytes: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"pay_{options.participants}.duckdb"
        path.unlink(missing_ok=True)
        for number, (name, sql) in enumerate(stages.items()):
            file = folder / f"stage_{number}.sql"
            file.write_text(f"set max_temp_directory_size = '{options.aside}';\n{sql}")
            try:
                with Aside(Path(f"{path}.tmp")) as aside:
                    samples[name] = run_once(
                        (sys.executable, "-c", CHILD, str(path), str(file), str(options.threads), options.memory)
                    )
            except MeasuredCommandError as error:
                to_standard_error(str(error))
                return 1
            aside_bytes[name] = aside.most_bytes
            to_standard_error(row(name, samples[name], aside.most_bytes))
        to_standard_error(f"database: {path.stat().st_size / 1e9:.1f} GB")
    lines = [
        f"{options.participants:,} participants",
        "",
        "| process | rows after it | CPU seconds | wall seconds | peak memory MB | put aside on disk MB |",
        "|---|---:|---:|---:|---:|---:|",
        *(row(name, sample, aside_bytes[name]) for name, sample in samples.items()),
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    if options.json:
        options.json.write_text(
            json.dumps(
                {name: {**asdict(sample), "aside_bytes": aside_bytes[name]} for name, sample in samples.items()},
                indent=1,
            )
        )
    return 0


def row(name: str, sample: Sample, aside_bytes: int) -> str:
    """One line of the table."""
    count = int(sample.output.strip().strip("[](),"))
    return (
        f"| {name} | {count:,} | {sample.cpu_seconds:.1f} | {sample.wall_seconds:.1f} "
        f"| {sample.peak_memory_bytes / 1e6:,.0f} | {aside_bytes / 1e6:,.0f} |"
    )


if __name__ == "__main__":
    sys.exit(main())
