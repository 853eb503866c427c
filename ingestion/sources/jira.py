"""Jira Service Management Cloud by its REST APIs (/rest/api/3 and /rest/servicedeskapi).

Vendor terms: basic authentication with the account's e-mail address and an API token. Issues come from
GET /rest/api/3/search/jql, page by page: `nextPageToken` leads to the next page, `isLast` ends them, and there is
no total. JQL compares `updated` by the minute and in the account's own zone, whichever that is, so we ask for as
much more on both sides as any zone can be off and keep the records whose own stamp lies in the window. Stamps are
ISO 8601 with the offset that zone had ('2025-03-30T10:00:00.000+0100').

A changelog that comes with the search holds at most 40 entries and no way to ask for more: one that may have been
cut is read again from /rest/api/3/issue/{key}/changelog (startAt, maxResults, total). The search gives the newest
entry first, that list the oldest: the order is `created`, then `id`. Jira does not log the creation of an issue.

Custom fields are called customfield_<number>, another number on each site: /rest/api/3/field tells their names,
and a field is known here by its name and the type that makes it what it is. An SLA is such a field: completedCycles
and at most one ongoingCycle, each with startTime, stopTime or paused and withinCalendarHours, breached, and
goalDuration, elapsedTime and remainingTime in milliseconds. Service desks and their queues page by start, limit and
isLastPage. E-mail addresses are absent where the account's owner hides them.

Delivers: LTI-7.1, DESK-3.1
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from ingestion.contracts import Entity, InconsistentExtractError, Page, Record, Source, SourceError, Window, words
from ingestion.http import Client, required, safe_url
from ingestion.json_records import member_text, parse_page
from ingestion.rate_limit import stated_maximum

STAMP_FORMATS = ("%Y-%m-%dT%H:%M:%S.%g%z", "%Y-%m-%dT%H:%M:%S%z")
# The most ids a search gives on a page when nothing else is asked for.
ID_PAGE_SIZE = 5000
PAGE_SIZE = 100
DESK_PAGE_SIZE = 50
EMBEDDED_CHANGELOG_LIMIT = 40
# The zones farthest from UTC there are: what JQL takes for an instant lies between them.
WESTERNMOST, EASTERNMOST = timedelta(hours=-12), timedelta(hours=14)
PROJECT_KEY = re.compile(r"[A-Z][A-Z0-9_]+")

# Column of an issue -> (name of the custom field, the type that tells it from another of that name; '' any).
CUSTOM_FIELDS = {
    "request_type": ("Request Type", "com.atlassian.servicedesk:vp-origin"),
    "organizations": ("Organizations", "com.atlassian.servicedesk:sd-customer-organizations"),
    "assignment_group": ("Assigned group", ""),
    "time_to_first_response": ("Time to first response", "com.atlassian.servicedesk:sd-sla-field"),
    "time_to_resolution": ("Time to resolution", "com.atlassian.servicedesk:sd-sla-field"),
}
# Fields of an issue that are no column: kept in `_record`, and no drift.
ISSUE_FIELDS = frozenset(
    words(
        "aggregateprogress aggregatetimeestimate aggregatetimeoriginalestimate aggregatetimespent attachment comment "
        "components creator description duedate environment fixVersions issuelinks issuerestriction labels lastViewed "
        "parent progress security statusCategory statuscategorychangedate subtasks thumbnail timeestimate "
        "timeoriginalestimate timespent timetracking versions votes watches worklog workratio expand self changelog"
    )
)


def _snapshot(
    name: str,
    endpoint: str,
    columns: str,
    description: str,
    record_key: str | None,
    key: str = "id",
    known: str = "",
    optional: str = "",
) -> Entity:
    return Entity(
        source="jira",
        name=name,
        partitioning="snapshot",
        columns=words(columns),
        key=words(key),
        description=description,
        optional=frozenset(words(optional)),
        known_fields=frozenset(words(known)),
        endpoint=endpoint,
        record_key=record_key,
    )


ENTITIES = (
    Entity(
        source="jira",
        name="issue",
        partitioning="daily",
        columns=words(
            "id key project_key issue_type status_id status priority_id priority summary created updated "
            "resolutiondate resolution reporter_id assignee_id request_type organizations assignment_group "
            "time_to_first_response time_to_resolution"
        ),
        key=("id",),
        description="One issue as it stood at its latest update inside the window, SLA fields as received.",
        stamp="updated",
        stamp_formats=STAMP_FORMATS,
        optional=frozenset(CUSTOM_FIELDS),
        known_fields=ISSUE_FIELDS,
        endpoint="/rest/api/3/search/jql",
        record_key="issues",
    ),
    Entity(
        source="jira",
        name="issue_changelog",
        partitioning="daily",
        columns=words("id issue_id issue_key issue_updated created author_id items"),
        key=("issue_id", "id"),
        description="One entry of an issue's changelog: what one person changed at one instant. The whole changelog "
        "of every issue whose latest update lies in the window.",
        stamp="issue_updated",
        stamp_formats=STAMP_FORMATS,
        optional=frozenset(("author_id",)),
        known_fields=frozenset(words("historyMetadata")),
        endpoint="/rest/api/3/search/jql",
        record_key="issues",
    ),
    _snapshot(
        "project",
        "/rest/api/3/project/search",
        "id key name projectTypeKey",
        "One project the account may browse, as it is now.",
        "values",
        known="expand self avatarUrls simplified style isPrivate properties entityId uuid projectCategory insight",
    ),
    _snapshot(
        "field",
        "/rest/api/3/field",
        "id name custom schema",
        "One field of issues, as it is now: the name of each customfield number.",
        None,
        known="key untranslatedName orderable navigable searchable clauseNames scope",
        optional="schema",
    ),
    _snapshot(
        "account",
        "/rest/api/3/users/search",
        "accountId accountType displayName emailAddress active",
        "One account of the site, as it is now; its e-mail address, where it is shown, leads to HR.",
        None,
        key="accountId",
        known="self avatarUrls timeZone locale",
        optional="emailAddress",
    ),
    _snapshot(
        "queue",
        "/rest/servicedeskapi/servicedesk/{id}/queue",
        "service_desk_id id name jql issueCount",
        "One queue of a service desk with the number of issues in it now.",
        "values",
        key="service_desk_id id",
        known="fields _links",
        optional="issueCount",
    ),
)


def flatten_issue(issue: dict[str, Any], field_ids: dict[str, str]) -> dict[str, Any]:
    """The columns of an issue, and by their own names the fields that nobody knows; field_ids: column -> field id.

    Custom fields without a column are what seeds/governance/field_mapping.csv names: no drift.
    """
    fields = issue.get("fields") if isinstance(issue.get("fields"), dict) else {}
    project, kind = fields.get("project"), fields.get("issuetype")
    status, priority, resolution = fields.get("status"), fields.get("priority"), fields.get("resolution")
    flat = {name: value for name, value in issue.items() if name != "fields"}
    flat |= {
        "project_key": _part(project, "key"),
        "issue_type": _part(kind, "name"),
        "status_id": _part(status, "id"),
        "status": _part(status, "name"),
        "priority_id": _part(priority, "id"),
        "priority": _part(priority, "name"),
        "resolution": _part(resolution, "name"),
        "reporter_id": _part(fields.get("reporter"), "accountId"),
        "assignee_id": _part(fields.get("assignee"), "accountId"),
    }
    flat |= {name: fields[name] for name in ("summary", "created", "updated", "resolutiondate") if name in fields}
    flat |= {column: fields[field_id] for column, field_id in field_ids.items() if field_id in fields}
    taken = {"project", "issuetype", "status", "priority", "resolution", "reporter", "assignee"}
    flat |= {
        name: value
        for name, value in fields.items()
        if name not in taken and name not in flat and not name.startswith("customfield_")
    }
    if isinstance(flat.get("assignment_group"), dict):
        flat["assignment_group"] = _part(flat["assignment_group"], "value")
    return flat


def flatten_history(history: dict[str, Any], issue: dict[str, Any]) -> dict[str, Any]:
    """The columns of an entry of a changelog; issue: values of the issue it belongs to."""
    flat = {name: value for name, value in history.items() if name != "author"}
    return flat | {
        "author_id": _part(history.get("author"), "accountId"),
        "issue_id": issue.get("id"),
        "issue_key": issue.get("key"),
        "issue_updated": issue.get("updated"),
    }


def _part(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


class Jira(Source):
    """The REST APIs by basic authentication (JIRA_URL, JIRA_USER_EMAIL, JIRA_API_TOKEN).

    JIRA_PROJECT_KEYS (optional, parted by commas) narrows the issues to projects.
    """

    def is_configured(self) -> tuple[bool, str]:
        """Configured when JIRA_URL is set."""
        if os.environ.get("JIRA_URL"):
            return True, "JIRA_URL is set"
        return False, "JIRA_URL is not set"

    def pages(self, entity: Entity, window: Window, notify: Callable[[str], None]) -> Iterator[Page]:
        """Page as each list of the APIs does it."""
        with Client(
            required("JIRA_URL"),
            auth=(required("JIRA_USER_EMAIL"), required("JIRA_API_TOKEN")),
            credential_names="JIRA_USER_EMAIL and JIRA_API_TOKEN",
            max_requests_per_minute=stated_maximum("jira"),
            notify=notify,
        ) as client:
            if entity.name == "issue":
                yield from _issues(client, entity, window)
            elif entity.name == "issue_changelog":
                yield from _changelogs(client, entity, window)
            elif entity.name == "project":
                for records, total in _counted(client, entity.endpoint, entity):
                    yield Page(records, total)
            elif entity.name == "account":
                yield from _until_empty(client, entity)
            elif entity.name == "queue":
                yield from _queues(client, entity)
            else:
                yield Page(client.get_records(entity.endpoint, {}, entity).records)


# --- issues and their changelogs, by window ---


def _issues(client: Client, entity: Entity, window: Window) -> Iterator[Page]:
    field_ids = _field_ids(client, entity)
    read = replace(entity, flatten=partial(flatten_issue, field_ids=field_ids))
    for records in _search(client, read, window, "*navigable,-description,-environment", None):
        yield Page(records)


def _changelogs(client: Client, entity: Entity, window: Window) -> Iterator[Page]:
    read = replace(entity, key=("id",), flatten=partial(flatten_issue, field_ids={}))
    for issues in _search(client, read, window, "updated", "changelog"):
        records: list[Record] = []
        for issue in issues:
            # An issue that cannot be read has no changelog to take; the entity issue lands it as a reject.
            if not issue.reason:
                records += _changelog(client, entity, issue)
        yield Page(records)


def _changelog(client: Client, entity: Entity, issue: Record) -> list[Record]:
    """All entries of an issue's changelog: those embedded in the search, or the list where they may be cut."""
    embedded = replace(entity, record_key="histories", flatten=partial(flatten_history, issue={**(issue.values or {})}))
    text = member_text(issue.text or "", "changelog")
    if text is not None:
        try:
            records, envelope = parse_page(text.encode(), embedded)
        except ValueError:
            records, envelope = [], {"total": -1}  # not the shape it should have: the issue's own list tells
        # maxResults and total describe what is embedded, not what there is: only fewer than the limit are surely all.
        if len(records) < EMBEDDED_CHANGELOG_LIMIT and envelope.get("total") in (None, len(records)):
            return records
    endpoint = f"/rest/api/3/issue/{(issue.values or {}).get('key')}/changelog"
    return [
        record
        for records, _ in _counted(client, endpoint, replace(embedded, record_key="values"))
        for record in records
    ]


def _search(client: Client, entity: Entity, window: Window, fields: str, expand: str | None) -> Iterator[list[Record]]:
    """Pages of issues whose own stamp lies in the window (all that came where there is none to read)."""
    params = {"jql": jql(window), "fields": fields, "maxResults": str(PAGE_SIZE)}
    if expand:
        params["expand"] = expand
    tokens: set[str] = set()
    seen: set[str] = set()
    last = (datetime.min.replace(tzinfo=UTC), "")
    has_rejects = False
    while True:
        answer = client.get_records(entity.endpoint, params, entity)
        where = safe_url(answer.url)
        last = _check_order(answer.records, seen, last, where)
        has_rejects = has_rejects or any(record.reason for record in answer.records)
        yield [record for record in answer.records if _is_inside(record, window)]
        token = answer.envelope.get("nextPageToken")
        if not token:
            if answer.envelope.get("isLast") is False:
                raise InconsistentExtractError(
                    "a page of issues says that others follow and gives no token for them",
                    where,
                    "run again; if it stays so, ask the site's administrator what stands between us and Jira",
                )
            _check_none_was_left_out(client, entity, window, seen, has_rejects)
            return
        if token in tokens or not answer.records:
            raise InconsistentExtractError(
                "the pages of issues lead in a circle: an empty page, or a token that came before",
                where,
                "run again when the window is quiet",
            )
        tokens.add(token)
        params["nextPageToken"] = token


def _check_none_was_left_out(client: Client, entity: Entity, window: Window, seen: set[str], has_rejects: bool) -> None:
    """Ask for the ids alone once more: a search has no total, and a page that came short would be missed in silence."""
    ids = replace(entity, name="issue", key=("id",), columns=("id",), stamp=None, flatten=None)
    params = {"jql": jql(window), "fields": "id", "maxResults": str(ID_PAGE_SIZE)}
    listed: set[str] = set()
    while True:
        answer = client.get_records(entity.endpoint, params, ids)
        listed |= {str((record.values or {}).get("id")) for record in answer.records if not record.reason}
        token = answer.envelope.get("nextPageToken")
        if not token or not answer.records:
            break
        params["nextPageToken"] = token
    if seen - listed or (listed - seen and not has_rejects):
        raise InconsistentExtractError(
            f"the search gave {len(seen)} issues and lists {len(listed)} by their ids",
            safe_url(answer.url),
            "issues of this window are being written, or a page came short; run again when the window is quiet",
        )


def _check_order(records: list[Record], seen: set[str], last: tuple[datetime, str], where: str) -> tuple[datetime, str]:
    """Hold the issues to the order asked for, each once: without a total nothing else tells a skipped page."""
    for record in records:
        stamp = _stamp(record)
        if record.reason or stamp is None:
            continue
        issue_id = str((record.values or {}).get("id"))
        if issue_id in seen:
            raise InconsistentExtractError(
                f"issue {issue_id} came twice: it was updated while the pages were read",
                where,
                "issues of this window are being written; run again when the window is quiet",
            )
        if stamp < last[0]:
            raise InconsistentExtractError(
                f"the issues are not in the order asked for: {stamp} came after {last[0]}",
                where,
                "Jira must honour ORDER BY updated, else paging can skip issues",
            )
        seen.add(issue_id)
        last = (stamp, issue_id)
    return last


def jql(window: Window) -> str:
    """The window, wide enough for whatever zone JQL reads it in, in a stable order.

    The account's zone is not asked for: it can be changed between two requests, and on the night its clocks go
    back a reading stands for two instants.
    """
    parts = []
    keys = [key.strip() for key in os.environ.get("JIRA_PROJECT_KEYS", "").split(",") if key.strip()]
    for key in keys:
        if not PROJECT_KEY.fullmatch(key):
            raise SourceError(
                f"JIRA_PROJECT_KEYS holds {key!r}, which is no project key",
                "environment",
                "write keys parted by commas, such as HRS,WPS",
            )
    if keys:
        parts.append(f"project in ({', '.join(keys)})")
    if window.start_at and window.end_at:
        low, high = window.start_at + WESTERNMOST, window.end_at + EASTERNMOST
        parts.append(f'updated >= "{low:%Y-%m-%d %H:%M}"')
        parts.append(f'updated < "{high:%Y-%m-%d %H:%M}"')
    return " AND ".join(parts) + " ORDER BY updated ASC, key ASC"


def _field_ids(client: Client, entity: Entity) -> dict[str, str]:
    """Column -> id of the custom field, by name and type. One that does not exist is left out."""
    fields = client.get_records("/rest/api/3/field", {}, replace(entity, record_key=None, flatten=None)).records
    found: dict[str, str] = {}
    for column, (name, kind) in CUSTOM_FIELDS.items():
        ids = [
            str(field.values["id"])
            for field in fields
            if field.values
            and not field.reason
            and field.values.get("name") == name
            and field.values.get("custom")
            and (not kind or _part(field.values.get("schema"), "custom") == kind)
        ]
        if len(ids) > 1:
            raise SourceError(
                f"{len(ids)} custom fields are called {name!r} ({', '.join(ids)})",
                "/rest/api/3/field",
                "rename all but the one that counts",
            )
        if ids:
            found[column] = ids[0]
    return found


def _stamp(record: Record) -> datetime | None:
    try:
        stamp = datetime.fromisoformat(str((record.values or {}).get("updated")))
    except ValueError:
        return None
    return stamp if stamp.tzinfo else None


def _is_inside(record: Record, window: Window) -> bool:
    stamp = _stamp(record)
    if stamp is None or window.start_at is None or window.end_at is None:
        return True
    return window.start_at <= stamp < window.end_at


# --- other lists ---


def _counted(client: Client, endpoint: str, entity: Entity) -> Iterator[tuple[list[Record], int]]:
    """Pages of a list by startAt and maxResults, each with the total, which must hold."""
    start, total = 0, None
    while True:
        answer = client.get_records(endpoint, {"startAt": str(start), "maxResults": str(PAGE_SIZE)}, entity)
        where = safe_url(answer.url)
        page_total = answer.envelope.get("total")
        if not isinstance(page_total, int) or (total is not None and page_total != total):
            raise InconsistentExtractError(
                f"the total of {entity.name} changed under way: {total} at first, {page_total} now",
                where,
                "run again when nobody is writing",
            )
        total = page_total
        count = len(answer.records)
        # The site may give smaller pages than asked for and says so in maxResults.
        size = int(answer.envelope.get("maxResults") or PAGE_SIZE)
        if count != min(size, max(total - start, 0)):
            raise InconsistentExtractError(
                f"a page of {entity.name} at {start} has {count} records; the total {total} promises another number",
                where,
                "run again; if it stays so, see what the account may read",
            )
        yield answer.records, total
        start += count
        if start >= total:
            return


def _until_empty(client: Client, entity: Entity) -> Iterator[Page]:
    """A bare list by startAt and maxResults that says neither how many there are nor which page is the last."""
    start = 0
    while True:
        records = client.get_records(
            entity.endpoint, {"startAt": str(start), "maxResults": str(PAGE_SIZE)}, entity
        ).records
        if start and not records:
            return
        yield Page(records)
        # A shorter page is not the last one: accounts the caller may not see are left out of it.
        start += PAGE_SIZE
        if not records:
            return


def _queues(client: Client, entity: Entity) -> Iterator[Page]:
    """The queues of every service desk, with their counts."""
    desks = replace(entity, key=("id",), flatten=None)
    for desk_page in _desk_list(client, "/rest/servicedeskapi/servicedesk", desks, {}):
        for desk in desk_page:
            if desk.reason or not desk.values:
                continue
            desk_id = str(desk.values["id"])
            read = replace(entity, flatten=lambda queue, desk_id=desk_id: {**queue, "service_desk_id": desk_id})
            endpoint = entity.endpoint.replace("{id}", desk_id)
            for records in _desk_list(client, endpoint, read, {"includeCount": "true"}):
                yield Page(records)


def _desk_list(client: Client, endpoint: str, entity: Entity, params: dict[str, str]) -> Iterator[list[Record]]:
    """A list of the service desk API: start, limit, isLastPage."""
    start = 0
    while True:
        answer = client.get_records(endpoint, {**params, "start": str(start), "limit": str(DESK_PAGE_SIZE)}, entity)
        yield answer.records
        if answer.envelope.get("isLastPage") is not False:
            return
        if not answer.records:
            raise InconsistentExtractError(
                f"an empty page of {entity.name} says that others follow",
                safe_url(answer.url),
                "run again",
            )
        start += len(answer.records)


JIRA = Jira(
    name="jira",
    description="Jira Service Management: issues with their changelogs and SLA fields, projects, fields, accounts, "
    "queues of the service desks.",
    connector_version="jira-cloud-rest/1",
    entities={entity.name: entity for entity in ENTITIES},
)
