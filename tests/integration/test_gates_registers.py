"""Gate marts on the registers of governance: what the demonstration shows, and each check refuses its defects."""
# ruff: noqa: E501 (the defects stand one a line)

from __future__ import annotations

import pytest

from expectations.outcomes import describe
from expectations.runner import GATES, list_checks
from expectations.suites.marts_registers import (
    COMMUNICATIONS,
    CONTINGENCY,
    CONTRACTS,
    DOCUMENTS,
    FRAMEWORKS,
    OWNERSHIP,
    PERFORMANCE,
    PROCESSING,
    RETENTION,
    SOX,
    VENDOR_DATA,
    checks,
)
from tests.integration.bench import Bench
from tests.integration.test_gates_built import mart_check

pytestmark = pytest.mark.slow

SPECS = {spec.check_name: spec for spec in checks()}
ONE = "rowid = (select min(rowid) from {t} where "

# What the demonstration company's registers are meant to find: each has rows that do not hold.
PLANTED = {
    "rpt_sox_control_evidence_covers_every_trigger",
    "rpt_sox_control_evidence_evidence_holds",
    "rpt_processing_register_entries_hold",
    "rpt_vendor_data_gate_agreements_hold",
    "rpt_retention_rules_hold",
    "rpt_plan_communication_communications_hold",
    "rpt_ownership_gap_everything_is_owned",
    "rpt_document_review_documents_hold",
    "rpt_framework_coverage_has_no_gap",
    "rpt_contingency_every_service_is_covered",
    "rpt_contract_source_contracts_hold",
}

# check, table, statement
DEFECTS = [
    ("key_is_unique", SOX, "insert into {t} select * from {t} limit 1"),
    ("lists_every_trigger", SOX, "delete from {t} where trigger_type = 'metric'"),
    ("holds_only_on_evidence", SOX, f"update {{t}} set is_holding = true where {ONE} finding = 'control_without_evidence')"),
    ("holds_only_on_evidence", SOX, f"update {{t}} set is_holding = true where {ONE} finding = 'control_not_in_force')"),
    ("holds_only_on_evidence", SOX, f"update {{t}} set is_holding = true where {ONE} finding = 'evidence_unknown')"),
    ("covers_every_trigger", SOX, f"update {{t}} set finding = 'trigger_without_control' where {ONE} control_code = 'PAY-01')"),
    ("evidence_holds", SOX, f"update {{t}} set finding = 'evidence_stale' where {ONE} control_code = 'PAY-01')"),
    ("key_is_unique", PROCESSING, "insert into {t} select * from {t} limit 1"),
    ("every_private_column_has_a_purpose", PROCESSING, "delete from {t} where column_name = 'employee_number' and schema_name = 'incentives' and is_holding"),
    ("every_private_column_has_a_purpose", PROCESSING, "update {t} set is_holding = false where purpose_code = 'attribution'"),
    ("holds_only_as_approved", PROCESSING, "update {t} set is_holding = true where finding = 'purpose_not_approved'"),
    ("holds_only_as_approved", PROCESSING, "update {t} set is_holding = true where finding = 'purpose_not_in_force'"),
    ("holds_only_as_approved", PROCESSING, "update {t} set is_holding = true where finding = 'basis_without_proof'"),
    ("entries_hold", PROCESSING, f"update {{t}} set is_holding = false where {ONE} is_holding)"),
    ("key_is_unique", VENDOR_DATA, "insert into {t} select * from {t} limit 1"),
    ("lists_every_vendor_and_agreement", VENDOR_DATA, "delete from {t} where finding = 'expired'"),
    ("lists_every_vendor_and_agreement", VENDOR_DATA, "delete from {t} where finding = 'no_agreement'"),
    ("agreements_hold", VENDOR_DATA, f"update {{t}} set refused_count = 1 where {ONE} is_in_force)"),
    ("agreements_hold", VENDOR_DATA, f"update {{t}} set finding = 'terminated', is_in_force = false where {ONE} is_in_force)"),
    ("vendor_reports_are_agreed", PERFORMANCE, f"update {{t}} set component_code = 'relaypost-new' where {ONE} performance_source = 'vendor_report')"),
    ("vendor_reports_are_agreed", PERFORMANCE, f"update {{t}} set performance_source = 'vendor_report' where {ONE} performance_source = 'monitors')"),
    ("key_is_unique", RETENTION, "insert into {t} select * from {t} limit 1"),
    ("lists_all_that_is_held", RETENTION, "delete from {t} where subject_code = 'servicenow.incident'"),
    ("lists_all_that_is_held", RETENTION, "delete from {t} where subject_code = 'COM-001'"),
    ("keeps_at_least_what_the_rule_says", RETENTION, f"update {{t}} set keep_until_on = keep_until_on - 2000 where {ONE} retention_rule_code = 'PERF-7Y' and subject_type = 'landed_data')"),
    ("rules_hold", RETENTION, f"update {{t}} set is_holding = false where {ONE} is_holding)"),
    ("key_is_unique", COMMUNICATIONS, "insert into {t} select * from {t} limit 1"),
    ("holds_only_in_time", COMMUNICATIONS, "update {t} set finding = 'holds' where finding = 'too_late'"),
    ("holds_only_in_time", COMMUNICATIONS, "update {t} set finding = 'holds' where finding = 'no_proof'"),
    ("holds_only_in_time", COMMUNICATIONS, "update {t} set finding = 'holds' where finding = 'no_rule'"),
    ("communications_hold", COMMUNICATIONS, f"update {{t}} set is_holding = false where {ONE} is_holding)"),
    ("key_is_unique", OWNERSHIP, "insert into {t} select * from {t} limit 1"),
    *(("lists_every_object", OWNERSHIP, f"delete from {{t}} where object_type = '{kind}' and object_code = (select min(object_code) from {{t}} where object_type = '{kind}')") for kind in ("source", "mart", "metric", "service")),
    ("owner_has_a_mandate", OWNERSHIP, "update {t} set finding = 'holds' where finding = 'mandate_not_in_force'"),
    ("owner_has_a_mandate", OWNERSHIP, "update {t} set finding = 'holds' where finding = 'owner_without_authority'"),
    ("owner_has_a_mandate", OWNERSHIP, "update {t} set finding = 'holds' where finding = 'no_owner'"),
    ("everything_is_owned", OWNERSHIP, f"update {{t}} set is_owned = false where {ONE} is_owned)"),
    ("key_is_unique", DOCUMENTS, "insert into {t} select * from {t} limit 1"),
    ("holds_only_after_the_change", DOCUMENTS, "update {t} set is_holding = true where finding = 'definition_changed'"),
    ("holds_only_after_the_change", DOCUMENTS, "update {t} set is_holding = true where finding = 'never_reviewed'"),
    ("holds_only_after_the_change", DOCUMENTS, "update {t} set is_holding = true where finding = 'changes_open'"),
    ("documents_hold", DOCUMENTS, f"update {{t}} set is_holding = false where {ONE} is_holding)"),
    ("key_is_unique", FRAMEWORKS, "insert into {t} select * from {t} limit 1"),
    ("lists_every_control", FRAMEWORKS, "delete from {t} where control_ref = 'knowledge_management'"),
    ("holds_only_on_what_exists", FRAMEWORKS, "update {t} set finding = 'holds' where finding = 'evidence_unknown'"),
    ("holds_only_on_what_exists", FRAMEWORKS, "update {t} set finding = 'holds' where finding = 'no_evidence'"),
    ("holds_only_on_what_exists", FRAMEWORKS, f"update {{t}} set evidence_name = 'gone' where {ONE} finding = 'holds')"),
    ("has_no_gap", FRAMEWORKS, f"update {{t}} set finding = 'evidence_failed' where {ONE} finding = 'holds')"),
    ("key_is_unique", CONTINGENCY, "insert into {t} select * from {t} limit 1"),
    ("lists_every_service_on_a_vendor", CONTINGENCY, "delete from {t} where service_code = 'email'"),
    *(("holds_only_tested", CONTINGENCY, f"update {{t}} set finding = 'holds' where finding = '{finding}'") for finding in ("no_plan", "plan_not_approved", "plan_not_in_force", "never_tested", "test_failed", "test_overdue")),
    ("every_service_is_covered", CONTINGENCY, f"update {{t}} set is_covered = false where {ONE} is_covered)"),
    ("key_is_unique", CONTRACTS, "insert into {t} select * from {t} limit 1"),
    ("lists_every_contract_in_force", CONTRACTS, "delete from {t} where contract_code = 'acme-gold'"),
    ("lists_every_contract_in_force", CONTRACTS, "delete from {t} where contract_code = 'MS-RELAY'"),
    ("holds_only_with_a_right_to_audit", CONTRACTS, "update {t} set is_holding = true where finding = 'no_audit_right'"),
    ("holds_only_with_a_right_to_audit", CONTRACTS, "update {t} set is_holding = true where finding = 'no_source'"),
    ("contracts_hold", CONTRACTS, f"update {{t}} set is_holding = false where {ONE} is_holding)"),
]  # fmt: skip

# A condition of the vendor data gate, and the agreement without it: then what it covered no longer counts.
CONDITIONS = [
    ("exists", "delete from {t} where agreement_code = 'DSA-DC-01'"),
    ("signed", "update {t} set signed_on = null where agreement_code = 'DSA-DC-01'"),
    ("purpose", "update {t} set purpose_code = 'benchmarking' where agreement_code = 'DSA-DC-01'"),
    ("kind", "update {t} set data_kind = 'performance_drop' where agreement_code = 'DSA-DC-01'"),
    ("begun", "update {t} set effective_from = '2027-01-01' where agreement_code = 'DSA-DC-01'"),
    ("not_ended", "update {t} set effective_to = '2024-12-31' where agreement_code = 'DSA-DC-01'"),
    ("not_terminated", "update {t} set terminated_on = '2025-01-01' where agreement_code = 'DSA-DC-01'"),
]  # fmt: skip
AGREEMENTS = "reference.data_sharing_agreement"


def test_the_demonstration_company_passes_and_what_does_not_hold_is_told(bench: Bench) -> None:
    result = bench.run_gate("marts", SPECS.values())
    assert result.is_open and not result.skipped, [describe(o) for o in result.blocking]
    assert {o.check_name for o in result.warnings} == PLANTED, [describe(o) for o in result.warnings]


@pytest.mark.parametrize(("short", "table", "statement"), DEFECTS, ids=[f"{mart_check(c[0], c[1])}-{n}" for n, c in enumerate(DEFECTS)])  # fmt: skip
def test_each_check_refuses_its_defect(bench: Bench, short: str, table: str, statement: str) -> None:
    spec = SPECS[mart_check(short, table)]
    assert bench.value(f"select count(*) from {table}"), f"{table} is empty: nothing is proved on it"
    before = bench.outcome("marts", spec).unexpected_count or 0
    with bench.defect(table, statement):
        outcome = bench.outcome("marts", spec)
    assert not outcome.success and not outcome.error and not outcome.is_skipped, outcome
    assert outcome.examples and (outcome.unexpected_count is None or outcome.unexpected_count > before), outcome


@pytest.mark.requirement("LTI-6.3")
@pytest.mark.parametrize(("condition", "statement"), CONDITIONS, ids=[c[0] for c in CONDITIONS])
def test_a_vendor_report_counts_only_while_every_condition_holds(bench: Bench, condition: str, statement: str) -> None:
    """The gate judges the agreements themselves: figures that still stand on one that is gone are refused."""
    spec = SPECS[mart_check("vendor_reports_are_agreed", PERFORMANCE)]
    before = bench.outcome("marts", spec)
    assert before.success, before
    with bench.defect(AGREEMENTS, statement):
        outcome = bench.outcome("marts", spec)
    reports = bench.value("select count(*) from reference.vendor_reported_performance where vendor_code = 'deepcable'")
    assert not outcome.success and outcome.unexpected_count == reports > 0, (condition, outcome)


def test_every_check_has_a_defect() -> None:
    assert {mart_check(short, table) for short, table, _ in DEFECTS} == set(SPECS)


@pytest.mark.requirement("OPS-2.1")
def test_the_job_keeps_what_gates_and_tests_gave(bench: Bench) -> None:
    """All gates of the run that built the warehouse, and a test its staging step has run."""
    for gate in GATES:
        names = ", ".join(f"'{spec.check_name}'" for spec in list_checks(gate))
        kept = bench.value(
            f"select count(distinct check_name) from landing.gate_outcome where gate = '{gate}' "
            f"and check_name in ({names})"
        )
        assert kept == len(list_checks(gate)), gate
    assert (
        bench.value(
            "select count(*) from landing.dbt_test_outcome "
            "where test_name = 'assert_component_weights_sum_to_one' and outcome = 'passed'"
        )
        >= 1
    )
