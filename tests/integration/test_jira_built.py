"""Jira in the built warehouse: the clock against the reference and Jira's own, and each check against its defect."""
# ruff: noqa: E501 (the defects stand one a line)

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import duckdb
import pytest

from expectations.outcomes import describe
from expectations.suites import marts_jira
from expectations.suites.marts_jira import GAPS, SLA
from expectations.suites.staging import RULES
from expectations.suites.staging_jira import CHANGELOGS, ISSUES
from ingestion.demo.jira_desk import Desk
from ingestion.demo.reference_clock import calculate_ticket_slts
from tests.integration.bench import Bench
from tests.oracle import _segment_differences, _ticket_differences

pytestmark = pytest.mark.slow

STAGING = {spec.check_name: spec for spec in RULES["jira"]()}
MARTS = {spec.check_name: spec for spec in marts_jira.checks()}
ONE = "rowid = (select min(rowid) from {t} where "
STATUS_ITEM = """items like '%"fieldId":"status"%'"""

# gate, check, table, statement
DEFECTS = [
    ("staging", "issue_key_is_given", ISSUES, f"update {{t}} set issue_key = null where {ONE} true)"),
    ("staging", "created_at_is_given", ISSUES, f"update {{t}} set created_at = null where {ONE} true)"),
    ("staging", "status_id_is_given", ISSUES, f"update {{t}} set status_id = null where {ONE} true)"),
    ("staging", "issue_key_is_unique", ISSUES, "insert into {t} select * from {t} limit 1"),
    ("staging", "issue_key_is_well_formed", ISSUES, f"update {{t}} set issue_key = 'hrs-01' where {ONE} true)"),
    ("staging", "issue_key_is_well_formed", ISSUES, f"update {{t}} set project_key = 'OPS' where {ONE} true)"),
    ("staging", "status_is_mapped", ISSUES, f"update {{t}} set status_id = '10999' where {ONE} true)"),
    ("staging", "priority_is_known", ISSUES, f"update {{t}} set priority = null where {ONE} true)"),
    ("staging", "stamps_are_in_order", ISSUES, f"update {{t}} set updated_at = created_at - interval 1 second where {ONE} true)"),
    ("staging", "stamps_are_in_order", ISSUES, f"update {{t}} set resolved_at = updated_at + interval 1 second where {ONE} true)"),
    ("staging", "changed_at_is_given", CHANGELOGS, f"update {{t}} set changed_at = null where {ONE} true)"),
    ("staging", "items_is_given", CHANGELOGS, f"update {{t}} set items = null where {ONE} true)"),
    ("staging", "issue_id_refers", CHANGELOGS, f"update {{t}} set issue_id = '0' where {ONE} true)"),
    ("staging", "stamps_are_in_order", CHANGELOGS, f"update {{t}} set changed_at = timestamp '2020-01-01' where {ONE} true)"),
    ("staging", "stamps_are_in_order", CHANGELOGS, f"update {{t}} set changed_at = issue_updated_at + interval 1 second where {ONE} true)"),
    ("staging", "status_is_mapped", CHANGELOGS, f"""update {{t}} set items = replace(items, '"from":"10001"', '"from":"10999"') where {ONE} items like '%"from":"10001"%')"""),
    # An entry lost between two others leaves a gap; all of them changed leave nothing that fits.
    ("staging", "is_unbroken", CHANGELOGS, """delete from {t} where rowid = (select any_value(rowid) from {t} where items like '%"from":"3"%"to":"10002"%')"""),
    ("staging", "is_unbroken_mostly", CHANGELOGS, """update {t} set items = replace(items, '"from":"3"', '"from":"10004"')"""),
    ("staging", "ends_as_the_issue_stands", CHANGELOGS, """delete from {t} where rowid = (select max(rowid) from {t} where items like '%"to":"6"%')"""),
    ("staging", "ends_as_the_issue_stands_mostly", CHANGELOGS, """delete from {t} where items like '%"to":"6"%'"""),
    ("marts", "explains_every_difference", SLA, f"update {{t}} set comparison_status = 'clock_differs' where {ONE} true)"),
    ("marts", "few_have_no_source_sla", SLA, "update {t} set comparison_status = 'no_source_sla' where rowid % 8 = 0"),
    ("marts", "few_goals_differ", SLA, "update {t} set comparison_status = 'goal_differs' where rowid % 8 = 0"),
    ("marts", "verdict_follows_the_clock", SLA, f"update {{t}} set is_agreeing = false where {ONE} comparison_status = 'matched' and abs(business_seconds - target_seconds) > 60)"),
    ("marts", "has_both_sides", SLA, f"delete from {{t}} where {ONE} true)"),
    ("marts", "mappings_do_not_conflict", GAPS, f"update {{t}} set gap_reason = 'conflicting_mappings' where {ONE} true)"),
    ("marts", "mappings_do_not_conflict", GAPS, f"update {{t}} set gap_reason = 'field_name_not_unique' where {ONE} true)"),
    ("marts", "mapped_fields_exist", GAPS, f"update {{t}} set gap_reason = 'field_without_values' where {ONE} true)"),
    ("marts", "few_values_are_unmapped", GAPS, "update {t} set ticket_count = 1000 * ticket_count where gap_reason = 'unmapped_value'"),
    ("marts", "lists_every_gap", GAPS, f"delete from {{t}} where {ONE} gap_reason = 'unmapped_value')"),
    ("marts", "lists_every_gap", GAPS, f"update {{t}} set ticket_count = ticket_count + 1 where {ONE} gap_reason = 'unmapped_value')"),
]  # fmt: skip


def full_name(check: str, table: str) -> str:
    return f"{table.partition('.')[2]}_{check}"


@pytest.fixture(scope="module")
def bench(demo_warehouse: Any, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """A copy of the built warehouse; any defect is made in here and undone."""
    return Bench.of(demo_warehouse.warehouse_path, tmp_path_factory.mktemp("jira"), is_held=False)


@pytest.mark.requirement("LTI-7.1")
def test_the_clock_on_jira_equals_the_reference(demo_warehouse: Any) -> None:
    """Every second of every issue, by plain Python that shares nothing with the models but the seeds."""
    company = demo_warehouse.company
    results = calculate_ticket_slts(replace(company, tickets=Desk(company).tickets()), source_system="jira")
    with duckdb.connect(str(demo_warehouse.warehouse_path), read_only=True) as connection:
        differences = _ticket_differences(connection, results, "jira")
        differences += _segment_differences(connection, results, "jira")
    assert not differences, "\n".join(map(str, differences[:20]))
    statuses = Counter(item.result.slt_status for item in results)
    assert len(results) >= 900 and min(statuses[name] for name in ("met", "breached", "canceled", "running")) >= 1
    assert sum(item.result.paused_seconds > 0 for item in results) >= 50


@pytest.mark.requirement("LTI-7.1")
def test_the_clock_on_jira_is_what_its_sla_fields_say(demo_warehouse: Any) -> None:
    company = demo_warehouse.company
    reopened = sum(len(issue.resolution) > 1 and issue.resolved_at is not None for issue in Desk(company).issues)
    with duckdb.connect(str(demo_warehouse.warehouse_path), read_only=True) as connection:
        counts = dict(
            connection.execute("select comparison_status, count(*) from finance.rec_jira_sla group by all").fetchall()
        )
        worst = connection.execute(
            "select max(abs(difference_seconds)) from finance.rec_jira_sla where comparison_status = 'matched'"
        ).fetchone()[0]
    assert counts["matched"] >= 800 and worst <= 4
    assert counts["reopened"] == reopened and counts["goal_differs"] >= 3 and counts["no_source_sla"] >= 10
    assert not counts.keys() & {"clock_differs", "stop_differs", "missing_result"}


@pytest.mark.requirement("LTI-7.1")
def test_jira_pays_nobody(demo_warehouse: Any) -> None:
    """The internal desks are no team's and no metric's: their results reach no figure that is paid by."""
    with duckdb.connect(str(demo_warehouse.warehouse_path), read_only=True) as connection:
        paid = connection.execute(
            "select count(*) from metrics.fct_metric_evidence where evidence_key like '%jira:%'"
        ).fetchone()[0]
        teams = connection.execute(
            "select count(team_code) from slt.fct_ticket_slt where source_system = 'jira'"
        ).fetchone()[0]
        codes = connection.execute(
            "select count(*) from reference.metric_filter where dimension_code = 'slt_code' and dimension_values like '%jira%'"
        ).fetchone()[0]
    assert (paid, teams, codes) == (0, 0, 0)


@pytest.mark.requirement("DESK-3.2")
def test_custom_fields_become_categories(demo_warehouse: Any) -> None:
    """By the seed alone: what the desk wrote into a field, counted by hand, is what the model says."""
    desk = Desk(demo_warehouse.company)
    expected = Counter(issue.work_type for issue in desk.issues)
    with duckdb.connect(str(demo_warehouse.warehouse_path), read_only=True) as connection:
        found = {
            value or "": count
            for value, count in connection.execute(
                "select field_value, count(*) from core.int_performance_category where field_name = 'Work type' group by all"
            ).fetchall()
        }
        unmapped = connection.execute(
            f"select field_value, ticket_count from {GAPS} where field_name = 'Work type' and gap_reason = 'unmapped_value'"
        ).fetchall()
        before, after = (
            connection.execute(
                "select distinct performance_category from core.int_performance_category "
                f"where field_value = 'Knowledge article' and opened_on {side} date '2025-07-01'"
            ).fetchall()
            for side in ("<", ">=")
        )
        servicenow = dict(
            connection.execute(
                "select mapping_status, count(*) from core.int_performance_category "
                "where source_system = 'servicenow' group by all"
            ).fetchall()
        )
    assert found == expected
    assert unmapped == [("Misc", expected["Misc"])]
    assert (before, after) == ([("enablement",)], [("knowledge",)])
    assert servicenow["mapped"] > servicenow["unmapped"] > 0 and "conflict" not in servicenow


def test_the_demonstration_company_passes(bench: Bench) -> None:
    for gate, specs in (("staging", STAGING), ("marts", MARTS)):
        result = bench.run_gate(gate, specs.values())
        assert result.is_open and not result.warnings and not result.skipped, [
            describe(outcome) for outcome in (*result.blocking, *result.warnings)
        ]


@pytest.mark.parametrize(("gate", "check", "table", "statement"), DEFECTS, ids=[f"{full_name(c, t)}-{n}" for n, (_, c, t, _) in enumerate(DEFECTS)])  # fmt: skip
def test_each_check_refuses_its_defect(bench: Bench, gate: str, check: str, table: str, statement: str) -> None:
    spec = {"staging": STAGING, "marts": MARTS}[gate][full_name(check, table)]
    with bench.defect(table, statement):
        outcome = bench.outcome(gate, spec)
    assert not outcome.success and not outcome.error and not outcome.is_skipped, outcome
    assert outcome.examples, outcome


def test_every_check_has_a_defect() -> None:
    assert {full_name(check, table) for _, check, table, _ in DEFECTS} == {*STAGING, *MARTS}
