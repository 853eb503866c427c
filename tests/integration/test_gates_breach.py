"""Gate marts on breaches and what follows from them: clean passes, and each check refuses its defects."""
# ruff: noqa: E501 (the defects stand one a line)

from __future__ import annotations

import pytest

from expectations.suites.marts_breach import (
    ATTAINMENT,
    ATTRIBUTION,
    BREACHES,
    IMPROVEMENT,
    QUEUE,
    RESPONSE,
    TRACE,
    TRIGGERS,
    checks,
)
from tests.integration.bench import Bench

pytestmark = pytest.mark.slow

SPECS = {spec.check_name: spec for spec in checks()}
ONE = "rowid = (select min(rowid) from {t} where "

# check, table, statement
DEFECTS = [
    ("fct_slt_breach_holds_every_breach_once", BREACHES, f"delete from {{t}} where {ONE} true)"),
    ("fct_slt_breach_holds_every_breach_once", BREACHES, f"insert into {{t}} select * from {{t}} where {ONE} true)"),
    ("fct_slt_breach_holds_every_breach_once", BREACHES, "update {t} set is_breached_raw = false where false_positive = 'confirmed'"),
    ("fct_slt_breach_escalates_by_the_share_used", BREACHES, f"update {{t}} set escalation_level_number = escalation_level_number - 1 where {ONE} escalation_level_number > 1)"),
    ("fct_slt_breach_escalates_by_the_share_used", BREACHES, f"update {{t}} set escalation_path_code = null where {ONE} true)"),
    ("fct_slt_breach_verdict_needs_a_valid_decision", BREACHES, f"update {{t}} set false_positive = 'confirmed' where {ONE} false_positive = 'none')"),
    ("fct_slt_breach_verdict_needs_a_valid_decision", BREACHES, f"update {{t}} set false_positive = 'confirmed', review_status = 'decided', review_id = 'REV-0003' where {ONE} false_positive = 'none')"),
    ("review_queue", QUEUE, f"delete from {{t}} where {ONE} queue_reason = 'suspected_breach')"),
    ("fct_breach_attribution_sums_to_the_breach", ATTRIBUTION, f"update {{t}} set held_share = held_share - 0.000001 where {ONE} held_share > 0)"),
    ("fct_breach_attribution_sums_to_the_breach", ATTRIBUTION, f"delete from {{t}} where {ONE} not is_cross_functional)"),
    ("fct_breach_attribution_sums_to_the_breach", ATTRIBUTION, f"update {{t}} set is_holder_at_breach = false where {ONE} is_holder_at_breach)"),
    ("fct_slt_trace_sums_to_the_clock", TRACE, f"delete from {{t}} where {ONE} traced_seconds > 0)"),
    ("fct_slt_trace_sums_to_the_clock", TRACE, f"delete from {{t}} where {ONE} evidence_type = 'ticket_record')"),
    ("fct_slt_trace_reaches_the_landing", TRACE, f"update {{t}} set batch_id = 'lost' where {ONE} batch_id is not null)"),
    ("fct_slt_trace_reaches_the_landing", TRACE, f"update {{t}} set target_row_key = null where {ONE} true)"),
    ("fct_slt_attainment_counts_settled_results", ATTAINMENT, f"delete from {{t}} where {ONE} scope_type = 'service')"),
    ("fct_slt_attainment_counts_settled_results", ATTAINMENT, f"update {{t}} set attainment_status = 'attained' where {ONE} scope_type = 'service' and attainment_status = 'missed')"),
    ("fct_improvement_trigger_rests_on_misses", TRIGGERS, f"update {{t}} set misses_count = misses_count + 1 where {ONE} true)"),
    ("fct_improvement_trigger_rests_on_misses", TRIGGERS, f"update {{t}} set trigger_status = 'closed' where {ONE} improvement_plan_code is null)"),
    ("rpt_improvement_priority_score_follows_from_the_ranks", IMPROVEMENT, f"update {{t}} set priority_share = priority_share + 0.1 where {ONE} priority_share < 0.9)"),
    ("rpt_improvement_priority_score_follows_from_the_ranks", IMPROVEMENT, f"update {{t}} set improvement_rank = 0 where {ONE} improvement_rank = 2)"),
    ("rpt_response_priority_trend_follows_its_figures", RESPONSE, f"update {{t}} set trend_code = 'worsening' where {ONE} slope_share < 0)"),
    ("rpt_response_priority_trend_follows_its_figures", RESPONSE, f"update {{t}} set recent_breached_count = recent_breached_count + 1 where {ONE} true)"),
]  # fmt: skip


def test_the_demonstration_company_passes(bench: Bench) -> None:
    bench.assert_passes("marts", SPECS.values())


@pytest.mark.parametrize(("name", "table", "statement"), DEFECTS, ids=[f"{c[0]}-{n}" for n, c in enumerate(DEFECTS)])
def test_each_check_refuses_its_defect(bench: Bench, name: str, table: str, statement: str) -> None:
    bench.assert_refuses(SPECS[name], table, statement)


def test_every_check_has_a_defect() -> None:
    assert {name for name, _, _ in DEFECTS} == set(SPECS)
