"""Run the warehouse's clock on tickets in Zendesk's shape, in one process.

    python -m benchmarks.zendesk_clock build/zendesk.duckdb --tell-time

The database is what benchmarks.generate_zendesk wrote; results go beside it, slt.result with one row per ticket
and target. The SQL is zendesk_adapter.sql, then zendesk_steps.sql (or, with --path events, zendesk_events.sql and the
warehouse's models of situations and steps), and then the warehouse's models of the clock, rendered without dbt and
run in the order in which they depend on one another. Tables cut by ticket are built in ranges of tickets, as dbt
builds them.
"""

from __future__ import annotations

import argparse
import re
import resource
import sys
from collections.abc import Sequence
from pathlib import Path

import duckdb

from benchmarks.generate_zendesk import AS_OF_AT
from benchmarks.model_sql import DBT, render

FOLDER = Path(__file__).parent
REFERENCE, EVENTS, STEPS, WORK_TIME = (
    FOLDER / f"zendesk_{part}.sql" for part in ("adapter", "events", "steps", "work_time")
)
STEP_MARK = "--- core.int_ticket_step"
EVENT_MODELS = ("int_ticket_situation", "int_ticket_step")
CLOCK_MODELS = (
    "int_clock_horizon", "int_calendar_segment", "int_slt_definition", "int_slt_situation",
    "int_slt_situation_slot", "int_slt_situation_target", "int_clock_scope", "int_slt_terms", "int_slt_slot_terms",
    "int_clock_piece", "int_clock_day", "int_clock_slot", "int_slt_span", "int_slt_telescoped",
    "int_slt_telescoped_breach",
)  # fmt: skip
SEEDS = ("calendar", "calendar_segment", "calendar_holiday", "service", "contract",
         "slt_definition", "slt_condition", "slt_target")  # fmt: skip
# bounds the memory: tickets in a range times definitions
CLOCKS_A_RANGE = 1_500_000
CUT = re.compile(r"\(/\*tickets\*/ (.*?) /\*tickets\*/ is not null\)")
# what the models set while they are built
SETTINGS = {
    "core.int_slt_span": {"perfect_ht_threshold": "20"},
    "core.int_slt_telescoped": {"disabled_optimizers": "'join_order,build_side_probe_side'"},
    "core.int_slt_telescoped_breach": {
        "disabled_optimizers": "'join_order,build_side_probe_side'",
        "asof_loop_join_threshold": "0",
    },
    "slt.result": {"disabled_optimizers": "'join_order,build_side_probe_side'"},
}

# what fct_ticket_slt says of a ticket and a target, from the telescoped clock
RESULT = """
{%- set slots = range(1, slt_slot_count() | int + 1) -%}
{%- set ended_s -%}
case clocks.slot_number{% for slot in slots %} when {{ slot }} then spans.end_s_{{ slot }}{% endfor %} end
{%- endset -%}
{%- set wall_seconds -%}
coalesce({{ ended_s }}, {{ clock_seconds('run_context.as_of_at') }}) - spans.start_s
{%- endset -%}
select
    clocks.ticket_id,
    terms.slt_code,
    terms.priority,
    terms.service_code,
    terms.calendar_code,
    terms.target_seconds,
    {{ clock_instant('spans.start_s') }} as start_at,
    {{ clock_instant(ended_s) }} as stop_at,
    {{ wall_seconds }} as wall_seconds,
    clocks.paused_seconds,
    {{ wall_seconds }}
    - clocks.paused_seconds - clocks.business_seconds as outside_calendar_seconds,
    clocks.excluded_seconds,
    clocks.business_seconds - clocks.excluded_seconds as net_seconds,
    clocks.business_seconds - clocks.excluded_seconds > terms.target_seconds as is_breached_adjusted,
    clocks.business_seconds > terms.target_seconds as is_breached_raw,
    {{ clock_instant('breaches.original_breach_s') }} as original_breach_at,
    {{ clock_instant('breaches.breach_s') }} as breach_at
from core.int_slt_telescoped as clocks
inner join core.int_slt_span as spans on clocks.ticket_id = spans.ticket_id
inner join core.int_slt_slot_terms as terms on clocks.slot_terms_id = terms.slot_terms_id
left join core.int_slt_telescoped_breach as breaches
    on
        clocks.ticket_id = breaches.ticket_id
        and clocks.slot_number = breaches.slot_number
        and {{ for_tickets('breaches.ticket_id') }}
cross join core.int_run_context as run_context
where
    {{ for_tickets('clocks.ticket_id') }}
    and {{ for_tickets('spans.ticket_id') }}
"""


def main(arguments: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.zendesk_clock")
    parser.add_argument("database", type=Path)
    parser.add_argument("--memory-limit", default="2GB")
    parser.add_argument("--path", choices=("steps", "events"), default="steps", help="how tickets are read")
    parser.add_argument("--only-steps", action="store_true", help="stop before the clock")
    parser.add_argument("--work-time", action="store_true", help="seven more clocks: business time by statuses")
    parser.add_argument("--tell-time", action="store_true", help="CPU seconds so far after each table")
    options = parser.parse_args(arguments)
    with duckdb.connect(str(options.database)) as connection:
        connection.execute(f"set threads = 2; set memory_limit = '{options.memory_limit}'; set timezone = 'UTC'")
        connection.execute("set preserve_insertion_order = false")
        connection.execute(REFERENCE.read_text().format(as_of_at=AS_OF_AT))
        if options.work_time:
            connection.execute(WORK_TIME.read_text())
        definitions = connection.execute("select count(*) from reference.slt_definition").fetchone()
        if options.path == "events":
            connection.execute(EVENTS.read_text())
            tell(options.tell_time, "adapter")
            tables = [f"core.{model}" for model in EVENT_MODELS]
            texts = [model_text(model) for model in EVENT_MODELS]
        else:
            tables = ["core.int_ticket_step"]
            texts = [STEPS.read_text().split(STEP_MARK)[1]]
            connection.execute(STEPS.read_text().split(STEP_MARK)[0])
            tell(options.tell_time, "adapter")
        if not options.only_steps:
            tables += [f"core.{model}" for model in CLOCK_MODELS] + ["slt.result"]
            texts += [model_text(model) for model in CLOCK_MODELS] + [RESULT]
        for table, sql in zip(tables, rendered(texts, definitions[0]), strict=True):
            build(connection, table, sql, CLOCKS_A_RANGE // definitions[0])
            tell(options.tell_time, table)
    return 0


def model_text(name: str) -> str:
    """A model as it stands in the project."""
    return next((DBT / "models" / "core").rglob(f"{name}.sql")).read_text()


def rendered(texts: Sequence[str], definition_count: int) -> list[str]:
    """The SQL of models whose tables do not exist yet; in one go, for reading the macros takes longer than a model."""
    relations = {model: f"core.{model}" for model in (*EVENT_MODELS, *CLOCK_MODELS)}
    relations |= {seed: f"reference.{seed}" for seed in SEEDS}
    relations |= {
        name: f"core.{name}" for name in ("int_ticket", "int_ticket_event", "int_run_context", "int_exclusion_window")
    }
    # the models read a ticket's integer id from its own table; here the ticket has it
    relations |= {"int_ticket_id": "core.int_ticket"}
    mark = "--- next model"
    together = "{% macro is_incremental() %}{% endmacro %}\n" + f"\n{mark}\n".join(texts)
    return render(together, relations, {"slt_slot_count": definition_count}).split(mark)


def build(connection: duckdb.DuckDBPyConnection, table: str, sql: str, size: int) -> None:
    """Create a table, in ranges of `size` tickets where its SQL is cut by ticket."""
    settings = SETTINGS.get(table, {})
    for setting, value in settings.items():
        connection.execute(f"set {setting} = {value}")
    ranges = [""]
    if CUT.search(sql):
        last = connection.execute("select max(id) from zendesk.ticket").fetchone()[0] or 0
        ranges = [f"between {first} and {first + size - 1}" for first in range(1, last + 1, size)]
    for number, condition in enumerate(ranges):
        chunk = CUT.sub(rf"(\1 {condition})", sql) if condition else sql
        connection.execute(f"create table {table} as {chunk}" if number == 0 else f"insert into {table} {chunk}")
    for setting in settings:
        connection.execute(f"reset {setting}")


def tell(wanted: bool, part: str) -> None:
    """CPU seconds of this process so far."""
    if wanted:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        sys.stderr.write(f"{usage.ru_utime + usage.ru_stime:7.2f} s, {usage.ru_maxrss / 1000:6.0f} MB: {part}\n")


if __name__ == "__main__":
    sys.exit(main())
