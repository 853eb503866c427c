"""The company's internal desks on Jira: HR services and workplace services, issue by issue.

Derived from the company by a chance of its own for every issue, so that nothing else of the company depends on it
and an earlier as_of gives the same issues with less history. What is put in on purpose: changelogs longer than a
search shows, several entries at one instant, issues re-opened, an SLA goal that was changed on the site afterwards,
accounts without an address, values of custom fields that nobody has mapped.

Instants are aware UTC datetimes with milliseconds, as Jira has them.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ingestion.demo.model import Company, Ticket, TicketEvent
from ingestion.demo.timeline import DAY, HOUR, Clock, Targets, epoch, load_clocks

# One issue every so often from the company's first day: some 480 by the default as_of.
SPACING_SECONDS = 99_000
LONG_CHANGELOG_EVERY = 89
GOAL_CHANGED_EVERY = 97
WITHOUT_SLA_EVERY = 41

# id -> (name, status category key)
STATUSES = {
    "10001": ("Waiting for support", "new"),
    "3": ("In Progress", "indeterminate"),
    "10002": ("Waiting for customer", "indeterminate"),
    "10003": ("Pending", "indeterminate"),
    "10004": ("Escalated", "indeterminate"),
    "5": ("Resolved", "done"),
    "6": ("Closed", "done"),
    "10005": ("Canceled", "done"),
}
WAITING_FOR_SUPPORT, IN_PROGRESS, WAITING_FOR_CUSTOMER = "10001", "3", "10002"
PENDING, ESCALATED, RESOLVED, CLOSED, CANCELED = "10003", "10004", "5", "6", "10005"
STOPPED = (RESOLVED, CLOSED)
CANONICAL_STATES = {
    WAITING_FOR_SUPPORT: "new",
    IN_PROGRESS: "in_progress",
    WAITING_FOR_CUSTOMER: "awaiting_caller",
    PENDING: "on_hold",
    ESCALATED: "in_progress",
    RESOLVED: "resolved",
    CLOSED: "closed",
    CANCELED: "canceled",
}
PAUSED = (WAITING_FOR_CUSTOMER, PENDING)
PRIORITIES = {1: "Highest", 2: "High", 3: "Medium", 4: "Low", 5: "Lowest"}

REQUEST_TYPE_FIELD, ORGANIZATIONS_FIELD, GROUP_FIELD = "customfield_10010", "customfield_10002", "customfield_10061"
RESPONSE_FIELD, RESOLUTION_FIELD = "customfield_10036", "customfield_10035"
WORK_TYPE_FIELD, EFFORT_FIELD = "customfield_10070", "customfield_10071"

PROJECTS = {"HRS": ("10100", "HR Services"), "WPS": ("10101", "Workplace Services")}
GROUPS = {"HRS": ("HR Services", "Payroll Help"), "WPS": ("Workplace Services", "Facilities")}
REQUEST_TYPES = {
    "HRS": ("Question about leave", "Change of personal data", "Payslip question", "Employment letter"),
    "WPS": ("Broken furniture", "Access badge", "Room equipment", "Move of desk"),
}
ORGANIZATIONS = {"1": "Dublin office", "2": "New York office", "3": "Bengaluru office"}
WORK_TYPES = {
    "Advice": 30,
    "Repair": 26,
    "Access": 18,
    "Policy exception": 9,
    "Knowledge article": 8,
    "Supplier": 5,
    "Misc": 2,
}
CUSTOMER_COUNT = 40


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the site; `email` is '' where its owner hides it. `account_type`: atlassian | customer."""

    account_id: str
    display_name: str
    email: str
    account_type: str


@dataclass(frozen=True, slots=True)
class Item:
    """One field changed: ids as text, '' for none; `field_id` as in /rest/api/3/field."""

    field_id: str
    field_name: str
    from_id: str
    from_text: str
    to_id: str
    to_text: str


@dataclass(frozen=True, slots=True)
class History:
    """One entry of a changelog."""

    history_id: int
    at: datetime
    author_id: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Cycle:
    """One cycle of an SLA; `stop_at` is None while it goes on. Durations in milliseconds."""

    start_at: datetime
    stop_at: datetime | None
    goal_ms: int
    elapsed_ms: int
    is_paused: bool
    is_within_hours: bool

    @property
    def is_breached(self) -> bool:
        """Whether more was used than the goal."""
        return self.elapsed_ms > self.goal_ms


@dataclass(slots=True)
class Issue:
    """An issue as it stood at the as_of, with its changelog oldest first."""

    issue_id: int
    key: str
    project_key: str
    summary: str
    created_at: datetime
    reporter_id: str
    request_type: str
    work_type: str
    effort: int | None
    values: dict[str, str]
    histories: list[History] = field(default_factory=list)
    resolved_at: datetime | None = None
    response: list[Cycle] = field(default_factory=list)
    resolution: list[Cycle] = field(default_factory=list)
    has_sla: bool = True

    @property
    def updated_at(self) -> datetime:
        """The latest change."""
        return self.histories[-1].at if self.histories else self.created_at


class Desk:
    """Accounts and issues of the company's two desks at its as_of."""

    def __init__(self, company: Company) -> None:
        self._seed, self._as_of = company.seed, company.as_of_at
        start_on = company.start_on
        self._start = epoch(datetime(start_on.year, start_on.month, start_on.day, tzinfo=UTC))
        self._clocks = load_clocks(start_on - timedelta(days=7), company.as_of_at.date() + timedelta(days=400))
        self._targets = Targets({})
        # Those who run the internal desks are no agents of the service organisation: nothing they do is paid by it.
        staff = sorted((p for p in company.employees if not p.is_agent), key=lambda p: p.employee_number)[:6]
        self.staff = [_account(self._seed, p.employee_number, p.display_name, p.email, "atlassian") for p in staff]
        self.staff += [_account(self._seed, name, name, "", "atlassian") for name in ("Temp Desk One", "Temp Desk Two")]
        self.customers = [
            _account(self._seed, f"customer-{n}", f"Customer {n}", "", "customer") for n in range(CUSTOMER_COUNT)
        ]
        self.issues: list[Issue] = []
        counts = dict.fromkeys(PROJECTS, 0)
        number = 0
        while True:
            rng = random.Random(f"{self._seed}:jira:{number}")
            project = rng.choices(list(PROJECTS), weights=[6, 4])[0]
            counts[project] += 1
            base = self._start + number * SPACING_SECONDS + rng.randrange(SPACING_SECONDS // 2)
            created = self._clocks["ie_business"].add(base, rng.randrange(600, 4 * HOUR))
            if base >= epoch(self._as_of):
                break
            if datetime.fromtimestamp(created + 1, UTC) < self._as_of:
                self.issues.append(self._issue(number, project, counts[project], created, rng))
            number += 1

    def _issue(self, number: int, project: str, position: int, created: int, rng: random.Random) -> Issue:
        priority = rng.choices([1, 2, 3, 4, 5], weights=[1, 6, 36, 44, 13])[0]
        organization = rng.choice(list(ORGANIZATIONS))
        group = GROUPS[project][0]
        request_type = rng.choice(REQUEST_TYPES[project])
        issue = Issue(
            issue_id=20_000 + number,
            key=f"{project}-{position}",
            project_key=project,
            summary=f"{request_type} ({ORGANIZATIONS[organization]})",
            created_at=datetime.fromtimestamp(created, UTC).replace(microsecond=rng.randrange(1000) * 1000),
            reporter_id=rng.choice(self.customers).account_id,
            request_type=request_type,
            work_type=rng.choices(list(WORK_TYPES), weights=list(WORK_TYPES.values()))[0] if rng.random() < 0.9 else "",
            effort=rng.choice([1, 2, 2, 3, 3, 3, 4, 5, 8]) if rng.random() < 0.7 else None,
            values={
                "status": WAITING_FOR_SUPPORT,
                "priority": str(priority),
                "assignee": "",
                GROUP_FIELD: group,
                ORGANIZATIONS_FIELD: organization,
            },
            has_sla=number % WITHOUT_SLA_EVERY != 7,
        )
        self._live(issue, number, created, priority, rng)
        issue.histories = [entry for entry in issue.histories if entry.at < self._as_of]
        opening = dict(issue.values)
        for entry in issue.histories:
            for item in entry.items:
                if item.field_id in issue.values:
                    issue.values[item.field_id] = item.to_text if item.field_id == GROUP_FIELD else item.to_id
                if item.field_id == "resolution":
                    issue.resolved_at = entry.at if item.to_id else None
        if issue.has_sla:
            self._measure(issue, number, opening)
        return issue

    def tickets(self) -> list[Ticket]:
        """The issues as tickets of the model, by whole seconds, for the reference calculation; number is the key."""
        tickets = []
        for issue in self.issues:
            # What an issue opened with is what its first changes replaced.
            opening = dict(issue.values)
            for entry in reversed(issue.histories):
                for item in entry.items:
                    if item.field_id in opening:
                        opening[item.field_id] = item.from_text if item.field_id == GROUP_FIELD else item.from_id
            events = [_event(issue.created_at, opening)]
            for entry in issue.histories:
                for item in entry.items:
                    if item.field_id in opening:
                        opening[item.field_id] = item.to_text if item.field_id == GROUP_FIELD else item.to_id
                events.append(_event(entry.at, opening))
            tickets.append(
                Ticket(
                    sys_id=str(issue.issue_id),
                    number=issue.key,
                    opened_at=events[0].at,
                    contact_type="",
                    category="",
                    short_description=issue.summary,
                    caller=issue.reporter_id,
                    events=events,
                )
            )
        return tickets

    # --- what happens to an issue ---

    def _live(self, issue: Issue, number: int, created: int, priority: int, rng: random.Random) -> None:
        """Writes the changelog; a later step never lies before an earlier one."""
        now = dict(issue.values)
        entries: list[tuple[int, str, list[tuple[str, str]]]] = []
        agent = rng.choice(self.staff).account_id
        response_seconds, _, response_calendar = self._targets.of("jira_response", "", priority)
        target, _, calendar = self._targets.of("jira_resolution", "", priority)
        clock = self._clocks[calendar]

        # A robot that tags and tags again: the first changes of state are no longer among the newest forty.
        tags = [f"tag-{place}" for place in range(47)] if number % LONG_CHANGELOG_EVERY == 5 else []
        if rng.random() < 0.04:
            entries.append((clock.add(created, rng.randrange(600, 8 * HOUR)), agent, [("status", CANCELED)]))
            self._write(issue, now, entries, tags, number)
            return
        answered = self._clocks[response_calendar].add(created, int(response_seconds * rng.uniform(0.05, 1.12)))
        # Whoever takes it puts a name to it in the same click.
        entries.append((answered, agent, [("status", IN_PROGRESS), ("assignee", agent)]))
        at = answered
        effort = int(target * (rng.uniform(0.15, 0.9) if rng.random() < 0.86 else rng.uniform(1.02, 1.8)))
        used = clock.elapsed(created, answered)
        pauses = 0
        if rng.random() < 0.07:
            at += rng.randrange(60, HOUR)
            other = priority + 1 if priority < 5 else 4
            entries.append((at, agent, [("priority", str(other))]))
        if rng.random() < 0.08:
            at += rng.randrange(60, HOUR)
            second = GROUPS[issue.project_key][1]
            # Two entries at one instant: the group is changed and the assignee is taken off by a rule.
            entries.append((at, agent, [(GROUP_FIELD, second)]))
            entries.append((at, agent, [("assignee", "")]))
            at += rng.randrange(60, HOUR)
            agent = rng.choice(self.staff).account_id
            entries.append((at, agent, [("assignee", agent)]))
        if rng.random() < 0.04:
            at += rng.randrange(60, HOUR)
            entries.append((at, agent, [(ORGANIZATIONS_FIELD, rng.choice(list(ORGANIZATIONS)))]))
        if rng.random() < 0.05:
            at += rng.randrange(60, HOUR)
            entries.append((at, agent, [("status", ESCALATED)]))
        for status, share in ((WAITING_FOR_CUSTOMER, 0.32), (PENDING, 0.09)):
            if rng.random() < share:
                at += rng.randrange(300, 2 * HOUR)
                entries.append((at, agent, [("status", status)]))
                back = at + rng.randrange(HOUR, 3 * DAY)
                pauses += clock.elapsed(at, back)
                at = back
                entries.append((at, agent, [("status", IN_PROGRESS)]))
        stop = max(at + 60, clock.add(created, max(effort, used + 60) + pauses))
        entries.append((stop, agent, [("status", RESOLVED), ("resolution", "10000")]))
        if rng.random() < 0.07:
            back = stop + rng.randrange(HOUR, 2 * DAY)
            entries.append((back, issue.reporter_id, [("status", IN_PROGRESS), ("resolution", "")]))
            stop = clock.add(back, rng.randrange(600, max(1200, int(target * 0.4))))
            entries.append((stop, agent, [("status", RESOLVED), ("resolution", "10000")]))
        entries.append((stop + 3 * DAY, agent, [("status", CLOSED)]))
        self._write(issue, now, entries, tags, number)

    def _write(
        self,
        issue: Issue,
        now: dict[str, str],
        entries: list[tuple[int, str, list[tuple[str, str]]]],
        tags: list[str],
        number: int,
    ) -> None:
        last = max(at for at, _, _ in entries)
        marks = [(at, author, changes) for at, author, changes in entries]
        marks += [(last + 60 * place, "", [("labels", tag)]) for place, tag in enumerate(tags, start=1)]
        state = {**now, "resolution": "", "labels": ""}
        at_before, milliseconds_before = 0, 0
        for place, (at, author, changes) in enumerate(marks):
            rng = random.Random(f"{self._seed}:jira:{number}:{place}")
            # Entries of one second keep their order, some of them to the very millisecond.
            milliseconds = milliseconds_before if at == at_before else rng.randrange(1000)
            at_before, milliseconds_before = at, milliseconds
            items = []
            for field_id, value in changes:
                before = state[field_id]
                if before == value:
                    continue
                items.append(
                    Item(
                        field_id,
                        FIELD_NAMES[field_id],
                        "" if field_id == "labels" else _id_of(field_id, before),
                        self._text(field_id, before),
                        "" if field_id == "labels" else _id_of(field_id, value),
                        self._text(field_id, value),
                    )
                )
                state[field_id] = value
            if items:
                moment = datetime.fromtimestamp(at, UTC).replace(microsecond=milliseconds * 1000)
                issue.histories.append(
                    History(
                        1_000_000 + number * 100 + place,
                        max(moment, issue.created_at),
                        author or self.staff[0].account_id,
                        tuple(items),
                    )
                )

    def _text(self, field_id: str, value: str) -> str:
        if not value:
            return ""
        if field_id == "status":
            return STATUSES[value][0]
        if field_id == "priority":
            return PRIORITIES[int(value)]
        if field_id == "resolution":
            return "Done"
        if field_id == ORGANIZATIONS_FIELD:
            return ORGANIZATIONS[value]
        if field_id == "assignee":
            return next(account.display_name for account in self.staff if account.account_id == value)
        return value

    # --- what Jira's own SLA says ---

    def _measure(self, issue: Issue, number: int, opening: dict[str, str]) -> None:
        """Cycles by Jira's rules: the goal of the priority held last, a new cycle after each re-opening."""
        status, priority = opening["status"], int(opening["priority"])
        first_priority = priority
        changes: list[tuple[datetime, str]] = [(issue.created_at, status)]
        answered: datetime | None = None
        for entry in issue.histories:
            for item in entry.items:
                if item.field_id == "priority":
                    priority = int(item.to_id)
                    if answered is None:
                        first_priority = priority
                if item.field_id == "status":
                    changes.append((entry.at, item.to_id))
                    answered = answered or entry.at
        if changes[-1][1] == CANCELED:
            return
        seconds, _, calendar = self._targets.of("jira_response", "", first_priority)
        clock = self._clocks[calendar]
        issue.response = [self._cycle(clock, [(issue.created_at, answered)], seconds, answered, False)]
        seconds, _, calendar = self._targets.of("jira_resolution", "", priority)
        if number % GOAL_CHANGED_EVERY == 11:
            seconds = seconds * 3 // 4
        clock = self._clocks[calendar]
        ends: list[datetime | None] = [at for at, _ in changes[1:]] + [None]
        running: list[tuple[datetime, datetime | None]] = []
        is_paused = False
        begun: datetime | None = None
        for (at, held), end in zip(changes, ends, strict=True):
            if held in STOPPED:
                if begun:
                    issue.resolution.append(self._cycle(clock, running, seconds, at, False, begun))
                    running, begun = [], None
                continue
            begun = begun or at
            is_paused = held in PAUSED
            if not is_paused:
                running.append((at, end))
        if begun:
            issue.resolution.append(self._cycle(clock, running, seconds, None, is_paused, begun))

    def _cycle(
        self,
        clock: Clock,
        running: list[tuple[datetime, datetime | None]],
        goal_seconds: int,
        stop_at: datetime | None,
        is_paused: bool,
        start_at: datetime | None = None,
    ) -> Cycle:
        elapsed = sum(
            clock.elapsed(from_at.timestamp(), (to_at or self._as_of).timestamp()) for from_at, to_at in running
        )
        as_of = epoch(self._as_of)
        return Cycle(
            start_at or running[0][0],
            stop_at,
            goal_seconds * 1000,
            round(elapsed * 1000),
            is_paused,
            stop_at is None and clock.elapsed(as_of, as_of + 1) > 0,
        )


FIELD_NAMES = {
    "status": "status",
    "priority": "priority",
    "assignee": "assignee",
    "resolution": "resolution",
    "labels": "labels",
    GROUP_FIELD: "Assigned group",
    ORGANIZATIONS_FIELD: "Organizations",
}
GROUP_OPTIONS = {
    name: str(10_200 + place) for place, name in enumerate(group for groups in GROUPS.values() for group in groups)
}


def _id_of(field_id: str, value: str) -> str:
    return GROUP_OPTIONS[value] if field_id == GROUP_FIELD and value else value


def _event(at: datetime, values: dict[str, str]) -> TicketEvent:
    return TicketEvent(
        at=at.replace(microsecond=0),
        ticket_state=CANONICAL_STATES[values["status"]],
        priority=int(values["priority"]),
        # No group of the internal desks is a team.
        team_code=None,  # type: ignore[arg-type]
        assigned_to=None,
        service_code="",
    )


def _account(seed: int, name: str, display_name: str, email: str, account_type: str) -> Account:
    number = random.Random(f"{seed}:account:{name}").getrandbits(128)
    text = f"{number:032x}"
    return Account(
        f"712020:{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}", display_name, email, account_type
    )
