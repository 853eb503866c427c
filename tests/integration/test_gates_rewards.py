"""Gate marts on rewards and sharing: the demonstration company passes, and each check refuses its defects."""
# ruff: noqa: E501 (the defects stand one a line)

from __future__ import annotations

import pytest

from expectations.suites.marts_rewards import (
    ALLOCATION,
    AWARDS,
    BALANCE,
    CLAIMS,
    CREDIT,
    DUTY,
    FUNDING,
    ON_CALL,
    PENALTIES,
    RECOGNITION,
    SAVINGS,
    SCENARIOS,
    checks,
)
from tests.integration.bench import Bench
from tests.integration.test_gates_built import mart_check

pytestmark = pytest.mark.slow

SPECS = {spec.check_name: spec for spec in checks()}
ONE = "rowid = (select min(rowid) from {t} where "

# check, table, statement
DEFECTS = [
    ("key_is_unique", CREDIT, "insert into {t} select * from {t} limit 1"),
    ("sums_to_one", CREDIT, f"update {{t}} set credit_share = credit_share + 0.000001 where {ONE} credit_share < 1)"),
    ("sums_to_one", CREDIT, "delete from {t} where ticket_key = (select min(ticket_key) from {t})"),
    ("sums_to_one", CREDIT, f"update {{t}} set is_resolver = true where {ONE} not is_resolver)"),
    ("sums_to_one", CREDIT, f"update {{t}} set ticket_key = 'servicenow:NONE' where {ONE} credit_share = 1)"),
    ("held_seconds_are_those_of_the_events", CREDIT, f"update {{t}} set held_seconds = held_seconds + 1 where {ONE} held_seconds > 0)"),
    ("contributors_are_those_confirmed", CREDIT, f"update {{t}} set contribution_weight = 1 where {ONE} contribution_weight = 0 and employee_number is not null)"),
    ("contributors_are_those_confirmed", CREDIT, f"update {{t}} set contribution_weight = 0 where {ONE} contribution_weight > 0)"),
    ("key_is_unique", FUNDING, "insert into {t} select * from {t} limit 1"),
    ("follows_from_budget_and_criticality", FUNDING, f"update {{t}} set funded_amount = funded_amount + 0.01 where {ONE} funding_status = 'funded')"),
    ("follows_from_budget_and_criticality", FUNDING, f"update {{t}} set funded_amount = 0.01 where {ONE} funding_status = 'pool_not_approved')"),
    ("follows_from_budget_and_criticality", FUNDING, f"update {{t}} set funding_status = 'no_budget' where {ONE} funding_status = 'funded')"),
    ("follows_from_budget_and_criticality", FUNDING, f"update {{t}} set funding_factor = funding_factor * 2 where {ONE} funding_status = 'funded')"),
    ("takes_no_more_than_a_budget", FUNDING, f"update {{t}} set funded_amount = budget_amount + 0.01 where {ONE} funding_status = 'funded')"),
    ("key_is_unique", CLAIMS, "insert into {t} select * from {t} limit 1"),
    ("lay_the_pool_out_to_the_cent", CLAIMS, f"update {{t}} set claimed_amount = claimed_amount - 0.01 where {ONE} claimed_amount > 0)"),
    ("lay_the_pool_out_to_the_cent", CLAIMS, f"delete from {{t}} where {ONE} claimed_amount > 0)"),
    ("earn_within_the_cap", CLAIMS, f"update {{t}} set earned_amount = funded_amount, claimed_amount = funded_amount + unallocated_amount where {ONE} claim_status = 'earned')"),
    ("earn_within_the_cap", CLAIMS, f"update {{t}} set earned_amount = claimed_amount, unallocated_amount = 0 where {ONE} claim_status = 'left_before_quarter_end')"),
    ("earn_within_the_cap", CLAIMS, f"update {{t}} set unallocated_amount = unallocated_amount + 0.01 where {ONE} true)"),
    ("key_is_unique", ALLOCATION, "insert into {t} select * from {t} limit 1"),
    ("is_the_claims_earned", ALLOCATION, f"update {{t}} set earned_amount = earned_amount + 0.01 where {ONE} true)"),
    ("is_the_claims_earned", ALLOCATION, f"delete from {{t}} where {ONE} true)"),
    ("is_the_claims_earned", ALLOCATION, f"update {{t}} set currency_code = 'XXX' where {ONE} true)"),
    ("accounts_for_every_cent", BALANCE, f"update {{t}} set unallocated_amount = unallocated_amount + 0.01 where {ONE} true)"),
    ("accounts_for_every_cent", BALANCE, f"update {{t}} set leaver_amount = 0 where {ONE} leaver_amount > 0)"),
    ("accounts_for_every_cent", BALANCE, f"delete from {{t}} where {ONE} true)"),
    ("key_is_unique", DUTY, "insert into {t} select * from {t} limit 1"),
    ("is_paid_once_at_a_time", DUTY, f"update {{t}} set duty_status = 'rewarded' where {ONE} duty_status = 'overlapped')"),
    ("is_displaced_by_what_stands", DUTY, f"update {{t}} set duty_status = 'overlapped' where {ONE} duty_status = 'rewarded' and on_call_stretch_key not in (select a.on_call_stretch_key from {{t}} as a inner join {{t}} as b on a.employee_number = b.employee_number and a.on_call_stretch_key <> b.on_call_stretch_key and a.starts_at < b.ends_at and b.starts_at < a.ends_at))"),
    ("is_displaced_by_what_stands", DUTY, f"update {{t}} set duty_status = 'on_leave' where employee_number = (select employee_number from {{t}} where {ONE} duty_status = 'overlapped')) and duty_status <> 'overlapped'"),
    ("is_displaced_by_what_stands", DUTY, "update {t} set criticality = 9 where duty_status = 'rewarded'"),
    ("pays_the_rate_in_force", DUTY, f"update {{t}} set earned_amount = earned_amount + 0.01 where {ONE} duty_status = 'rewarded')"),
    ("pays_the_rate_in_force", DUTY, f"update {{t}} set earned_amount = 1 where {ONE} duty_status = 'on_leave')"),
    ("pays_the_rate_in_force", DUTY, f"update {{t}} set duty_number = 1 where {ONE} frequency_factor > 1)"),
    ("pays_the_rate_in_force", DUTY, f"update {{t}} set currency_code = 'XXX' where {ONE} duty_status = 'rewarded')"),
    ("key_is_unique", ON_CALL, "insert into {t} select * from {t} limit 1"),
    ("is_the_duty_rewarded", ON_CALL, f"update {{t}} set earned_amount = earned_amount - 0.01 where {ONE} true)"),
    ("is_the_duty_rewarded", ON_CALL, f"delete from {{t}} where {ONE} true)"),
    ("key_is_unique", RECOGNITION, "insert into {t} select * from {t} limit 1"),
    ("reaches_what_its_rule_asks", RECOGNITION, f"update {{t}} set is_recognised = true where {ONE} recognition_status = 'too_few')"),
    ("reaches_what_its_rule_asks", RECOGNITION, f"update {{t}} set occasion_count = recognised_count * 10 where {ONE} is_recognised and minimum_share is not null)"),
    ("plan_in_force_pays_what_was_paid", SCENARIOS, f"update {{t}} set scenario_amount = scenario_amount + 0.01 where {ONE} scenario_code = 'WSC-IN-FORCE')"),
    ("ties_to_what_was_paid", SCENARIOS, f"update {{t}} set in_force_amount = in_force_amount - 0.01 where {ONE} group_kind = 'team')"),
    ("ties_to_what_was_paid", SCENARIOS, f"update {{t}} set scenario_amount = scenario_amount - 0.01 where {ONE} group_kind = 'tier')"),
    ("ties_to_what_was_paid", SCENARIOS, f"delete from {{t}} where {ONE} group_kind = 'country')"),
    ("shows_no_small_group", SCENARIOS, f"update {{t}} set person_count = 4 where {ONE} group_kind = 'team')"),
    ("follows_the_business_that_was_hit", PENALTIES, f"update {{t}} set shared_amount = shared_amount + 0.02 where {ONE} applied_basis = 'business_impact')"),
    ("follows_the_business_that_was_hit", PENALTIES, f"update {{t}} set is_joint_failure = not is_joint_failure where {ONE} true)"),
    ("follows_the_business_that_was_hit", PENALTIES, f"update {{t}} set applied_basis = 'measured_loss' where {ONE} sharing_basis = 'business_impact')"),
    ("key_is_unique", SAVINGS, "insert into {t} select * from {t} limit 1"),
    ("rewards_only_what_is_left", SAVINGS, "update {t} set coordinated_reward_amount = claimed_reward_amount where saving_status = 'reduced'"),
    ("rewards_only_what_is_left", SAVINGS, "update {t} set coordinated_reward_amount = 1 where saving_status = 'not_approved'"),
    ("rewards_only_what_is_left", SAVINGS, "delete from {t} where overlap_kind = 'gain_shared_with_vendor' and saving_status = 'reduced'"),
    ("rewards_only_what_is_left", SAVINGS, "delete from {t} where saving_code = (select min(saving_code) from {t})"),
    ("key_is_unique", AWARDS, "insert into {t} select * from {t} limit 1"),
    ("tranches_sum_to_the_award", AWARDS, f"update {{t}} set tranche_amount = tranche_amount + 0.01 where {ONE} true)"),
    ("tranches_sum_to_the_award", AWARDS, f"delete from {{t}} where {ONE} true)"),
    ("each_tranche_is_one_thing", AWARDS, f"update {{t}} set earned_amount = tranche_amount where {ONE} vesting_status = 'forfeited_on_leaving')"),
    ("each_tranche_is_one_thing", AWARDS, f"update {{t}} set vests_on = '2030-01-01' where {ONE} is_earned)"),
    ("each_tranche_is_one_thing", AWARDS, f"update {{t}} set vests_on = granted_on where {ONE} vesting_status = 'pending')"),
    ("nobody_vests_after_leaving", AWARDS, f"update {{t}} set is_earned = true where {ONE} vesting_status = 'forfeited_on_leaving' and award_code = 'LTA-003')"),
]  # fmt: skip


def test_the_demonstration_company_passes(bench: Bench) -> None:
    bench.assert_passes("marts", SPECS.values())


@pytest.mark.parametrize(("short", "table", "statement"), DEFECTS, ids=[f"{mart_check(c[0], c[1])}-{n}" for n, c in enumerate(DEFECTS)])  # fmt: skip
def test_each_check_refuses_its_defect(bench: Bench, short: str, table: str, statement: str) -> None:
    bench.assert_refuses(SPECS[mart_check(short, table)], table, statement)


def test_every_check_has_a_defect() -> None:
    assert {mart_check(short, table) for short, table, _ in DEFECTS} == set(SPECS)


@pytest.mark.parametrize(
    ("table", "column", "expected"),
    [
        ("core.int_ticket_contribution", "refusal_code", {None, "ticket_not_resolved", "kind_earns_no_credit", "without_evidence", "recorded_before", "recorded_too_late", "not_confirmed", "confirmed_by_contributor", "not_employed_when_resolved"}),
        (FUNDING, "funding_status", {"funded", "pool_not_approved", "no_budget", "other_currency", "no_factor"}),
        (CLAIMS, "claim_status", {"earned", "left_before_quarter_end"}),
        (DUTY, "duty_status", {"rewarded", "overlapped", "on_leave", "no_rate", "not_ended"}),
        (RECOGNITION, "recognition_status", {"recognised", "too_few", "share_too_low", "left_before_quarter_end"}),
        (SCENARIOS, "scenario_status", {"ok", "unknown_plan_version", "unknown_component", "negative_weight", "weights_do_not_sum_to_one"}),
        (SAVINGS, "overlap_kind", {"none", "gain_shared_with_vendor", "saved_by_another_initiative", "credit_counted_as_saving", "credit_in_other_currency"}),
        (SAVINGS, "saving_status", {"no_overlap", "reduced", "nothing_left", "not_approved"}),
        (AWARDS, "vesting_status", {"vested", "accelerated", "pending", "forfeited_on_leaving", "forfeited_by_decision", "not_employed_at_grant", "not_approved"}),
    ],
)  # fmt: skip
def test_the_demonstration_shows_what_takes_effect_and_what_does_not(
    bench: Bench, table: str, column: str, expected: set[str | None]
) -> None:
    found = bench.value(f"select list(distinct coalesce({column}, '')) from {table}")
    assert {value or None for value in found} >= expected
