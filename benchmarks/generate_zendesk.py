"""Generate tickets in the shape of Zendesk's tables as a loader lands them, for the comparison with a peer.

    python -m benchmarks.generate_zendesk build/zendesk.duckdb --tickets 1000000

Everything is SQL over range() and hash(), the same at every run of one DuckDB version. Schema zendesk holds
ticket, ticket_field_history, ticket_comment, ticket_schedule, schedule, schedule_holiday, time_zone,
daylight_time, sla_policy_metric_history, user, group, organization and brand. What a service-level model does not
need is left out or has one row.

A ticket opens with status, priority, group, a policy and three targets (first reply, agent work, requester
wait; the value says minutes and whether they are business minutes), gets two to six comments and three to nine
statuses in the three years. Urgent tickets are measured around the clock, all others by one of eight schedules
in five zones, of which one is open day and night in a zone with daylight saving. A ticket keeps its policy and
its schedule, so that both sides of a comparison answer the same question.
"""

from __future__ import annotations

import argparse
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

FIRST_DAY = datetime(2023, 10, 1)  # noqa: DTZ001 instants are UTC without an offset
AS_OF_AT = datetime(2026, 10, 1)  # noqa: DTZ001
MEMORY_LIMIT = "4GB"
AGENT_COUNT = 200
TICKETS_A_CHUNK = 1_000_000
BEGINNING_AT = "timestamp '2015-01-01 00:00:00'"

# name in Zendesk, name in the zone database
ZONES = {
    "UTC": "Etc/UTC",
    "Dublin": "Europe/Dublin",
    "Eastern Time (US & Canada)": "America/New_York",
    "Mumbai": "Asia/Kolkata",
    "Adelaide": "Australia/Adelaide",
}
# name, zone, observes holidays, then (ISO weekdays, opens, closes); the first is the account's default
SCHEDULES: tuple[tuple[str, str, bool, tuple[tuple[str, str, str], ...]], ...] = (
    ("dublin_office", "Dublin", True, (("12345", "09:00", "17:30"),)),
    ("dublin_lunch", "Dublin", True, (("12345", "09:00", "13:00"), ("12345", "14:00", "17:30"))),
    ("dublin_always", "Dublin", False, (("1234567", "00:00", "24:00"),)),
    ("new_york_office", "Eastern Time (US & Canada)", True, (("12345", "08:30", "17:00"),)),
    (
        "new_york_late", "Eastern Time (US & Canada)", True,
        (("12345", "08:00", "12:00"), ("12345", "13:00", "18:00"), ("6", "09:00", "13:00")),
    ),
    ("mumbai_office", "Mumbai", True, (("123456", "09:30", "18:30"),)),
    ("adelaide_office", "Adelaide", True, (("12345", "08:30", "17:30"),)),
    ("utc_always", "UTC", False, (("1234567", "00:00", "24:00"),)),
)  # fmt: skip
HOLIDAYS = ((1, 1), (3, 17), (5, 1), (8, 15), (12, 25))

# priority, share in percent, business minutes?, minutes of first reply, agent work, requester wait
POLICY = (
    ("urgent", 10, False, 15, 240, 480),
    ("high", 25, True, 60, 240, 480),
    ("normal", 45, True, 240, 480, 960),
    ("low", 20, True, 480, 960, 1920),
)
METRICS = ("first_reply_time", "agent_work_time", "requester_wait_time")

# Share in percent, then (field, value, seconds after the opening at scale 1). A reply and a note are comments of an
# agent (public and not), an answer one of the requester. Steps of one second stay at one instant; others keep
# 1,300 seconds' distance, for the jitter is less than 300 and the smallest scale a quarter.
PATTERNS: tuple[tuple[int, tuple[tuple[str, str, int], ...]], ...] = (
    (
        25,
        (
            ("status", "open", 1500), ("assignee_id", "", 1500), ("comment", "reply", 9000),
            ("status", "pending", 9000), ("comment", "answer", 40000), ("status", "open", 40000),
            ("comment", "reply", 56000), ("status", "solved", 56000), ("status", "closed", 400000),
        ),
    ),
    (
        20,
        (
            ("assignee_id", "", 1500), ("status", "open", 1500), ("comment", "note", 4000),
            ("comment", "reply", 15000), ("status", "solved", 15000), ("status", "closed", 360000),
        ),
    ),
    (
        20,
        (
            ("group_id", "", 1400), ("status", "open", 3000), ("assignee_id", "", 3000), ("comment", "reply", 6000),
            ("status", "hold", 9000), ("status", "open", 30000), ("comment", "reply", 42000),
            ("status", "pending", 42000), ("comment", "answer", 90000), ("status", "open", 90000),
            ("comment", "reply", 110000), ("status", "solved", 110000), ("status", "closed", 460000),
        ),
    ),
    (
        15,
        (
            ("status", "open", 2500), ("assignee_id", "", 2500), ("comment", "reply", 8000),
            ("status", "pending", 8000), ("comment", "answer", 30000), ("status", "open", 30000),
            ("comment", "reply", 34000), ("status", "pending", 34000), ("comment", "answer", 70000),
            ("status", "open", 70000), ("priority", "", 72000), ("status", "hold", 76000), ("status", "open", 120000),
            ("comment", "reply", 140000), ("status", "solved", 140000), ("status", "closed", 480000),
        ),
    ),
    (
        10,
        (
            ("status", "open", 1700), ("assignee_id", "", 1700), ("comment", "reply", 9000), ("status", "solved", 9000),
            ("comment", "answer", 60000), ("status", "open", 60000), ("comment", "reply", 70000),
            ("status", "solved", 70000), ("status", "closed", 420000),
        ),
    ),
    (5, (("status", "solved", 2500), ("status", "closed", 350000))),
    (
        5,
        (
            ("status", "open", 4000), ("assignee_id", "", 4000), ("group_id", "", 12000), ("comment", "note", 12000),
            ("comment", "reply", 60000), ("status", "pending", 60000), ("comment", "reply", 200000),
            ("status", "solved", 330000), ("status", "closed", 680000),
        ),
    ),
)  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.generate_zendesk")
    parser.add_argument("database", type=Path, help="the DuckDB file to make; must not exist")
    parser.add_argument("--tickets", type=int, default=100_000)
    options = parser.parse_args(arguments)
    if options.database.exists():
        sys.stderr.write(f"{options.database} exists: name a new file, or remove it first\n")
        return 2
    began = time.monotonic()
    with duckdb.connect(str(options.database)) as connection:
        generate(connection, options.tickets)
        rows = [
            connection.sql(f"select count(*) from zendesk.{table}").fetchone()[0]
            for table in ("ticket_field_history", "ticket_comment")
        ]
    sys.stdout.write(
        f"{options.tickets} tickets, {rows[0]} field changes, {rows[1]} comments in {time.monotonic() - began:.0f} s\n"
    )
    return 0


def generate(connection: duckdb.DuckDBPyConnection, tickets: int) -> None:
    """Fill an empty database."""
    connection.execute(f"set timezone = 'UTC'; set threads = 2; set memory_limit = '{MEMORY_LIMIT}'")
    connection.execute("create schema zendesk")
    _schedules(connection)
    _people(connection, tickets)
    for first in range(1, tickets + 1, TICKETS_A_CHUNK):
        _tickets(connection, first, min(first + TICKETS_A_CHUNK - 1, tickets), tickets)
    connection.execute("drop table ticket_step; checkpoint")


def _minutes(weekday: int, clock: str) -> int:
    """Minutes since the start of Zendesk's week, which is Sunday."""
    hours, minutes = map(int, clock.split(":"))
    return weekday % 7 * 1440 + hours * 60 + minutes


def _schedules(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("""
        create table zendesk.schedule (id bigint, name varchar, time_zone varchar, start_time bigint, end_time bigint,
            created_at timestamp, _fivetran_deleted boolean);
        create table zendesk.schedule_holiday (id bigint, schedule_id bigint, name varchar, start_date date,
            end_date date, _fivetran_deleted boolean);
        create table zendesk.time_zone (time_zone varchar, standard_offset varchar);
        create table zendesk.daylight_time (time_zone varchar, year bigint, daylight_start_utc timestamp,
            daylight_end_utc timestamp, daylight_offset bigint);
    """)
    holiday = 0
    for schedule_id, (name, zone, has_holidays, openings) in enumerate(SCHEDULES, start=1):
        for weekdays, opens, closes in openings:
            for weekday in map(int, weekdays):
                connection.execute(
                    f"insert into zendesk.schedule values (?, ?, ?, ?, ?, {BEGINNING_AT} + to_days(?), false)",
                    [schedule_id, name, zone, _minutes(weekday, opens), _minutes(weekday, closes), schedule_id],
                )
        for year in range(FIRST_DAY.year, AS_OF_AT.year + 2) if has_holidays else ():
            for month, day in HOLIDAYS:
                holiday += 1
                on = f"date '{year}-{month:02d}-{day:02d}'"
                connection.execute(
                    f"insert into zendesk.schedule_holiday values (?, ?, 'Holiday', {on}, {on}, false)",
                    [holiday, schedule_id],
                )
    for name, zone in ZONES.items():
        january, july = (datetime(2025, month, 1, tzinfo=ZoneInfo(zone)).utcoffset() or timedelta() for month in (1, 7))
        minutes = int(min(january, july).total_seconds() // 60)
        sign = "-" if minutes < 0 else "+"
        connection.execute(
            "insert into zendesk.time_zone values (?, ?)",
            [name, f"{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"],
        )
        changes = _changes(zone, FIRST_DAY.year - 2, AS_OF_AT.year + 1)
        starts = [at for at, is_daylight in changes if is_daylight]
        ends = [at for at, is_daylight in changes if not is_daylight]
        for start in starts:
            end = next((at for at in ends if at > start), None)
            if end is not None:
                connection.execute(
                    "insert into zendesk.daylight_time values (?, ?, ?, ?, 1)", [name, start.year, start, end]
                )


def _changes(zone: str, first_year: int, last_year: int) -> list[tuple[datetime, bool]]:
    """Instants (UTC) at which a zone changes its offset, and whether daylight saving begins there."""
    rules, found = ZoneInfo(zone), []
    at = datetime(first_year, 1, 1, tzinfo=UTC)
    while at.year <= last_year:
        later = at + timedelta(hours=1)
        before, after = at.astimezone(rules).utcoffset(), later.astimezone(rules).utcoffset()
        if before is not None and after is not None and before != after:
            found.append((later.replace(tzinfo=None), after > before))
        at = later
    return found


def _people(connection: duckdb.DuckDBPyConnection, tickets: int) -> None:
    connection.execute(f"""
        create table zendesk."user" as
        select
            i as id, format('Person {{}}', i) as name, format('person.{{}}@example.org', i) as email,
            case when i <= {AGENT_COUNT} then 'agent' else 'end-user' end as role,
            1 as organization_id, true as active, false as _fivetran_deleted,
            {BEGINNING_AT} as created_at, {BEGINNING_AT} as updated_at, {BEGINNING_AT} as _fivetran_synced
        from range(1, {AGENT_COUNT + max(1, tickets // 10)} + 1) as numbers (i);
        create table zendesk."group" as
        select i as id, format('Group {{}}', i) as name, {BEGINNING_AT} as created_at, {BEGINNING_AT} as updated_at,
            false as _fivetran_deleted, {BEGINNING_AT} as _fivetran_synced from range(1, 21) as numbers (i);
        create table zendesk.organization as
        select 1 as id, 'Example' as name, {BEGINNING_AT} as created_at, {BEGINNING_AT} as updated_at,
            {BEGINNING_AT} as _fivetran_synced, false as _fivetran_deleted;
        create table zendesk.brand as select 1 as id, 'Example' as name, true as active, false as _fivetran_deleted;
        create table zendesk.ticket_tag (ticket_id bigint, tag varchar);
    """)
    steps, choices = [], []
    for number, (share, pattern) in enumerate(PATTERNS):
        choices += [number] * share
        for position, (field, value, offset) in enumerate((("status", "new", 0), *pattern), start=1):
            steps.append(f"({number}, {position}, '{field}', '{value}', {offset})")
    if len(choices) != 100 or sum(row[1] for row in POLICY) != 100:
        raise AssertionError("shares of PATTERNS and of POLICY must each add up to 100")
    priorities = [number for number, row in enumerate(POLICY) for _ in range(row[1])]
    connection.execute(
        "create temp table ticket_step as select * from (values "
        + ", ".join(steps)
        + ") as step (pattern, position, field_name, value, offset_seconds)"
    )
    for name, seed, numbers in (("pattern_of", 5, choices), ("policy_of", 3, priorities)):
        listed = ", ".join(map(str, numbers))
        connection.execute(f"create temp macro {name}(i) as ([{listed}])[1 + cast(hash(i, {seed}) % 100 as integer)]")
    connection.execute(
        "create table zendesk.sla_policy_metric_history (sla_policy_id bigint, index bigint, metric varchar, "
        "priority varchar, target bigint, business_hours boolean, sla_policy_updated_at timestamp)"
    )
    for priority, _, is_business, *targets in POLICY:
        for index, (metric, minutes) in enumerate(zip(METRICS, targets, strict=True)):
            connection.execute(
                f"insert into zendesk.sla_policy_metric_history values (1, ?, ?, ?, ?, ?, {BEGINNING_AT})",
                [index, metric, priority, minutes, is_business],
            )
    names = ", ".join(f"'{row[0]}'" for row in POLICY)
    connection.execute(f"create temp macro priority_name(number) as ([{names}])[1 + number]")


def _tickets(connection: duckdb.DuckDBPyConnection, first: int, last: int, tickets: int) -> None:
    span_seconds = int((AS_OF_AT - FIRST_DAY).total_seconds())
    customers = max(1, tickets // 10)
    values = "case policy_number " + " ".join(
        f"when {number} then case field_name "
        + " ".join(
            f"""when '{metric}' then '{{"minutes": {minutes}, "in_business_hours": {str(row[2]).lower()}}}'"""
            for metric, minutes in zip(METRICS, row[3:], strict=True)
        )
        + " end"
        for number, row in enumerate(POLICY)
    )
    connection.execute(f"""
        create or replace temp table ticket_chunk as
        select
            i as ticket_id,
            timestamp '{FIRST_DAY}' + to_seconds(cast(
                floor((i - 1 + (hash(i, 1) % 1000) / 1000.0) * {span_seconds} / {tickets}) as bigint)) as opened_at,
            pattern_of(i) as pattern,
            policy_of(i) as policy_number,
            cast(1 + hash(i, 4) % {AGENT_COUNT} as bigint) as agent_id,
            cast({AGENT_COUNT} + 1 + hash(i, 7) % {customers} as bigint) as requester_id,
            cast(1 + hash(i, 8) % 20 as bigint) as group_id,
            cast(1 + hash(i, 9) % {len(SCHEDULES)} as bigint) as schedule_id,
            0.25 / (0.02 + (hash(i, 6) % 100000) / 100000.0) as scale
        from range({first}, {last + 1}) as numbers (i);

        create or replace temp table step_chunk as
        with timed as (
            select
                chunk.*, step.position, step.field_name, step.value,
                case when step.offset_seconds = 0 then chunk.opened_at else chunk.opened_at + to_seconds(cast(
                    floor(step.offset_seconds * chunk.scale) + hash(chunk.ticket_id, step.offset_seconds) % 300
                    as bigint)) end as step_at
            from ticket_chunk as chunk
            inner join ticket_step as step on chunk.pattern = step.pattern
        )
        select * from timed where step_at <= timestamp '{AS_OF_AT}';
    """)
    history = f"""
        select ticket_id, field_name, step_at as updated, agent_id as user_id,
            case field_name
                when 'status' then value
                when 'assignee_id' then cast(agent_id as varchar)
                when 'group_id' then cast(1 + (group_id + position) % 20 as varchar)
                else priority_name(greatest(policy_number - 1, 0)) end as value
        from step_chunk where field_name <> 'comment'
        union all
        select ticket_id, 'priority', opened_at, requester_id, priority_name(policy_number) from ticket_chunk
        union all
        select ticket_id, 'group_id', opened_at, requester_id, cast(group_id as varchar) from ticket_chunk
        union all
        select ticket_id, 'sla_policy', opened_at, -1, 'Standard' from ticket_chunk
        union all
        select ticket_id, field_name, opened_at, -1, {values} end
        from ticket_chunk cross join (values {", ".join(f"('{metric}')" for metric in METRICS)}) as m (field_name)
    """
    ticket = """
        select
            chunk.ticket_id as id, chunk.opened_at as created_at, cast(latest.updated_at as varchar) as updated_at,
            latest.status, priority_name(case when latest.is_raised then greatest(chunk.policy_number - 1, 0)
                else chunk.policy_number end) as priority,
            'problem' as type, format('Ticket {}', chunk.ticket_id) as subject, 'Text' as description,
            chunk.requester_id, chunk.requester_id as submitter_id, chunk.agent_id as assignee_id, chunk.group_id,
            1 as organization_id, 1 as brand_id, 'email' as via_channel, true as is_public,
            false as _fivetran_deleted, latest.updated_at as _fivetran_synced
        from ticket_chunk as chunk
        inner join (
            select ticket_id, max(step_at) as updated_at,
                max_by(value, position) filter (field_name = 'status') as status,
                bool_or(field_name = 'priority') as is_raised
            from step_chunk group by ticket_id
        ) as latest on chunk.ticket_id = latest.ticket_id
    """
    comment = """
        select
            ticket_id * 100 + position as id, ticket_id, step_at as created, value <> 'note' as public,
            case when value = 'answer' then requester_id else agent_id end as user_id,
            'Thank you for your message about this ticket.' as body, false as _fivetran_deleted
        from step_chunk where field_name = 'comment'
        union all
        select ticket_id * 100, ticket_id, opened_at, true, requester_id, 'It does not work, please help.', false
        from ticket_chunk
    """
    # one ticket in five is left to the account's default schedule
    schedule = """
        select ticket_id, opened_at as created_at, schedule_id from ticket_chunk where hash(ticket_id, 10) % 5 > 0
    """
    for table, select, order in (
        ("ticket", ticket, "id"),
        ("ticket_field_history", history, "ticket_id, updated, field_name"),
        ("ticket_comment", comment, "id"),
        ("ticket_schedule", schedule, "ticket_id"),
    ):
        verb = f"create table zendesk.{table} as" if first == 1 else f"insert into zendesk.{table}"
        connection.execute(f"{verb} select * from ({select}) order by {order}")
    connection.execute("drop table ticket_chunk; drop table step_chunk")


if __name__ == "__main__":
    sys.exit(main())
