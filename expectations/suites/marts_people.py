"""Gate marts, people: what is nobody's work is listed and never paid. `checks()` is read by
`expectations.suites.marts`.
"""

from __future__ import annotations

from expectations.checks import CheckSpec, On

WORK, UNATTRIBUTED, IDENTITY = "core.int_agent_work", "governance.rpt_unattributed_work", "core.int_agent_identity"
SOURCES = ("servicenow", "bamboohr")


def _on(table: str, prefix: str, *keys: str) -> On:
    return On(table, prefix, keys=keys, sources=SOURCES, requirements=("DESK-3.6",))


def checks() -> list[CheckSpec]:
    """All checks of attribution."""
    return [
        _on(WORK, "chk", "work_key", "ticket_key").no_rows(
            "unattributed_work",
            """
            select checked.work_key, checked.ticket_key, checked.user_name, checked.worked_at,
                coalesce(checked.unattributed_reason, 'no reason') as unattributed_reason, results.ticket_slt_key
            from checked
            left join reference.unattributed_reason as reasons on reasons.reason_code = checked.unattributed_reason
            inner join slt.fct_ticket_slt as results
                on results.ticket_key = checked.ticket_key and results.stop_at = checked.worked_at
            where not checked.is_attributed and coalesce(reasons.pay_treatment, 'blocks') = 'blocks'
            and results.ticket_slt_key in (
                select trace.ticket_slt_key from incentives.fct_payout_trace as trace where trace.is_in_numerator
            )
            """,
            "No payout counts a result that was reached by work nobody can be named for.",
            "say whose account it is (sys_user's employee number or e-mail, seeds/people/shared_account.csv) or mend the "
            "shift roster, and run again; governance.rpt_unattributed_work lists all of it",
            reads=("reference.unattributed_reason", "slt.fct_ticket_slt", "incentives.fct_payout_trace"),
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
        _on(IDENTITY, "agent_identity", "user_name", "valid_from_at").no_rows(
            "covers_all_time",
            """
            with ordered as (
                select *, lead(valid_from_at) over account as next_from_at, lag(valid_to_at) over account as previous_to_at
                from checked
                window account as (partition by source_system, coalesce(user_id, user_name) order by valid_from_at)
            )
            select user_name, valid_from_at, valid_to_at, previous_to_at, next_from_at from ordered
            where coalesce(previous_to_at, timestamp '1900-01-01') <> valid_from_at
            or coalesce(next_from_at, timestamp '9999-12-31') <> valid_to_at
            or is_attributed <> (unattributed_reason is null) or (is_attributed and employee_number is null)
            """,
            "The intervals of every account cover all time once, each with a person or a reason.",
            "a defect of int_agent_identity: work could be two people's or fall through",
        ),
        _on("incentives.fct_incentive_payout", "unattributed_days", "payout_line_id", "employee_number").no_rows(
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
