"""Gate marts, the registers of governance: each says what holds only where it does, and leaves nothing out.

A register that finds something wrong warns and does not block: it says since when, and who must act. What blocks is a
register that tells it wrongly, and private data used for no purpose.
"""

from __future__ import annotations

from collections.abc import Iterator

from expectations.checks import CheckSpec, On

SOX = "governance.rpt_sox_control_evidence"
PROCESSING = "governance.rpt_processing_register"
VENDOR_DATA = "governance.rpt_vendor_data_gate"
PERFORMANCE = "slt.fct_component_performance"
RETENTION = "governance.rpt_retention"
COMMUNICATIONS = "governance.rpt_plan_communication"
OWNERSHIP = "governance.rpt_ownership_gap"
DOCUMENTS = "governance.rpt_document_review"
FRAMEWORKS = "governance.rpt_framework_coverage"
CONTINGENCY = "governance.rpt_contingency"
CONTRACTS = "governance.rpt_contract_source"
# the register is the employer's: a log that was exported alone is judged by no employer's
EMPLOYERS = ("bamboohr", "workday", "payroll")
DEFECT = "a defect of the model: nothing may be published from it; see the keys below"


def checks() -> list[CheckSpec]:
    """All checks of the registers."""
    return [
        *_controls(),
        *_processing(),
        *_vendor_data(),
        *_retention(),
        *_communications(),
        *_ownership(),
        *_documents(),
        *_frameworks(),
        *_contingency(),
        *_contracts(),
    ]


def _on(table: str, *keys: str, **more: object) -> On:
    return On(table, table.partition(".")[2], keys=keys, **more)  # type: ignore[arg-type]


def _controls() -> Iterator[CheckSpec]:
    on = _on(SOX, "trigger_type", "trigger_code", "control_code", "evidence_name", requirements=("OPS-2.1",))
    yield on.unique(("evidence_key",), "A piece of evidence stands once for a trigger and control.", DEFECT)
    yield on.no_rows(
        "lists_every_trigger",
        """
        select trigger.trigger_type, trigger.trigger_code
        from core.int_payout_trigger as trigger
        where not exists (
            select 1 from checked
            where checked.trigger_type = trigger.trigger_type and checked.trigger_code = trigger.trigger_code
        )
        """,
        "Whatever can trigger or change a payout stands in the list, mapped to a control or not.",
        DEFECT,
        reads=("core.int_payout_trigger",),
    )
    yield on.no_rows(
        "holds_only_on_evidence",
        """
        select checked.trigger_type, checked.trigger_code, checked.control_code, checked.evidence_name
        from checked
        cross join core.int_run_context as run
        where checked.is_holding and not exists (
            select 1 from core.int_evidence as evidence
            inner join reference.sox_control as control on control.control_code = checked.control_code
            where evidence.evidence_kind = checked.evidence_kind and evidence.evidence_name = checked.evidence_name
            and evidence.last_outcome = 'passed'
            and date_diff('day', evidence.last_passed_at, run.as_of_at) <= control.evidence_within_days
            and run.as_of_at::date between control.effective_from and coalesce(control.effective_to, date '9999-12-31')
        )
        """,
        "A control in force holds only where a check that exists passed last, and within its time.",
        DEFECT,
        reads=("core.int_run_context", "core.int_evidence", "reference.sox_control"),
    )
    yield on.no_rows(
        "covers_every_trigger",
        """
        select distinct trigger_type, trigger_code, act_role_code from checked
        where finding = 'trigger_without_control'
        """,
        "Each payout trigger is covered by a control.",
        "add the trigger to seeds/controls/sox_control_trigger.csv under the control that covers it",
        "warn",
    )
    yield on.no_rows(
        "evidence_holds",
        """
        select trigger_type, trigger_code, control_code, evidence_name, finding, since_on, act_role_code from checked
        where finding not in ('holds', 'trigger_without_control', 'evidence_never_judged')
        """,
        "Each control in force has evidence that exists, passed last and in time.",
        "act_role_code says who must act; an unknown check or trigger is mended in seeds/controls/sox_control_*.csv",
        "warn",
    )


def _processing() -> Iterator[CheckSpec]:
    on = _on(PROCESSING, "schema_name", "model_name", "column_name", "purpose_code", requirements=("OPS-2.2",))
    yield on.unique(("processing_key",), "A column stands once for a purpose and category.", DEFECT)
    yield on.no_rows(
        "every_private_column_has_a_purpose",
        """
        select private.schema_name, private.model_name, private.column_name, private.classification
        from core.int_private_column as private
        where not exists (
            select 1 from checked
            where checked.schema_name = private.schema_name and checked.model_name = private.model_name
            and checked.column_name = private.column_name and checked.is_holding
        )
        """,
        "Each column tagged personal or pay serves a purpose that is approved, in force, on a proven basis and kept by "
        "a rule.",
        "enter the column in seeds/controls/processing_column.csv under its purpose, or do not hold it",
        sources=EMPLOYERS,
        needs="any",
        reads=("core.int_private_column",),
    )
    yield on.no_rows(
        "holds_only_as_approved",
        """
        select checked.schema_name, checked.model_name, checked.column_name, checked.purpose_code
        from checked
        cross join core.int_run_context as run
        where checked.is_holding and not exists (
            select 1 from reference.processing_purpose as purpose
            where purpose.purpose_code = checked.purpose_code and purpose.approved_on <= run.as_of_at::date
            and run.as_of_at::date between purpose.effective_from and coalesce(purpose.effective_to, date '9999-12-31')
            and (purpose.lawful_basis in ('contract', 'legal_obligation') or purpose.balancing_reference is not null)
        )
        """,
        "Nothing counts as processed lawfully without an approved purpose in force and a proven basis.",
        DEFECT,
        reads=("core.int_run_context", "reference.processing_purpose"),
    )
    yield on.no_rows(
        "entries_hold",
        """
        select schema_name, model_name, column_name, purpose_code, finding, since_on, act_role_code from checked
        where not is_holding
        """,
        "Each entry of the register finds its column and holds.",
        "act_role_code says who must act; mend seeds/controls/processing_*.csv",
        "warn",
    )


def _vendor_data() -> Iterator[CheckSpec]:
    on = _on(VENDOR_DATA, "vendor_code", "data_kind", "agreement_code", requirements=("LTI-6.3",))
    yield on.unique(("vendor_data_key",), "An agreement stands once for a vendor and kind of data.", DEFECT)
    yield on.no_rows(
        "lists_every_vendor_and_agreement",
        """
        select vendor.vendor_code, kind.data_kind, agreement.agreement_code
        from reference.vendor as vendor
        cross join reference.vendor_data_kind as kind
        left join reference.data_sharing_agreement as agreement
            on agreement.vendor_code = vendor.vendor_code and agreement.data_kind = kind.data_kind
        where not exists (
            select 1 from checked
            where checked.vendor_code = vendor.vendor_code and checked.data_kind = kind.data_kind
            and checked.agreement_code is not distinct from agreement.agreement_code
        )
        """,
        "Each vendor and kind of data stands in the list with all agreements on it.",
        DEFECT,
        reads=("reference.vendor", "reference.vendor_data_kind", "reference.data_sharing_agreement"),
    )
    yield on.no_rows(
        "agreements_hold",
        """
        select vendor_code, data_kind, agreement_code, finding, since_on, refused_count, act_role_code from checked
        where not is_in_force and (agreement_code is not null or received_count > 0) and finding <> 'not_yet_in_force'
        or refused_count > 0
        """,
        "Agreements are signed, in force and cover what the data are used for, and no data were refused.",
        "act_role_code says who must act; what was refused counts once an agreement covers it",
        "warn",
    )
    performance = _on(PERFORMANCE, "component_code", "measure", "period_month", requirements=("LTI-6.3",))
    yield performance.no_rows(
        "vendor_reports_are_agreed",
        """
        select checked.component_code, checked.measure, checked.period_month
        from checked
        where checked.performance_source = 'vendor_report' and not exists (
            select 1 from reference.vendor_reported_performance as report
            inner join reference.data_sharing_agreement as agreement on agreement.vendor_code = report.vendor_code
            inner join reference.vendor_data_kind as kind
                on kind.data_kind = agreement.data_kind and kind.purpose_code = agreement.purpose_code
            where report.component_code = checked.component_code and report.measure = checked.measure
            and report.period_month = checked.period_month and agreement.data_kind = 'component_report'
            and agreement.signed_on <= checked.period_month and agreement.effective_from <= checked.period_month
            and coalesce(agreement.effective_to, date '9999-12-31') >= checked.period_month
            and coalesce(agreement.terminated_on, date '9999-12-31') > checked.period_month
        )
        """,
        "What a vendor reports of itself counts only under a signed agreement that covers the month and the use.",
        DEFECT,
        reads=(
            "reference.vendor_reported_performance",
            "reference.data_sharing_agreement",
            "reference.vendor_data_kind",
        ),
    )


def _retention() -> Iterator[CheckSpec]:
    on = _on(
        RETENTION,
        "subject_type",
        "subject_code",
        "retention_rule_code",
        requirements=("LTI-7.2", "SVC-3.5", "LTI-8.5", "OPS-2.6"),
    )
    yield on.unique(("retention_key",), "A subject stands once for a rule.", DEFECT)
    yield on.no_rows(
        "lists_all_that_is_held",
        """
        select distinct batch.source_name || '.' || batch.entity_name as subject_code
        from core.int_extract_batch as batch
        where not exists (
            select 1 from checked
            where checked.subject_type = 'landed_data'
            and checked.subject_code = batch.source_name || '.' || batch.entity_name
        )
        union all
        select communication_id from reference.plan_communication as communication
        where sent_on is not null and not exists (
            select 1 from checked
            where checked.subject_type = 'plan_communication'
            and checked.subject_code = communication.communication_id
        )
        union all
        select period_code from core.int_closed_period as closed
        where not exists (
            select 1 from checked
            where checked.subject_type = 'archived_period' and checked.subject_code = closed.period_code
        )
        """,
        "Whatever has landed, was sent or was closed stands in the list, under a rule or not.",
        DEFECT,
        reads=("core.int_extract_batch", "reference.plan_communication", "core.int_closed_period"),
    )
    yield on.no_rows(
        "keeps_at_least_what_the_rule_says",
        """
        select checked.subject_type, checked.subject_code, checked.retention_rule_code, checked.keep_until_on
        from checked
        inner join reference.retention_rule as rule on rule.rule_code = checked.retention_rule_code
        where checked.subject_type <> 'extension' and checked.oldest_on is not null
        and checked.keep_until_on < (checked.oldest_on + to_months(rule.keep_months))::date
        """,
        "Nothing falls due before its rule lets it.",
        DEFECT,
        reads=("reference.retention_rule",),
    )
    yield on.no_rows(
        "rules_hold",
        """
        select subject_type, subject_code, retention_rule_code, finding, since_on, act_role_code from checked
        where not is_holding
        """,
        "What is held has a rule in force and its history, nothing is overdue, and what was sent is archived.",
        "act_role_code says who must act; rules stand in seeds/controls/retention_*.csv",
        "warn",
    )


def _communications() -> Iterator[CheckSpec]:
    on = _on(COMMUNICATIONS, "communication_id", requirements=("DESK-6.2",))
    yield on.unique(("communication_id",), "A communication stands once.", DEFECT)
    yield on.no_rows(
        "holds_only_in_time",
        """
        select checked.communication_id, checked.sent_on, checked.effect_on
        from checked
        left join reference.communication_rule as rule on rule.jurisdiction_code = checked.jurisdiction_code
        where checked.finding = 'holds' and not coalesce(
            date_diff('day', checked.sent_on, checked.effect_on) >= rule.min_notice_days
            and checked.proof_reference is not null, false
        )
        """,
        "A communication holds only when it was sent by the notice its jurisdiction demands, with proof.",
        DEFECT,
        reads=("reference.communication_rule",),
    )
    yield on.no_rows(
        "communications_hold",
        "select communication_id, finding, since_on, open_acknowledgement_count, act_role_code from checked "
        "where not is_holding",
        "Each plan communication went out in time, with proof, and is acknowledged where that is asked.",
        "act_role_code says who must act; what was sent too late should not take effect before the notice has run",
        "warn",
    )


def _ownership() -> Iterator[CheckSpec]:
    on = _on(OWNERSHIP, "object_type", "object_code", "owner_employee_number", requirements=("SLT-4.1", "SLT-2.6"))
    yield on.unique(("ownership_key",), "A mandate stands once for an object.", DEFECT)
    yield on.no_rows(
        "lists_every_object",
        """
        with object as (
            select 'service' as object_type, service_code as object_code from reference.service
            union select 'metric', metric_code from reference.metric_definition
            union select 'mart', schema_name || '.' || node_name from core.int_manifest_node
                where layer = 'marts' and node_type = 'model'
            union select 'source', source from landing.source_entity
        )
        select object_type, object_code from object
        where not exists (
            select 1 from checked
            where checked.object_type = object.object_type and checked.object_code = object.object_code
        )
        """,
        "Each source, mart, metric and service stands in the list, owned or not.",
        DEFECT,
        reads=("reference.service", "reference.metric_definition", "core.int_manifest_node", "landing.source_entity"),
    )
    yield on.no_rows(
        "owner_has_a_mandate",
        """
        select checked.object_type, checked.object_code, checked.owner_employee_number
        from checked
        cross join core.int_run_context as run
        where checked.finding = 'holds' and not exists (
            select 1 from reference.data_owner as owner
            where owner.object_type = checked.object_type
            and owner.owner_employee_number = checked.owner_employee_number
            and owner.mandate_reference = checked.mandate_reference
            and run.as_of_at::date between owner.effective_from and coalesce(owner.effective_to, date '9999-12-31')
        )
        """,
        "Nobody counts as an owner without a mandate in force.",
        DEFECT,
        reads=("core.int_run_context", "reference.data_owner"),
    )
    yield on.no_rows(
        "everything_is_owned",
        "select distinct object_type, object_code, finding, since_on, act_role_code from checked where not is_owned",
        "Each source, mart, metric and service has an owner with authority.",
        "name an owner with a mandate in seeds/controls/data_owner.csv; a service names its owner in service.csv",
        "warn",
    )


def _documents() -> Iterator[CheckSpec]:
    on = _on(DOCUMENTS, "document_code", requirements=("OPS-8.6",))
    yield on.unique(("document_code",), "A document stands once.", DEFECT)
    yield on.no_rows(
        "holds_only_after_the_change",
        """
        select checked.document_code, checked.reviewed_on, checked.last_changed_on from checked
        where checked.is_holding and not coalesce(
            checked.outcome = 'accepted' and checked.reviewed_on >= checked.last_changed_on, false
        )
        """,
        "A document holds only when it was accepted after the newest version it explains took effect.",
        DEFECT,
    )
    yield on.no_rows(
        "documents_hold",
        "select document_code, finding, since_on, last_changed_on, act_role_code from checked where not is_holding",
        "Each document is reviewed yearly and after a definition changed.",
        "act_role_code reviews it against the metrics in force and enters the review in document_review.csv",
        "warn",
    )


def _frameworks() -> Iterator[CheckSpec]:
    on = _on(FRAMEWORKS, "framework", "control_ref", "evidence_name", requirements=("SVC-6.6",))
    yield on.unique(("coverage_key",), "A piece of evidence stands once for a practice or clause.", DEFECT)
    yield on.no_rows(
        "lists_every_control",
        """
        select control.framework, control.control_ref from reference.framework_control as control
        where not exists (
            select 1 from checked
            where checked.framework = control.framework and checked.control_ref = control.control_ref
        )
        """,
        "Each practice and clause stands in the list, covered or not.",
        DEFECT,
        reads=("reference.framework_control",),
    )
    yield on.no_rows(
        "holds_only_on_what_exists",
        """
        select checked.framework, checked.control_ref, checked.evidence_kind, checked.evidence_name from checked
        where checked.finding = 'holds'
        and not (checked.evidence_kind = 'model' and exists (
            select 1 from core.int_manifest_node as node
            where node.node_name = checked.evidence_name and node.node_type = 'model'
        ))
        and not exists (
            select 1 from core.int_evidence as evidence
            where evidence.evidence_kind = checked.evidence_kind and evidence.evidence_name = checked.evidence_name
            and evidence.last_outcome = 'passed'
        )
        """,
        "A practice or clause is covered only by a model that exists or a check that passed last.",
        DEFECT,
        reads=("core.int_manifest_node", "core.int_evidence"),
    )
    yield on.no_rows(
        "has_no_gap",
        """
        select framework, control_ref, title, evidence_name, finding, act_role_code from checked
        where finding in ('no_evidence', 'evidence_unknown', 'evidence_failed')
        """,
        "Each practice and clause that applies is served by something that exists and passes.",
        "act_role_code says who must act; the mapping stands in seeds/controls/framework_evidence.csv",
        "warn",
    )


def _contingency() -> Iterator[CheckSpec]:
    on = _on(CONTINGENCY, "vendor_code", "service_code", "plan_code", requirements=("SLT-7.5",))
    yield on.unique(("contingency_key",), "A plan stands once for a service and vendor.", DEFECT)
    yield on.no_rows(
        "lists_every_service_on_a_vendor",
        """
        select service.vendor_code, service.service_code from reference.service as service
        where service.vendor_code is not null and not exists (
            select 1 from checked
            where checked.vendor_code = service.vendor_code and checked.service_code = service.service_code
        )
        """,
        "Each service that stands on a vendor is in the list, with a plan or without.",
        DEFECT,
        reads=("reference.service",),
    )
    yield on.no_rows(
        "holds_only_tested",
        """
        select checked.vendor_code, checked.service_code, checked.plan_code
        from checked
        cross join core.int_run_context as run
        where checked.finding = 'holds' and not exists (
            select 1 from reference.contingency_plan as plan
            where plan.plan_code = checked.plan_code and plan.vendor_code = checked.vendor_code
            and plan.approved_on <= run.as_of_at::date and plan.test_result = 'passed'
            and plan.tested_on between (run.as_of_at::date - to_months(12))::date and run.as_of_at::date
            and run.as_of_at::date between plan.effective_from and coalesce(plan.effective_to, date '9999-12-31')
        )
        """,
        "A plan holds only approved, in force, and tested with success within the year.",
        DEFECT,
        reads=("core.int_run_context", "reference.contingency_plan"),
    )
    yield on.no_rows(
        "every_service_is_covered",
        """
        select vendor_code, service_code, plan_code, finding, since_on, act_role_code from checked where not is_covered
        """,
        "Each service that stands on a vendor has a tested plan for its failure.",
        "act_role_code approves, tests or writes the plan and enters it in seeds/controls/contingency_plan.csv",
        "warn",
    )


def _contracts() -> Iterator[CheckSpec]:
    on = _on(CONTRACTS, "contract_kind", "contract_code", "source_name", requirements=("SVC-8.3",))
    yield on.unique(("contract_source_key",), "A source stands once for a contract.", DEFECT)
    yield on.no_rows(
        "lists_every_contract_in_force",
        """
        with agreed as (
            select 'customer' as contract_kind, contract_code, effective_from, effective_to from reference.contract
            union all
            select 'supplier', supplier_contract_code, effective_from, effective_to from reference.supplier_contract
        )
        select agreed.contract_kind, agreed.contract_code
        from agreed cross join core.int_run_context as run
        where run.as_of_at::date between agreed.effective_from and coalesce(agreed.effective_to, date '9999-12-31')
        and not exists (
            select 1 from checked
            where checked.contract_kind = agreed.contract_kind and checked.contract_code = agreed.contract_code
        )
        """,
        "Each contract in force stands in the list, with its sources or without.",
        DEFECT,
        reads=("reference.contract", "reference.supplier_contract", "core.int_run_context"),
    )
    yield on.no_rows(
        "holds_only_with_a_right_to_audit",
        """
        select contract_kind, contract_code, source_name from checked
        where is_holding and (source_name is null or audit_clause is null or coalesce(audit_right, 'none') = 'none')
        """,
        "A contract holds only with a source and a clause that lets us audit it.",
        DEFECT,
    )
    yield on.no_rows(
        "contracts_hold",
        """
        select contract_kind, contract_code, source_name, finding, since_on, act_role_code from checked
        where not is_holding
        """,
        "Each contract in force is measured by sources that exist and may be audited, and were audited in time.",
        "act_role_code says who must act; sources and rights stand in seeds/controls/contract_source.csv",
        "warn",
    )
