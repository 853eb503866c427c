"""Gate marts, the registers of governance: each says what holds only where it does, and leaves nothing out.

A register that finds something wrong warns and does not block: it says since when, and who must act. What blocks is a
register that tells it wrongly, and private data used for no purpose.
"""

from __future__ import annotations

from collections.abc import Iterator

from expectations.checks import CheckSpec, On

SOX = "governance.rpt_sox_control_evidence"
DEFECT = "a defect of the model: nothing may be published from it; see the keys below"


def checks() -> list[CheckSpec]:
    """All checks of the registers."""
    return [*_controls()]


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
