"""Gate staging, Jira: are statuses mapped, stamps in order, keys what they should be, changelogs whole?

A changelog with a gap would move a clock without a trace, since Jira keeps no other history. Bulk changes of a
workflow leave such gaps on real sites, so one warns and more than a stated share blocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from expectations.checks import CheckSpec, On

ISSUES, CHANGELOGS = "staging.stg_jira__issues", "staging.stg_jira__changelogs"
REQUIREMENTS = ("LTI-7.1",)
BROKEN_SHARE = 0.01
# Fields whose changelog must be whole, with the column of the issue that says how they stand now.
FOLLOWED = {"status": "status_id", "priority": "priority_id", "assignee": "assignee_id"}


def rules(issues: On, changelogs: On) -> Iterator[CheckSpec]:
    """The rules of issues and of their changelogs."""
    yield from _issues(replace(issues, keys=("issue_key", "issue_id"), requirements=REQUIREMENTS))
    yield from _changelogs(replace(changelogs, requirements=REQUIREMENTS))


def _issues(on: On) -> Iterator[CheckSpec]:
    yield on.known("issue_key", "an issue without a key cannot be traced: see what the account may read")
    yield on.known("created_at", "an issue without a creation has no clock: see what the account may read")
    yield on.known("status_id", "an issue without a status has no clock: see what the account may read")
    yield on.unique(
        ("issue_key",),
        "No two issues share a key.",
        "an issue was moved and its old key given again: extract the days of both again",
        name="issue_key_is_unique",
    )
    yield on.no_rows(
        "issue_key_is_well_formed",
        """
        select issue_id, issue_key, project_key from checked
        where not regexp_matches(issue_key, '^[A-Z][A-Z0-9_]+-[1-9][0-9]*$')
        or project_key is distinct from regexp_extract(issue_key, '^(.*)-[0-9]+$', 1)
        """,
        "The key of an issue is its project's key, a hyphen and a number.",
        "this is no Jira key, or the project was renamed under way: extract the days of the issues again",
    )
    yield on.no_rows(
        "status_is_mapped",
        """
        select issue_key, issue_id, status_id, status_name from checked
        where not exists (
            select 1 from reference.ticket_state as mapped
            where mapped.source_system = 'jira' and mapped.source_value = checked.status_id
        )
        """,
        "The status of every issue is mapped in seeds/slt/ticket_state.csv.",
        "map the status by its id in seeds/slt/ticket_state.csv and give its state a role in slt_condition.csv",
        reads=("reference.ticket_state",),
    )
    yield on.no_rows(
        "priority_is_known",
        "select issue_key, issue_id, priority_id from checked where priority is null",
        "Every issue has one of Jira's own five priorities (without one it has no target).",
        "give the project the default priority scheme, or the issue a priority",
        "warn",
    )
    yield on.no_rows(
        "stamps_are_in_order",
        """
        select issue_key, issue_id, created_at, updated_at, resolved_at from checked
        where updated_at < created_at or resolved_at < created_at or resolved_at > updated_at
        """,
        "No issue is updated or resolved before it was created, or resolved after its newest change.",
        "an import wrote its stamps: have them mended in Jira, or leave the project out by JIRA_PROJECT_KEYS",
    )


def _changelogs(on: On) -> Iterator[CheckSpec]:
    yield on.known("changed_at", "an entry without an instant says nothing: extract the days of the issue again")
    yield on.known("items", "an entry without what it changed says nothing: extract the days of the issue again")
    yield on.no_rows(
        "issue_id_refers",
        f"""
        select issue_id, history_id, issue_key from checked
        where not exists (select 1 from {ISSUES} as issue where issue.issue_id = checked.issue_id)
        """,
        "Each entry belongs to an issue that was landed.",
        "issues and changelogs were extracted for different windows: extract both for the same days",
        reads=(ISSUES,),
    )
    yield on.no_rows(
        "stamps_are_in_order",
        f"""
        select checked.issue_id, checked.history_id, checked.changed_at, issue.created_at, checked.issue_updated_at
        from checked inner join {ISSUES} as issue on issue.issue_id = checked.issue_id
        where checked.changed_at < issue.created_at or checked.changed_at > checked.issue_updated_at
        """,
        "No entry lies before its issue's creation or after its newest change.",
        "an import wrote the changelog: have it mended in Jira, or leave the project out by JIRA_PROJECT_KEYS",
        reads=(ISSUES,),
    )
    items = """
        select
            checked.issue_id, checked.history_id, checked.changed_at,
            coalesce(item ->> '$.fieldId', item ->> '$.field') as field_name,
            item ->> '$.from' as old_value, item ->> '$.to' as new_value
        from (
            select issue_id, history_id, changed_at, unnest(from_json(items, '["JSON"]')) as item from checked
        ) as checked
    """
    yield on.no_rows(
        "status_is_mapped",
        f"""
        select issue_id, history_id, old_value, new_value from ({items})
        where field_name = 'status' and exists (
            select 1 from (values (old_value), (new_value)) as both_sides (status_id)
            where status_id not in (select source_value from reference.ticket_state where source_system = 'jira')
        )
        """,
        "Every status an issue ever had is mapped in seeds/slt/ticket_state.csv.",
        "map the status by its id, a retired one too, and give its state a role in slt_condition.csv",
        reads=("reference.ticket_state",),
    )
    followed = ", ".join(f"'{name}'" for name in FOLLOWED)
    broken = f"""
        with ordered as (
            select
                *, row_number() over history as entry_number, lag(new_value) over history as previous_value
            from ({items}) where field_name in ({followed})
            window history as (partition by issue_id, field_name order by changed_at, history_id)
        )
        select issue_id, history_id, field_name, previous_value, old_value, new_value, changed_at
        from ordered where entry_number > 1 and old_value is distinct from previous_value
    """
    now = " ".join(f"when '{name}' then issue.{column}" for name, column in FOLLOWED.items())
    differing = f"""
        with last_entries as (
            select * from ({items}) where field_name in ({followed})
            qualify row_number() over (
                partition by issue_id, field_name order by changed_at desc, history_id desc
            ) = 1
        )
        select last.issue_id, last.history_id, last.field_name, last.new_value, case last.field_name {now} end as held
        from last_entries as last inner join {ISSUES} as issue on issue.issue_id = last.issue_id
        where last.new_value is distinct from case last.field_name {now} end
    """
    for name, failing, says, reads in (
        ("is_unbroken", broken, "Each entry takes over from the one before it: its from is the previous to", ()),
        ("ends_as_the_issue_stands", differing, "The last entry of a field says what the issue holds now", (ISSUES,)),
    ):
        mend = "entries are missing or out of order (a bulk change of the workflow?): extract the issue's days again"
        yield on.no_rows(name, failing, f"{says}.", mend, "warn", reads=reads)
        yield on.no_rows(
            f"{name}_mostly",
            failing,
            f"{says}, but for at most {BROKEN_SHARE:.0%} of the entries.",
            mend,
            tolerated_share=BROKEN_SHARE,
            reads=reads,
        )
