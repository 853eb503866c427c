"""What ServiceNow holds beside the company's tickets: problems, its own SLA engine, the CMDB, articles, surveys.

Everything is derived from the company; its tickets, people and pay stay as they are. Chance comes from generators
seeded by the record's own name, and a record depends only on what happened before it, so that an earlier view of
the company holds the same records as they stood then. Rows are in the order of the columns named beside them.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ingestion.contracts import words
from ingestion.demo.model import Company, Ticket, TicketEvent
from ingestion.demo.tickets import sys_id_of
from ingestion.demo.timeline import Clock, epoch, instant, load_clocks, read_seed

Row = tuple[str, ...]

# --- problems ---

PROBLEM_COLUMNS = words(
    "sys_id number opened_at sys_created_on sys_updated_on state priority assignment_group assigned_to "
    "business_service cmdb_ci first_reported_by_task known_error confirmed_at resolved_at resolution_code "
    "closed_at related_incidents short_description active"
)
PROBLEM_SPAN = timedelta(days=14)
PROBLEM_REST = timedelta(days=60)
INCIDENTS_FOR_A_PROBLEM = 3

# --- the SLA engine ---

SLA_COLUMNS = words("sys_id name type target collection duration schedule active")
TASK_SLA_COLUMNS = words(
    "sys_id task sla stage active has_breached start_time end_time planned_end_time original_breach_time "
    "pause_time pause_duration business_pause_duration duration business_duration time_left business_time_left "
    "percentage business_percentage schedule timezone sys_created_on sys_updated_on"
)
ENDED = ("resolved", "closed")
# One in so many completed SLAs carries a flag that its own percentage contradicts, as instances have them when
# the calculation stopped before the end.
WRONG_FLAG_EVERY = 400


@dataclass(frozen=True)
class SlaDefinition:
    """An SLA definition of the instance: whom it attaches to, and its duration on a schedule ('' = always)."""

    name: str
    target: str  # response | resolution
    priority: int
    contract_code: str
    duration_seconds: int
    calendar_code: str

    def is_met_by(self, event: TicketEvent) -> bool:
        """Whether its start condition holds."""
        return event.priority == self.priority and self.contract_code in ("", event.contract_code)

    def is_stopped_by(self, event: TicketEvent) -> bool:
        """Whether its stop condition holds."""
        if self.target == "response":
            return event.ticket_state not in ("new", "canceled")
        return event.ticket_state in ENDED


# The instance knows the general targets only: the stricter ones that contracts and services have are not in it.
SLA_DEFINITIONS = (
    SlaDefinition("Priority 1 response (15 minutes)", "response", 1, "", 900, ""),
    SlaDefinition("Priority 1 resolution (4 hours)", "resolution", 1, "", 14_400, ""),
    SlaDefinition("Priority 2 response (30 minutes)", "response", 2, "", 1_800, ""),
    SlaDefinition("Priority 2 resolution (8 hours)", "resolution", 2, "", 28_800, ""),
    SlaDefinition("Acme priority 3 response (1 business hour)", "response", 3, "acme-gold", 3_600, "us_business"),
)

# --- the CMDB ---

CMDB_COLUMNS = words(
    "sys_id name sys_class_name operational_status install_status unverified duplicate_of first_discovered "
    "last_discovered discovery_source attested attested_date attested_by sys_updated_on"
)
RELATION_COLUMNS = words("sys_id parent child type sys_updated_on")
# The delivered instance's own sys_ids of two relation types.
DEPENDS_ON = "1a9cb166f1571100a92eb60da2bce5c5"
RUNS_ON = "60bc4e22c0a8010e01f074cbe6bd73c3"
CMDB_BEGAN = datetime(2024, 1, 15, 8, tzinfo=UTC)
ATTESTED = datetime(2024, 5, 20, 9, 30, tzinfo=UTC)
RETIRED_ITEM, RETIRED_AT = "mail-arc-01", datetime(2025, 6, 30, 16, tzinfo=UTC)
UNVERIFIED_ITEM = "hrp-app-01"
UNSEEN_ITEM, LAST_SEEN_AT = "tel-pbx-01", datetime(2025, 2, 14, 3, tzinfo=UTC)
MISPLACED_ITEM, MISPLACED_SERVICE = "vpn-gw-02", "network-core"
# Items of the CMDB that no reference data and no ticket names: a copy, a laboratory machine, a newcomer.
UNGOVERNED_ITEMS = ("ord-db-00", "lab-vm-01", "chk-web-03")
DUPLICATE_OF = {"ord-db-00": "ord-db-01"}

# --- knowledge and surveys ---

ARTICLE_COLUMNS = words(
    "sys_id number short_description workflow_state author kb_knowledge_base kb_category published valid_to "
    "sys_view_count use_count rating sys_created_on sys_updated_on"
)
TICKETS_PER_ARTICLE = 150
SURVEY_COLUMNS = words(
    "sys_id number metric_type state user task_id trigger_table trigger_id taken_on expiration_date "
    "sys_created_on sys_updated_on"
)
ANSWER_COLUMNS = words(
    "sys_id instance metric metric_definition actual_value scaled_value string_value user source_table source_id "
    "sys_created_on sys_updated_on"
)
SURVEY_SHARE, ANSWER_SHARE = 0.08, 0.4
SURVEY_DAYS = 14


def text_of(moment: datetime | None) -> str:
    """ServiceNow's stored value of an instant; '' for none."""
    return moment.strftime("%Y-%m-%d %H:%M:%S") if moment else ""


def duration_text(seconds: int) -> str:
    """A glide_duration as it is stored: that far after the beginning of 1970."""
    return text_of(instant(max(0, seconds)))


def _share_text(seconds: int, of_seconds: int) -> str:
    return f"{100 * seconds / of_seconds:.2f}" if of_seconds > 0 else ""


@dataclass
class Identities:
    """The sys_ids of what the company's records point to."""

    group: Callable[[str], str]
    user: Callable[[str], str]
    service: Callable[[str], str]
    item: Callable[[str], str]
    schedule: Callable[[str], str]


class ServiceDesk:
    """The derived tables of one company."""

    def __init__(self, company: Company, ids: Identities) -> None:
        self._company = company
        self._ids = ids
        self._clocks: dict[str, Clock] = {}
        self.problem_of: dict[str, str] = {}
        self.problems = list(self._problem_rows())

    def _chance(self, *name: object) -> random.Random:
        return random.Random(":".join(map(str, (self._company.seed, *name))))

    # -- problems

    def _problem_rows(self) -> Iterator[Row]:
        """A problem for each third urgent incident of a service and category within a fortnight."""
        recent: dict[tuple[str, str], list[Ticket]] = defaultdict(list)
        latest: dict[tuple[str, str], datetime] = {}
        count = 0
        for ticket in sorted(self._company.tickets, key=lambda t: (t.opened_at, t.number)):
            first = ticket.events[0]
            if first.priority > 2 or not first.service_code:
                continue
            place = (first.service_code, ticket.category)
            near = [other for other in recent[place] if ticket.opened_at - other.opened_at <= PROBLEM_SPAN]
            recent[place] = [*near, ticket]
            opened_at = ticket.opened_at + timedelta(minutes=20)
            is_rested = place not in latest or ticket.opened_at - latest[place] > PROBLEM_REST
            if len(recent[place]) < INCIDENTS_FOR_A_PROBLEM or not is_rested or opened_at >= self._company.as_of_at:
                continue
            latest[place] = ticket.opened_at
            count += 1
            yield self._problem(count, opened_at, ticket, recent[place])

    def _problem(self, count: int, opened_at: datetime, trigger: Ticket, incidents: list[Ticket]) -> Row:
        number = f"PRB{40_000 + count:07d}"
        chance = self._chance("problem", trigger.number)
        sys_id = sys_id_of(self._company.seed, "problem", trigger.number)
        # An incident is linked by a change of its own record: one that was over by then never learns of it.
        linked = [ticket for ticket in incidents if ticket.events[-1].at >= opened_at]
        for ticket in linked:
            self.problem_of[ticket.number] = sys_id
        confirmed = opened_at + timedelta(hours=chance.randint(8, 120))
        resolved = confirmed + timedelta(hours=chance.randint(24, 1_000))
        closed = resolved + timedelta(days=7)
        past = [at for at in (opened_at, confirmed, resolved, closed) if at < self._company.as_of_at]
        first = trigger.events[0]
        return (
            sys_id,
            number,
            text_of(opened_at),
            text_of(opened_at),
            text_of(past[-1]),
            ("101", "103", "106", "107")[len(past) - 1],
            str(first.priority),
            self._ids.group(first.team_code),
            "",
            self._ids.service(first.service_code),
            self._ids.item(first.configuration_item_code) if first.configuration_item_code else "",
            trigger.sys_id,
            "true" if len(past) > 1 and chance.random() < 0.3 else "false",
            text_of(confirmed) if len(past) > 1 else "",
            text_of(resolved) if len(past) > 2 else "",
            chance.choice(("fix_applied", "risk_accepted")) if len(past) > 2 else "",
            text_of(closed) if len(past) > 3 else "",
            str(len(linked)),
            f"{first.service_code}: repeated {trigger.category} incidents",
            "false" if len(past) > 3 else "true",
        )

    # -- the SLA engine

    def _sla_id(self, definition: SlaDefinition) -> str:
        return sys_id_of(self._company.seed, "contract_sla", definition.name)

    def definitions(self) -> list[Row]:
        """The SLA definitions of the instance."""
        return [
            (
                self._sla_id(definition),
                definition.name,
                "SLA",
                definition.target,
                "incident",
                duration_text(definition.duration_seconds),
                self._ids.schedule(definition.calendar_code) if definition.calendar_code else "",
                "true",
            )
            for definition in SLA_DEFINITIONS
        ]

    def task_slas(self) -> list[Row]:
        """Every SLA the engine attached, as it stands now."""
        company = self._company
        # A schedule goes on after as_of: that is where an SLA still running will breach.
        self._clocks = load_clocks(company.start_on - timedelta(days=7), company.as_of_at.date() + timedelta(days=60))
        rows: list[Row] = []
        for ticket in company.tickets:
            priorities = {event.priority for event in ticket.events}
            for sla in SLA_DEFINITIONS:
                if sla.priority in priorities:
                    rows += self._attached(ticket, sla)
        return rows

    def _attached(self, ticket: Ticket, sla: SlaDefinition) -> Iterator[Row]:
        """One row for each time the definition attached: when its condition holds and nothing has stopped it yet.

        It starts in retrospect, at the opening, and counts the pauses since then; after a reopening it starts anew.
        A ticket whose condition no longer holds while it runs is cancelled.
        """
        if not any(sla.is_met_by(event) for event in ticket.events):
            return
        start: datetime | None = None
        attached: datetime | None = None
        opened, cycle = ticket.opened_at, 0
        is_responded = False
        for event in ticket.events:
            is_stopped = sla.is_stopped_by(event) or (sla.target == "response" and is_responded)
            if start is None:
                if sla.is_met_by(event) and not is_stopped and event.ticket_state != "canceled":
                    start, attached = opened, event.at
            elif event.ticket_state == "canceled" or (not sla.is_met_by(event) and not is_stopped):
                yield self._row(ticket, sla, cycle, start, attached, event.at, "cancelled")
                start, cycle = None, cycle + 1
            elif is_stopped:
                yield self._row(ticket, sla, cycle, start, attached, event.at, "completed")
                start, cycle = None, cycle + 1
            if is_stopped:
                is_responded = True
                opened = next((e.at for e in ticket.events if e.at > event.at and not sla.is_stopped_by(e)), opened)
        if start is not None:
            is_paused = sla.target == "resolution" and ticket.events[-1].ticket_state == "on_hold"
            yield self._row(ticket, sla, cycle, start, attached, None, "paused" if is_paused else "in_progress")

    def _row(
        self,
        ticket: Ticket,
        sla: SlaDefinition,
        cycle: int,
        start: datetime,
        attached: datetime | None,
        end: datetime | None,
        stage: str,
    ) -> Row:
        until, begun = epoch(end or self._company.as_of_at), epoch(start)
        clock = self._clocks[sla.calendar_code or "always"]
        paused_at = epoch(ticket.events[-1].at) if stage == "paused" else None
        pause, business_pause = 0, 0
        if sla.target == "resolution":
            for event, following in zip(ticket.events, ticket.events[1:], strict=False):
                low, high = max(epoch(event.at), begun), min(epoch(following.at), until)
                if event.ticket_state == "on_hold" and low < high:
                    pause += high - low
                    business_pause += clock.elapsed(low, high)
        counted_to = paused_at if paused_at is not None else until
        duration = max(0, counted_to - begun - pause)
        business = max(0, clock.elapsed(begun, counted_to) - business_pause)
        breaches = clock.add(begun, sla.duration_seconds + business_pause)
        is_breached = business > sla.duration_seconds
        name = sys_id_of(self._company.seed, "task_sla", ticket.number, sla.name, cycle)
        if stage == "completed" and int(name[:6], 16) % WRONG_FLAG_EVERY == 0:
            is_breached = not is_breached
        updated = end or (ticket.events[-1].at if paused_at else self._company.as_of_at - timedelta(minutes=10))
        has_schedule = bool(sla.calendar_code)
        return (
            name,
            ticket.sys_id,
            self._sla_id(sla),
            stage,
            "true" if end is None else "false",
            "true" if is_breached else "false",
            text_of(start),
            text_of(end),
            text_of(instant(breaches)),
            text_of(instant(clock.add(begun, sla.duration_seconds))),
            text_of(instant(paused_at)) if paused_at is not None else "",
            duration_text(pause),
            duration_text(business_pause),
            duration_text(duration),
            duration_text(business) if has_schedule else "",
            duration_text(max(0, breaches - counted_to)),
            duration_text(max(0, sla.duration_seconds - business)) if has_schedule else "",
            _share_text(duration, breaches - begun - pause),
            _share_text(business, sla.duration_seconds) if has_schedule else "",
            self._ids.schedule(sla.calendar_code) if has_schedule else "",
            "US/Eastern" if has_schedule else "",
            text_of(attached),
            text_of(max(updated, attached or updated)),
        )

    # -- the CMDB

    def items(self) -> list[Row]:
        """The configuration items: those of the reference data, and three nobody governs."""
        governed = [row["configuration_item_code"] for row in read_seed("services/configuration_item.csv")]
        return [self._item(code) for code in (*governed, *UNGOVERNED_ITEMS)]

    def _item(self, code: str) -> Row:
        now = self._company.as_of_at
        chance = self._chance("cmdb_ci", code)
        seen = now.replace(minute=0) - timedelta(hours=chance.randint(2, 40))
        attested = ATTESTED
        if code == RETIRED_ITEM and now > RETIRED_AT:
            seen = RETIRED_AT - timedelta(hours=13)
        if code == UNSEEN_ITEM and now > LAST_SEEN_AT:
            seen = LAST_SEEN_AT
        is_retired = (code == RETIRED_ITEM and now > RETIRED_AT) or code in DUPLICATE_OF
        is_attested = code != UNVERIFIED_ITEM and code not in UNGOVERNED_ITEMS
        is_discovered = code not in (UNVERIFIED_ITEM, "lab-vm-01")
        return (
            self._ids.item(code),
            code,
            "cmdb_ci_win_server" if code.startswith(("erp", "hrp")) else "cmdb_ci_linux_server",
            "6" if is_retired else "1",
            "7" if is_retired else "1",
            "true" if code == UNVERIFIED_ITEM else "false",
            self._ids.item(DUPLICATE_OF[code]) if code in DUPLICATE_OF else "",
            text_of(CMDB_BEGAN) if is_discovered else "",
            text_of(seen) if is_discovered else "",
            "ServiceNow" if is_discovered else "Manual Entry",
            "true" if is_attested else "false",
            text_of(attested) if is_attested else "",
            self._ids.user("e1041") if is_attested else "",
            text_of(RETIRED_AT if code == RETIRED_ITEM and is_retired else seen if is_discovered else ATTESTED),
        )

    def relations(self) -> list[Row]:
        """Each governed item below its service, and applications on the databases of their service."""
        governed = read_seed("services/configuration_item.csv")
        pairs = [
            (
                self._ids.service(
                    MISPLACED_SERVICE if row["configuration_item_code"] == MISPLACED_ITEM else row["service_code"]
                ),
                self._ids.item(row["configuration_item_code"]),
                DEPENDS_ON,
            )
            for row in governed
            if row["configuration_item_code"] != UNVERIFIED_ITEM
        ]
        pairs += [
            (
                self._ids.item(above["configuration_item_code"]),
                self._ids.item(below["configuration_item_code"]),
                RUNS_ON,
            )
            for above in governed
            for below in governed
            if above["service_code"] == below["service_code"]
            and "-app-" in above["configuration_item_code"]
            and "-db-" in below["configuration_item_code"]
        ]
        return [
            (sys_id_of(self._company.seed, "cmdb_rel_ci", *pair), *pair, text_of(CMDB_BEGAN + timedelta(hours=1)))
            for pair in pairs
        ]

    # -- knowledge

    def articles(self) -> list[Row]:
        """An article for each so many tickets, written by whoever resolved the last of them."""
        rows = []
        resolved = [
            (event.at, ticket, event.assigned_to)
            for ticket in self._company.tickets
            for event in ticket.events
            if event.ticket_state == "resolved" and event.assigned_to
        ]
        resolved.sort(key=lambda found: (found[0], found[1].number))
        for place in range(TICKETS_PER_ARTICLE // 3, len(resolved), TICKETS_PER_ARTICLE):
            at, ticket, author = resolved[place]
            chance = self._chance("kb_knowledge", ticket.number)
            created = at + timedelta(hours=chance.randint(1, 48))
            if created >= self._company.as_of_at:
                continue
            published = created + timedelta(days=chance.randint(1, 10))
            is_published = published < self._company.as_of_at
            age_days = max(0, (self._company.as_of_at - published).days) if is_published else 0
            is_retired = age_days > 365 and chance.random() < 0.3
            views = int(age_days * chance.uniform(0.1, 4))
            rows.append(
                (
                    sys_id_of(self._company.seed, "kb_knowledge", ticket.number),
                    f"KB{10_000 + len(rows) + 1:07d}",
                    f"How to mend: {ticket.short_description}",
                    "retired" if is_retired else "published" if is_published else "draft",
                    self._ids.user(author or ""),
                    sys_id_of(self._company.seed, "kb_knowledge_base", "IT"),
                    sys_id_of(self._company.seed, "kb_category", ticket.category),
                    published.strftime("%Y-%m-%d") if is_published else "",
                    (published + timedelta(days=365 * 2)).strftime("%Y-%m-%d") if is_published else "",
                    str(views),
                    str(views // chance.randint(6, 20)),
                    f"{chance.uniform(2.5, 5):.1f}" if views > 20 else "",
                    text_of(created),
                    text_of(min(published if is_published else created, self._company.as_of_at - timedelta(hours=1))),
                )
            )
        return rows

    # -- surveys

    def surveys(self) -> tuple[list[Row], list[Row]]:
        """(surveys sent, answers given): after a closure some callers are asked, and some of them answer, 1 to 5."""
        sent: list[Row] = []
        answers: list[Row] = []
        seed = self._company.seed
        metric_type, metric = sys_id_of(seed, "asmt_metric_type", "CSAT"), sys_id_of(seed, "asmt_metric", "CSAT")
        for ticket in self._company.tickets:
            last = ticket.events[-1]
            if last.ticket_state != "closed" or ticket.caller == "monitoring":
                continue
            chance = self._chance("survey", ticket.number)
            if chance.random() >= SURVEY_SHARE:
                continue
            closed = next(event.at for event in ticket.events if event.ticket_state == "closed")
            taken = closed + timedelta(minutes=chance.randint(10, 60 * 24 * (SURVEY_DAYS - 1)))
            expires = closed + timedelta(days=SURVEY_DAYS)
            is_taken = chance.random() < ANSWER_SHARE and taken < self._company.as_of_at
            state = "complete" if is_taken else "ready" if expires > self._company.as_of_at else "expired"
            updated = taken if is_taken else closed if state == "ready" else expires
            sys_id, user = sys_id_of(seed, "asmt_assessment_instance", ticket.number), self._ids.user(ticket.caller)
            sent.append(
                (
                    sys_id,
                    f"AINST{ticket.number.removeprefix('INC')}",
                    metric_type,
                    state,
                    user,
                    ticket.sys_id,
                    "incident",
                    ticket.sys_id,
                    text_of(taken) if is_taken else "",
                    expires.strftime("%Y-%m-%d"),
                    text_of(closed),
                    text_of(min(updated, self._company.as_of_at - timedelta(seconds=1))),
                )
            )
            if is_taken:
                hours = (closed - ticket.opened_at).total_seconds() / 3600
                score = chance.choices(
                    (1, 2, 3, 4, 5), weights=(2, 3, 8, 25, 30) if hours < 72 else (8, 10, 20, 20, 12)
                )[0]
                answers.append(
                    (
                        sys_id_of(seed, "asmt_metric_result", ticket.number),
                        sys_id,
                        metric,
                        "",
                        str(score),
                        str(score * 2),
                        "",
                        user,
                        "incident",
                        ticket.sys_id,
                        text_of(taken),
                        text_of(taken),
                    )
                )
        return sent, answers
