"""Gate marts on what decides pay: the demonstration company passes, and each check refuses its defects."""
# ruff: noqa: E501 (the defects stand one a line)

from __future__ import annotations

import pytest

from expectations.suites.marts_pay_engine import DRAWS, ELIGIBILITY, LEAVE, PAYOUTS, checks
from tests.integration.bench import Bench
from tests.integration.test_gates_built import mart_check

pytestmark = pytest.mark.slow

SPECS = {spec.check_name: spec for spec in checks()}
ONE = "rowid = (select min(rowid) from {t} where "
A_DRAW = "insert into {t} (earning_line_id, earning_kind, plan_code, plan_version, employee_number, earned_quarter, currency_code, minimum_amount, payout_amount, balance_before_amount, earned_amount, balance_amount) values"

# check, table, statement
DEFECTS = [
    ("key_is_unique", ELIGIBILITY, "insert into {t} select * from {t} limit 1"),
    ("says_why", ELIGIBILITY, f"update {{t}} set reason = null where {ONE} not is_met)"),
    ("says_why", ELIGIBILITY, f"update {{t}} set eligible_share = 1 where {ONE} not is_met)"),
    ("says_why", ELIGIBILITY, f"update {{t}} set eligible_share = 0 where {ONE} is_met)"),
    ("waits_for_the_signature", ELIGIBILITY, f"update {{t}} set is_met = true where {ONE} rule_kind = 'acknowledgement' and not is_met)"),
    ("waits_for_the_signature", ELIGIBILITY, f"update {{t}} set is_met = false where {ONE} rule_kind = 'acknowledgement' and is_met)"),
    ("counts_tenure_and_cohort", ELIGIBILITY, f"update {{t}} set is_met = true where {ONE} rule_kind = 'tenure' and not is_met)"),
    ("counts_tenure_and_cohort", ELIGIBILITY, f"update {{t}} set is_met = false where {ONE} rule_kind = 'cohort' and is_met)"),
    ("waits_for_root_causes", ELIGIBILITY, f"update {{t}} set is_met = true where {ONE} rule_kind = 'root_cause' and not is_met)"),
    ("waits_for_root_causes", ELIGIBILITY, f"update {{t}} set is_met = false where {ONE} rule_kind = 'root_cause' and is_met)"),
    ("counts_non_compliance", ELIGIBILITY, f"update {{t}} set is_met = true where {ONE} rule_kind = 'result_below' and not is_met)"),
    ("counts_non_compliance", ELIGIBILITY, f"update {{t}} set is_met = true where {ONE} rule_kind = 'improvement_overdue' and not is_met)"),
    ("counts_non_compliance", ELIGIBILITY, f"update {{t}} set is_met = false where {ONE} rule_kind = 'improvement_overdue' and is_met)"),
    ("is_judged_by_every_rule", PAYOUTS, f"update {{t}} set team_code = 'nobody' where {ONE} true)"),
    ("pays_what_is_eligible", PAYOUTS, f"update {{t}} set eligible_share = 1 where {ONE} eligible_share < 1)"),
    ("pays_what_is_eligible", PAYOUTS, f"update {{t}} set eligible_share = 0 where {ONE} eligible_share = 1)"),
    ("pays_what_is_eligible", PAYOUTS, f"update {{t}} set payout_amount = 1 where {ONE} eligible_share = 0)"),
    ("is_held_by_its_counter_metrics", PAYOUTS, f"update {{t}} set gate_share = 1 where {ONE} gate_share < 1)"),
    ("is_held_by_its_counter_metrics", PAYOUTS, f"update {{t}} set gate_share = 0.5 where {ONE} gate_share = 1)"),
    ("is_weighed_by_the_phase", PAYOUTS, f"update {{t}} set weight = weight + 0.0001 where {ONE} weight_source = 'lifecycle')"),
    ("is_weighed_by_the_phase", PAYOUTS, f"update {{t}} set weight_source = 'plan' where {ONE} weight_source = 'lifecycle')"),
    ("is_weighed_by_the_phase", PAYOUTS, f"update {{t}} set weight_source = 'lifecycle' where {ONE} weight_source = 'plan')"),
    ("leaves_out_days_not_worked", PAYOUTS, f"update {{t}} set paid_days_value = segment_days where {ONE} paid_days_value < segment_days)"),
    ("leaves_out_days_not_worked", PAYOUTS, f"update {{t}} set paid_days_value = paid_days_value - 0.0001 where {ONE} true)"),
    ("leave_of_every_kind_has_a_rule", LEAVE, f"update {{t}} set leave_type = 'Sabbatical' where {ONE} request_status = 'approved')"),
    ("climbs_its_bands_once", PAYOUTS, f"update {{t}} set running_before_value = 0 where {ONE} running_before_value > 0)"),
    ("climbs_its_bands_once", PAYOUTS, f"update {{t}} set running_before_value = 1 where {ONE} running_before_value = 0)"),
    ("share_follows_from_its_bands", PAYOUTS, f"update {{t}} set payout_share = payout_share + 0.0001 where {ONE} band_method = 'interpolated' and payout_share > 0)"),
    ("share_follows_from_its_bands", PAYOUTS, f"update {{t}} set payout_share = payout_share + 0.0002 where {ONE} band_method = 'stepped' and payout_share > 0)"),
    ("share_follows_from_its_bands", PAYOUTS, f"update {{t}} set payout_share = 0.5 where {ONE} band_method = 'stepped' and payout_share = 0)"),
    ("key_is_unique", DRAWS, f"{A_DRAW} ('x', 'draw', 'p', 1, 'e1', 'q', 'EUR', 1, 1, 0, 0, 0), ('x', 'draw', 'p', 1, 'e1', 'q', 'EUR', 1, 1, 0, 0, 0)"),
    ("is_owed_until_set_off", DRAWS, f"{A_DRAW} ('x', 'draw', 'p', 1, 'e1', 'q', 'EUR', 1000, 500, 0, 400, 400)"),
    ("is_owed_until_set_off", DRAWS, f"{A_DRAW} ('x', 'draw', 'p', 1, 'e1', 'q', 'EUR', 1000, 1500, 100, -400, -300)"),
    ("ties_to_the_lines", DRAWS, f"{A_DRAW} ('x', 'draw', 'p', 1, 'e1', 'q', 'EUR', 1000, 500, 0, 500, 500)"),
]  # fmt: skip


def judged(short: str, table: str) -> str:
    """The check that must see a defect of a table; what staging holds is judged where pay reads it."""
    return mart_check(short, PAYOUTS if table == LEAVE else table)


def test_the_demonstration_company_passes(bench: Bench) -> None:
    bench.assert_passes("marts", SPECS.values())


def test_every_check_has_a_defect() -> None:
    assert {judged(short, table) for short, table, _ in DEFECTS} == set(SPECS)


@pytest.mark.parametrize(("short", "table", "statement"), DEFECTS, ids=[f"{judged(c[0], c[1])}-{n}" for n, c in enumerate(DEFECTS)])  # fmt: skip
def test_each_check_refuses_its_defect(bench: Bench, short: str, table: str, statement: str) -> None:
    bench.assert_refuses(SPECS[judged(short, table)], table, statement)
