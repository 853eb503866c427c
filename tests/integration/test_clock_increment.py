"""One day more of the clock, change by change: the tickets listed are those that were touched, and no row differs.

The history is the benchmark's, small: its tables are the clock's inputs, so that a single event can be changed. Every
change is applied to a warehouse that remembers; a run by difference and a full refresh of the same warehouse must give
the same rows in every table of the clock, and int_slt_recompute must list exactly the tickets that were changed beside
those whose clock runs.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from benchmarks.clock_increment import COMPARED_TABLES, MODELS
from benchmarks.generate_clock import generate, write_exclusion_windows
from tests.run_dbt import run_dbt

TICKET_COUNT = 3000
SELECTION = ("run", "--select", " ".join(MODELS))
pytestmark = [pytest.mark.slow, pytest.mark.nightly]


@pytest.fixture(scope="module")
def remembered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A warehouse whose clock has been built once, with its memory."""
    folder = tmp_path_factory.mktemp("remembered")
    path = folder / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        generate(connection, TICKET_COUNT, TICKET_COUNT)
        # one ticket in seven names an item
        connection.execute(
            "update core.int_ticket_event set configuration_item_code = 'item_' || ticket_id % 3 "
            "where ticket_id % 7 = 0"
        )
    run_dbt(path, folder / "target", *SELECTION)
    yield path


class Increment:
    """A copy of the warehouse that is changed and then built by difference."""

    def __init__(self, remembered: Path, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "warehouse.duckdb"
        shutil.copy(remembered, self.path)

    def change(self, *statements: str, exclusions: bool = False) -> None:
        with duckdb.connect(str(self.path)) as connection:
            for statement in statements:
                connection.execute(statement)
            if exclusions:
                write_exclusion_windows(connection)

    def rows(self, sql: str) -> list[tuple]:
        with duckdb.connect(str(self.path), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def ids(self, sql: str) -> set[int]:
        return {row[0] for row in self.rows(sql)}

    def run(self, *selection: str) -> None:
        run_dbt(self.path, self.folder / "target", *(selection or SELECTION))

    def listed(self, reason: str) -> set[int]:
        return self.ids(f"select ticket_id from core.int_slt_recompute where contains(reasons, '{reason}')")

    def differences_from_a_full_refresh(self) -> dict[str, list[tuple]]:
        whole = self.folder / "whole" / "warehouse.duckdb"
        whole.parent.mkdir()
        shutil.copy(self.path, whole)
        run_dbt(whole, whole.parent / "target", *SELECTION, "--full-refresh")
        found = {}
        with duckdb.connect() as connection:
            connection.execute(f"attach '{self.path}' as one (read_only); attach '{whole}' as whole (read_only)")
            for table in (*COMPARED_TABLES, "clock_memory.history", "clock_memory.block"):
                for left, right in (("one", "whole"), ("whole", "one")):
                    rows = connection.execute(
                        f"select * from {left}.{table} except all select * from {right}.{table} limit 5"
                    ).fetchall()
                    if rows:
                        found[f"{left} only: {table}"] = rows
        return found


@pytest.fixture
def increment(remembered: Path, tmp_path: Path) -> Increment:
    return Increment(remembered, tmp_path)


RUNNING = "select ticket_id from core.int_slt_result where stop_at is null and canceled_at is null"


def test_nothing_new_computes_what_runs_and_nothing_else(increment: Increment) -> None:
    increment.run()
    running = increment.ids(RUNNING)
    assert increment.rows("select * from core.int_ticket_block") == []
    assert increment.rows("select * from core.int_ticket_history") == []
    assert increment.ids("select ticket_id from core.int_slt_recompute") == running
    assert 0 < len(running) < TICKET_COUNT // 20
    assert increment.differences_from_a_full_refresh() == {}


def test_every_kind_of_change_is_found_and_no_other_ticket(increment: Increment) -> None:
    """One of an event, one of a record, a swap within a block, one gone, one come, an item that came to be named."""
    event, record, first, second, gone, twin, new = 101, 102, 103, 105, 2999, 1500, TICKET_COUNT + 1
    # what two tickets of a block exchange, values that stood in it before: the block's sum must not stay what it was
    priorities = dict(
        increment.rows(
            "select ticket_id, max(priority) from core.int_ticket_event "
            f"where ticket_id in ({first}, {second}) group by ticket_id"
        )
    )
    assert priorities[first] != priorities[second], "the swap changes nothing: choose other tickets"
    named = increment.ids("select ticket_id from core.int_ticket_event where configuration_item_code = 'item_1'")
    increment.change(
        "update core.int_ticket_event set team_code = 'team_nobody_knew' "
        f"where ticket_id = {event} and event_sequence = 1",
        f"update core.int_ticket set has_history_contradiction = true where ticket_id = {record}",
        f"""update core.int_ticket_event set priority = case ticket_id
            when {first} then {priorities[second]} else {priorities[first]} end
            where ticket_id in ({first}, {second})""",
        f"delete from core.int_ticket_event where ticket_id = {gone}",
        f"delete from core.int_ticket where ticket_id = {gone}",
        # two rows alike more: what an exclusive or would cancel
        f"insert into core.int_ticket_event by name select * replace (event_sequence + 50 as event_sequence) "
        f"from core.int_ticket_event where ticket_id = {twin} and event_sequence in (1, 2)",
        "insert into core.int_ticket_event by name "
        f"select * replace ({new} as ticket_id, 'servicenow:NEW' as ticket_key) "
        "from core.int_ticket_event where ticket_id = 2000",
        f"insert into core.int_ticket by name select * replace ({new} as ticket_id, 'servicenow:NEW' as ticket_key, "
        "'NEW' as ticket_number) from core.int_ticket where ticket_id = 2000",
        "update core.int_ticket_event set exclusion_scope_code = service_code || '/item_1' "
        "where configuration_item_code = 'item_1'",
        """insert into core.int_exclusion_scope select distinct exclusion_scope_code, 'internal', 'EXR-ITEM',
            timestamp '2024-01-01', timestamp '2025-01-01' from core.int_ticket_event
            where configuration_item_code = 'item_1'""",
        exclusions=True,
    )
    increment.run()
    assert increment.listed("history_changed") == {event, record, first, second, gone, twin, new} | named
    assert len(named) > 100
    assert increment.rows("select count(*) from core.int_ticket_situation where team_code = 'team_nobody_knew'") == [
        (1,)
    ]
    assert increment.rows(f"select count(*) from slt.fct_ticket_slt where ticket_sequence = {gone}") == [(0,)]
    assert increment.rows(f"select distinct slt_status from slt.fct_ticket_slt where ticket_sequence = {record}") == [
        ("invalid",)
    ]
    assert increment.rows("select count(*) > 20 from slt.fct_slt_clock_segment where contains(reason, 'EXR-ITEM')") == [
        (True,)
    ]
    assert increment.differences_from_a_full_refresh() == {}


def test_an_exclusion_in_retrospect_computes_the_clocks_it_reaches(increment: Increment) -> None:
    """Two days of one service: every clock whose span touches them, and those that run, are computed; no other is."""
    reached = increment.ids(
        """
        select results.ticket_id from core.int_slt_result as results
        inner join core.int_clock_scope as scopes using (scope_id)
        where scopes.exclusion_scope_code = 'service_07'
            and results.start_at < timestamp '2024-05-08' and results.end_at > timestamp '2024-05-06'
        """
    )
    increment.change(
        "insert into core.int_exclusion_scope values "
        "('service_07', 'internal', 'EXR-RETRO', timestamp '2024-05-06', timestamp '2024-05-08')",
        exclusions=True,
    )
    increment.run()
    assert increment.listed("history_changed") == set()
    assert increment.listed("clock_changed") == reached
    assert reached
    assert increment.ids("select ticket_id from core.int_slt_recompute") == reached | increment.ids(RUNNING)
    assert increment.differences_from_a_full_refresh() == {}


def test_a_calendar_changed_in_retrospect_and_at_its_end(increment: Increment) -> None:
    """A holiday in the past touches the clocks that stood on its day; a later as_of lengthens those that run."""
    increment.change(
        "insert into reference.calendar_holiday values ('dublin_office', date '2024-10-01', 'Found later')",
        "update core.int_run_context set as_of_at = as_of_at + interval 26 hour",
    )
    running = increment.ids(RUNNING)
    increment.run()
    touched = increment.listed("clock_changed")
    assert touched
    assert running == increment.listed("clock_running")
    assert increment.rows(
        f"select count(*) from core.int_slt_result where ticket_id in ({', '.join(map(str, touched))}) "
        "and calendar_code <> 'dublin_office' and stop_at < timestamp '2024-10-01'"
    ) == [(0,)]
    assert increment.differences_from_a_full_refresh() == {}


def test_a_run_that_died_after_the_detection_loses_nothing(increment: Increment) -> None:
    """The first run sees a change and dies before the clock's tables; the change is taken back before the next."""
    shift = "update core.int_ticket_event set event_at = event_at {} interval 1 second where ticket_id in (7, 8)"
    increment.change(shift.format("+"))
    increment.run(
        "run", "--select", " ".join(name for name in MODELS if name not in ("fct_slt_clock_segment", "fct_ticket_slt"))
    )
    assert increment.listed("history_changed") == {7, 8}
    increment.change(shift.format("-"))
    increment.run()
    assert increment.listed("history_changed") == set()
    assert increment.listed("left_by_a_run_that_died") >= {7, 8}
    assert increment.differences_from_a_full_refresh() == {}
    assert increment.rows("select 1 from information_schema.tables where table_name = 'pending'") == []


def test_situations_that_somebody_deleted_are_numbered_again_for_all(increment: Increment) -> None:
    """A registry with holes cannot be filled from the tickets that changed: all are looked at, all computed anew."""
    increment.change("delete from core.int_ticket_situation where situation_id % 2 = 0")
    increment.run()
    assert increment.listed("registry_changed") == {0}
    assert increment.differences_from_a_full_refresh() == {}


def test_a_table_that_was_dropped_leaves_no_memory_half_old(increment: Increment) -> None:
    """Whatever made a run build everything, what it remembers is what it saw: tickets that come back are found."""
    increment.change(
        "create table core.held_event as select * from core.int_ticket_event where ticket_id between 11 and 15",
        "create table core.held_ticket as select * from core.int_ticket where ticket_id between 11 and 15",
        "delete from core.int_ticket_event where ticket_id between 11 and 15",
        "delete from core.int_ticket where ticket_id between 11 and 15",
        "drop table core.int_slt_outline",
    )
    increment.run()
    assert increment.listed("nothing_remembered") == {0}
    increment.change(
        "insert into core.int_ticket_event by name select * from core.held_event",
        "insert into core.int_ticket by name select * from core.held_ticket",
    )
    increment.run()
    assert increment.listed("history_changed") == {11, 12, 13, 14, 15}
    assert increment.differences_from_a_full_refresh() == {}


def test_a_part_built_alone_makes_the_next_run_whole(increment: Increment) -> None:
    """Tables built without asking what changed saw an input that is taken back before the next run."""
    shift = "update core.int_ticket_event set event_at = event_at {} interval 1 hour where ticket_id in (7, 8)"
    increment.change("delete from core.int_slt_recompute", "insert into core.int_slt_recompute values (7, 'tried')")
    increment.change(shift.format("+"))
    increment.run("run", "--select", "int_ticket_step int_slt_span int_slt_telescoped")
    increment.change(shift.format("-"))
    increment.run()
    assert 0 in increment.listed("left_by_a_run_that_died")
    assert increment.differences_from_a_full_refresh() == {}


def test_rules_are_remembered_only_with_what_is_read_of_them(increment: Increment) -> None:
    """A command that leaves out the definitions computes by the old ones, and must not remember the new."""
    increment.change("update reference.slt_definition set reopen_policy = 'first_stop', at_risk_share = 0.5")
    increment.run("run", "--select", " ".join(name for name in MODELS if name != "int_slt_definition"))
    increment.run()
    assert 0 in increment.listed("rules_changed")
    assert increment.differences_from_a_full_refresh() == {}


def test_a_memory_of_another_version_is_none(increment: Increment) -> None:
    """Code of another version remembered other columns: everything is built, and remembered anew."""
    increment.change("alter table clock_memory.history rename fingerprint to history_hash")
    increment.run()
    assert increment.listed("nothing_remembered") == {0}
    increment.run()
    assert increment.listed("nothing_remembered") == set()
    assert increment.differences_from_a_full_refresh() == {}
