"""Gate marts on what was known when: the demonstration company passes, and each check refuses its defects."""
# ruff: noqa: E501 (the defects stand one a line)

from __future__ import annotations

import pytest

from expectations.suites.marts_knowledge import DEFINITION_HISTORY, RESULT_HISTORY, SEALS, checks
from tests.integration.bench import Bench
from tests.integration.test_gates_built import GIVEN, UNIQUE, VALUES, mart_check

pytestmark = pytest.mark.slow

SPECS = {spec.check_name: spec for spec in checks()}
ONE = "rowid = (select min(rowid) from {t} where true)"
OK = "rowid = (select min(rowid) from {t} where result_status = 'ok')"

# check, table, statement
DEFECTS = [
    ("entries_follow_each_other", RESULT_HISTORY, f"update {{t}} set entry_number = 3 where {ONE}"),
    ("entries_follow_each_other", RESULT_HISTORY, f"update {{t}} set known_to_at = known_from_at + interval 1 day where {ONE}"),
    ("entries_follow_each_other", RESULT_HISTORY, f"update {{t}} set is_current = false where {ONE}"),
    ("entries_follow_each_other", RESULT_HISTORY, f"insert into {{t}} by name select * replace (2 as entry_number) from {{t}} where {ONE}"),
    ("chain_is_unbroken", RESULT_HISTORY, f"update {{t}} set known_from_at = known_from_at - interval 1 day where {ONE}"),
    ("chain_is_unbroken", RESULT_HISTORY, f"update {{t}} set run_id = 'x' where {ONE}"),
    ("chain_is_unbroken", RESULT_HISTORY, f"update {{t}} set content_hash = 'x' where {ONE}"),
    ("content_is_what_was_hashed", RESULT_HISTORY, f"update {{t}} set metric_value = metric_value + 0.000001 where {OK}"),
    ("content_is_what_was_hashed", RESULT_HISTORY, f"update {{t}} set metric_version = metric_version + 1 where {ONE}"),
    ("content_is_what_was_hashed", RESULT_HISTORY, f"update {{t}} set is_withdrawn = true where {ONE}"),
    ("ends_with_what_is_known", RESULT_HISTORY, f"delete from {{t}} where {ONE}"),
    ("ends_with_what_is_known", RESULT_HISTORY, f"update {{t}} set metric_value = metric_value + 0.000001 where {OK}"),
    ("ends_with_what_is_known", RESULT_HISTORY, f"insert into {{t}} by name select * replace ('x' as entity_code) from {{t}} where {ONE}"),
    ("entries_follow_each_other", DEFINITION_HISTORY, f"update {{t}} set known_to_at = known_from_at where {ONE}"),
    ("chain_is_unbroken", DEFINITION_HISTORY, f"update {{t}} set known_from_at = known_from_at - interval 1 day where {ONE}"),
    ("ends_with_what_is_in_force", DEFINITION_HISTORY, f"delete from {{t}} where {ONE}"),
    ("ends_with_what_is_in_force", DEFINITION_HISTORY, "update {t} set effective_from = effective_from + 1 where rowid = (select min(rowid) from {t} where effective_from is not null)"),
    ("ends_with_what_is_in_force", DEFINITION_HISTORY, f"update {{t}} set is_activated = not is_activated where {ONE}"),
    ("ends_with_what_is_in_force", DEFINITION_HISTORY, f"update {{t}} set definition_hash = 'x' where {ONE}"),
    ("begins_before_its_run", RESULT_HISTORY, f"update {{t}} set known_from_at = timestamp '2999-01-01' where {ONE}"),
    ("begins_before_its_run", DEFINITION_HISTORY, f"update {{t}} set known_from_at = timestamp '2999-01-01' where {ONE}"),
    ("a_version_keeps_its_hash", DEFINITION_HISTORY, f"insert into {{t}} by name select * replace ('x' as definition_hash, 2 as entry_number) from {{t}} where {ONE}"),
]  # fmt: skip

# check on the history of results, statement on the seals
SEAL_DEFECTS = [
    ("sealed_entries_are_there", f"update {{t}} set entry_count = entry_count + 1 where {ONE}"),
    ("sealed_entries_are_there", "delete from {t} where entry_count > 0"),
    ("sealed_entries_are_there", "insert into {t} by name select * replace ('gone' as run_id, 1 as entry_count, 9 as seal_number) from {t} limit 1"),
    ("seals_are_chained", f"update {{t}} set entries_hash = 'x' where {ONE}"),
    ("seals_are_chained", f"delete from {{t}} where {ONE}"),
    ("seals_are_chained", "update {t} set seal_number = 2"),
]  # fmt: skip


def test_the_demonstration_company_passes(bench: Bench) -> None:
    bench.assert_passes("marts", SPECS.values())


@pytest.mark.requirement("OPS-4.6")
@pytest.mark.parametrize(("short", "table", "statement"), DEFECTS, ids=[f"{mart_check(c[0], c[1])}-{n}" for n, c in enumerate(DEFECTS)])  # fmt: skip
def test_each_check_refuses_its_defect(bench: Bench, short: str, table: str, statement: str) -> None:
    bench.assert_refuses(SPECS[mart_check(short, table)], table, statement)


@pytest.mark.requirement("OPS-4.6")
@pytest.mark.parametrize(("short", "statement"), SEAL_DEFECTS)
def test_a_seal_that_was_moved_is_refused(bench: Bench, short: str, statement: str) -> None:
    bench.assert_refuses(SPECS[mart_check(short, RESULT_HISTORY)], SEALS, statement)


@pytest.mark.requirement("OPS-4.6")
@pytest.mark.parametrize("table", [RESULT_HISTORY, DEFINITION_HISTORY])
@pytest.mark.parametrize("gone", ["(metric_code, metric_version) = ('slt_attainment', 1)", "metric_code = 'slt_attainment'", "true"])  # fmt: skip
def test_a_key_or_a_whole_log_taken_away_is_missed(bench: Bench, table: str, gone: str) -> None:
    with bench.defect(table, f"delete from {{t}} where {gone}"):
        outcome = bench.outcome("marts", SPECS[mart_check("sealed_entries_are_there", RESULT_HISTORY)])
    assert not outcome.success and not outcome.error, outcome


@pytest.mark.requirement("OPS-4.6")
def test_a_tail_taken_away_with_its_seal_is_missed(bench: Bench) -> None:
    """The gate of the run wrote down that it had judged; its seal must be there for good."""
    check = mart_check("seals_of_judged_runs_are_there", RESULT_HISTORY)
    run_id = bench.value("select run_id from landing.run_context order by started_at desc limit 1")
    with bench.defect(SEALS):
        bench.sql(
            "insert into landing.gate_outcome by name "
            f"select '{run_id}' as run_id, 'marts' as gate, '{check}' as check_name, now()::timestamp as judged_at, "
            "'passed' as outcome, 0 as failing_row_count"
        )
        outcome = bench.outcome("marts", SPECS[check])
        assert outcome.success, outcome
        bench.sql(f"delete from {SEALS}")
        outcome = bench.outcome("marts", SPECS[check])
    assert not outcome.success and not outcome.error, outcome


def test_every_check_has_a_defect() -> None:
    own = {mart_check(short, RESULT_HISTORY) for short, _ in SEAL_DEFECTS}
    own.add(mart_check("seals_of_judged_runs_are_there", RESULT_HISTORY))  # a test of its own above
    families = {name for name, spec in SPECS.items() if spec.expectation_type in (*GIVEN, *VALUES, *UNIQUE)}
    assert {mart_check(short, table) for short, table, _ in DEFECTS} | families | own == set(SPECS)
