"""The company as ServiceNow tables: rows, encoded queries, display values."""

from __future__ import annotations

import re
import secrets
import threading
import time
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from operator import eq, ge, gt, le, lt
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode
from zoneinfo import ZoneInfo

from ingestion.demo.company import naive_made_sla
from ingestion.demo.faults import Reply
from ingestion.demo.model import Company
from ingestion.demo.people import NAMES
from ingestion.demo.rosters import Rosters
from ingestion.demo.served import Request, ServedSystem, same
from ingestion.demo.service_desk import (
    ANSWER_COLUMNS,
    ARTICLE_COLUMNS,
    CMDB_COLUMNS,
    PROBLEM_COLUMNS,
    RELATION_COLUMNS,
    SLA_COLUMNS,
    SURVEY_COLUMNS,
    TASK_SLA_COLUMNS,
    UNGOVERNED_ITEMS,
    Identities,
    ServiceDesk,
)
from ingestion.demo.tickets import sys_id_of
from ingestion.demo.timeline import COUNTRY_ZONES, Targets, load_clocks, read_seed

USER_ZONE = ZoneInfo("Europe/Dublin")  # the integration user's own zone: display values are in it
# References carry the instance's own address, which does not change with the port it is reached by: the same
# record is the same bytes on every run.
INSTANCE_URL = "https://demo.service-now.example"

DEFAULT_LIMIT = 10_000
OAUTH_PATH = "/oauth_token.do"

STATE_CODES = {
    "new": "1",
    "in_progress": "2",
    "on_hold": "3",
    "resolved": "6",
    "closed": "7",
    "canceled": "8",
}
CONTRACTS = ("acme-gold", "globex-standard", "internal")
IMPACT_URGENCY = {1: ("1", "1"), 2: ("1", "2"), 3: ("2", "2"), 4: ("2", "3"), 5: ("3", "3")}
LABELS: dict[str, dict[str, str]] = {
    "incident.state": {
        "1": "New",
        "2": "In Progress",
        "3": "On Hold",
        "6": "Resolved",
        "7": "Closed",
        "8": "Canceled",
    },
    "incident.priority": {
        "1": "1 - Critical",
        "2": "2 - High",
        "3": "3 - Moderate",
        "4": "4 - Low",
        "5": "5 - Planning",
    },
    "incident.impact": {"1": "1 - High", "2": "2 - Medium", "3": "3 - Low"},
    "incident.urgency": {"1": "1 - High", "2": "2 - Medium", "3": "3 - Low"},
    "change_request.state": {
        "-5": "New",
        "-3": "Authorize",
        "-2": "Scheduled",
        "-1": "Implement",
        "0": "Review",
        "3": "Closed",
        "4": "Canceled",
    },
    "change_request.risk": {"2": "High", "3": "Moderate", "4": "Low"},
    "cmdb_ci_service.busines_criticality": {
        "1": "1 - most critical",
        "2": "2 - somewhat critical",
        "3": "3 - less critical",
        "4": "4 - not critical",
    },
    "cmdb_ci_service.operational_status": {"1": "Operational"},
    "cmdb_ci.operational_status": {"1": "Operational"},
    "ast_contract.state": {"active": "Active"},
}


def _text(moment: datetime) -> str:
    """ServiceNow's internal value of an instant: UTC, 'YYYY-MM-DD HH:MM:SS'."""
    return moment.strftime("%Y-%m-%d %H:%M:%S")


class QueryError(ValueError):
    """An encoded query this server does not speak."""


_CONDITION = re.compile(
    r"(?P<name>[a-z_0-9.]+?)(?P<operator>>=|<=|!=|>|<|=|NOT IN|IN|BETWEEN|STARTSWITH|ISEMPTY|ISNOTEMPTY)"
    r"(?P<value>.*)",
    re.S,
)
_DATE_CALL = re.compile(r"javascript:gs\.dateGenerate\('([0-9-]+)','([0-9:]+)'\)")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    ">=": ge,
    "<=": le,
    ">": gt,
    "<": lt,
    "=": eq,
    "!=": lambda left, right: left != right,
}


def _comparable(left: str, right: str) -> tuple[Any, Any]:
    """Numbers as numbers, the rest (instants too) as text."""
    try:
        return int(left), int(right)
    except ValueError:
        return left, right


@dataclass
class Table:
    """A ServiceNow table: rows of raw values in the order of `columns`, sorted by stamp and sys_id."""

    name: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    stamp: str | None = None
    references: dict[str, str] = field(default_factory=dict)
    instants: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.position = {name: index for index, name in enumerate(self.columns)}
        key = self.position["sys_id"]
        if self.stamp:
            at = self.position[self.stamp]
            self.rows.sort(key=lambda row: (row[at], row[key]))
            self.stamps = [row[at] for row in self.rows]
        else:
            self.rows.sort(key=lambda row: row[key])
            self.stamps = []
        self._found: OrderedDict[str, Sequence[int]] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, query: str) -> Sequence[int]:
        """Positions of the rows a query gives, in its order. The latest queries are remembered for paging."""
        with self._lock:
            if query in self._found:
                self._found.move_to_end(query)
                return self._found[query]
        found = self._search(query)
        with self._lock:
            self._found[query] = found
            while len(self._found) > 32:
                self._found.popitem(last=False)
        return found

    def _search(self, query: str) -> Sequence[int]:
        low, high = 0, len(self.rows)
        filters: list[Callable[[tuple[str, ...]], bool]] = []
        orders: list[tuple[str, bool]] = []
        if "^NQ" in query or "^OR" in query.replace("^ORDERBY", ""):
            raise QueryError("^OR and ^NQ are not spoken here: ask in several requests")
        for part in filter(None, query.split("^")):
            if part.startswith("ORDERBYDESC"):
                orders.append((part.removeprefix("ORDERBYDESC"), True))
                continue
            if part.startswith("ORDERBY"):
                orders.append((part.removeprefix("ORDERBY"), False))
                continue
            match = _CONDITION.fullmatch(part)
            if not match:
                raise QueryError(f"the condition {part!r} cannot be read")
            name, operator = match["name"], match["operator"]
            value = _DATE_CALL.sub(r"\1 \2", match["value"])
            if name not in self.position:
                continue  # as the real system does, to the astonishment of its users
            if name == self.stamp and operator in (">=", ">", "<", "<=", "="):
                if operator in (">=", "="):
                    low = max(low, bisect_left(self.stamps, value))
                if operator in ("<=", "="):
                    high = min(high, bisect_right(self.stamps, value))
                if operator == ">":
                    low = max(low, bisect_right(self.stamps, value))
                if operator == "<":
                    high = min(high, bisect_left(self.stamps, value))
                continue
            filters.append(_row_filter(self.position[name], operator, value))
        found: Sequence[int] = range(low, max(low, high))
        if filters:
            found = [index for index in found if all(keep(self.rows[index]) for keep in filters)]
        orders = [order for order in orders if order[0] in self.position]
        natural = [(self.stamp, False), ("sys_id", False)] if self.stamp else [("sys_id", False)]
        if orders != natural[: len(orders)]:
            found = list(found)
            for name, is_descending in reversed(orders):
                at = self.position[name]
                found.sort(key=lambda index: self.rows[index][at], reverse=is_descending)
        return found


def _row_filter(at: int, operator: str, value: str) -> Callable[[tuple[str, ...]], bool]:
    if operator in ("IN", "NOT IN"):
        wanted = frozenset(item.strip() for item in value.split(","))
        return lambda row: (row[at] in wanted) == (operator == "IN")
    if operator == "STARTSWITH":
        return lambda row: row[at].startswith(value)
    if operator in ("ISEMPTY", "ISNOTEMPTY"):
        return lambda row: (not row[at]) == (operator == "ISEMPTY")
    if operator == "BETWEEN":
        first, _, last = value.partition("@")
        return lambda row: first <= row[at] <= last
    compare = _COMPARE[operator]
    return lambda row: compare(*_comparable(row[at], value))


class ServiceNowTables:
    """The company as ServiceNow tables."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self._rosters = Rosters(company)
        self._groups = {team.team_code: sys_id_of(company.seed, "group", team.team_code) for team in company.teams}
        self._users = {
            person.employee_number: sys_id_of(company.seed, "user", person.employee_number)
            for person in company.employees
        }
        self._services = {
            service.service_code: sys_id_of(company.seed, "service", service.service_code)
            for service in company.services
        }
        self._items = {
            row["configuration_item_code"]: sys_id_of(company.seed, "item", row["configuration_item_code"])
            for row in read_seed("services/configuration_item.csv")
        } | {code: sys_id_of(company.seed, "item", code) for code in UNGOVERNED_ITEMS}
        codes = {event.contract_code for ticket in company.tickets for event in ticket.events} - {""}
        self._contracts = {code: sys_id_of(company.seed, "contract", code) for code in sorted({*CONTRACTS, *codes})}
        self._desk = ServiceDesk(
            company,
            Identities(
                group=self._groups.__getitem__,
                user=self._user,
                service=self._services.__getitem__,
                item=self._items.__getitem__,
                schedule=lambda code: sys_id_of(company.seed, "cmn_schedule", code),
            ),
        )
        self.tables = {
            table.name: table
            for table in (
                self._user_table(),
                self._group_table(),
                self._service_table(),
                self._item_table(),
                self._contract_table(),
                *self._incident_tables(),
                *self._desk_tables(),
            )
        }
        self.tables["change_request"] = self._change_table()
        self.display = {
            row[table.position["sys_id"]]: row[table.position["name"]]
            for table in (self.tables[name] for name in ("sys_user", "sys_user_group", "cmdb_ci_service", "cmdb_ci"))
            for row in table.rows
        }
        self.display |= {sys_id: code for code, sys_id in self._contracts.items()}

    def _user(self, user_name: str) -> str:
        return self._users.setdefault(user_name, sys_id_of(self._company.seed, "user", user_name))

    def _user_table(self) -> Table:
        company = self._company
        today = company.as_of_at.date()
        rows = [
            (
                self._users[person.employee_number],
                person.employee_number,
                person.display_name,
                person.email,
                person.employee_number,
                "false" if person.terminated_on and person.terminated_on <= today else "true",
                COUNTRY_ZONES[person.country_code],
            )
            for person in company.employees
        ]
        for user_name in sorted({ticket.caller for ticket in company.tickets}):
            if user_name == "monitoring":
                name, zone = "Monitoring Integration", "GMT"
            else:
                number = int(user_name[1:])
                country = "IE" if number <= 2150 else "US" if number <= 2320 else "IN"
                first_names, last_names = NAMES[country]
                name = f"{first_names[number * 7 % len(first_names)]} {last_names[number * 5 % len(last_names)]}"
                zone = COUNTRY_ZONES[country]
            email = f"{user_name}@example.com"
            rows.append((self._user(user_name), user_name, name, email, "", "true", zone))
        rows += self._rosters.user_rows()
        columns = ("sys_id", "user_name", "name", "email", "employee_number", "active", "time_zone")
        return Table("sys_user", columns, rows)

    def _group_table(self) -> Table:
        rows = [(self._groups[team.team_code], team.assignment_group_name, "true") for team in self._company.teams]
        return Table("sys_user_group", ("sys_id", "name", "active"), rows)

    def _service_table(self) -> Table:
        rows = [
            (
                self._services[service.service_code],
                service.service_name,
                service.service_code,
                str(service.criticality),
                self._groups[service.owner_team_code],
                "1",
            )
            for service in self._company.services
        ]
        return Table(
            "cmdb_ci_service",
            ("sys_id", "name", "number", "busines_criticality", "support_group", "operational_status"),
            rows,
            references={"support_group": "sys_user_group"},
        )

    def _item_table(self) -> Table:
        return Table(
            "cmdb_ci",
            CMDB_COLUMNS,
            self._desk.items(),
            references={"duplicate_of": "cmdb_ci", "attested_by": "sys_user"},
            instants=frozenset(("first_discovered", "last_discovered", "attested_date", "sys_updated_on")),
        )

    def _desk_tables(self) -> Iterator[Table]:
        """Problems, the SLA engine, relations, articles and surveys."""
        desk = self._desk
        surveys, answers = desk.surveys()
        yield Table(
            "problem",
            PROBLEM_COLUMNS,
            desk.problems,
            references={
                "assignment_group": "sys_user_group",
                "assigned_to": "sys_user",
                "business_service": "cmdb_ci_service",
                "cmdb_ci": "cmdb_ci",
                "first_reported_by_task": "task",
            },
            instants=frozenset(
                ("opened_at", "sys_created_on", "sys_updated_on", "confirmed_at", "resolved_at", "closed_at")
            ),
        )
        yield Table("contract_sla", SLA_COLUMNS, desk.definitions(), references={"schedule": "cmn_schedule"})
        yield Table(
            "task_sla",
            TASK_SLA_COLUMNS,
            desk.task_slas(),
            stamp="sys_updated_on",
            references={"task": "task", "sla": "contract_sla", "schedule": "cmn_schedule"},
            instants=frozenset(
                (
                    "start_time",
                    "end_time",
                    "planned_end_time",
                    "original_breach_time",
                    "pause_time",
                    "sys_created_on",
                    "sys_updated_on",
                )
            ),
        )
        yield Table(
            "cmdb_rel_ci",
            RELATION_COLUMNS,
            desk.relations(),
            references={"parent": "cmdb_ci", "child": "cmdb_ci", "type": "cmdb_rel_type"},
        )
        yield Table(
            "kb_knowledge",
            ARTICLE_COLUMNS,
            desk.articles(),
            references={
                "author": "sys_user",
                "kb_knowledge_base": "kb_knowledge_base",
                "kb_category": "kb_category",
            },
            instants=frozenset(("sys_created_on", "sys_updated_on")),
        )
        yield Table(
            "asmt_assessment_instance",
            SURVEY_COLUMNS,
            surveys,
            references={"metric_type": "asmt_metric_type", "user": "sys_user", "task_id": "task"},
            instants=frozenset(("taken_on", "sys_created_on", "sys_updated_on")),
        )
        yield Table(
            "asmt_metric_result",
            ANSWER_COLUMNS,
            answers,
            references={"instance": "asmt_assessment_instance", "metric": "asmt_metric", "user": "sys_user"},
            instants=frozenset(("sys_created_on", "sys_updated_on")),
        )

    def _contract_table(self) -> Table:
        rows = [
            (sys_id, code, f"Service contract {code}", "", "active", "2024-01-01", "")
            for code, sys_id in self._contracts.items()
        ]
        columns = ("sys_id", "number", "short_description", "vendor", "state", "starts", "ends")
        return Table("ast_contract", columns, rows)

    def _incident_tables(self) -> tuple[Table, Table]:
        company = self._company
        clocks = load_clocks(company.start_on - timedelta(days=7), company.as_of_at.date() + timedelta(days=7))
        targets = Targets({service.service_code: service.calendar_code for service in company.services})
        wrong_flags: dict[str, Any] = {}
        for fact in company.planted:
            if fact.code == "wrong_made_sla_flag":
                wrong_flags = fact.detail["flags"]
        incidents: list[tuple[str, ...]] = []
        audit: list[tuple[str, ...]] = []
        for ticket in company.tickets:
            first, last = ticket.events[0], ticket.events[-1]
            resolved_at, resolved_by, closed_at, close_code = "", "", "", ""
            reopened, reassigned = 0, 0
            before: tuple[str, ...] = ("",) * len(AUDITED_FIELDS)
            previous = None
            for checkpoint, event in enumerate(ticket.events):
                at = _text(event.at)
                values = (
                    STATE_CODES[event.ticket_state],
                    str(event.priority),
                    self._groups[event.team_code],
                    self._user(event.assigned_to) if event.assigned_to else "",
                    self._services[event.service_code] if event.service_code else "",
                    self._items[event.configuration_item_code] if event.configuration_item_code else "",
                    self._contracts[event.contract_code] if event.contract_code else "",
                )
                user = (
                    self._rosters.writer(ticket, checkpoint)
                    or event.assigned_to
                    or (ticket.caller if checkpoint == 0 else "system")
                )
                for name, old, new in zip(AUDITED_FIELDS, before, values, strict=True):
                    if old != new or (checkpoint == 0 and name not in SPARSE_FIELDS):
                        audit.append(
                            (
                                sys_id_of(ticket.sys_id, checkpoint, name),
                                "incident",
                                ticket.sys_id,
                                name,
                                old,
                                new,
                                at,
                                user,
                                str(checkpoint),
                            )
                        )
                before = values
                if previous:
                    reassigned += previous.team_code != event.team_code
                    if event.ticket_state == "resolved" and previous.ticket_state != "resolved":
                        resolved_at, resolved_by, close_code = at, values[3], "Solved (Permanently)"
                    if event.ticket_state == "closed":
                        closed_at = at
                    if event.ticket_state == "canceled":
                        closed_at, close_code = at, "Cancelled"
                    if previous.ticket_state in ("resolved", "closed") and event.ticket_state == "in_progress":
                        reopened += 1
                        resolved_at, resolved_by, closed_at, close_code = "", "", "", ""
                previous = event
            if ticket.number in wrong_flags:
                made_sla = wrong_flags[ticket.number]["made_sla_served"]
            else:
                made_sla = naive_made_sla(ticket, company.as_of_at, clocks, targets)
            impact, urgency = IMPACT_URGENCY[last.priority]
            opened = _text(ticket.opened_at)
            incidents.append(
                (
                    ticket.sys_id,
                    ticket.number,
                    opened,
                    self._user(ticket.caller),
                    self._user(ticket.caller),
                    opened,
                    _text(last.at),
                    str(len(ticket.events) - 1),
                    STATE_CODES[last.ticket_state],
                    str(last.priority),
                    impact,
                    urgency,
                    self._groups[last.team_code],
                    self._user(last.assigned_to) if last.assigned_to else "",
                    self._services[last.service_code] if last.service_code else "",
                    self._items[last.configuration_item_code] if last.configuration_item_code else "",
                    self._contracts[last.contract_code] if last.contract_code else "",
                    ticket.category,
                    ticket.contact_type,
                    str(reopened),
                    str(reassigned),
                    resolved_at,
                    resolved_by,
                    closed_at,
                    close_code,
                    "true" if made_sla else "false",
                    ticket.short_description,
                    "false" if last.ticket_state in ("closed", "canceled") else "true",
                    self._desk.problem_of.get(ticket.number, ""),
                    ("false" if reassigned else "true") if resolved_at else "",
                    ROOT_CAUSES[int(ticket.sys_id[:8], 16) % len(ROOT_CAUSES)] if resolved_at else "",
                )
            )
            if first.at != ticket.opened_at:
                raise ValueError(f"{ticket.number}: the first event is not the opening")
        return (
            Table(
                "incident",
                INCIDENT_COLUMNS,
                incidents,
                stamp="sys_updated_on",
                references={
                    "opened_by": "sys_user",
                    "caller_id": "sys_user",
                    "assigned_to": "sys_user",
                    "resolved_by": "sys_user",
                    "assignment_group": "sys_user_group",
                    "business_service": "cmdb_ci_service",
                    "cmdb_ci": "cmdb_ci",
                    "contract": "ast_contract",
                    "problem_id": "problem",
                },
                instants=frozenset(("opened_at", "sys_created_on", "sys_updated_on", "resolved_at", "closed_at")),
            ),
            Table(
                "sys_audit",
                AUDIT_COLUMNS,
                audit,
                stamp="sys_created_on",
                instants=frozenset(("sys_created_on",)),
            ),
        )

    def _change_table(self) -> Table:
        rows = [
            (
                change.sys_id,
                change.number,
                change.type,
                change.state,
                change.risk,
                _text(change.start_at),
                _text(change.end_at),
                _text(change.opened_at),
                _text(change.updated_at),
                self._services[change.service_code],
                self._groups[change.team_code],
                change.close_code,
            )
            for change in self._company.changes
        ]
        return Table(
            "change_request",
            (
                "sys_id",
                "number",
                "type",
                "state",
                "risk",
                "start_date",
                "end_date",
                "opened_at",
                "sys_updated_on",
                "business_service",
                "assignment_group",
                "close_code",
            ),
            rows,
            stamp="sys_updated_on",
            references={"business_service": "cmdb_ci_service", "assignment_group": "sys_user_group"},
            instants=frozenset(("start_date", "end_date", "opened_at", "sys_updated_on")),
        )

    def shown(self, table: Table, name: str, value: str) -> str:
        """The display value of a field, in the integration user's zone and language."""
        if not value:
            return ""
        if name in table.references:
            return self.display.get(value, "")
        if name in table.instants:
            moment = datetime.fromisoformat(value).replace(tzinfo=UTC)
            return _text(moment.astimezone(USER_ZONE))
        return LABELS.get(f"{table.name}.{name}", {}).get(value, value)

    def render(
        self,
        table: Table,
        row: tuple[str, ...],
        columns: Iterable[str],
        display: str,
        without_links: bool,
    ) -> dict[str, Any]:
        """One record as the Table API gives it; `display` is false, true or all."""
        record: dict[str, Any] = {}
        for name in columns:
            value = row[table.position[name]]
            reference = table.references.get(name)
            link = f"{INSTANCE_URL}/api/now/table/{reference}/{value}" if reference and value else None
            if display == "all":
                entry = {"display_value": self.shown(table, name, value), "value": value}
                if link and not without_links:
                    entry["link"] = link
                record[name] = entry
            elif display == "true":
                shown = self.shown(table, name, value)
                record[name] = {"display_value": shown, "link": link} if link and not without_links else shown
            else:
                record[name] = {"link": link, "value": value} if link and not without_links else value
        return record


INCIDENT_COLUMNS = (
    "sys_id",
    "number",
    "opened_at",
    "opened_by",
    "caller_id",
    "sys_created_on",
    "sys_updated_on",
    "sys_mod_count",
    "state",
    "priority",
    "impact",
    "urgency",
    "assignment_group",
    "assigned_to",
    "business_service",
    "cmdb_ci",
    "contract",
    "category",
    "contact_type",
    "reopen_count",
    "reassignment_count",
    "resolved_at",
    "resolved_by",
    "closed_at",
    "close_code",
    "made_sla",
    "short_description",
    "active",
    "problem_id",
    "u_first_contact",
    "u_root_cause",
)
# Values of the instance's own fields, drawn by the incident's sys_id: nothing else depends on them.
ROOT_CAUSES = (
    ["configuration"] * 22 + ["software"] * 20 + ["capacity"] * 10 + ["vendor_cloud"] * 7 + ["vendor_mail"] * 6
    + ["user"] * 20 + ["other"] * 2 + [""] * 13
)  # fmt: skip
AUDIT_COLUMNS = (
    "sys_id",
    "tablename",
    "documentkey",
    "fieldname",
    "oldvalue",
    "newvalue",
    "sys_created_on",
    "user",
    "record_checkpoint",
)
AUDITED_FIELDS = ("state", "priority", "assignment_group", "assigned_to", "business_service", "cmdb_ci", "contract")
# Fields without an audit row of the opening where they open empty.
SPARSE_FIELDS = ("cmdb_ci", "contract")


class ServedServiceNow(ServedSystem):
    """The Table API below /api/now, by basic authentication or by tokens from /oauth_token.do.

    `token_life_seconds` is what a token is good for from the moment it is given.
    """

    token_life_seconds = 1799

    def __init__(self, company: Company) -> None:
        super().__init__(company)
        self._user = "integration.reader"
        self._password = secrets.token_hex(16)
        self._client = secrets.token_hex(16), secrets.token_hex(16)
        self._refresh_token = secrets.token_hex(24)
        self._tokens: dict[str, float] = {}
        self._tables = ServiceNowTables(company)

    def handles(self, path: str) -> bool:
        """All below /api/now/, and the place where tokens are given."""
        return path.startswith("/api/now/") or path == OAUTH_PATH

    def takes_post(self, path: str) -> bool:
        """A token is posted for."""
        return path == OAUTH_PATH

    def oauth_environment(self, *, with_refresh_token: bool = False) -> dict[str, str]:
        """Address and client of OAuth 2.0, instead of user and password."""
        found = {"SERVICENOW_URL": self.url}
        found["SERVICENOW_CLIENT_ID"], found["SERVICENOW_CLIENT_SECRET"] = self._client
        if with_refresh_token:
            found["SERVICENOW_REFRESH_TOKEN"] = self._refresh_token
        return found

    def forget_tokens(self) -> None:
        """Refuse every token given so far, as after a restart of the instance."""
        self._tokens.clear()

    def _give_token(self, request: Request) -> Reply:
        """Client credentials or refresh token, both with id and secret in the body, as the instance wants it."""
        given = dict(parse_qsl(request.body.decode()))
        is_known = same(given.get("client_id", ""), self._client[0]) and same(
            given.get("client_secret", ""), self._client[1]
        )
        is_granted = given.get("grant_type") == "client_credentials" or (
            given.get("grant_type") == "refresh_token" and same(given.get("refresh_token", ""), self._refresh_token)
        )
        if request.method != "POST" or not is_known or not is_granted:
            refusal = {"error_description": "access_denied", "error": "server_error"}
            return Reply(401, refusal)
        token = secrets.token_hex(24)
        self._tokens[token] = time.monotonic() + self.token_life_seconds
        answer = {
            "access_token": token,
            "scope": "useraccount",
            "token_type": "Bearer",
            "expires_in": self.token_life_seconds,
        }
        if given["grant_type"] == "refresh_token":
            answer["refresh_token"] = self._refresh_token
        return Reply(200, answer)

    def _is_let_in(self, request: Request) -> bool:
        scheme, _, token = (request.headers.get("Authorization") or "").partition(" ")
        if scheme == "Bearer":
            return self._tokens.get(token, 0.0) > time.monotonic()
        given = request.basic_auth()
        return bool(given) and same(given[0], self._user) and same(given[1], self._password)

    def environment(self, drops_path: Path | None) -> dict[str, str]:
        """Address, user and password."""
        return {"SERVICENOW_URL": self.url, "SERVICENOW_USER": self._user, "SERVICENOW_PASSWORD": self._password}

    def answer(self, request: Request) -> Reply:
        """The Table API."""

        def failure(status: int, message: str, detail: str | None) -> Reply:
            return Reply(status, {"error": {"message": message, "detail": detail}, "status": "failure"})

        if request.path == OAUTH_PATH:
            return self._give_token(request)
        if not self._is_let_in(request):
            reply = failure(401, "User Not Authenticated", "Required to provide Auth information")
            reply.headers["WWW-Authenticate"] = 'Basic realm="Service-now"'
            return reply
        match = re.fullmatch(r"/api/now/(?:v[12]/)?table/([a-z0-9_]+)(?:/([0-9a-f]{32}))?", request.path)
        if not match:
            return failure(400, "Requested URI does not represent any resource", request.path)
        table = self._tables.tables.get(match[1])
        if not table:
            return failure(400, f"Invalid table {match[1]}", None)
        params = request.params
        display = params.get("sysparm_display_value", "false")
        without_links = params.get("sysparm_exclude_reference_link", "false") == "true"
        wanted = [name.strip() for name in params.get("sysparm_fields", "").split(",") if name.strip()]
        columns = [name for name in wanted if name in table.position] if wanted else table.columns

        def record(row: tuple[str, ...]) -> dict[str, Any]:
            return self._tables.render(table, row, columns, display, without_links)

        if match[2]:
            rows = [row for row in table.rows if row[table.position["sys_id"]] == match[2]]
            if not rows:
                return failure(404, "No Record found", "Record doesn't exist or ACL restricts the record retrieval")
            return Reply(200, {"result": record(rows[0])})
        try:
            found = table.find(params.get("sysparm_query", ""))
        except QueryError as error:
            return failure(400, "Invalid query", str(error))
        limit = max(1, request.number("sysparm_limit", DEFAULT_LIMIT))
        offset = request.number("sysparm_offset", 0)
        records = [record(table.rows[index]) for index in found[offset : offset + limit]]
        headers = {"X-Total-Count": str(len(found))}
        link = self._link(request, len(found), limit, offset)
        if link:
            headers["Link"] = link
        payload = {"result": records}
        return Reply(200, payload, headers, records, [(headers, "X-Total-Count")])

    def _link(self, request: Request, total: int, limit: int, offset: int) -> str:
        """RFC 8288 links to the first, previous, next and last page; nothing when there is one page only."""
        if total <= limit and not offset:
            return ""
        last = (total - 1) // limit * limit if total else 0
        places = [("first", 0)]
        if offset > 0:
            places.append(("prev", max(0, offset - limit)))
        if offset + limit < total:
            places.append(("next", offset + limit))
        places.append(("last", last))
        links = []
        for name, place in places:
            query = urlencode({**request.params, "sysparm_limit": limit, "sysparm_offset": place}, quote_via=quote)
            links.append(f'<{self.url}{request.path}?{query}>;rel="{name}"')
        return ",".join(links)
