"""Gates staging and marts on people: clean passes, and each check refuses its defects.

Also what the demonstration company's shared accounts come out as: whose work it was, and what nobody can be named for.
"""
# ruff: noqa: E501 (the defects stand one a line)

from __future__ import annotations

from typing import Any

import pytest

from expectations.suites import marts_people, staging_people
from expectations.suites.marts_people import PAYOUTS, UNATTRIBUTED, WORK
from expectations.suites.staging_people import (
    ACKNOWLEDGEMENTS,
    DELISTED,
    EMPLOYEES,
    JOBS,
    LEAVE,
    ON_CALL,
    SHIFTS,
    TEAMS,
    TERMS,
    WORKERS,
)
from tests.integration.bench import Bench
from tests.integration.test_gates_built import GIVEN, UNIQUE, VALUES

pytestmark = pytest.mark.slow

STAGING = {spec.check_name: spec for spec in staging_people.checks()}
MARTS = {spec.check_name: spec for spec in marts_people.checks()}
SPECS = {**STAGING, **MARTS}
ONE = "rowid = (select min(rowid) from {t} where "
S = "stg_bamboohr__"

# A change that stopped a clock which is paid for.
PAID_STOP = """
    work_key = (
        select min(work.work_key) from core.int_agent_work as work
        inner join slt.fct_ticket_slt as r on r.ticket_key = work.ticket_key and r.stop_at = work.worked_at
        where r.ticket_slt_key in (select ticket_slt_key from incentives.fct_payout_trace where is_in_numerator)
        and work.is_attributed
    )
"""

# check, table, statement
DEFECTS = [
    (f"{S}employees_person_is_listed_once", EMPLOYEES, "update {t} set work_email = upper((select min(work_email) from {t})), terminated_on = null where rowid < 2 or work_email = (select min(work_email) from {t})"),
    (f"{S}delisted_employees_was_nobodys_second_record", DELISTED, "insert into {t} by name select 'x' as employee_id, 'e9' as employee_number, upper(work_email) as work_email, hired_on, timestamp '2025-03-01' as delisted_at from staging.stg_bamboohr__employees where employee_number = 'e1003'"),
    (f"{S}delisted_employees_left_before_vanishing", DELISTED, "insert into {t} by name select 'x' as employee_id, 'e9' as employee_number, timestamp '2025-01-01' as delisted_at"),
    (f"{S}delisted_employees_left_before_vanishing", DELISTED, "insert into {t} by name select 'x' as employee_id, date '2025-02-01' as terminated_on, timestamp '2025-01-01' as delisted_at"),
    (f"{S}job_infos_begins_with_the_employment", JOBS, "delete from {t} where employee_id = (select min(employee_id) from {t})"),
    (f"{S}employment_terms_employee_id_refers", TERMS, f"update {{t}} set employee_id = 'nobody' where {ONE} true)"),
    (f"{S}team_assignments_employee_id_refers", TEAMS, f"update {{t}} set employee_id = 'nobody' where {ONE} true)"),
    (f"{S}employment_terms_covers_the_employment", TERMS, "update {t} set effective_on = effective_on + 1 where employee_id = (select min(employee_id) from {t})"),
    (f"{S}team_assignments_covers_the_employment", TEAMS, "delete from {t} where employee_id = (select min(employee_id) from {t})"),
    (f"{S}team_assignments_manager_is_an_employee", TEAMS, f"update {{t}} set manager_employee_number = 'e0' where {ONE} true)"),
    (f"{S}team_assignments_managers_lead_nowhere_in_a_circle", TEAMS, "update {t} set manager_employee_number = 'e1063' where employee_id = (select employee_id from staging.stg_bamboohr__employees where employee_number = 'e1002')"),
    (f"{S}team_assignments_managers_lead_nowhere_in_a_circle", TEAMS, "update {t} set manager_employee_number = (select employee_number from staging.stg_bamboohr__employees as e where e.employee_id = {t}.employee_id) where rowid = 0"),
    (f"{S}shifts_employee_id_refers", SHIFTS, f"update {{t}} set employee_id = 'nobody' where {ONE} true)"),
    (f"{S}shifts_ends_after_it_starts", SHIFTS, f"update {{t}} set ends_at = starts_at where {ONE} true)"),
    (f"{S}shifts_does_not_overlap", SHIFTS, f"insert into {{t}} by name select * replace ('x' as shift_id, starts_at + interval 1 hour as starts_at) from {{t}} where {ONE} true)"),
    (f"{S}on_call_rotations_employee_id_refers", ON_CALL, f"update {{t}} set employee_id = 'nobody' where {ONE} true)"),
    (f"{S}on_call_rotations_ends_after_it_starts", ON_CALL, f"update {{t}} set ends_at = starts_at - interval 1 day where {ONE} true)"),
    (f"{S}on_call_rotations_does_not_overlap", ON_CALL, f"update {{t}} set ends_at = ends_at + interval 30 day where {ONE} true)"),
    (f"{S}time_off_requests_employee_id_refers", LEAVE, f"update {{t}} set employee_id = 'nobody' where {ONE} true)"),
    (f"{S}time_off_requests_approved_once", LEAVE, f"insert into {{t}} by name select * replace ('x' as time_off_request_id) from {{t}} where {ONE} request_status = 'approved')"),
    (f"{S}plan_acknowledgements_employee_id_refers", ACKNOWLEDGEMENTS, f"update {{t}} set employee_id = 'nobody' where {ONE} true)"),
    (f"{S}plan_acknowledgements_acknowledged_after_sending", ACKNOWLEDGEMENTS, f"update {{t}} set acknowledged_at = sent_on - interval 3 day where {ONE} acknowledged_at is not null)"),
    ("stg_workday__workers_begins_with_the_hire", WORKERS, f"update {{t}} set effective_on = effective_on + 1 where {ONE} effective_on = hired_on)"),
    ("stg_workday__workers_second_record_is_said_to_be_one", WORKERS, f"update {{t}} set other_employee_number = null where {ONE} other_employee_number is not null)"),
    ("stg_workday__workers_other_record_exists", WORKERS, f"update {{t}} set other_employee_number = 'e0' where {ONE} true)"),
    ("chk_unattributed_work", WORK, f"update {{t}} set is_attributed = false, unattributed_reason = 'several_on_shift' where {PAID_STOP}"),
    ("chk_unattributed_work", WORK, f"update {{t}} set is_attributed = false, unattributed_reason = 'never heard of' where {PAID_STOP}"),
    ("rpt_unattributed_work_lists_all_of_it", UNATTRIBUTED, f"delete from {{t}} where {ONE} true)"),
    ("rpt_unattributed_work_lists_all_of_it", UNATTRIBUTED, f"update {{t}} set pay_treatment = null where {ONE} true)"),
    ("rpt_unattributed_work_lists_all_of_it", WORK, f"update {{t}} set is_attributed = false, unattributed_reason = 'no_employee' where {PAID_STOP}"),
    ("unattributed_days_are_not_paid", PAYOUTS, f"update {{t}} set segment_start_on = date '1999-01-01' where {ONE} true)"),
    ("unattributed_days_are_not_paid", "core.int_employment", "update {t} set employed_to_on = date '2025-02-01' where employee_number = 'e1070' or employee_number = 'e1001'"),
]  # fmt: skip


@pytest.mark.parametrize(("gate", "specs"), [("staging", STAGING), ("marts", MARTS)])
def test_the_demonstration_company_passes(bench: Bench, gate: str, specs: dict[str, Any]) -> None:
    bench.assert_passes(gate, specs.values())


@pytest.mark.parametrize(("name", "table", "statement"), DEFECTS, ids=[f"{c[0]}-{n}" for n, c in enumerate(DEFECTS)])
def test_each_check_refuses_its_defect(bench: Bench, name: str, table: str, statement: str) -> None:
    bench.assert_refuses(SPECS[name], table, statement, gate="staging" if name in STAGING else "marts")


@pytest.mark.requirement("DESK-3.6")
def test_what_blocks_pay_blocks_and_a_leavers_change_is_only_listed(bench: Bench) -> None:
    statement = f"update {{t}} set is_attributed = false, unattributed_reason = 'after_leaving' where {PAID_STOP}"
    with bench.defect(WORK, statement):
        outcome = bench.outcome("marts", MARTS["chk_unattributed_work"])
    assert outcome.success and MARTS["chk_unattributed_work"].severity == "block"


def test_every_rule_has_a_defect() -> None:
    """The families of test_gates_built try the checks of one column."""
    families = {name for name, spec in SPECS.items() if spec.expectation_type in (*GIVEN, *VALUES, *UNIQUE)}
    assert {name for name, _, _ in DEFECTS} == set(SPECS) - families


@pytest.mark.requirement("DESK-3.6")
def test_shared_accounts_are_their_shifts_and_the_rest_is_listed_and_unpaid(bench: Bench) -> None:
    def figure(query: str) -> Any:
        return bench.value(query)

    assert figure("select count(*) from core.int_agent_work where account_kind = 'shared' and is_attributed") > 10
    # the person named had a shift at the account at that instant, by the staged roster alone
    strays = """
        select count(*) from core.int_agent_work as work where account_kind = 'shared' and is_attributed and not exists (
            select 1 from staging.stg_bamboohr__shifts as shift
            inner join staging.stg_bamboohr__employees as person using (employee_id)
            where person.employee_number = work.employee_number
            and work.worked_at >= shift.starts_at and work.worked_at < shift.ends_at
            and shift.shift_code like case work.user_name when 'noc.shared' then 'NOC%' else 'KIOSK%' end
        )
    """
    assert figure(strays) == 0
    assert figure(f"select count(*) from {UNATTRIBUTED} where reason_code = 'nobody_on_shift'") > 0
    assert figure(f"select sum(paid_result_count) from {UNATTRIBUTED} where pay_treatment = 'blocks'") == 0
    # somebody only Workday knows is named by e-mail
    assert figure("select count(*) from core.int_agent_work where hris_system = 'workday' and is_attributed") > 0


@pytest.mark.requirement("DESK-3.6")
def test_personal_assignees_are_who_their_account_says(bench: Bench) -> None:
    """The demonstration's tickets are assigned to personal accounts: going through the HRIS changes none of them."""
    moved = """
        select count(*) from core.int_servicenow_ticket_event as event
        left join staging.stg_servicenow__users as account on account.employee_number = event.assigned_employee_number
        where event.assigned_employee_number is not null and account.user_id is null
    """
    assert bench.value(moved) == 0
    lost = """
        select count(*) from staging.stg_servicenow__incidents as incident
        inner join staging.stg_servicenow__users as account on account.user_id = incident.assigned_to_id
        inner join core.int_ticket as ticket on ticket.ticket_key = 'servicenow:' || incident.number
        where account.employee_number is distinct from ticket.assigned_employee_number
    """
    assert bench.value(lost) == 0
