"""The company's internal desks as a Jira Cloud site shows them: search, changelogs, SLA fields, queues.

As peculiar as the real one: the search has no total and ends with isLast, its tokens hold for one query, JQL reads
instants by the minute in the account's zone, changelogs embedded in a search are cut at 40 entries and run from the
newest, those of an issue from the oldest, and two custom fields share a name.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import secrets
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from ingestion.demo.faults import Reply
from ingestion.demo.jira_desk import (
    EFFORT_FIELD,
    GROUP_FIELD,
    GROUP_OPTIONS,
    ORGANIZATIONS,
    ORGANIZATIONS_FIELD,
    PRIORITIES,
    PROJECTS,
    REQUEST_TYPE_FIELD,
    RESOLUTION_FIELD,
    RESPONSE_FIELD,
    STATUSES,
    WORK_TYPE_FIELD,
    Account,
    Cycle,
    Desk,
    History,
    Issue,
)
from ingestion.demo.model import Company
from ingestion.demo.served import Request, ServedSystem, same

# The site's own address, which does not change with the port it is reached by.
SITE_URL = "https://demo.atlassian.example"
USER_EMAIL = "integration@demo.example"
USER_ZONE = "Europe/Dublin"
MAX_SEARCH_PAGE = 100
EMBEDDED_LIMIT = 40
CHANGELOG_PAGE = 100
RATE_LIMIT = 100_000

SLA_TYPE = "com.atlassian.servicedesk:sd-sla-field"
FIELDS: tuple[tuple[str, str, str], ...] = (
    ("summary", "Summary", ""),
    ("status", "Status", ""),
    ("priority", "Priority", ""),
    ("assignee", "Assignee", ""),
    ("updated", "Updated", ""),
    (ORGANIZATIONS_FIELD, "Organizations", "com.atlassian.servicedesk:sd-customer-organizations"),
    ("customfield_10099", "Organizations", "com.atlassian.jira.plugin.system.customfieldtypes:labels"),
    (REQUEST_TYPE_FIELD, "Request Type", "com.atlassian.servicedesk:vp-origin"),
    (RESOLUTION_FIELD, "Time to resolution", SLA_TYPE),
    (RESPONSE_FIELD, "Time to first response", SLA_TYPE),
    (GROUP_FIELD, "Assigned group", "com.atlassian.jira.plugin.system.customfieldtypes:select"),
    (WORK_TYPE_FIELD, "Work type", "com.atlassian.jira.plugin.system.customfieldtypes:select"),
    (EFFORT_FIELD, "Effort points", "com.atlassian.jira.plugin.system.customfieldtypes:float"),
)
QUEUES = (("All open", None), ("Waiting for support", "10001"), ("Waiting for customer", "10002"), ("Pending", "10003"))
_CLAUSE = re.compile(r'updated (>=|>|<=|<) "(\d{4}-\d\d-\d\d \d\d:\d\d)"')
_PROJECTS = re.compile(r"project (?:in \(([A-Z0-9_, ]+)\)|= ([A-Z0-9_]+))")


class JiraRecords:
    """Issues as the site shows them to an account of a zone."""

    def __init__(self, company: Company, zone: str) -> None:
        self.desk = Desk(company)
        self.zone = ZoneInfo(zone)
        self.issues = sorted(self.desk.issues, key=lambda issue: (issue.updated_at, issue.issue_id))
        self.by_key = {issue.key: issue for issue in self.issues}
        self._accounts = {row.account_id: row for row in (*self.desk.staff, *self.desk.customers)}

    def stamp(self, moment: datetime) -> str:
        """'2025-03-30T10:00:00.000+0100', by the zone of the account that asks."""
        local = moment.astimezone(self.zone)
        return f"{local:%Y-%m-%dT%H:%M:%S}.{local.microsecond // 1000:03d}{local:%z}"

    def person(self, account_id: str) -> dict[str, Any] | None:
        """A person inside another record; None for nobody."""
        return self.account(self._accounts[account_id]) if account_id else None

    def account(self, row: Account) -> dict[str, Any]:
        """An account; without its address where the owner hides it."""
        shown = {
            "self": f"{SITE_URL}/rest/api/3/user?accountId={row.account_id}",
            "accountId": row.account_id,
            "accountType": row.account_type,
            "displayName": row.display_name,
            "active": True,
        }
        return shown | ({"emailAddress": row.email} if row.email else {})

    def issue(self, issue: Issue, wanted: str, expand: str) -> dict[str, Any]:
        """One issue of a search; `wanted` is the parameter fields, without which there are no fields."""
        record: dict[str, Any] = {
            "expand": "operations,versionedRepresentations,editmeta,changelog,renderedFields",
            "id": str(issue.issue_id),
            "self": f"{SITE_URL}/rest/api/3/issue/{issue.issue_id}",
            "key": issue.key,
        }
        names = [name.strip() for name in wanted.split(",") if name.strip()]
        if names:
            fields = self._fields(issue)
            if "*all" not in names and "*navigable" not in names:
                fields = {name: value for name, value in fields.items() if name in names}
            record["fields"] = {name: value for name, value in fields.items() if f"-{name}" not in names}
        if "changelog" in expand:
            newest = [self.history(entry) for entry in reversed(issue.histories)][:EMBEDDED_LIMIT]
            record["changelog"] = {
                "startAt": 0,
                "maxResults": len(newest),
                "total": len(newest),
                "histories": newest,
            }
        return record

    def _fields(self, issue: Issue) -> dict[str, Any]:
        values = issue.values
        status, category = STATUSES[values["status"]]
        project_id, project_name = PROJECTS[issue.project_key]
        group = values[GROUP_FIELD]
        return {
            "summary": issue.summary,
            "issuetype": {"id": "10020", "name": "Service request", "subtask": False},
            "project": {"id": project_id, "key": issue.project_key, "name": project_name},
            "status": {"id": values["status"], "name": status, "statusCategory": {"key": category}},
            "priority": {"id": values["priority"], "name": PRIORITIES[int(values["priority"])]},
            "created": self.stamp(issue.created_at),
            "updated": self.stamp(issue.updated_at),
            "resolutiondate": self.stamp(issue.resolved_at) if issue.resolved_at else None,
            "resolution": {"id": "10000", "name": "Done"} if issue.resolved_at else None,
            "reporter": self.person(issue.reporter_id),
            "assignee": self.person(values["assignee"]),
            "labels": [],
            "description": None,
            REQUEST_TYPE_FIELD: {"requestType": {"name": issue.request_type}, "currentStatus": {"status": status}},
            ORGANIZATIONS_FIELD: [
                {"id": values[ORGANIZATIONS_FIELD], "name": ORGANIZATIONS[values[ORGANIZATIONS_FIELD]]}
            ],
            "customfield_10099": None,
            GROUP_FIELD: {"id": GROUP_OPTIONS[group], "value": group},
            WORK_TYPE_FIELD: {"value": issue.work_type} if issue.work_type else None,
            EFFORT_FIELD: float(issue.effort) if issue.effort is not None else None,
            RESPONSE_FIELD: self._sla("Time to first response", "2", issue, issue.response),
            RESOLUTION_FIELD: self._sla("Time to resolution", "3", issue, issue.resolution),
        }

    def _sla(self, name: str, sla_id: str, issue: Issue, cycles: list[Cycle]) -> dict[str, Any] | None:
        if not issue.has_sla:
            return None
        shown: dict[str, Any] = {
            "id": sla_id,
            "name": name,
            "_links": {"self": f"{SITE_URL}/rest/servicedeskapi/request/{issue.issue_id}/sla/{sla_id}"},
            "completedCycles": [self._cycle(cycle) for cycle in cycles if cycle.stop_at],
        }
        for cycle in cycles:
            if not cycle.stop_at:
                shown["ongoingCycle"] = self._cycle(cycle)
        return shown

    def _cycle(self, cycle: Cycle) -> dict[str, Any]:
        shown: dict[str, Any] = {"startTime": self._moment(cycle.start_at)}
        if cycle.stop_at:
            shown["stopTime"] = self._moment(cycle.stop_at)
        shown["breached"] = cycle.is_breached
        if not cycle.stop_at:
            shown |= {"paused": cycle.is_paused, "withinCalendarHours": cycle.is_within_hours}
        return shown | {
            "goalDuration": _duration(cycle.goal_ms),
            "elapsedTime": _duration(cycle.elapsed_ms),
            "remainingTime": _duration(cycle.goal_ms - cycle.elapsed_ms),
        }

    def _moment(self, moment: datetime) -> dict[str, Any]:
        local = moment.astimezone(self.zone)
        return {
            "iso8601": f"{local:%Y-%m-%dT%H:%M:%S%z}",
            "jira": self.stamp(moment),
            "friendly": f"{local:%d/%b/%y %I:%M %p}",
            "epochMillis": round(moment.timestamp() * 1000),
        }

    def history(self, entry: History) -> dict[str, Any]:
        """One entry of a changelog."""
        return {
            "id": str(entry.history_id),
            "author": self.person(entry.author_id),
            "created": self.stamp(entry.at),
            "items": [
                {
                    "field": item.field_name,
                    "fieldtype": "custom" if item.field_id.startswith("customfield_") else "jira",
                    "fieldId": item.field_id,
                    "from": item.from_id or None,
                    "fromString": item.from_text or None,
                    "to": item.to_id or None,
                    "toString": item.to_text or None,
                }
                for item in entry.items
            ],
        }

    def find(self, jql: str) -> list[Issue]:
        """The issues of a query, in its order. Raises ValueError where it is none that is spoken here."""
        text, _, order = jql.partition(" ORDER BY ")
        if order not in ("updated ASC, key ASC", ""):
            raise ValueError(f"ORDER BY {order} is not spoken here")
        clauses = [clause.strip() for clause in text.split(" AND ") if clause.strip()]
        if not clauses:
            raise ValueError("Unbounded JQL queries are not allowed here. Please add a search restriction")
        found = self.issues
        for clause in clauses:
            bound, projects = _CLAUSE.fullmatch(clause), _PROJECTS.fullmatch(clause)
            if bound:
                limit = datetime.strptime(bound[2], "%Y-%m-%d %H:%M").replace(tzinfo=self.zone).astimezone(UTC)
                holds = {
                    ">=": lambda at, limit=limit: at >= limit,
                    ">": lambda at, limit=limit: at > limit,
                    "<=": lambda at, limit=limit: at <= limit,
                    "<": lambda at, limit=limit: at < limit,
                }[bound[1]]
                found = [issue for issue in found if holds(issue.updated_at)]
            elif projects:
                keys = {key.strip() for key in (projects[1] or projects[2]).split(",")}
                if keys - PROJECTS.keys():
                    raise ValueError(
                        f"The value '{min(keys - PROJECTS.keys())}' does not exist for the field 'project'."
                    )
                found = [issue for issue in found if issue.project_key in keys]
            else:
                raise ValueError(f"Error in the JQL Query: {clause!r}")
        return found


def _duration(milliseconds: int) -> dict[str, Any]:
    minutes = abs(milliseconds) // 60_000
    sign = "-" if milliseconds < 0 else ""
    return {"millis": milliseconds, "friendly": f"{sign}{minutes // 60}h {minutes % 60}m"}


class ServedJira(ServedSystem):
    """The APIs below /rest/, by an e-mail address and a token."""

    def __init__(self, company: Company) -> None:
        super().__init__(company)
        self._token = secrets.token_hex(16)
        self._zone = USER_ZONE
        self._records: JiraRecords | None = None
        self._lock = threading.Lock()
        self._used = 0

    @property
    def records(self) -> JiraRecords:
        """Built when the first request comes."""
        with self._lock:
            if self._records is None:
                self._records = JiraRecords(self.company, self._zone)
            return self._records

    def handles(self, path: str) -> bool:
        """All below /rest/."""
        return path.startswith("/rest/")

    def environment(self, drops_path: Path | None) -> dict[str, str]:
        """Address, account and token."""
        return {
            "JIRA_URL": self.url,
            "JIRA_USER_EMAIL": USER_EMAIL,
            "JIRA_API_TOKEN": self._token,
            "JIRA_PROJECT_KEYS": ",".join(PROJECTS),
        }

    def answer(self, request: Request) -> Reply:
        """By route, with what the rate limit leaves."""
        given = request.basic_auth()
        if not given or given[0] != USER_EMAIL or not same(given[1], self._token):
            return Reply(401, {"errorMessages": ["Client must be authenticated to access this resource."]})
        with self._lock:
            self._used += 1
            remaining = RATE_LIMIT - self._used % RATE_LIMIT
        path = request.path.rstrip("/")
        routes = {
            "/rest/api/3/search/jql": self._search,
            "/rest/api/3/project/search": self._projects,
            "/rest/api/3/field": self._fields,
            "/rest/api/3/users/search": self._users,
            "/rest/api/3/myself": self._myself,
            "/rest/servicedeskapi/servicedesk": self._desks,
        }
        changelog = re.fullmatch(r"/rest/api/3/issue/([A-Z0-9]+-\d+)/changelog", path)
        queue = re.fullmatch(r"/rest/servicedeskapi/servicedesk/(\d+)/queue", path)
        try:
            if path in routes:
                reply = routes[path](request)
            elif changelog:
                reply = self._changelog(request, changelog[1])
            elif queue:
                reply = self._queues(request, int(queue[1]))
            else:
                reply = Reply(404, {"errorMessages": ["Not Found"]})
        except ValueError as error:
            reply = Reply(400, {"errorMessages": [str(error)], "errors": {}})
        reply.headers.update(
            {
                "X-RateLimit-Limit": str(RATE_LIMIT),
                "X-RateLimit-Remaining": str(remaining),
                "X-RateLimit-NearLimit": "true" if remaining < RATE_LIMIT // 5 else "false",
            }
        )
        return reply

    def _search(self, request: Request) -> Reply:
        jql = request.params.get("jql", "")
        found = self.records.find(jql)
        start = _read_token(request.params.get("nextPageToken"), jql)
        size = min(MAX_SEARCH_PAGE, max(1, request.number("maxResults", 50)))
        wanted, expand = request.params.get("fields", ""), request.params.get("expand", "")
        records = [self.records.issue(issue, wanted, expand) for issue in found[start : start + size]]
        payload: dict[str, Any] = {"issues": records}
        is_last = start + size >= len(found)
        if not is_last:
            payload["nextPageToken"] = _token(start + size, jql)
        return Reply(200, payload | {"isLast": is_last}, records=records)

    def _changelog(self, request: Request, key: str) -> Reply:
        if key not in self.records.by_key:
            return Reply(404, {"errorMessages": ["Issue does not exist or you do not have permission to see it."]})
        oldest = [self.records.history(entry) for entry in self.records.by_key[key].histories]
        size = min(CHANGELOG_PAGE, max(1, request.number("maxResults", CHANGELOG_PAGE)))
        return _page(request, oldest, size)

    def _projects(self, request: Request) -> Reply:
        rows = [
            {"id": number, "key": key, "name": name, "projectTypeKey": "service_desk", "simplified": False}
            for key, (number, name) in PROJECTS.items()
        ]
        rows.append({"id": "10102", "key": "DEV", "name": "Own tools", "projectTypeKey": "software"})
        return _page(request, rows, min(50, request.number("maxResults", 50)))

    def _fields(self, request: Request) -> Reply:
        rows: list[dict[str, Any]] = []
        for field_id, name, kind in FIELDS:
            schema = {"type": "any", "custom": kind} if kind else {"type": "string", "system": field_id}
            rows.append({"id": field_id, "key": field_id, "name": name, "custom": bool(kind), "schema": schema})
        return Reply(200, rows, records=rows)

    def _users(self, request: Request) -> Reply:
        desk = self.records.desk
        start, size = request.number("startAt", 0), request.number("maxResults", 50)
        rows = [self.records.account(row) for row in [*desk.staff, *desk.customers][start : start + size]]
        return Reply(200, rows, records=rows)

    def _myself(self, request: Request) -> Reply:
        return Reply(200, {"accountId": "712020:integration", "emailAddress": USER_EMAIL, "timeZone": self._zone})

    def _desks(self, request: Request) -> Reply:
        rows = [
            {"id": str(place), "projectId": number, "projectName": name, "projectKey": key}
            for place, (key, (number, name)) in enumerate(PROJECTS.items(), start=1)
        ]
        return _desk_page(request, rows)

    def _queues(self, request: Request, desk: int) -> Reply:
        if desk not in range(1, len(PROJECTS) + 1):
            return Reply(404, {"errorMessage": "The service desk does not exist."})
        key = list(PROJECTS)[desk - 1]
        rows = []
        for place, (name, status) in enumerate(QUEUES, start=1):
            row = {
                "id": str(desk * 10 + place),
                "name": name,
                "jql": f"project = {key} AND " + (f"status = {status}" if status else "resolution = Unresolved"),
                "fields": ["issuetype", "issuekey", "summary"],
            }
            if request.params.get("includeCount") == "true":
                row["issueCount"] = sum(
                    issue.project_key == key
                    and (issue.values["status"] == status if status else issue.resolved_at is None)
                    for issue in self.records.issues
                )
            rows.append(row)
        return _desk_page(request, rows)


def _page(request: Request, rows: list[dict[str, Any]], size: int) -> Reply:
    """A list by startAt with a total."""
    start = request.number("startAt", 0)
    records = rows[start : start + size]
    payload = {
        "startAt": start,
        "maxResults": size,
        "total": len(rows),
        "isLast": start + size >= len(rows),
        "values": records,
    }
    return Reply(200, payload, records=records, total_places=[(payload, "total")])


def _desk_page(request: Request, rows: list[dict[str, Any]]) -> Reply:
    """A list of the service desk API."""
    start, limit = request.number("start", 0), request.number("limit", 50)
    records = rows[start : start + limit]
    payload = {
        "size": len(records),
        "start": start,
        "limit": limit,
        "isLastPage": start + limit >= len(rows),
        "values": records,
    }
    return Reply(200, payload, records=records)


def _digest(jql: str) -> str:
    return hashlib.sha256(jql.encode()).hexdigest()[:12]


def _token(start: int, jql: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([start, _digest(jql)]).encode()).decode()


def _read_token(text: str | None, jql: str) -> int:
    if not text:
        return 0
    try:
        start, digest = json.loads(base64.urlsafe_b64decode(text))
    except (binascii.Error, ValueError, TypeError):
        raise ValueError("The provided next page token is invalid or expired.") from None
    if digest != _digest(jql):
        raise ValueError("The provided next page token belongs to another query.")
    return int(start)
