"""Gate marts, people: what is nobody's work is listed and never paid. `checks()` is read by
`expectations.suites.marts`.
"""

from __future__ import annotations

from expectations.checks import CheckSpec, On

WORK, UNATTRIBUTED = "core.int_agent_work", "governance.rpt_unattributed_work"
PAYOUTS = "incentives.fct_incentive_payout"
SOURCES = ("servicenow", "bamboohr")


def _on(table: str, prefix: str, *keys: str) -> On:
    return On(table, prefix, keys=keys, sources=SOURCES, requirements=("DESK-3.6",))


def checks() -> list[CheckSpec]:
    """All checks of attribution."""
    return [
        # judged from the work itself, not from what the list says of it
        _on(UNATTRIBUTED, "chk", "work_key", "ticket_key").no_rows(
            "unattributed_work",
            f"""
            select work.work_key, work.ticket_key, work.user_name, work.worked_at,
                coalesce(work.unattributed_reason, 'no reason') as unattributed_reason, results.ticket_slt_key
            from {WORK} as work
            left join reference.unattributed_reason as reasons on reasons.reason_code = work.unattributed_reason
            inner join slt.fct_ticket_slt as results
                on results.ticket_key = work.ticket_key and results.stop_at = work.worked_at
            where not work.is_attributed and coalesce(reasons.pay_treatment, 'blocks') = 'blocks'
            and results.ticket_slt_key in (
                select trace.ticket_slt_key from incentives.fct_payout_trace as trace where trace.is_in_numerator
            )
            """,
            "No payout counts a result that was reached by work nobody can be named for.",
            "say whose account it is (employee number or e-mail in sys_user, seeds/people/shared_account.csv) or mend "
            "the shift roster, and run again; governance.rpt_unattributed_work lists all of it",
            reads=(WORK, "reference.unattributed_reason", "slt.fct_ticket_slt", "incentives.fct_payout_trace"),
        ),
        _on(UNATTRIBUTED, "rpt_unattributed_work", "work_key").no_rows(
            "lists_all_of_it",
            f"""
            select coalesce(work.work_key, checked.work_key) as work_key, work.unattributed_reason, checked.reason_code
            from (select * from {WORK} where not is_attributed) as work
            full join checked on checked.work_key = work.work_key
            where work.work_key is null or checked.work_key is null
            or checked.reason_code is distinct from work.unattributed_reason or checked.pay_treatment is null
            """,
            "Every piece of work that is nobody's is listed once, with its reason and what that does to pay.",
            "a defect of the model, or a reason that seeds/people/unattributed_reason.csv does not know",
            reads=(WORK,),
        ),
        _on(PAYOUTS, "unattributed_days", "payout_line_id", "employee_number").no_rows(
            "are_not_paid",
            """
            select checked.payout_line_id, checked.employee_number, checked.segment_start_on, checked.segment_end_on
            from checked where not exists (
                select 1 from core.int_employment as employment
                where employment.employee_number = checked.employee_number and employment.is_primary
                and employment.employed_from_on <= checked.segment_start_on
                and coalesce(employment.employed_to_on, date '9999-12-31') > checked.segment_end_on
            )
            """,
            "Every paid segment lies within one stretch of employment: before hire and after leaving nobody earns.",
            "the directory and the status history disagree on when the person left: have the HRIS mended",
            reads=("core.int_employment",),
        ),
    ]
