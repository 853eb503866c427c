"""Generate the clock benchmark's warehouse: tickets, their events, calendars, exclusions and definitions.

    python -m benchmarks.generate_clock build/clock.duckdb --tickets 10000000

Everything is SQL over range() and hash(), so it is vectorised and the same at every run of one DuckDB version.
The tables carry the warehouse's own names and columns (core.int_ticket, core.int_ticket_event,
core.int_exclusion_scope, core.int_exclusion_window, reference.*), so the models of the clock run on them unchanged.

Ten million tickets are about sixty million events over three years: six a ticket, from two to twelve, with
assignments, changes of priority and of service in flight, pauses, reopenings, cancellations, several events at
one instant, and tickets still open at the end. Eight calendars in four zones (one of them a half-hour off),
fifty services, twelve thousand exclusion windows.
"""

from __future__ import annotations

import argparse
import sys
import time
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb

FIRST_DAY = date(2023, 1, 1)
YEARS = 3
AS_OF_AT = datetime(2026, 1, 1)  # noqa: DTZ001 the warehouse's clock is UTC without an offset
SERVICE_COUNT = 50
EXCLUSION_COUNT = 12_000
TICKETS_A_CHUNK = 1_000_000
MEMORY_LIMIT = "4GB"

# code, name, zone, then segments (weekdays, opens, closes)
CALENDARS: tuple[tuple[str, str, str, tuple[tuple[str, str, str], ...]], ...] = (
    ("always", "Around the clock", "Etc/UTC", (("1234567", "00:00", "24:00"),)),
    (
        "dublin_office",
        "Dublin office hours, closed over lunch",
        "Europe/Dublin",
        (("12345", "09:00", "13:00"), ("12345", "14:00", "17:30")),
    ),
    ("dublin_extended", "Dublin early and late every day", "Europe/Dublin", (("1234567", "00:30", "22:00"),)),
    (
        "new_york_office",
        "New York office hours with a midday break",
        "America/New_York",
        (("12345", "08:30", "12:00"), ("12345", "13:00", "17:00")),
    ),
    (
        "new_york_late",
        "New York with an evening shift and Saturday",
        "America/New_York",
        (
            ("12345", "08:00", "12:00"),
            ("12345", "12:30", "18:00"),
            ("12345", "19:00", "23:00"),
            ("6", "09:00", "13:00"),
        ),
    ),
    (
        "mumbai_office",
        "Mumbai office hours and Saturday morning",
        "Asia/Kolkata",
        (("12345", "09:30", "13:30"), ("12345", "14:15", "18:30"), ("6", "10:00", "13:00")),
    ),
    (
        "adelaide_office",
        "Adelaide office hours (half an hour off, with daylight saving)",
        "Australia/Adelaide",
        (("12345", "08:30", "12:30"), ("12345", "13:30", "17:30")),
    ),
    (
        "adelaide_night",
        "Adelaide night shift",
        "Australia/Adelaide",
        (("1234567", "00:00", "06:00"), ("1234567", "20:00", "24:00")),
    ),
)
HOLIDAYS = ((1, 1), (3, 17), (5, 1), (8, 15), (12, 25), (12, 26))

# What becomes of a ticket: share in percent, then steps of (state, seconds after the opening at scale 1, change).
# Steps at the same second stay at the same instant. Other steps keep 1,300 seconds' distance: jitter is less.
NEW, WORK, HOLD, DONE, END, VOID = "new", "in_progress", "on_hold", "resolved", "closed", "canceled"
PATTERNS: tuple[tuple[int, tuple[tuple[str, int, str], ...]], ...] = (
    (20, ((NEW, 0, ""), (WORK, 1500, ""), (WORK, 4000, "team"), (DONE, 15000, ""), (END, 275000, ""))),
    (
        20,
        ((NEW, 0, ""), (WORK, 1800, ""), (HOLD, 8000, ""), (WORK, 40000, ""), (DONE, 56000, ""), (END, 320000, "")),
    ),
    (
        10,
        (
            (NEW, 0, ""), (NEW, 1400, "team"), (WORK, 3000, ""), (HOLD, 9000, ""), (WORK, 30000, ""),
            (HOLD, 42000, ""), (WORK, 90000, ""), (DONE, 110000, ""), (END, 370000, ""),
        ),
    ),
    (
        8,
        (
            (NEW, 0, ""), (WORK, 2000, ""), (WORK, 5000, "priority"), (WORK, 9000, "team"), (DONE, 20000, ""),
            (END, 280000, ""),
        ),
    ),
    (
        8,
        (
            (NEW, 0, ""), (NEW, 1500, "service"), (WORK, 4000, ""), (HOLD, 12000, ""), (WORK, 50000, ""),
            (DONE, 60000, ""), (END, 320000, ""),
        ),
    ),
    (6, ((NEW, 0, ""), (WORK, 1700, ""), (DONE, 9000, ""), (WORK, 60000, ""), (DONE, 70000, ""), (END, 340000, ""))),
    (3, ((NEW, 0, ""), (VOID, 9000, ""))),
    (6, ((NEW, 0, ""), (DONE, 2500, ""), (END, 262000, ""))),
    (
        5,
        (
            (NEW, 0, ""), (WORK, 2500, ""), (HOLD, 6000, ""), (HOLD, 9000, "team"), (WORK, 20000, ""),
            (HOLD, 30000, ""), (WORK, 60000, "service"), (WORK, 64000, "priority"), (HOLD, 70000, ""),
            (WORK, 120000, ""), (DONE, 140000, ""), (END, 400000, ""),
        ),
    ),
    (
        10,
        (
            (NEW, 0, ""), (NEW, 1500, "team"), (NEW, 3500, "team"), (WORK, 7000, ""), (WORK, 12000, "team"),
            (DONE, 30000, ""), (END, 290000, ""),
        ),
    ),
    (
        4,
        (
            (NEW, 0, ""), (WORK, 3000, ""), (WORK, 3000, "team"), (DONE, 12000, ""), (DONE, 12000, "team"),
            (END, 272000, ""),
        ),
    ),
)  # fmt: skip

DEFINITIONS = """
    create or replace table reference.slt_definition as
    select * from (values
        ('incident_response', 1, 'Incident response', 'servicenow', 'response', 'first_stop', 'as_of_start',
         'of_target', 'pause_not_met', true, false, false, 'internal', 0.75, date '2023-01-01', cast(null as date)),
        ('incident_resolution', 1, 'Incident resolution', 'servicenow', 'resolution', 'running_through', 'as_of_stop',
         'of_target', 'pause_not_met', true, false, false, 'internal', 0.75, date '2023-01-01', cast(null as date))
    ) as definition (slt_code, slt_version, slt_name, source_system, phase, reopen_policy, target_policy,
        calendar_policy, resume_policy, is_attached_when_stopped, is_retroactive_start, is_retroactive_pause,
        exclusion_audience, at_risk_share, effective_from, effective_to);

    create or replace table reference.contract (
        contract_code varchar, contract_name varchar, customer_name varchar, business_unit_code varchar,
        service_tier_code varchar, effective_from date, effective_to date
    );

    create or replace table reference.slt_condition as
    select slt_code, 1 as slt_version, condition, clause, 'ticket_state' as field, 'is' as operator, value
    from (values
        ('incident_response', 'start', 1, 'new'), ('incident_response', 'start', 2, 'in_progress'),
        ('incident_response', 'start', 3, 'on_hold'),
        ('incident_response', 'stop', 1, 'in_progress'), ('incident_response', 'stop', 2, 'on_hold'),
        ('incident_response', 'stop', 3, 'resolved'), ('incident_response', 'stop', 4, 'closed'),
        ('incident_response', 'cancel', 1, 'canceled'),
        ('incident_resolution', 'start', 1, 'new'), ('incident_resolution', 'start', 2, 'in_progress'),
        ('incident_resolution', 'start', 3, 'on_hold'),
        ('incident_resolution', 'pause', 1, 'on_hold'),
        ('incident_resolution', 'stop', 1, 'resolved'), ('incident_resolution', 'stop', 2, 'closed'),
        ('incident_resolution', 'cancel', 1, 'canceled')
    ) as condition_row (slt_code, condition, clause, value);

    create or replace table reference.ticket_state as
    select 'servicenow' as source_system, ticket_state as source_value, ticket_state
    from (values ('new'), ('in_progress'), ('on_hold'), ('resolved'), ('closed'), ('canceled')) as s (ticket_state);

    create or replace table reference.slt_target as
    select
        slt_code,
        1 as slt_version,
        cast(null as varchar) as contract_code,
        cast(null as varchar) as business_unit_code,
        service_code,
        priority,
        cast(null as varchar) as starts_within_calendar_code,
        calendar_code,
        target_seconds,
        cast(300 as integer) as tolerance_seconds,
        date '2023-01-01' as effective_from,
        cast(null as date) as effective_to
    from (values
        ('incident_response', null, 1, 'always', 900), ('incident_response', null, 2, 'always', 1800),
        ('incident_response', null, 3, null, 7200), ('incident_response', null, 4, null, 28800),
        ('incident_response', null, 5, null, 57600),
        ('incident_resolution', null, 1, 'always', 14400), ('incident_resolution', null, 2, 'always', 28800),
        ('incident_resolution', null, 3, null, 57600), ('incident_resolution', null, 4, null, 115200),
        ('incident_resolution', null, 5, null, 230400),
        ('incident_resolution', 'service_01', 1, 'always', 7200),
        ('incident_resolution', 'service_01', 2, 'always', 14400),
        ('incident_resolution', 'service_07', 3, 'new_york_late', 36000),
        ('incident_resolution', 'service_12', 3, 'dublin_extended', 43200)
    ) as target (slt_code, service_code, priority, calendar_code, target_seconds);
"""


def main(arguments: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.generate_clock")
    parser.add_argument("database", type=Path, help="the DuckDB file to make; must not exist")
    parser.add_argument("--tickets", type=int, default=1_000_000)
    parser.add_argument("--span-tickets", type=int, help="tickets the three years hold in all (default: --tickets)")
    options = parser.parse_args(arguments)
    if options.database.exists():
        sys.stderr.write(f"{options.database} exists: name a new file, or remove it first\n")
        return 2
    began = time.monotonic()
    with duckdb.connect(str(options.database)) as connection:
        generate(connection, options.tickets, options.span_tickets or options.tickets)
        events = connection.sql("select count(*) from core.int_ticket_event").fetchone()
    sys.stdout.write(f"{options.tickets} tickets, {events[0]} events in {time.monotonic() - began:.0f} s\n")
    return 0


def generate(connection: duckdb.DuckDBPyConnection, tickets: int, span_tickets: int) -> None:
    """Fill an empty database."""
    connection.execute(f"set timezone = 'UTC'; set threads = 2; set memory_limit = '{MEMORY_LIMIT}'")
    connection.execute("create schema core; create schema reference; create schema slt")
    _reference(connection)
    _exclusions(connection)
    _tickets(connection, tickets, span_tickets)
    connection.execute("checkpoint")


def _reference(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(
        "create table reference.calendar (calendar_code varchar, calendar_name varchar, time_zone varchar)"
    )
    connection.execute(
        "create table reference.calendar_segment (calendar_code varchar, iso_weekday integer, opens_at_local varchar, "
        "closes_at_local varchar, effective_from date, effective_to date)"
    )
    connection.execute(
        "create table reference.calendar_holiday (calendar_code varchar, holiday_on date, holiday_name varchar)"
    )
    for code, name, zone, segments in CALENDARS:
        connection.execute("insert into reference.calendar values (?, ?, ?)", [code, name, zone])
        for weekdays, opens, closes in segments:
            for weekday in weekdays:
                connection.execute(
                    "insert into reference.calendar_segment values (?, ?, ?, ?, date '2015-01-01', null)",
                    [code, int(weekday), opens, closes],
                )
        if code == "always":
            continue
        for year in range(FIRST_DAY.year, FIRST_DAY.year + YEARS):
            for month, day in HOLIDAYS:
                connection.execute(
                    "insert into reference.calendar_holiday values (?, ?, 'Holiday')",
                    [code, date(year, month, day)],
                )
    codes = ", ".join(f"'{calendar[0]}'" for calendar in CALENDARS)
    connection.execute(f"""
        create table reference.service as
        select
            format('service_{{:02d}}', n) as service_code,
            format('Service {{:02d}}', n) as service_name,
            cast(1 + n % 4 as integer) as criticality,
            format('team_{{:02d}}', n % 20) as owner_team_code,
            'IE' as country_code,
            ([{codes}])[1 + n % {len(CALENDARS)}] as calendar_code,
            case when n % 5 = 0 then format('vendor_{{:02d}}', cast(n // 5 as integer)) end as vendor_code
        from range(1, {SERVICE_COUNT + 1}) as numbers (n);
    """)
    connection.execute(DEFINITIONS)
    connection.execute(
        "create table core.int_run_context as "
        f"select 'benchmark' as run_id, timestamp '{AS_OF_AT}' as as_of_at, 'given' as as_of_policy"
    )


def _exclusions(connection: duckdb.DuckDBPyConnection) -> None:
    """Windows by service, one in fifty for everything, one in twenty by vendor; half an hour to eight hours."""
    days = 365 * YEARS
    connection.execute(f"""
        create table reference.exclusion_request as
        with numbered as (
            select
                n,
                timestamp '{FIRST_DAY} 00:00:00'
                    + to_seconds(cast(hash(n, 11) % ({days} * 86400) as bigint)) as starts_at,
                cast(1800 + hash(n, 12) % 27000 as bigint) as length_seconds,
                hash(n, 13) % 100 as kind,
                hash(n, 14) as chosen
            from range(1, {EXCLUSION_COUNT + 1}) as numbers (n)
        )
        select
            format('EXR-{{:05d}}', n) as exclusion_id,
            'force_majeure' as category,
            case when kind < 2 then 'all' when kind < 7 then 'vendor' else 'service' end as scope_type,
            case
                when kind < 2 then ''
                when kind < 7 then format('vendor_{{:02d}}', 1 + chosen % {SERVICE_COUNT // 5})
                else format('service_{{:02d}}', 1 + chosen % {SERVICE_COUNT})
            end as scope_code,
            starts_at,
            starts_at + to_seconds(length_seconds) as ends_at
        from numbered;

        create table core.int_exclusion_scope as
        select
            service.service_code as exclusion_scope_code, 'internal' as audience, request.exclusion_id,
            request.starts_at, request.ends_at
        from reference.exclusion_request as request
        inner join reference.service as service
            on request.scope_type = 'all'
            or (request.scope_type = 'service' and request.scope_code = service.service_code)
            or (request.scope_type = 'vendor' and request.scope_code = service.vendor_code)
        union all
        select '' as exclusion_scope_code, 'internal' as audience, exclusion_id, starts_at, ends_at
        from reference.exclusion_request where scope_type = 'all';
    """)
    write_exclusion_windows(connection)


def write_exclusion_windows(connection: duckdb.DuckDBPyConnection) -> None:
    """Merge the exclusions of a scope to the windows the clock reads."""
    connection.execute("""
        create or replace table core.int_exclusion_window as
        with flagged as (
            select *, max(ends_at) over (
                partition by exclusion_scope_code order by starts_at, ends_at, exclusion_id
                rows between unbounded preceding and 1 preceding) as earlier_ends_at
            from core.int_exclusion_scope
        ),
        numbered as (
            select *, count(*) filter (earlier_ends_at is null or starts_at > earlier_ends_at) over (
                partition by exclusion_scope_code order by starts_at, ends_at, exclusion_id
                rows between unbounded preceding and current row) as window_number
            from flagged
        )
        select
            exclusion_scope_code, 'internal' as audience, cast(window_number as integer) as window_number,
            min(starts_at) as starts_at, max(ends_at) as ends_at,
            string_agg(exclusion_id, ',' order by exclusion_id) as exclusion_ids
        from numbered group by exclusion_scope_code, window_number;
    """)


def _tickets(connection: duckdb.DuckDBPyConnection, tickets: int, span_tickets: int) -> None:
    steps, choices = [], []
    for number, (share, pattern) in enumerate(PATTERNS):
        choices += [number] * share
        priority = service = team = 0
        for position, (state, offset, change) in enumerate(pattern, start=1):
            priority += change == "priority"
            service += change == "service"
            team += change == "team"
            steps.append(f"({number}, {position}, '{state}', {offset}, {priority}, {service}, {team})")
    if len(choices) != 100:
        raise AssertionError("shares of PATTERNS must add up to 100")
    connection.execute(
        "create temp table pattern_step as select * from (values " + ", ".join(steps) + ") as step "
        "(pattern, position, ticket_state, offset_seconds, priority_changes, service_changes, team_changes)"
    )
    span_seconds = int(timedelta(days=365 * YEARS + 1).total_seconds())
    for first in range(1, tickets + 1, TICKETS_A_CHUNK):
        last = min(first + TICKETS_A_CHUNK - 1, tickets)
        connection.execute(f"""
            create or replace temp table ticket_chunk as
            select
                cast(i as integer) as ticket_id,
                format('servicenow:INC{{:08d}}', i) as ticket_key,
                timestamp '{FIRST_DAY} 00:00:00' + to_seconds(cast(
                    floor((i - 1 + (hash(i, 1) % 1000) / 1000.0) * {span_seconds} / {span_tickets}) as bigint
                )) as opened_at,
                cast(1 + floor({SERVICE_COUNT} * pow((hash(i, 2) % 100000) / 100000.0, 1.5)) as integer)
                    as service_number,
                cast((list_value({", ".join(["1"] * 3 + ["2"] * 12 + ["3"] * 45 + ["4"] * 30 + ["5"] * 10)}))
                    [1 + cast(hash(i, 3) % 100 as integer)] as integer) as priority,
                cast(hash(i, 4) % 20 as integer) as team_number,
                (list_value({", ".join(map(str, choices))}))[1 + cast(hash(i, 5) % 100 as integer)] as pattern,
                0.25 / (0.02 + (hash(i, 6) % 100000) / 100000.0) as scale
            from range({first}, {last + 1}) as numbers (i)
        """)
        ticket_sql = """
            select
                ticket_key, ticket_id, 'servicenow' as source_system, split_part(ticket_key, ':', 2) as ticket_number,
                opened_at, priority, format('service_{:02d}', service_number) as service_code,
                format('team_{:02d}', team_number) as team_code,
                false as has_history_contradiction, cast(null as varchar) as history_contradiction_reason,
                cast(cast(epoch(opened_at) as bigint) // 86400 as varchar) as batch_id
            from ticket_chunk
        """
        event_sql = f"""
            with event as (
                select
                    chunk.*,
                    step.*,
                    case when step.position = 1 then chunk.opened_at else chunk.opened_at + to_seconds(cast(
                        floor(step.offset_seconds * chunk.scale) + hash(chunk.ticket_id, step.offset_seconds) % 300
                        as bigint)) end as event_at
                from ticket_chunk as chunk
                inner join pattern_step as step on chunk.pattern = step.pattern
            )
            select
                ticket_key,
                ticket_id,
                cast(position as integer) as event_sequence,
                event_at,
                ticket_state,
                -- a change of priority raises or lowers by one; a change of service goes to another one
                cast(case when priority_changes > 0 then case when priority = 1 then 2 else priority - 1 end
                    else priority end as integer) as priority,
                format('service_{{:02d}}', 1 + (service_number - 1 + service_changes * (1 + ticket_id % 7))
                    % {SERVICE_COUNT}) as service_code,
                format('team_{{:02d}}', (team_number + team_changes) % 20) as team_code,
                cast(null as varchar) as contract_code,
                cast(null as varchar) as configuration_item_code,
                false as is_state_carried,
                event_at as recorded_at,
                format('service_{{:02d}}', 1 + (service_number - 1 + service_changes * (1 + ticket_id % 7))
                    % {SERVICE_COUNT}) as exclusion_scope_code,
                false as is_inferred,
                cast(cast(epoch(event_at) as bigint) // 86400 as varchar) as batch_id
            from event
            where event_at <= timestamp '{AS_OF_AT}'
            order by ticket_id, event_sequence
        """
        for table, select in (("int_ticket", ticket_sql), ("int_ticket_event", event_sql)):
            verb = f"create table core.{table} as" if first == 1 else f"insert into core.{table}"
            connection.execute(f"{verb} {select}")
    connection.execute("drop table ticket_chunk; drop table pattern_step")
    # what numbers the tickets reads the records, of which nothing else is needed
    connection.execute("create view core.int_ticket_record as select ticket_key, opened_at from core.int_ticket")


if __name__ == "__main__":
    sys.exit(main())
