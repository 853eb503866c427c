"""Gate marts on adjustments, disputes and reviews: the demonstration company passes, and each check refuses its defects.

A defect in a register is made there: the check judges the mart against it and must see that the mart is no longer right.
"""
# ruff: noqa: E501 (the defects stand one a line)

from __future__ import annotations

import pytest

from expectations.outcomes import describe
from expectations.suites import marts_adjustments
from expectations.suites.marts_adjustments import (
    AGENDA,
    CONTROL,
    DISPUTES,
    EFFECTS,
    LEDGER,
    MEMBERS,
    PAYOUTS,
    REGISTER_DISPUTES,
    REQUESTS,
    SERVICE_REVIEW,
    SIGNATURES,
    SLO_REVIEW,
    STEPS,
    VENDOR_REVIEW,
    VOTES,
)
from tests.integration.bench import Bench

pytestmark = pytest.mark.slow

SPECS = {spec.check_name: spec for spec in marts_adjustments.checks()}
# What the company was planted with: nobody mends it, so that it shows.
PLANTED = {
    "rpt_dispute_upheld_ones_have_an_adjustment",
    "rpt_dispute_is_decided_in_its_term",
    "rpt_slo_review_is_held_when_triggered",
}
C, L, D = "rpt_adjustment_control", "fct_adjustment_ledger", "rpt_dispute"
ONE = "rowid = (select min(rowid) from {t} where "

# check, table, statement
DEFECTS = [
    (f"{C}_lists_every_request", CONTROL, f"delete from {{t}} where {ONE} true)"),
    (f"{C}_lists_every_request", REQUESTS, f"delete from {{t}} where {ONE} true)"),
    # a second signature that is gone, or was the requester's own, a beneficiary's, too late, or of no such role
    (f"{C}_effect_is_signed", SIGNATURES, "delete from {t} where adjustment_id = 'ADJ-0002' and role_code = 'hr_director'"),
    (f"{C}_effect_is_signed", SIGNATURES, "update {t} set approver = 'g2008' where adjustment_id = 'ADJ-0001'"),
    (f"{C}_effect_is_signed", SIGNATURES, "update {t} set approver = (select min(employee_number) from incentives.fct_incentive_payout where adjustment_id = 'ADJ-0001') where adjustment_id = 'ADJ-0001'"),
    (f"{C}_effect_is_signed", SIGNATURES, "update {t} set recorded_at = timestamp '2025-04-26' where adjustment_id = 'ADJ-0001'"),
    (f"{C}_effect_is_signed", SIGNATURES, "update {t} set decided_at = timestamp '2025-04-01' where adjustment_id = 'ADJ-0001'"),
    (f"{C}_effect_is_signed", SIGNATURES, "update {t} set role_code = 'legal_counsel' where adjustment_id = 'ADJ-0001'"),
    (f"{C}_effect_is_signed", SIGNATURES, "update {t} set on_behalf_of = 'g2001', role_code = 'cfo' where adjustment_id = 'ADJ-0001'"),
    (f"{C}_effect_is_signed", MEMBERS, "update {t} set to_on = date '2025-04-09' where employee_number = 'g2003'"),
    (f"{C}_effect_is_signed", MEMBERS, "update {t} set recorded_at = timestamp '2025-04-10 14:05:01' where employee_number = 'g2003'"),
    (f"{C}_effect_is_signed", CONTROL, "update {t} set is_effective = true where adjustment_id = 'ADJ-0005'"),
    # who approved takes it back, another entitled rejects it
    (f"{C}_effect_is_signed", SIGNATURES, "insert into {t} by name select * replace ('x' as approval_id, 'rejected' as decision, recorded_at + interval 1 day as recorded_at) from {t} where approval_id = 'SIG-0001'"),
    (f"{C}_effect_was_not_rejected", SIGNATURES, "insert into {t} by name select * replace ('x' as approval_id, 'g2001' as approver, 'rejected' as decision, 'cfo' as role_code) from {t} where approval_id = 'SIG-0002'"),
    (f"{C}_effect_was_not_rejected", SIGNATURES, "update {t} set decision = 'approved' where approval_id = 'SIG-0039'; update {t} set decision = 'rejected' where approval_id = 'SIG-0040'"),
    (f"{C}_effect_was_not_rejected", CONTROL, "update {t} set is_effective = true where adjustment_id = 'ADJ-0024'"),
    (f"{C}_effect_is_signed_by_cfo_or_cio", SIGNATURES, "update {t} set approver = 'g2004', role_code = 'hr_director' where adjustment_id = 'ADJ-0003' and role_code = 'cfo'"),
    (f"{C}_effect_is_signed_by_cfo_or_cio", CONTROL, "update {t} set is_effective = true where adjustment_id = 'ADJ-0006'"),
    (f"{C}_exception_is_a_designated_managers", "reference.designated_manager", "update {t} set to_on = date '2025-10-02' where employee_number = 'e1066'"),
    (f"{C}_exception_is_a_designated_managers", "reference.designated_manager", "update {t} set designated_by = 'e1066' where employee_number = 'e1066'"),
    (f"{C}_exception_is_a_designated_managers", "reference.designated_manager", "update {t} set recorded_at = timestamp '2025-10-03 08:40:01' where employee_number = 'e1066'"),
    (f"{C}_override_was_voted", MEMBERS, "update {t} set recorded_at = timestamp '2025-05-01' where employee_number in ('g2007', 'g2012')"),
    (f"{C}_override_was_voted", VOTES, "update {t} set vote = 'against' where adjustment_id = 'ADJ-0003' and employee_number in ('g2007', 'g2008')"),
    (f"{C}_override_was_voted", VOTES, "delete from {t} where adjustment_id = 'ADJ-0003' and employee_number in ('g2007', 'g2012')"),
    (f"{C}_override_was_voted", "governance.rpt_exclusion_control", "update {t} set is_documented = false where exclusion_id = 'EXR-0001'"),
    (f"{C}_override_was_voted", "governance.rpt_exclusion_control", "update {t} set ends_at = timestamp '2024-12-31' where exclusion_id = 'EXR-0001'"),
    (f"{C}_outcome_was_decided", STEPS, "update {t} set recorded_at = timestamp '2025-10-13 09:00:01' where dispute_id = 'DSP-0001' and step_type = 'decided'"),
    (f"{C}_outcome_was_decided", STEPS, "update {t} set outcome = 'rejected' where dispute_id = 'DSP-0001' and step_type = 'decided'"),
    (f"{C}_outcome_was_decided", REGISTER_DISPUTES, "update {t} set adjustment_id = null where dispute_id = 'DSP-0001'"),
    (f"{C}_amount_at_stake_was_not_understated", CONTROL, "update {t} set at_stake_amount = 1.00 where adjustment_id = 'ADJ-0001'"),
    (f"{C}_amount_at_stake_was_not_understated", CONTROL, "update {t} set currency_code = 'EUR' where adjustment_id = 'ADJ-0001'"),
    (f"{C}_amount_at_stake_was_not_understated", CONTROL, "update {t} set is_understated = true where adjustment_id = 'ADJ-0001'"),
    (f"{C}_reasons_is_given", CONTROL, "create or replace table {t} as select * replace (case when adjustment_id = 'ADJ-0005' then null else reasons end as reasons) from {t}"),
    ("fct_incentive_payout_adjusted_value_is_an_effective_adjustments", PAYOUTS, f"update {{t}} set paid_value = paid_value + 0.01 where {ONE} adjustment_id is null and paid_value is not null)"),
    ("fct_incentive_payout_adjusted_value_is_an_effective_adjustments", PAYOUTS, f"update {{t}} set adjustment_id = 'ADJ-0005' where {ONE} adjustment_id = 'ADJ-0001')"),
    ("fct_incentive_payout_adjusted_value_is_an_effective_adjustments", CONTROL, "update {t} set is_effective = false where adjustment_id = 'ADJ-0001'"),
    ("fct_incentive_payout_adjusted_value_is_an_effective_adjustments", CONTROL, "update {t} set adjusted_value = adjusted_value + 0.000001 where adjustment_id = 'ADJ-0001'"),
    ("fct_score_adjustment_effect_leaves_the_measured_value", EFFECTS, "update {t} set measured_value = paid_value where adjustment_id = 'ADJ-0001'"),
    ("fct_score_adjustment_effect_moves_a_result_once", EFFECTS, "insert into {t} by name select * replace ('again' as adjustment_id) from {t} where adjustment_id = 'ADJ-0001'"),
    (f"{L}_holds_all_that_was_recorded", LEDGER, f"delete from {{t}} where {ONE} entry_type = 'signed')"),
    (f"{L}_holds_all_that_was_recorded", SIGNATURES, "update {t} set recorded_at = recorded_at + interval 1 second where approval_id = 'SIG-0001'"),
    (f"{L}_runs_in_order", LEDGER, f"update {{t}} set running_signature_count = running_signature_count + 1 where {ONE} entry_type = 'signed')"),
    (f"{L}_runs_in_order", LEDGER, f"update {{t}} set recorded_at = timestamp '2030-01-01' where {ONE} entry_number = 1)"),
    (f"{D}_lists_every_dispute", DISPUTES, f"delete from {{t}} where {ONE} true)"),
    (f"{D}_late_ones_come_to_nothing", DISPUTES, "update {t} set is_upheld = true where dispute_id = 'DSP-0002'"),
    (f"{D}_late_ones_come_to_nothing", DISPUTES, "update {t} set opened_at = timestamp '2025-10-05 23:59:59' where dispute_id = 'DSP-0001'"),
    (f"{D}_shares_sum_to_one", DISPUTES, "update {t} set decided_share = 0.9 where dispute_id = 'DSP-0005'"),
    (f"{D}_upheld_ones_have_an_adjustment", DISPUTES, "update {t} set effect_status = 'adjustment_refused' where dispute_id = 'DSP-0001'"),
    (f"{D}_is_decided_in_its_term", DISPUTES, "update {t} set dispute_status = 'overdue'"),
    ("rpt_steering_agenda_leaves_nothing_out", AGENDA, "delete from {t} where agenda_type = 'open_decision' and subject_type = 'adjustment'"),
    ("rpt_steering_agenda_leaves_nothing_out", AGENDA, f"delete from {{t}} where {ONE} subject_type = 'slo_review')"),
    ("rpt_steering_agenda_leaves_nothing_out", AGENDA, f"delete from {{t}} where {ONE} agenda_type = 'dispute_beyond_level')"),
    ("rpt_slo_review_is_held_when_triggered", SLO_REVIEW, "update {t} set review_status = 'overdue', is_triggered = true"),
    ("rpt_service_review_has_the_standard_agenda", SERVICE_REVIEW, f"delete from {{t}} where {ONE} topic_code = 'exclusions')"),
    ("rpt_service_review_counts_every_breach", SERVICE_REVIEW, f"update {{t}} set fact_count = fact_count + 1 where {ONE} topic_code = 'breaches')"),
    ("rpt_vendor_review_holds_every_credit", VENDOR_REVIEW, f"update {{t}} set credit_amount = credit_amount + 0.01 where {ONE} credit_amount > 0)"),
]  # fmt: skip


def test_the_demonstration_company_passes(bench: Bench) -> None:
    result = bench.run_gate("marts", SPECS.values())
    assert result.is_open and not result.skipped, [describe(o) for o in result.outcomes]
    assert {outcome.check_name for outcome in result.warnings} == PLANTED


@pytest.mark.parametrize(("name", "table", "statement"), DEFECTS, ids=[f"{c[0]}-{n}" for n, c in enumerate(DEFECTS)])
def test_each_check_refuses_its_defect(bench: Bench, name: str, table: str, statement: str) -> None:
    before = bench.outcome("marts", SPECS[name])
    with bench.defect(table, statement):
        outcome = bench.outcome("marts", SPECS[name])
    assert not outcome.success and not outcome.error and not outcome.is_skipped, outcome
    assert outcome.examples, outcome
    assert before.success or (outcome.unexpected_count or 0) > (before.unexpected_count or 0), outcome


# What does not count of itself neither stops an adjustment nor takes the place of the signature before it.
VOID = (
    "role_code = 'legal_counsel'",
    "recorded_at = timestamp '2025-04-26'",
    "decided_at = timestamp '2025-04-01'",
)


@pytest.mark.parametrize("flaw", VOID)
def test_a_void_rejection_leaves_the_signature_before_it(bench: Bench, flaw: str) -> None:
    again = (
        "insert into {t} by name select * replace ('x' as approval_id, 'rejected' as decision, "
        "recorded_at + interval 1 day as recorded_at) from {t} where approval_id = 'SIG-0001'"
    )
    with bench.defect(SIGNATURES, again, f"update {{t}} set {flaw} where approval_id = 'x'"):
        for check in ("effect_is_signed", "effect_was_not_rejected"):
            outcome = bench.outcome("marts", SPECS[f"{C}_{check}"])
            assert outcome.success, outcome


def test_every_check_is_proved_to_fail() -> None:
    assert {name for name, *_ in DEFECTS} == set(SPECS)


@pytest.mark.requirement("LTI-3.2")
@pytest.mark.requirement("OPS-7.6")
@pytest.mark.requirement("LTI-3.5")
def test_the_register_holds_what_took_effect_and_each_kind_of_refusal(bench: Bench) -> None:
    effective = bench.value(f"select list(adjustment_id order by adjustment_id) from {CONTROL} where is_effective")
    assert effective == ["ADJ-0001", "ADJ-0002", "ADJ-0003", "ADJ-0004", "ADJ-0035"]
    reasons = bench.value(
        f"select list(distinct reason) from (select unnest(string_split(reasons, ', ')) as reason from {CONTROL})"
    )
    assert {
        "signatures_missing", "executive_missing", "rejected", "withdrawn", "evidence_missing", "value_incomplete",
        "requester_not_designated", "requester_not_entitled", "requester_is_beneficiary", "requested_after_window",
        "requested_before_period_end", "circumstance_missing", "circumstance_not_documented",
        "circumstance_within_control", "circumstance_outside_period", "quorum_missing", "vote_lost",
        "dispute_not_upheld", "conflicts_with_another", "measured_value_differs", "threshold_missing", "amount_missing",
        "reason_missing", "metric_unknown", "requester_missing", "recorded_before_requested", "value_out_of_range",
    } <= set(reasons)  # fmt: skip
    refused = bench.value(f"select string_agg(refused_signatures, ' ') from {CONTROL}")
    for reason in (
        "signer_is_requester", "signer_is_beneficiary", "signer_leads_beneficiary", "role_not_held", "role_not_entitled",
        "not_delegated", "recorded_after_window", "decided_before_requested", "superseded",
    ):  # fmt: skip
        assert reason in refused
    assert (
        bench.value(f"select count(*) from {PAYOUTS} where adjustment_id is not null and paid_value <> metric_value")
        > 0
    )


def test_the_registers_alone_move_pay(bench: Bench) -> None:
    """Whatever was not in effect left every line at its measured value."""
    assert bench.value(
        f"select count(*) from {PAYOUTS} where coalesce(adjustment_id, '') not in "
        "('ADJ-0001', 'ADJ-0002', 'ADJ-0003', 'ADJ-0004', 'ADJ-0035') and paid_value is distinct from metric_value"
    ) == 0  # fmt: skip
