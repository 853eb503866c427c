"""Gate marts on the payout ledger: the demonstration company passes, each rule refuses its defect.

Each defect is made in one table of a copy, judged by the check it is meant for, and undone.
"""
# ruff: noqa: E501 (the defects stand one a line)

from __future__ import annotations

import pytest

from expectations.outcomes import describe
from expectations.suites import marts_ledger
from expectations.suites.marts_ledger import (
    BALANCES,
    CAPS,
    CLAWBACKS,
    CONVERTED,
    EARNINGS,
    EVENTS,
    FORECAST,
    LEDGER,
    PAYROLL,
    REOPENINGS,
    RULES,
    SEALS,
    TRACE,
)
from tests.integration.bench import Bench

pytestmark = pytest.mark.slow

CHECKS = {spec.check_name: spec for spec in marts_ledger.checks()}
BASE = marts_ledger.BASE
ONE = "rowid = (select min(rowid) from {t} where "
REHASH = f"content_hash = {marts_ledger.md5_of(*marts_ledger.CONTENT)}"

# check (without its table), table it stands on, table the defect is made in, statement
DEFECTS = [
    ("key_is_unique", LEDGER, LEDGER, f"insert into {{t}} select * from {{t}} where {ONE} true)"),
    ("line_type_is_known", LEDGER, LEDGER, f"update {{t}} set line_type = 'gift' where {ONE} true)"),
    ("entries_follow_without_a_gap", LEDGER, LEDGER, "delete from {t} where entry_number = 7"),
    ("entries_follow_without_a_gap", LEDGER, LEDGER, f"update {{t}} set batch_number = 3 where {ONE} true)"),
    ("lines_are_as_they_were_written", LEDGER, LEDGER, f"update {{t}} set amount = amount + 0.01 where {ONE} true)"),
    ("lines_are_as_they_were_written", LEDGER, LEDGER, f"update {{t}} set employee_number = 'e1002' where {ONE} true)"),
    ("lines_are_as_they_were_written", LEDGER, LEDGER, f"update {{t}} set payment_period = '2025-05' where {ONE} true)"),
    ("entries_are_chained", LEDGER, LEDGER, f"update {{t}} set entry_hash = md5('x') where {ONE} true)"),
    ("entries_are_chained", LEDGER, LEDGER, f"update {{t}} set recorded_at = recorded_at - interval 1 day where {ONE} true)"),
    ("time_goes_on", LEDGER, LEDGER, "update {t} set recorded_at = recorded_at - interval 1 day where entry_number = 5"),
    ("reversals_are_signed_copies", LEDGER, LEDGER, f"insert into {{t}} select * replace ('reversal' as line_type, ledger_line_id as original_ledger_line_id, 'r' as ledger_line_id, -amount + 0.01 as amount, 999999 as entry_number) from {{t}} where {ONE} true)"),
    ("reversals_are_signed_copies", LEDGER, LEDGER, f"insert into {{t}} select * exclude (i) replace ('reversal' as line_type, ledger_line_id as original_ledger_line_id, 'r' || i as ledger_line_id, -amount as amount, 999999 as entry_number) from {{t}}, range(2) as twice (i) where {ONE} true)"),
    ("reversals_are_signed_copies", LEDGER, LEDGER, f"insert into {{t}} select * replace ('reversal' as line_type, ledger_line_id as original_ledger_line_id, 'r' as ledger_line_id, -amount as amount, 'CC-0' as cost_centre_code, 999999 as entry_number) from {{t}} where {ONE} true)"),
    ("references_lead_somewhere", LEDGER, LEDGER, "update {t} set original_ledger_line_id = null where item_kind = 'clawback'"),
    ("references_lead_somewhere", LEDGER, LEDGER, "update {t} set original_ledger_line_id = 'nowhere' where item_kind = 'cap'"),
    ("key_is_unique", SEALS, SEALS, "insert into {t} select * from {t}"),
    ("match_the_ledger", SEALS, LEDGER, "delete from {t} where entry_number = (select max(entry_number) from {t})"),
    ("match_the_ledger", SEALS, LEDGER, f"update {{t}} set entry_hash = md5('x') where {ONE} true)"),
    ("match_the_ledger", SEALS, SEALS, "delete from {t}"),
    ("are_chained", SEALS, SEALS, "update {t} set entries_hash = md5('x')"),
    ("sums_to_what_was_calculated", LEDGER, LEDGER, f"update {{t}} set amount = amount + 0.01, {REHASH} where {ONE} item_kind = 'earning')"),
    ("sums_to_what_was_calculated", LEDGER, LEDGER, "delete from {t} where item_kind = 'clawback'"),
    ("sums_to_what_was_calculated", LEDGER, EARNINGS, f"update {{t}} set earned_amount = earned_amount - 0.01 where {ONE} true)"),
    ("sums_to_what_was_calculated", LEDGER, CAPS, f"delete from {{t}} where {ONE} cap_amount < 0)"),
    ("earnings_are_never_taken_below_zero", LEDGER, LEDGER, f"update {{t}} set amount = amount - 1000000 where {ONE} item_kind = 'clawback')"),
    ("carried_pairs_come_to_nothing", LEDGER, LEDGER, f"insert into {{t}} select * replace ('carry_forward' as item_kind, 'carry_forward' as line_type, 'k' as item_key, 'carried_out' as reason, 5.00 as amount) from {{t}} where {ONE} true)"),
    ("periods_that_are_over_are_not_negative", LEDGER, LEDGER, f"update {{t}} set amount = -1000000 where {ONE} payment_period = '2025-04')"),
    ("key_is_unique", BALANCES, BALANCES, f"insert into {{t}} select * from {{t}} where {ONE} true)"),
    ("sum_the_ledger", BALANCES, BALANCES, f"delete from {{t}} where {ONE} true)"),
    ("sum_the_ledger", BALANCES, BALANCES, f"update {{t}} set balance_amount = balance_amount + 0.01 where {ONE} true)"),
    ("pay_what_is_above_zero", BALANCES, BALANCES, "update {t} set payable_amount = carried_amount where carried_amount < 0"),
    ("pay_what_is_above_zero", BALANCES, BALANCES, "update {t} set carried_amount = 0 where carried_amount < 0"),
    ("pay_what_is_above_zero", BALANCES, BALANCES, f"update {{t}} set open_amount = -0.01 where {ONE} true)"),
    ("pay_what_is_above_zero", BALANCES, BALANCES, f"update {{t}} set open_amount = payable_amount + 0.01 where {ONE} payout_status = 'pending')"),
    ("pay_what_is_above_zero", BALANCES, BALANCES, f"update {{t}} set exported_amount = payable_amount + 0.01 where {ONE} payout_status = 'pending')"),
    ("pay_what_is_above_zero", BALANCES, BALANCES, f"update {{t}} set cap_amount = cap_amount - 0.01 where {ONE} true)"),
    ("key_is_unique", CAPS, CAPS, f"insert into {{t}} select * from {{t}} where {ONE} true)"),
    ("are_of_rules_that_count", CAPS, RULES, "update {t} set approved_by = null where rule_id = 'CAP-2025-04'"),
    ("are_of_rules_that_count", CAPS, RULES, "update {t} set approved_by = proposed_by where rule_id = 'CAP-2025-04'"),
    ("are_of_rules_that_count", CAPS, RULES, "update {t} set approved_on = date '2025-10-02' where rule_id = 'CAP-2025-04'"),
    ("are_of_rules_that_count", CAPS, RULES, "update {t} set effective_to = date '2025-09-30' where rule_id = 'CAP-2025-04'"),
    ("limits_are_kept", CAPS, CAPS, f"delete from {{t}} where {ONE} cap_kind = 'person_share' and cap_amount < 0)"),
    ("limits_are_kept", CAPS, CAPS, "delete from {t} where cap_kind in ('pool', 'personnel_cost_share')"),
    ("limits_are_kept", CAPS, CAPS, "delete from {t} where cap_kind = 'personnel_cost_share'"),
    ("limits_are_kept", CAPS, RULES, "update {t} set limit_share = limit_share / 2 where rule_id = 'CAP-2025-03'"),
    ("limits_are_kept", CAPS, BASE, "update {t} set base_amount = base_amount / 4"),
    ("take_the_excess_and_no_more", CAPS, CAPS, f"update {{t}} set cap_amount = cap_amount - 0.01 where {ONE} cap_amount < 0)"),
    ("take_the_excess_and_no_more", CAPS, CAPS, f"update {{t}} set before_amount = 0.01 where {ONE} cap_amount < -0.01)"),
    ("say_what_base_pay_they_are_of", CAPS, CAPS, f"update {{t}} set cap_status = 'base_pay_incomplete' where {ONE} cap_kind = 'person_share' and cap_amount < 0)"),
    ("say_what_base_pay_they_are_of", CAPS, CAPS, f"update {{t}} set cap_status = 'base_pay_incomplete' where {ONE} cap_kind = 'pool' and cap_amount < 0)"),
    ("say_what_base_pay_they_are_of", CAPS, PAYROLL, "delete from {t} where pay_period = '2025-12' and earning_role = 'base'"),
    ("are_of_base_pay_told_in_full", CAPS, CAPS, f"update {{t}} set cap_status = 'base_pay_incomplete' where {ONE} cap_kind = 'person_share' and cap_amount < 0)"),
    ("have_base_pay_to_go_by", CAPS, CAPS, f"update {{t}} set cap_status = 'no_base_pay' where {ONE} true)"),
    ("key_is_unique", CLAWBACKS, CLAWBACKS, f"insert into {{t}} select * from {{t}} where {ONE} true)"),
    ("only_what_may_be_taken_is_taken", CLAWBACKS, CLAWBACKS, f"update {{t}} set clawback_amount = -finding_amount where {ONE} clawback_status = 'finding_only')"),
    ("only_what_may_be_taken_is_taken", CLAWBACKS, CLAWBACKS, f"update {{t}} set clawback_amount = -finding_amount, clawback_status = 'taken_back' where {ONE} clawback_status = 'finding_only' and finding_amount > 0)"),
    ("only_what_may_be_taken_is_taken", CLAWBACKS, CLAWBACKS, f"update {{t}} set clawback_amount = -finding_amount, clawback_status = 'taken_back' where {ONE} clawback_status = 'too_late' and finding_amount > 0)"),
    ("only_what_may_be_taken_is_taken", CLAWBACKS, CLAWBACKS, f"update {{t}} set clawback_amount = -finding_amount, clawback_status = 'taken_back' where {ONE} clawback_status = 'no_rule' and finding_amount > 0)"),
    ("only_what_may_be_taken_is_taken", CLAWBACKS, CLAWBACKS, "update {t} set clawback_amount = -finding_amount, clawback_status = 'taken_back' where refusal_reasons = 'not_approved'"),
    ("only_what_may_be_taken_is_taken", CLAWBACKS, CLAWBACKS, "update {t} set clawback_amount = -finding_amount, clawback_status = 'taken_back' where refusal_reasons = 'approved_by_requester'"),
    ("only_what_may_be_taken_is_taken", CLAWBACKS, CLAWBACKS, "update {t} set clawback_amount = -finding_amount, clawback_status = 'taken_back' where refusal_reasons = 'approved_later'"),
    ("only_what_may_be_taken_is_taken", CLAWBACKS, CLAWBACKS, f"update {{t}} set clawback_amount = -clawback_amount where {ONE} clawback_amount < 0)"),
    ("only_what_may_be_taken_is_taken", CLAWBACKS, CLAWBACKS, f"update {{t}} set clawback_amount = clawback_amount - 0.01 where {ONE} clawback_amount < 0)"),
    ("only_what_may_be_taken_is_taken", CLAWBACKS, EVENTS, "update {t} set employee_number = 'e1002' where event_id = 'CB-2025-10'"),
    ("lines_keep_what_is_theirs", CLAWBACKS, CLAWBACKS, "update {t} set net_amount = 0.01 where earning_line_id = (select min(earning_line_id) from {t} where clawback_amount < 0)"),
    ("premature_closures_are_all_found", CLAWBACKS, REOPENINGS, "insert into {t} select evidence.evidence_key, payout.period_end_on from incentives.fct_incentive_payout as payout join metrics.fct_metric_evidence as evidence using (metric_result_key) where payout.payout_amount > 0 and evidence.evidence_type = 'ticket' and payout.earned_quarter = '2025-Q3' limit 1"),
    ("findings_reach_a_line", CLAWBACKS, EVENTS, "update {t} set event_id = 'CB-2019-01' where event_id = 'CB-2025-04'"),
    ("reaches_every_earning", TRACE, TRACE, f"delete from {{t}} where {ONE} evidence_type = 'on_call_stretch')"),
    ("evidence_exists", TRACE, TRACE, f"update {{t}} set evidence_key = 'nobody knows' where {ONE} evidence_type = 'resolution_credit')"),
    ("evidence_exists", TRACE, TRACE, f"update {{t}} set batch_id = 'never landed' where {ONE} evidence_type = 'payout_line')"),
    ("evidence_exists", TRACE, TRACE, f"update {{t}} set batch_id = null where {ONE} evidence_type = 'on_call_stretch')"),
    ("convert_every_payment_once", CONVERTED, CONVERTED, f"update {{t}} set reporting_amount = reporting_amount + 0.01 where {ONE} true)"),
    ("convert_every_payment_once", CONVERTED, CONVERTED, f"update {{t}} set reporting_amount = null where {ONE} true)"),
    ("convert_every_payment_once", CONVERTED, CONVERTED, f"delete from {{t}} where {ONE} true)"),
    ("convert_every_payment_once", CONVERTED, CONVERTED, f"update {{t}} set rate_on = rate_as_of_on + 1 where {ONE} true)"),
    ("rates_are_there", CONVERTED, CONVERTED, f"update {{t}} set rate_gap = 'no rate' where {ONE} true)"),
    ("books_what_is_pending", FORECAST, FORECAST, f"update {{t}} set forecast_amount = forecast_amount + 0.01 where {ONE} forecast_kind = 'booked')"),
    ("books_what_is_pending", FORECAST, FORECAST, "delete from {t} where forecast_kind = 'booked'"),
]  # fmt: skip


PLANTED = {"fct_cap_application_have_base_pay_to_go_by"}


def name_of(short: str, table: str) -> str:
    return f"{table.partition('.')[2]}_{short}"


def test_the_demonstration_company_passes(bench: Bench) -> None:
    """But for the limits on a pool in a currency its members are not paid in, and on a quarter that has just begun."""
    result = bench.run_gate("marts", CHECKS.values())
    assert result.is_open and not result.skipped, [describe(o) for o in result.outcomes]
    assert {o.check_name for o in result.warnings} == PLANTED, [describe(o) for o in result.warnings]


def test_the_registers_took_effect_and_failed_for_each_reason(bench: Bench) -> None:
    kinds = "select count(distinct cap_kind) from finance.fct_cap_application where cap_amount < 0"
    assert bench.value(kinds) == 4
    refused = "select count(distinct refusal_reasons) from core.int_agreement_rule where not is_counted"
    assert bench.value(refused) == 5
    statuses = "select string_agg(distinct clawback_status, ' ' order by clawback_status) from finance.fct_clawback"
    assert bench.value(statuses) == "finding_only no_effect no_rule not_recomputable refused taken_back too_late"
    assert bench.value("select count(*) from finance.fct_payout_balance where carried_amount < 0") > 0


@pytest.mark.parametrize(("short", "stands_on", "table", "statement"), DEFECTS, ids=[f"{name_of(*c[:2])}-{n}" for n, c in enumerate(DEFECTS)])  # fmt: skip
def test_each_check_refuses_its_defect(bench: Bench, short: str, stands_on: str, table: str, statement: str) -> None:
    spec = CHECKS[name_of(short, stands_on)]
    bench.assert_refuses(spec, table, statement, is_planted=spec.check_name in PLANTED)


def test_every_check_has_a_defect() -> None:
    assert {name_of(*case[:2]) for case in DEFECTS} == set(CHECKS)
