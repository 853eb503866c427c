"""Gate marts on the payroll export: the demonstration company passes, and each check refuses its defects."""
# ruff: noqa: E501 (the defects stand one a line)

from __future__ import annotations

from typing import Any

import pytest

from expectations.suites import marts_payroll_export
from expectations.suites.marts_payroll_export import (
    ACCOUNTS,
    ACCRUALS,
    APPROVALS,
    BALANCES,
    CHART,
    CONTEXT,
    DEMANDS,
    EXPORTED,
    EXPORTS,
    GO_LIVES,
    ITEMS,
    JOURNAL,
    LEDGER,
    LINES,
    MEMBERS,
    PAY_CODES,
    PAYMENT_LINES,
    PAYMENTS,
    POSTED,
    READINESS,
    WRITTEN,
)
from tests.integration.bench import Bench

pytestmark = pytest.mark.slow

SPECS = {spec.check_name: spec for spec in marts_payroll_export.checks()}
ITEM, R = "fct_payroll_export_item", "rpt_payroll_export_readiness"
L, J = "fct_payroll_export_line", "fct_payout_journal"
ONE = "rowid = (select min(rowid) from {t} where "
READY = "payment_period = '2025-04' and country_code = 'IE'"
PAYABLE = f"item_status = 'payable' and amount > 0 and {READY}"
HANDED = "item_status = 'exported' and amount > 0"
TAKEN = f"{ITEM}_take_back_nothing_that_was_not_paid"
SAID = "fct_payout_balance_say_what_was_handed_over"
GO_LIVE = f"{ITEM}_only_what_the_ledger_pays_is_payable"
BESIDE = f"{ITEM}_nothing_is_paid_outside_where_it_was_exported"
BACK = f"{J}_takes_back_no_more_than_it_accrued"
OUTSIDE = "journal_status = 'paid_outside'"
APPROVED = f"{R}_approved_is_what_would_be_exported"

# as if a part of a quarter that was paid outside had been accrued by an export
ACCRUED_OUTSIDE = (
    "select * replace (o.earned_quarter as earned_quarter, o.country_code as country_code, o.currency_code as "
    f"currency_code) from (select * from {POSTED} where voucher_kind = 'accrual' limit 1) as posted cross join (select "
    f"earned_quarter, country_code, currency_code from {JOURNAL} where {OUTSIDE} and country_code is not null limit 1) "
    "as o"
)


def decision(first_payment_period: str, earning_kind: str, day: str) -> str:
    """One more decision on the first month, by who may decide it; of a kind of pay, or of every other ('')."""
    return (
        f"insert into {{t}} by name select 'PGL-999' as go_live_id, '{first_payment_period}' as first_payment_period, "
        f"nullif('{earning_kind}', '') as earning_kind, 'g2009' as prepared_by, 'g2001' as decided_by, "
        f"date '{day}' as decided_on, timestamp '{day} 09:00:00' as recorded_at"
    )


# check, table, statement
DEFECTS = [
    (f"{ITEM}_key_is_unique", ITEMS, f"insert into {{t}} select * from {{t}} where {ONE} {PAYABLE})"),
    (f"{ITEM}_are_the_ledger", ITEMS, f"delete from {{t}} where {ONE} {PAYABLE})"),
    (f"{ITEM}_are_the_ledger", ITEMS, f"update {{t}} set amount = amount + 0.01 where {ONE} {PAYABLE})"),
    (f"{ITEM}_are_the_ledger", ITEMS, f"update {{t}} set employee_number = 'e9999' where {ONE} {PAYABLE})"),
    (f"{ITEM}_are_the_ledger", ITEMS, f"update {{t}} set currency_code = 'GBP' where {ONE} {PAYABLE})"),
    (f"{ITEM}_are_the_ledger", ITEMS, f"update {{t}} set payment_period = '2020-01' where {ONE} {PAYABLE})"),
    (f"{ITEM}_are_the_ledger", LEDGER, f"update {{t}} set amount = amount + 0.01 where {ONE} item_kind = 'earning')"),
    (f"{ITEM}_exported_are_those_that_were_exported", ITEMS, f"update {{t}} set item_status = 'exported' where {ONE} {PAYABLE})"),
    (f"{ITEM}_exported_are_those_that_were_exported", ITEMS, f"update {{t}} set item_status = 'payable', export_number = null where {ONE} {HANDED})"),
    (f"{ITEM}_exported_are_those_that_were_exported", ITEMS, f"update {{t}} set amount = amount + 0.01 where {ONE} {HANDED})"),
    (f"{ITEM}_exported_are_those_that_were_exported", ITEMS, f"update {{t}} set export_number = 2 where {ONE} {HANDED})"),
    (f"{ITEM}_exported_are_those_that_were_exported", EXPORTED, f"delete from {{t}} where {ONE} true)"),
    (f"{ITEM}_exported_are_those_that_were_exported", EXPORTED, "insert into {t} select * replace ('gone' as ledger_line_id) from {t} limit 1"),
    (f"{ITEM}_exported_are_those_that_were_exported", EXPORTED, f"update {{t}} set employee_number = 'e9999' where {ONE} true)"),
    (f"{ITEM}_exported_are_those_that_were_exported", EXPORTED, f"update {{t}} set currency_code = 'GBP' where {ONE} true)"),
    (f"{ITEM}_payable_meet_every_demand", PAYMENTS, f"update {{t}} set is_met = false where {ONE} {READY} and employee_number in (select employee_number from {ITEMS} where {PAYABLE}))"),
    (f"{ITEM}_payable_meet_every_demand", PAYMENTS, f"delete from {{t}} where {ONE} {READY} and employee_number in (select employee_number from {ITEMS} where {PAYABLE}))"),
    (f"{ITEM}_payable_meet_every_demand", PAYMENTS, f"delete from {{t}} where {ONE} demand_code = 'award_approved' and payment_period = '2025-08')"),
    (f"{ITEM}_payable_meet_every_demand", PAYMENTS, f"update {{t}} set demand_code = 'acknowledged' where {ONE} demand_code = 'pool_approved' and {READY})"),
    (f"{ITEM}_payable_meet_every_demand", PAYMENTS, f"update {{t}} set earning_kind = 'on_call' where {ONE} earning_kind = 'pool' and demand_code = 'withholding_known' and {READY})"),
    (f"{ITEM}_payable_meet_every_demand", ITEMS, f"update {{t}} set earning_kind = 'gift' where {ONE} {PAYABLE} and earning_kind = 'pool')"),
    (f"{ITEM}_payable_meet_every_demand", ITEMS, "update {t} set item_status = 'payable' where refusal_reasons like 'readiness%'"),
    (GO_LIVE, ITEMS, f"update {{t}} set item_status = 'payable' where {ONE} item_status = 'paid_outside')"),
    (GO_LIVE, ITEMS, f"update {{t}} set item_status = 'blocked', refusal_reasons = 'x' where {ONE} item_status = 'paid_outside')"),
    (GO_LIVE, ITEMS, f"update {{t}} set item_status = 'paid_outside' where {ONE} {PAYABLE})"),
    (GO_LIVE, ITEMS, f"update {{t}} set payment_period = '2025-03' where {ONE} {PAYABLE})"),
    (GO_LIVE, GO_LIVES, "delete from {t}"),
    (GO_LIVE, GO_LIVES, "update {t} set prepared_by = decided_by where go_live_id = 'PGL-004'"),
    (GO_LIVE, GO_LIVES, "update {t} set decided_by = 'g2002' where go_live_id = 'PGL-004'"),
    (GO_LIVE, GO_LIVES, "update {t} set decided_on = date '2025-04-01' where go_live_id = 'PGL-004'"),
    (GO_LIVE, GO_LIVES, "update {t} set recorded_at = timestamp '2025-04-01' where go_live_id = 'PGL-004'"),
    (GO_LIVE, GO_LIVES, decision("2025-05", "pool", "2025-03-20")),
    (GO_LIVE, GO_LIVES, decision("2026-01", "draw", "2025-12-20")),
    (GO_LIVE, GO_LIVES, "update {t} set earning_kind = 'draw' where go_live_id = 'PGL-004'"),
    (GO_LIVE, GO_LIVES, "update {t} set first_payment_period = '2025-10' where go_live_id = 'PGL-006'"),
    (GO_LIVE, EXPORTED, f"insert into {{t}} select * replace ('early' as ledger_line_id, '2025-01' as payment_period) from {{t}} where {ONE} true)"),
    (BESIDE, ITEMS, f"insert into {{t}} select * replace ('left' as ledger_line_id, 'paid_outside' as item_status) from {{t}} where {ONE} {HANDED})"),
    (BESIDE, ITEMS, f"insert into {{t}} select * replace ('left' as ledger_line_id, 'paid_outside' as item_status, 'draw' as earning_kind) from {{t}} where {ONE} {HANDED})"),
    (BESIDE, EXPORTED, f"insert into {{t}} select * replace ('early' as ledger_line_id, '2025-01' as payment_period) from {{t}} where {ONE} country_code = 'US')"),
    (GO_LIVE, MEMBERS, "update {t} set to_on = date '2025-03-17' where role_code = 'cfo'"),
    (GO_LIVE, DEMANDS, "delete from {t} where role_code = 'cfo'"),
    (GO_LIVE, CONTEXT, "update {t} set as_of_at = timestamp '2025-03-01'"),
    (f"{ITEM}_payments_are_whole_and_not_negative", ITEMS, f"insert into {{t}} select * replace (-1000000 as amount) from {{t}} where {ONE} {PAYABLE})"),
    (f"{ITEM}_payments_are_whole_and_not_negative", ITEMS, f"update {{t}} set item_status = 'blocked' where {ONE} {PAYABLE} and (employee_number, earning_kind) in (select employee_number, earning_kind from {ITEMS} where {PAYABLE} group by all having count(*) > 1))"),
    (f"{ITEM}_payments_are_whole_and_not_negative", ITEMS, f"insert into {{t}} select * replace (-0.01 as amount, 'blocked' as item_status, 'gift' as earning_kind) from {{t}} where {ONE} {PAYABLE})"),
    (f"{ITEM}_payments_are_whole_and_not_negative", ITEMS, f"insert into {{t}} select * replace (-1000000 as amount, 'gift' as earning_kind) from {{t}} where {ONE} {PAYABLE})"),
    (f"{ITEM}_payments_are_whole_and_not_negative", ITEMS, f"insert into {{t}} select * replace (-0.01 as amount, 'DE' as country_code) from {{t}} where {ONE} {PAYABLE})"),
    (f"{ITEM}_are_the_ledger", ITEMS, f"update {{t}} set ledger_payment_period = '2025-03' where {ONE} {PAYABLE})"),
    (TAKEN, ITEMS, "update {t} set payment_period = '2026-01' where payment_period < ledger_payment_period and earning_kind = 'incentive' and employee_number = 'e1013'"),
    (TAKEN, ITEMS, "update {t} set payment_period = '2026-01' where payment_period < ledger_payment_period and earning_kind = 'draw'"),
    (f"{ITEM}_payable_come_to_the_balance", BALANCES, f"update {{t}} set payable_amount = payable_amount + 0.01 where {ONE} payment_period = '2025-04' and currency_code = 'EUR' and employee_number = 'e1001')"),
    (f"{ITEM}_payable_come_to_the_balance", ITEMS, "update {t} set amount = amount + 0.01 where employee_number = 'e1001'"),
    (f"{ITEM}_payable_come_to_the_balance", ITEMS, "update {t} set payment_period = '2025-10' where employee_number = 'e1001' and payment_period = '2025-04'"),
    (f"{ITEM}_payable_are_mapped", ITEMS, f"update {{t}} set account_code = '6100' where {ONE} {PAYABLE})"),
    (f"{ITEM}_payable_are_mapped", ITEMS, f"update {{t}} set pay_code = 'BASE' where {ONE} {PAYABLE})"),
    (f"{ITEM}_payable_are_mapped", ACCOUNTS, "update {t} set effective_from = date '2025-05-01'"),
    (f"{ITEM}_payable_are_mapped", CHART, "update {t} set account_role = 'salary_expense' where account_code = '6210'"),
    (f"{ITEM}_payable_are_mapped", PAY_CODES, "update {t} set effective_to = date '2025-04-29'"),
    (SAID, BALANCES, f"update {{t}} set payout_status = 'pending', open_amount = payable_amount where {ONE} payout_status = 'exported')"),
    (SAID, BALANCES, f"update {{t}} set payout_status = 'exported', open_amount = 0 where {ONE} payout_status = 'pending')"),
    (SAID, BALANCES, f"update {{t}} set payout_status = 'partly_exported' where {ONE} payout_status = 'pending')"),
    (SAID, BALANCES, f"update {{t}} set payout_status = 'released', open_amount = 0 where {ONE} payout_status = 'pending' and payment_period = '2025-10')"),
    (SAID, BALANCES, f"update {{t}} set open_amount = open_amount + 0.01 where {ONE} payout_status = 'pending')"),
    (SAID, BALANCES, f"update {{t}} set open_amount = payable_amount where {ONE} payout_status = 'exported')"),
    (SAID, BALANCES, f"update {{t}} set open_amount = payable_amount where {ONE} payout_status = 'released' and payable_amount > 0)"),
    (SAID, EXPORTED, f"delete from {{t}} where {ONE} true)"),
    (SAID, PAYMENT_LINES, f"insert into {{t}} select * replace ('more' as ledger_line_id, 'waiting' as line_state) from {{t}} where {ONE} line_state = 'exported')"),
    (SAID, PAYMENT_LINES, f"update {{t}} set amount = amount - 1 where {ONE} line_state = 'due' and payment_period > '2025-04')"),
    (SAID, PAYMENT_LINES, f"update {{t}} set payment_period = '2025-06' where {ONE} line_state = 'due' and payment_period > '2025-06')"),
    (SAID, BALANCES, f"update {{t}} set exported_amount = exported_amount - 0.01 where {ONE} payout_status = 'exported')"),
    (SAID, BALANCES, f"update {{t}} set payable_amount = payable_amount + 0.01 where {ONE} payout_status = 'released')"),
    (SAID, GO_LIVES, "delete from {t}"),
    (f"{R}_lists_every_demand", READINESS, f"delete from {{t}} where {ONE} true)"),
    (f"{R}_lists_every_demand", READINESS, f"update {{t}} set export_number = 2 where {ONE} export_number = 1)"),
    (f"{R}_lists_every_demand", READINESS, f"update {{t}} set is_met = true where {ONE} not is_met)"),
    (f"{R}_lists_every_demand", DEMANDS, "insert into {t} values ('cio')"),
    (f"{R}_lists_every_demand", ITEMS, "update {t} set item_status = 'blocked' where payment_period = '2025-08'"),
    (f"{R}_lists_every_demand", EXPORTS, "insert into {t} select * replace ('IE' as country_code, 9 as sequence_number) from {t} limit 1"),
    (APPROVED, READINESS, f"update {{t}} set is_met = false where {ONE} {READY} and demand_code = 'approvals_are_of_two_persons')"),
    (APPROVED, READINESS, "update {t} set is_met = true where payment_period = '2025-10' and country_code = 'IE'"),
    (APPROVED, ITEMS, f"update {{t}} set amount = amount + 0.01 where {ONE} {PAYABLE})"),
    (APPROVED, ITEMS, f"insert into {{t}} select * replace ('GBP' as currency_code) from {{t}} where {ONE} {PAYABLE})"),
    (APPROVED, APPROVALS, "update {t} set control_total_amount = control_total_amount + 0.01"),
    (APPROVED, APPROVALS, "update {t} set line_count = line_count + 1"),
    (APPROVED, APPROVALS, "update {t} set export_number = export_number + 1"),
    (APPROVED, APPROVALS, "insert into {t} select * replace ('GBP' as currency_code) from {t}"),
    (APPROVED, APPROVALS, "update {t} set decision = 'rejected'"),
    (APPROVED, APPROVALS, "update {t} set prepared_by = approved_by"),
    (APPROVED, APPROVALS, "update {t} set approved_by = 'g2001'"),
    (APPROVED, APPROVALS, "update {t} set prepared_by = case approved_by when 'g2001' then 'g2003' else 'g2001' end"),
    (APPROVED, APPROVALS, "insert into {t} select * replace ('PEA-999' as approval_id, 'rejected' as decision, approved_by as prepared_by, 'g2002' as approved_by) from {t} where approval_id = 'PEA-001'"),
    (APPROVED, APPROVALS, "update {t} set role_code = 'cfo', approved_by = 'g2001'"),
    (APPROVED, APPROVALS, "update {t} set approved_on = date '2025-03-31'"),
    (APPROVED, APPROVALS, "update {t} set recorded_at = timestamp '2026-01-06'"),
    (APPROVED, MEMBERS, "update {t} set to_on = date '2025-04-21' where role_code = 'controller'"),
    (APPROVED, CONTEXT, "update {t} set as_of_at = timestamp '2025-04-21'"),
    (APPROVED, DEMANDS, "delete from {t} where role_code = 'cfo'"),
    (f"{L}_sum_their_ledger_lines", LINES, f"delete from {{t}} where {ONE} true)"),
    (f"{L}_sum_their_ledger_lines", LINES, f"update {{t}} set amount = amount + 0.01 where {ONE} true)"),
    (f"{L}_sum_their_ledger_lines", LINES, f"update {{t}} set ledger_line_count = 99 where {ONE} true)"),
    (f"{L}_sum_their_ledger_lines", LINES, f"insert into {{t}} select * replace (7 as export_number) from {{t}} where {ONE} true)"),
    (f"{L}_sum_their_ledger_lines", ITEMS, f"update {{t}} set amount = amount + 0.01 where {ONE} {PAYABLE})"),
    (f"{L}_ready_are_payable_and_approved", LINES, f"update {{t}} set line_status = 'ready', refusal_reasons = null where {ONE} line_status = 'blocked')"),
    (f"{L}_ready_are_payable_and_approved", LINES, f"update {{t}} set line_status = 'exported' where {ONE} line_status = 'ready')"),
    (f"{L}_ready_are_payable_and_approved", LINES, f"update {{t}} set refusal_reasons = null where {ONE} line_status = 'blocked')"),
    (f"{L}_ready_are_payable_and_approved", ITEMS, f"update {{t}} set item_status = 'blocked' where {ONE} {PAYABLE})"),
    (f"{L}_ready_are_payable_and_approved", READINESS, f"update {{t}} set is_met = false where {ONE} {READY})"),
    (f"{L}_ready_are_payable_and_approved", READINESS, f"delete from {{t}} where {ONE} {READY})"),
    (f"{L}_exported_come_to_the_exports", EXPORTS, "delete from {t} where sequence_number = 1"),
    (f"{L}_exported_come_to_the_exports", EXPORTS, "update {t} set previous_manifest_sha256 = 'x' where sequence_number = 2"),
    (f"{L}_exported_come_to_the_exports", EXPORTS, "update {t} set line_count = line_count + 1"),
    (f"{L}_exported_come_to_the_exports", EXPORTS, "update {t} set employee_count = employee_count + 1"),
    (f"{L}_exported_come_to_the_exports", LINES, f"delete from {{t}} where {ONE} line_status = 'exported' and amount <> 0)"),
    ("dim_payroll_export_lists_every_export", WRITTEN, "delete from {t} where sequence_number = 2"),
    ("dim_payroll_export_lists_every_export", WRITTEN, "update {t} set manifest_sha256 = 'x' where sequence_number = 1"),
    ("dim_payroll_export_lists_every_export", WRITTEN, "insert into {t} select * replace (2 as export_number) from {t} where sequence_number = 1"),
    ("dim_payroll_export_lists_every_export", EXPORTS, "update {t} set line_count = line_count + 1"),
    (f"{J}_balances_by_voucher_entity_and_currency", JOURNAL, f"update {{t}} set amount = amount + 0.01 where {ONE} true)"),
    (f"{J}_balances_by_voucher_entity_and_currency", JOURNAL, f"delete from {{t}} where {ONE} side = 'debit')"),
    (f"{J}_balances_by_voucher_entity_and_currency", JOURNAL, "update {t} set amount = -amount"),
    (f"{J}_balances_by_voucher_entity_and_currency", JOURNAL, f"update {{t}} set currency_code = 'GBP' where {ONE} true)"),
    (f"{J}_balances_by_voucher_entity_and_currency", JOURNAL, f"update {{t}} set country_code = 'DE' where {ONE} country_code is not null)"),
    (f"{J}_balances_by_voucher_entity_and_currency", JOURNAL, f"update {{t}} set fiscal_period = '2020-01' where {ONE} true)"),
    (f"{J}_pays_what_payroll_is_handed", JOURNAL, "update {t} set amount = amount + 0.01 where voucher_kind = 'payment'"),
    (f"{J}_pays_what_payroll_is_handed", JOURNAL, "delete from {t} where voucher_kind = 'payment' and journal_status = 'exported'"),
    (f"{J}_pays_what_payroll_is_handed", JOURNAL, f"update {{t}} set account_code = '6100' where {ONE} account_role = 'incentive_expense')"),
    (f"{J}_pays_what_payroll_is_handed", ITEMS, f"update {{t}} set amount = amount + 0.01 where {ONE} {PAYABLE})"),
    (f"{J}_accrues_what_the_schedule_says", JOURNAL, "update {t} set amount = amount + 0.01 where voucher_kind = 'accrual' and payment_period = '2025-04'"),
    (f"{J}_accrues_what_the_schedule_says", JOURNAL, "delete from {t} where refusal_reasons = 'country_unknown'"),
    (f"{J}_accrues_what_the_schedule_says", ACCRUALS, f"update {{t}} set accrual_amount = accrual_amount + 0.01 where {ONE} accrual_kind = 'true_up')"),
    (f"{J}_takes_back_what_was_accrued_of_what_is_paid", JOURNAL, "update {t} set amount = amount + 0.01 where voucher_kind = 'reversal'"),
    (f"{J}_takes_back_what_was_accrued_of_what_is_paid", ITEMS, f"update {{t}} set amount = amount + 0.01 where {ONE} {PAYABLE} and earning_kind = 'incentive')"),
    (f"{J}_takes_back_what_was_accrued_of_what_is_paid", ITEMS, "update {t} set item_status = 'paid_outside' where payment_period = '2025-07' and earned_quarter = '2025-Q2'"),
    (BACK, JOURNAL, "update {t} set amount = amount + 0.01 where voucher_kind = 'reversal' and payment_period = '2025-04'"),
    (BACK, JOURNAL, "delete from {t} where voucher_kind = 'accrual' and earned_quarter = '2025-Q2'"),
    (BACK, JOURNAL, "update {t} set country_code = 'DE' where voucher_kind = 'reversal' and country_code = 'IE'"),
    (BACK, JOURNAL, "update {t} set currency_code = 'GBP' where voucher_kind = 'reversal' and country_code = 'IE'"),
    (BACK, JOURNAL, "insert into {t} select * replace ('2024-Q4' as earned_quarter) from {t} where voucher_kind = 'reversal' and payment_period = '2025-04'"),
    (BACK, JOURNAL, f"update {{t}} set journal_status = 'blocked' where {ONE} {OUTSIDE})"),
    (BACK, JOURNAL, f"update {{t}} set export_number = 1 where {ONE} {OUTSIDE})"),
    (BACK, JOURNAL, f"update {{t}} set journal_status = 'paid_outside' where {ONE} journal_status = 'ready')"),
    (BACK, ITEMS, "update {t} set item_status = 'blocked' where item_status = 'paid_outside'"),
    (BACK, POSTED, f"insert into {{t}} by name {ACCRUED_OUTSIDE}"),
    (f"{J}_exported_stand_as_written", JOURNAL, f"update {{t}} set amount = amount + 0.01 where {ONE} journal_status = 'exported')"),
    (f"{J}_exported_stand_as_written", JOURNAL, f"update {{t}} set side = 'credit' where {ONE} journal_status = 'exported' and side = 'debit')"),
    (f"{J}_exported_stand_as_written", JOURNAL, f"update {{t}} set account_code = '6100' where {ONE} journal_status = 'exported')"),
    (f"{J}_exported_stand_as_written", JOURNAL, f"update {{t}} set cost_centre_code = 'CC-9' where {ONE} journal_status = 'exported')"),
    (f"{J}_exported_stand_as_written", POSTED, f"delete from {{t}} where {ONE} true)"),
]  # fmt: skip


@pytest.fixture(scope="module")
def bench(demo_warehouse: Any, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """A copy of the built warehouse in which April's US and IN are exported; any defect is made in here and undone."""
    copy = Bench.of(demo_warehouse.warehouse_path, tmp_path_factory.mktemp("payroll"))
    for number, country, previous in ((1, "US", "null"), (2, "IN", "'m1'")):
        place = f"payment_period = '2025-04' and country_code = '{country}'"
        copy.sql(
            f"insert into {EXPORTED} by name select * exclude (ledger_payment_period, item_kind, "
            "cost_centre_code, earned_quarter, is_accrued, item_status, refusal_reasons) replace (1 as export_number) "
            f"from {ITEMS} "
            f"where {place} and item_status = 'payable'",
            f"insert into {POSTED} by name select payment_period, country_code, export_number, voucher_code, line_number, "
            "voucher_kind, fiscal_period, currency_code, account_role, account_code, cost_centre_code, earned_quarter, "
            f"side, amount from {JOURNAL} where {place}",
            f"insert into {EXPORTS} select '2025-04', '{country}', 1, {number}, timestamp '2026-01-05', "
            f"timestamp '2026-01-05', 'm{number}', {previous}, "
            f"count(*) filter (amount <> 0), count(distinct employee_number) filter (amount <> 0) from {LINES} "
            f"where {place} and line_status = 'ready'",
            f"update {ITEMS} set item_status = 'exported', export_number = 1 where {place} and item_status = 'payable'",
            f"update {LINES} set line_status = 'exported', export_number = 1 where {place} and line_status = 'ready'",
            f"update {JOURNAL} set journal_status = 'exported' where {place}",
            f"delete from {READINESS} where {place}",
        )
    copy.sql(
        f"update {PAYMENT_LINES} set line_state = 'exported', export_number = 1 "
        f"where ledger_line_id in (select ledger_line_id from {EXPORTED})",
    )
    line = f"select distinct employee_number, payment_period, currency_code from {PAYMENT_LINES} where line_state"
    copy.sql(
        f"update {BALANCES} set payout_status = 'exported', exported_amount = payable_amount, open_amount = 0 where "
        f"(employee_number, payment_period, currency_code) in ({line} = 'exported' except {line} <> 'exported')"
    )
    copy.sql(
        f"insert into {WRITTEN} by name select *, payment_period || '/' || country_code || '/1' as payroll_export_code "
        f"from {EXPORTS}"
    )
    return copy


def test_the_demonstration_company_passes(bench: Bench) -> None:
    bench.assert_passes("marts", SPECS.values())


@pytest.mark.parametrize(("name", "table", "statement"), DEFECTS, ids=[f"{c[0]}-{n}" for n, c in enumerate(DEFECTS)])
def test_each_check_refuses_its_defect(bench: Bench, name: str, table: str, statement: str) -> None:
    before = bench.outcome("marts", SPECS[name])
    assert before.success, before
    bench.assert_refuses(SPECS[name], table, statement)


@pytest.mark.requirement("OPS-7.2")
@pytest.mark.parametrize(
    ("first_payment_period", "earning_kind", "day"),
    [
        # in April, when it was being paid; by its day before it, though April's US and IN have been exported
        ("2025-07", "", "2025-04-02"),
        ("2025-07", "", "2025-03-25"),
        ("2025-07", "incentive", "2025-03-25"),
        # long after the awards' own April began, of which none was exported by US and IN
        ("2025-10", "award", "2025-08-20"),
        # in its own first month; later than the as-of instant
        ("2026-01", "draw", "2026-01-02"),
        ("2026-02", "draw", "2026-01-06"),
    ],
)
def test_no_late_decision_changes_what_is_payable(
    bench: Bench, first_payment_period: str, earning_kind: str, day: str
) -> None:
    with bench.defect(GO_LIVES, decision(first_payment_period, earning_kind, day)):
        bench.assert_passes("marts", [SPECS[GO_LIVE], SPECS[BESIDE], SPECS[SAID]])


@pytest.mark.requirement("OPS-7.2")
def test_a_kind_with_a_month_of_its_own_may_be_paid_outside_beside_others(bench: Bench) -> None:
    award = f"insert into {{t}} select * replace ('left' as ledger_line_id, 'paid_outside' as item_status, 'award' as earning_kind) from {{t}} where {ONE} {HANDED})"  # fmt: skip
    with bench.defect(ITEMS, award):
        bench.assert_passes("marts", [SPECS[BESIDE]])


@pytest.mark.requirement("OPS-7.2")
def test_what_was_accrued_in_one_country_says_nothing_of_another(bench: Bench) -> None:
    with bench.defect(POSTED, "insert into {t} by name " + ACCRUED_OUTSIDE.replace("o.country_code as", "'ZZ' as")):
        bench.assert_passes("marts", [SPECS[BACK]])


def test_every_check_has_a_defect() -> None:
    assert {name for name, _, _ in DEFECTS} == set(SPECS)
