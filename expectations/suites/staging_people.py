"""Gate staging, people: does what the HRIS says of a person in time hang together?

An effective-dated table cannot overlap with itself, since a row holds until the next one; it contradicts itself by two
rows of one day, by a beginning after the hire, by managers who lead in a circle, by a second record of the same person.
What decides whose work something was, or who approves it, blocks; the rest warns with its keys.
"""

from __future__ import annotations

from collections.abc import Iterator

from expectations.checks import CheckSpec, FromQuery, On

EMPLOYEES, DELISTED = "staging.stg_bamboohr__employees", "staging.stg_bamboohr__delisted_employees"
JOBS, TARGETS = "staging.stg_bamboohr__job_infos", "staging.stg_bamboohr__incentive_targets"
TERMS, TEAMS = "staging.stg_bamboohr__employment_terms", "staging.stg_bamboohr__team_assignments"
ACKNOWLEDGEMENTS = "staging.stg_bamboohr__plan_acknowledgements"
SHIFTS, ON_CALL = "staging.stg_bamboohr__shifts", "staging.stg_bamboohr__on_call_rotations"
LEAVE, WORKERS = "staging.stg_bamboohr__time_off_requests", "staging.stg_workday__workers"
REQUIREMENTS = ("DESK-3.6", "LTI-7.1")
EXEMPT_STATUSES = ("exempt", "non_exempt", "not_applicable")
LEAVE_STATUSES = ("approved", "denied", "canceled", "requested", "superseded")
WORKER_STATUSES = ("Active", "On_Leave", "Terminated")
MEND = "have the record mended in the HRIS: whose work it was, and who approves it, follow from it"


def _on(table: str, *keys: str, sources: tuple[str, ...] = ("bamboohr",)) -> On:
    return On(table, table.partition(".")[2], keys=keys, sources=sources, requirements=REQUIREMENTS)


def checks() -> list[CheckSpec]:
    """All checks of this module; `expectations.suites.staging` takes them source by source."""
    return [*bamboohr(), *workday()]


def bamboohr() -> list[CheckSpec]:
    """What holds between the lists of BambooHR."""
    return [*_directory(), *_effective_dated(), *_managers(), *_stretches(), *_acknowledgements()]


def _refers(on: On) -> CheckSpec:
    return on.no_rows(
        "employee_id_refers",
        f"""
        select {", ".join(f"checked.{key}" for key in on.keys)}, checked.employee_id from checked
        where not exists (select 1 from {EMPLOYEES} as other where other.employee_id = checked.employee_id)
        and not exists (select 1 from {DELISTED} as other where other.employee_id = checked.employee_id)
        """,
        f"Each {on.table}.employee_id is an employee of the directory, now or before.",
        MEND,
        reads=(EMPLOYEES, DELISTED),
    )


def _directory() -> Iterator[CheckSpec]:
    on = _on(EMPLOYEES, "employee_id", "employee_number")
    yield on.no_rows(
        "person_is_listed_once",
        """
        select checked.employee_id, checked.employee_number, other.employee_number as other_employee_number,
            checked.work_email
        from checked inner join checked as other
            on lower(other.work_email) = lower(checked.work_email) and other.employee_id > checked.employee_id
            and checked.hired_on < coalesce(other.terminated_on, date '9999-12-31')
            and other.hired_on < coalesce(checked.terminated_on, date '9999-12-31')
        """,
        "No two employees with one e-mail address are employed at the same time.",
        "one person under two numbers is paid twice and their work is nobody's: have the records merged in the HRIS",
    )
    delisted = _on(DELISTED, "employee_id", "employee_number")
    yield delisted.no_rows(
        "was_nobodys_second_record",
        f"""
        select checked.employee_id, checked.employee_number, other.employee_number as other_employee_number,
            checked.delisted_at
        from checked inner join {EMPLOYEES} as other
            on lower(other.work_email) = lower(checked.work_email)
            and checked.hired_on < coalesce(other.terminated_on, date '9999-12-31')
            and other.hired_on < coalesce(checked.terminated_on, checked.delisted_at::date)
        """,
        "Nobody who vanished was employed at the same time as somebody listed with the same e-mail address.",
        "a second record merged away: days both were employed are the listed one's, unless accounts carry the number "
        "that vanished; have it replaced there, or the listed one's dates mended",
        "warn",
        reads=(EMPLOYEES,),
    )
    yield delisted.no_rows(
        "left_before_vanishing",
        """
        select employee_id, employee_number, terminated_on, last_seen_at, delisted_at from checked
        where terminated_on is null or terminated_on > delisted_at::date
        """,
        "Nobody vanished from the directory while still employed.",
        "deleted in the HRIS, or the key may no longer see them: leavers are terminated, not deleted. Their past work "
        "stays theirs; their present assignment is gone",
        "warn",
    )
    jobs = _on(JOBS, "job_info_id", "employee_id", "effective_on")
    yield jobs.no_rows(
        "begins_with_the_employment",
        f"""
        select employee.employee_id, employee.employee_number, employee.hired_on, min(checked.effective_on) as begins_on
        from {EMPLOYEES} as employee left join checked on checked.employee_id = employee.employee_id
        group by all having coalesce(min(checked.effective_on), date '9999-12-31') > employee.hired_on
        """,
        "Every employee has a job from the day of hire (days before the first one belong to no team).",
        MEND,
        "warn",
        reads=(EMPLOYEES,),
    )
    yield _one_a_day(jobs)


def _one_a_day(on: On) -> CheckSpec:
    return on.unique(
        ("employee_id", "effective_on"),
        "A person has one row from a given day on (of two the later entered holds).",
        MEND,
        "warn",
        name="day_is_unique",
    )


def _effective_dated() -> Iterator[CheckSpec]:
    for table, key in ((TERMS, "employment_term_id"), (TEAMS, "team_assignment_id")):
        on = _on(table, key, "employee_id", "effective_on")
        yield on.known("employee_id", MEND)
        yield on.known("effective_on", MEND)
        yield _refers(on)
        yield _one_a_day(on)
        yield on.no_rows(
            "covers_the_employment",
            f"""
            select employee.employee_id, employee.employee_number, employee.hired_on,
                min(checked.effective_on) as begins_on
            from {EMPLOYEES} as employee left join checked on checked.employee_id = employee.employee_id
            group by all having coalesce(min(checked.effective_on), date '9999-12-31') > employee.hired_on
            """,
            f"{table} says something of every employee from the day of hire.",
            MEND,
            "warn",
            reads=(EMPLOYEES,),
        )
    terms = _on(TERMS, "employment_term_id", "employee_id", "effective_on")
    yield terms.known("jurisdiction_code", MEND)
    yield terms.in_set("exempt_status", EXEMPT_STATUSES, "map the status, or have it mended in the HRIS")
    yield terms.in_set(
        "tier",
        FromQuery("select distinct tier from reference.team"),
        "teams have tiers 1 to 3 (seeds/services/team.csv): have the tier mended in the HRIS",
        "warn",
        reads=("reference.team",),
    )


def _managers() -> Iterator[CheckSpec]:
    on = _on(TEAMS, "team_assignment_id", "employee_id", "effective_on")
    yield on.no_rows(
        "manager_is_an_employee",
        f"""
        select checked.team_assignment_id, checked.employee_id, checked.effective_on, checked.manager_employee_number
        from checked where checked.manager_employee_number is not null and not exists (
            select 1 from {EMPLOYEES} as other where other.employee_number = checked.manager_employee_number
        )
        """,
        "Each manager is an employee of the directory.",
        MEND,
        "warn",
        reads=(EMPLOYEES,),
    )
    yield on.no_rows(
        "managers_lead_nowhere_in_a_circle",
        f"""
        with recursive reporting as (
            select employee.employee_number, checked.manager_employee_number,
                checked.effective_on as from_on, coalesce(lead(checked.effective_on) over (
                    partition by checked.employee_id order by checked.effective_on, checked.team_assignment_id
                ), date '9999-12-31') as to_on
            from checked inner join {EMPLOYEES} as employee on employee.employee_id = checked.employee_id
        ),
        led as (
            select employee_number, manager_employee_number, from_on, to_on, 1 as step_count from reporting
            where manager_employee_number is not null and from_on < to_on
            union
            select led.employee_number, above.manager_employee_number, greatest(led.from_on, above.from_on),
                least(led.to_on, above.to_on), led.step_count + 1
            from led inner join reporting as above
                on above.employee_number = led.manager_employee_number
                and above.from_on < led.to_on and led.from_on < above.to_on
            where led.employee_number <> led.manager_employee_number and led.step_count < 20
            and above.manager_employee_number is not null
        )
        select employee_number, from_on, to_on, min(step_count) as step_count from led
        where employee_number = manager_employee_number or step_count = 20 group by all
        """,
        "Nobody is their own manager, directly or through others, on any day (nor are there twenty levels).",
        "whoever leads in a circle approves their own pay: have the manager mended in the HRIS",
        reads=(EMPLOYEES,),
    )


def _stretches() -> Iterator[CheckSpec]:
    for table, key, grain, severity in (
        (SHIFTS, "shift_id", "employee_id", "warn"),
        (ON_CALL, "on_call_rotation_id", "rotation_code, level_number", "warn"),
    ):
        on = _on(table, key, "employee_id")
        for column in ("employee_id", "starts_at", "ends_at"):
            yield on.known(column, MEND)
        yield _refers(on)
        yield on.no_rows(
            "ends_after_it_starts",
            f"select {key}, employee_id, starts_at, ends_at from checked where ends_at <= starts_at",
            "Each stretch ends after it starts.",
            "such a stretch covers nothing: have it mended in the roster",
            "warn",
        )
        yield on.no_rows(
            "does_not_overlap",
            f"""
            with ordered as (
                select *, lag({key}) over stretches as previous_id, max(ends_at) over (
                    stretches rows between unbounded preceding and 1 preceding
                ) as taken_to_at
                from checked window stretches as (partition by {grain} order by starts_at, {key})
            )
            select {key}, employee_id, previous_id, starts_at, taken_to_at from ordered where taken_to_at > starts_at
            """,
            "Nobody has two shifts at once." if table == SHIFTS else "Each level of a rotation is one person's.",
            "have the roster mended: work in that time may be nobody's",
            severity,
        )
    leave = _on(LEAVE, "time_off_request_id", "employee_id")
    for column in ("employee_id", "first_on", "last_on", "request_status"):
        yield leave.known(column, MEND)
    yield leave.in_set("request_status", LEAVE_STATUSES, "a new status counts as not approved: extend the list", "warn")
    yield _refers(leave)
    yield leave.no_rows(
        "approved_once",
        """
        select checked.time_off_request_id, other.time_off_request_id as other_id, checked.employee_id,
            checked.first_on, checked.last_on
        from checked inner join checked as other
            on other.employee_id = checked.employee_id and other.time_off_request_id > checked.time_off_request_id
            and other.first_on <= checked.last_on and checked.first_on <= other.last_on
        where checked.request_status = 'approved' and other.request_status = 'approved'
        """,
        "No day of a person is on two approved requests.",
        "the day counts once: have one of the two cancelled",
        "warn",
    )


def _acknowledgements() -> Iterator[CheckSpec]:
    on = _on(ACKNOWLEDGEMENTS, "plan_acknowledgement_id", "employee_id")
    yield on.known("employee_id", MEND)
    yield _refers(on)
    yield on.in_set(
        "plan_code",
        FromQuery("select distinct plan_code from reference.incentive_plan"),
        "an acknowledgement of a plan that is not governed counts for none: mend it in the HRIS",
        "warn",
        reads=("reference.incentive_plan",),
    )
    yield on.no_rows(
        "acknowledged_after_sending",
        """
        select plan_acknowledgement_id, employee_id, sent_on, acknowledged_at from checked
        where acknowledged_at < sent_on - interval 1 day
        """,
        "Nobody acknowledges what was not sent yet.",
        "a stamp entered by hand: have it mended in the HRIS",
        "warn",
    )


def workday() -> Iterator[CheckSpec]:
    """What holds within the report, and between it and the other HRIS."""
    on = _on(WORKERS, "worker_id", "effective_on", sources=("workday",))
    yield on.known("worker_status", MEND)
    yield on.in_set("worker_status", WORKER_STATUSES, "map the status: all but Terminated count as employed")
    yield on.known("hired_on", MEND)
    yield on.no_rows(
        "begins_with_the_hire",
        """
        select worker_id, min(effective_on) as effective_on, min(hired_on) as hired_on from checked
        group by worker_id having min(effective_on) > min(hired_on)
        """,
        "Every worker has a row from the day of hire.",
        "the report leaves rows out: see its prompts and what the integration user may see",
        "warn",
    )
    both = _on(WORKERS, "worker_id", "effective_on", sources=("workday", "bamboohr"))
    yield both.no_rows(
        "second_record_is_said_to_be_one",
        f"""
        select distinct checked.worker_id, checked.display_name, employee.employee_number, checked.other_employee_number
        from checked
        inner join {EMPLOYEES} as employee on lower(employee.work_email) = lower(checked.work_email)
        where checked.other_employee_number is distinct from employee.employee_number
        """,
        "Whoever stands in both systems under one e-mail address is named in Workday by the number of the other.",
        "they count as one person, by the record payroll pays from: have Other_System_ID entered in Workday",
        "warn",
        reads=(EMPLOYEES,),
    )
    yield both.no_rows(
        "other_record_exists",
        f"""
        select distinct checked.worker_id, checked.display_name, checked.other_employee_number from checked
        where checked.other_employee_number is not null and not exists (
            select 1 from {EMPLOYEES} as employee where employee.employee_number = checked.other_employee_number
        )
        """,
        "Each number Workday names of the other system exists there.",
        "the person counts as Workday's alone: have Other_System_ID mended",
        "warn",
        reads=(EMPLOYEES,),
    )
