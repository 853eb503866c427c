"""Tickets planted at fixed instants, each with what a correct warehouse must say about it to the second.

The figures are worked out by hand from the calendars, targets and exclusion requests in /seeds; the
arithmetic stands beside each ticket. All instants are UTC. `expect()` names the parts in the order in which
fct_ticket_slt has them and refuses parts that do not add up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ingestion.demo.model import PlantedFact, Ticket, TicketEvent
from ingestion.demo.people import People
from ingestion.demo.tickets import CLOSE_DELAY, sys_id_of
from ingestion.demo.timeline import utc

FIRST_NUMBER = 990_001
RESOLUTION = "incident_resolution"


def expect(
    status: str,
    *,
    wall: int,
    paused: int = 0,
    outside: int = 0,
    excluded: int = 0,
    net: int,
    target: int,
    team: str,
    calendar: str,
    priority: int,
    original_breach_at: str | None = None,
    breach_at: str | None = None,
) -> dict[str, Any]:
    """The expected fct_ticket_slt row (seconds; instants as UTC text)."""
    if wall != paused + outside + excluded + net:
        raise ValueError(f"planted parts do not add up: {wall} <> {paused}+{outside}+{excluded}+{net}")
    return {
        "slt_code": RESOLUTION,
        "slt_status": status,
        "wall_seconds": wall,
        "paused_seconds": paused,
        "outside_calendar_seconds": outside,
        "excluded_seconds": excluded,
        "net_seconds": net,
        "business_seconds": excluded + net,
        "target_seconds": target,
        "calendar_code": calendar,
        "priority": priority,
        "team_code": team,
        "is_breached_raw": excluded + net > target,
        "is_breached_adjusted": net > target,
        "is_forgiven": status == "within_tolerance",
        "original_breach_at": original_breach_at,
        "breach_at": breach_at,
    }


@dataclass(frozen=True)
class Step:
    """A planted event: what changes at `at` ('YYYY-MM-DD HH:MM:SS' UTC); None leaves a value as it was."""

    at: str
    state: str | None = None
    team: str | None = None
    priority: int | None = None


class Planter:
    """Collects planted tickets and facts; a fact is kept when all of it is over by `as_of_at`."""

    def __init__(self, seed: int, people: People, as_of_at: datetime) -> None:
        self.tickets: list[Ticket] = []
        self.facts: list[PlantedFact] = []
        self._seed = seed
        self._people = people
        self._as_of_at = as_of_at

    def ticket(
        self, service: str, team: str, priority: int, summary: str, steps: list[Step], *, closes: bool = True
    ) -> str:
        """Adds a ticket (the first step opens it) and returns its number."""
        number = f"INC{FIRST_NUMBER + len(self.tickets):07d}"
        events: list[TicketEvent] = []
        state, agent = "new", None
        for step in steps:
            at = utc(step.at)
            state = step.state or state
            priority = step.priority or priority
            if step.team or (agent is None and state == "in_progress"):
                team = step.team or team
                agent = self._people.agents_on(team, at.date())[0]
            events.append(TicketEvent(at, state, priority, team, agent, service))
        if closes and state == "resolved":
            closed_at = events[-1].at + timedelta(seconds=CLOSE_DELAY)
            events.append(TicketEvent(closed_at, "closed", priority, team, agent, service))
        self.tickets.append(
            Ticket(
                sys_id=sys_id_of(self._seed, "incident", number),
                number=number,
                opened_at=events[0].at,
                contact_type="phone",
                category="software",
                short_description=summary,
                caller="u2001",
                events=events,
            )
        )
        return number

    def fact(self, code: str, description: str, tickets: dict[str, dict[str, Any]], **detail: Any) -> None:
        """Records a fact about planted tickets, settled when the last of them has closed."""
        by_number = {ticket.number: ticket for ticket in self.tickets}
        settled_at = max(by_number[number].events[-1].at for number in tickets) + timedelta(seconds=1)
        if settled_at <= self._as_of_at:
            text = settled_at.strftime("%Y-%m-%d %H:%M:%S")
            self.facts.append(PlantedFact(code, description, {"settled_at": text, "tickets": tickets, **detail}))


def plant(seed: int, people: People, as_of_at: datetime) -> Planter:
    """All planted tickets and the facts about them."""
    planter = Planter(seed, people, as_of_at)
    _force_majeure(planter)
    _vendor_flood(planter)
    _all_scope(planter)
    _refused_exclusions(planter)
    _daylight_saving(planter)
    _half_hour_zone(planter)
    _reopened(planter)
    _edges_of_the_target(planter)
    _moving_parts(planter)
    return planter


def _force_majeure(planter: Planter) -> None:
    # EXR-0001 09:00-21:00 and EXR-0008 18:00-02:00 overlap: together 2025-03-12 09:00 to 2025-03-13 02:00,
    # 17 h. P1 on payments, target 7,200 around the clock. 08:30 to 02:45 is 18 h 15 min = 65,700; excluded
    # 17 h = 61,200; net 30 min before and 45 min after = 4,500. Raw runs out after 2 h, at 10:30.
    first = planter.ticket(
        "payments",
        "sre",
        1,
        "Payments API: all authorisations fail",
        [
            Step("2025-03-12 08:30:00"),
            Step("2025-03-12 08:35:00", "in_progress"),
            Step("2025-03-13 02:45:00", "resolved"),
        ],
    )
    # P3 on payments, target 57,600 in Irish office hours (09:00-17:30, on winter time = UTC). Tuesday
    # 15:30-17:30 7,200; Wednesday 8.5 h = 30,600, all of it inside the union; Thursday 30,600; Friday
    # 09:00-10:00 3,600. business 72,000, net 41,400. Wall 2 d 18 h 30 min = 239,400, closed hours 239,400 -
    # 72,000 = 167,400. Raw: 37,800 by Wednesday evening, the missing 19,800 are over on Thursday at 14:30.
    second = planter.ticket(
        "payments",
        "sre",
        3,
        "Payments API: settlement file late",
        [
            Step("2025-03-11 15:30:00"),
            Step("2025-03-11 15:45:00", "in_progress"),
            Step("2025-03-14 10:00:00", "resolved"),
        ],
    )
    # P2 on payments, target 14,400 around the clock. On hold 16:00-20:00 inside the union: 4 h are paused,
    # not excluded as well. 21 h = 75,600 = paused 14,400 + excluded 17 h - 4 h = 46,800 + net 07:00-09:00
    # and 02:00-04:00 = 14,400, which is the target to the second: met. Raw runs out after 4 h, at 11:00.
    third = planter.ticket(
        "payments",
        "sre",
        2,
        "Payments API: refunds stuck",
        [
            Step("2025-03-12 07:00:00"),
            Step("2025-03-12 07:10:00", "in_progress"),
            Step("2025-03-12 16:00:00", "on_hold"),
            Step("2025-03-12 20:00:00", "in_progress"),
            Step("2025-03-13 04:00:00", "resolved"),
        ],
    )
    planter.fact(
        "force_majeure_payments",
        "Tickets on payments open during two overlapping force majeure windows (EXR-0001, EXR-0008: 61,200 s "
        "together, counted once): breached raw, met adjusted",
        {
            first: expect(
                "met",
                wall=65_700,
                excluded=61_200,
                net=4_500,
                target=7_200,
                team="sre",
                calendar="always",
                priority=1,
                original_breach_at="2025-03-12 10:30:00",
            ),
            second: expect(
                "met",
                wall=239_400,
                outside=167_400,
                excluded=30_600,
                net=41_400,
                target=57_600,
                team="sre",
                calendar="ie_business",
                priority=3,
                original_breach_at="2025-03-13 14:30:00",
            ),
            third: expect(
                "met",
                wall=75_600,
                paused=14_400,
                excluded=46_800,
                net=14_400,
                target=14_400,
                team="sre",
                calendar="always",
                priority=2,
                original_breach_at="2025-03-12 11:00:00",
            ),
        },
        exclusion_ids=["EXR-0001", "EXR-0008"],
        union_from="2025-03-12 09:00:00",
        union_to="2025-03-13 02:00:00",
        union_seconds=61_200,
    )


def _vendor_flood(planter: Planter) -> None:
    # EXR-0003, vendor cloudharbour, 2025-06-18 11:00 to 2025-06-19 03:00, 16 h = 57,600.
    # P2 on checkout, target 28,800: 10:00 to 05:00 is 19 h = 68,400, net 3 h. Raw runs out at 18:00.
    checkout = planter.ticket(
        "checkout",
        "app-support",
        2,
        "Web Checkout: pages time out",
        [
            Step("2025-06-18 10:00:00"),
            Step("2025-06-18 10:20:00", "in_progress"),
            Step("2025-06-19 05:00:00", "resolved"),
        ],
    )
    # P3 on the data warehouse, target 57,600 in New York office hours (08-12 and 13-18, UTC-4): Tuesday
    # from 10:00 local 2 + 5 = 7 h; Wednesday 9 h, all inside the window (07:00 to 23:00 local); Thursday is
    # Juneteenth; Friday 08:00-12:00 4 h. business 20 h = 72,000, excluded 32,400, net 39,600. Wall 3 d 2 h
    # = 266,400, closed 194,400. Raw: 16 h are full at the very close of Wednesday (18:00 local = 22:00
    # UTC); the clock counts on beyond them from Friday's opening, 08:00 local = 12:00 UTC.
    warehouse = planter.ticket(
        "data-warehouse",
        "db-eng",
        3,
        "Data Warehouse: figures of yesterday missing",
        [
            Step("2025-06-17 14:00:00"),
            Step("2025-06-17 14:30:00", "in_progress"),
            Step("2025-06-20 16:00:00", "resolved"),
        ],
    )
    planter.fact(
        "vendor_scope_exclusion",
        "Tickets on services hosted by cloudharbour during EXR-0003: breached raw, met adjusted",
        {
            checkout: expect(
                "met",
                wall=68_400,
                excluded=57_600,
                net=10_800,
                target=28_800,
                team="app-support",
                calendar="always",
                priority=2,
                original_breach_at="2025-06-18 18:00:00",
            ),
            warehouse: expect(
                "met",
                wall=266_400,
                outside=194_400,
                excluded=32_400,
                net=39_600,
                target=57_600,
                team="db-eng",
                calendar="us_business",
                priority=3,
                original_breach_at="2025-06-20 12:00:00",
            ),
        },
        exclusion_ids=["EXR-0003"],
    )


def _all_scope(planter: Planter) -> None:
    # EXR-0002, scope all, 2024-11-05 02:00 to 08:30, 6.5 h = 23,400; also counts for tickets without a
    # service. P2, target 28,800 around the clock: 01:00 to 12:00 is 39,600, net 16,200. Raw runs out at
    # 09:00.
    number = planter.ticket(
        "",
        "net-ops",
        2,
        "Workplace: no connection to the American sites",
        [
            Step("2024-11-05 01:00:00"),
            Step("2024-11-05 01:15:00", "in_progress"),
            Step("2024-11-05 12:00:00", "resolved"),
        ],
    )
    planter.fact(
        "all_scope_exclusion_without_service",
        "A ticket without a service during EXR-0002 (scope all): breached raw, met adjusted",
        {
            number: expect(
                "met",
                wall=39_600,
                excluded=23_400,
                net=16_200,
                target=28_800,
                team="net-ops",
                calendar="always",
                priority=2,
                original_breach_at="2024-11-05 09:00:00",
            ),
        },
        exclusion_ids=["EXR-0002"],
    )


def _refused_exclusions(planter: Planter) -> None:
    # P2, target 28,800 around the clock, each open for longer than that mostly inside a window that has no
    # effect.
    cases = [
        # 09:00-19:00, 36,000; runs out at 17:00.
        (
            "EXR-0004",
            "no evidence",
            "erp",
            "db-eng",
            "2025-05-06 09:00:00",
            "2025-05-06 19:00:00",
            36_000,
            "2025-05-06 17:00:00",
        ),
        # 12:00-22:00, 36,000; runs out at 20:00.
        (
            "EXR-0005",
            "approved by the requester",
            "orders",
            "app-support",
            "2025-02-10 12:00:00",
            "2025-02-10 22:00:00",
            36_000,
            "2025-02-10 20:00:00",
        ),
        # 05:30-15:00, 34,200; runs out at 13:30.
        (
            "EXR-0006",
            "category does not count",
            "email",
            "platform",
            "2025-08-21 05:30:00",
            "2025-08-21 15:00:00",
            34_200,
            "2025-08-21 13:30:00",
        ),
        # 06:00-15:30, 34,200; runs out at 14:00.
        (
            "EXR-0007",
            "not decided",
            "vpn",
            "net-ops",
            "2025-09-03 06:00:00",
            "2025-09-03 15:30:00",
            34_200,
            "2025-09-03 14:00:00",
        ),
    ]
    for exclusion_id, reason, service, team, opened, resolved, wall, breach_at in cases:
        started = (datetime.fromisoformat(opened) + timedelta(minutes=12)).isoformat(" ")
        number = planter.ticket(
            service,
            team,
            2,
            f"{service}: outage, {reason}",
            [Step(opened), Step(started, "in_progress"), Step(resolved, "resolved")],
        )
        planter.fact(
            f"refused_exclusion_{exclusion_id.lower().replace('-', '_')}",
            f"{exclusion_id} has no effect ({reason}): the ticket stays breached, raw and adjusted alike",
            {
                number: expect(
                    "breached",
                    wall=wall,
                    net=wall,
                    target=28_800,
                    team=team,
                    calendar="always",
                    priority=2,
                    original_breach_at=breach_at,
                    breach_at=breach_at,
                ),
            },
            exclusion_ids=[exclusion_id],
        )


def _daylight_saving(planter: Planter) -> None:
    # Europe/Dublin goes from UTC to UTC+1 on Sunday 2025-03-30 at 01:00 UTC. vpn, ie_extended (00:30-22:00
    # every day). P3, target 57,600. Friday 18:00-22:00 14,400; Saturday 00:30-10:00 34,200; on hold
    # Saturday 10:00 to Monday 08:00 UTC (09:00 local) 46 h = 165,600, although the local clocks are 47 h
    # apart; Monday 08:00-10:00 7,200. net 55,800. Closed: Friday 22:00 to Saturday 00:30 9,000. Wall 64 h =
    # 230,400.
    paused = planter.ticket(
        "vpn",
        "net-ops",
        3,
        "Remote Access VPN: certificate expired",
        [
            Step("2025-03-28 18:00:00"),
            Step("2025-03-28 18:10:00", "in_progress"),
            Step("2025-03-29 10:00:00", "on_hold"),
            Step("2025-03-31 08:00:00", "in_progress"),
            Step("2025-03-31 10:00:00", "resolved"),
        ],
    )
    # P4, target 115,200, running through that Sunday: open 00:30 UTC (before the change) to 21:00 UTC
    # (22:00 local) = 20.5 h = 73,800; Monday opens at 23:30 UTC, to 00:30 UTC 3,600. net 77,400. Closed:
    # 00:00-00:30 and 21:00-23:30 = 10,800. Wall 24.5 h = 88,200.
    running = planter.ticket(
        "vpn",
        "net-ops",
        4,
        "Remote Access VPN: tunnel drops",
        [
            Step("2025-03-30 00:00:00"),
            Step("2025-03-30 00:40:00", "in_progress"),
            Step("2025-03-31 00:30:00", "resolved"),
        ],
    )
    planter.fact(
        "dst_weekend_dublin",
        "A ticket on hold over the weekend on which Dublin goes to summer time, and one running through it",
        {
            paused: expect(
                "met",
                wall=230_400,
                paused=165_600,
                outside=9_000,
                net=55_800,
                target=57_600,
                team="net-ops",
                calendar="ie_extended",
                priority=3,
            ),
            running: expect(
                "met",
                wall=88_200,
                outside=10_800,
                net=77_400,
                target=115_200,
                team="net-ops",
                calendar="ie_extended",
                priority=4,
            ),
        },
    )
    # America/New_York goes from UTC-4 to UTC-5 on Sunday 2024-11-03 at 06:00 UTC. orders, us_business
    # (08-12, 13-18 on weekdays). P3, target 57,600. Friday 15:00-16:00 local 3,600; on hold Friday 20:00
    # UTC to Monday 14:00 UTC (09:00 local) 66 h = 237,600; Monday 09:00-12:00 and 13:00-15:30 local 19,800.
    # net 23,400. Closed: Monday's midday break 3,600. Wall 73.5 h = 264,600.
    paused = planter.ticket(
        "orders",
        "app-support",
        3,
        "Order Management: order not confirmed",
        [
            Step("2024-11-01 19:00:00"),
            Step("2024-11-01 19:05:00", "in_progress"),
            Step("2024-11-01 20:00:00", "on_hold"),
            Step("2024-11-04 14:00:00", "in_progress"),
            Step("2024-11-04 20:30:00", "resolved"),
        ],
    )
    # P4, target 115,200: Friday 17:00-18:00 local 3,600; Monday 08:00-10:00 local (13:00-15:00 UTC) 7,200.
    # net 10,800. Wall Friday 21:00 to Monday 15:00 UTC 66 h = 237,600, closed 226,800.
    running = planter.ticket(
        "orders",
        "app-support",
        4,
        "Order Management: duplicate order",
        [
            Step("2024-11-01 21:00:00"),
            Step("2024-11-01 21:10:00", "in_progress"),
            Step("2024-11-04 15:00:00", "resolved"),
        ],
    )
    planter.fact(
        "dst_weekend_new_york",
        "A ticket on hold over the weekend on which New York goes to winter time, and one running through it",
        {
            paused: expect(
                "met",
                wall=264_600,
                paused=237_600,
                outside=3_600,
                net=23_400,
                target=57_600,
                team="app-support",
                calendar="us_business",
                priority=3,
            ),
            running: expect(
                "met",
                wall=237_600,
                outside=226_800,
                net=10_800,
                target=115_200,
                team="app-support",
                calendar="us_business",
                priority=4,
            ),
        },
    )


def _half_hour_zone(planter: Planter) -> None:
    # Asia/Kolkata, UTC+5:30; office hours 09:30-18:30 until 2024-12-31, 09:00-18:00 from 2025-01-01. P3 on
    # the catalogue, target 57,600. Tuesday 15:30-18:30 local 10,800; Wednesday 09:00-18:00 32,400; Thursday
    # 09:00-10:30 5,400. net 48,600. Wall 43 h = 154,800, closed 106,200.
    new_hours = planter.ticket(
        "catalogue",
        "platform",
        3,
        "Product Catalogue: price not shown",
        [
            Step("2024-12-31 10:00:00"),
            Step("2024-12-31 10:30:00", "in_progress"),
            Step("2025-01-02 05:00:00", "resolved"),
        ],
    )
    # Saturday 09:00 local to Monday 09:30 local: Saturday 09:30-13:30 14,400, Monday 09:00-09:30 1,800. net
    # 16,200. Wall 48.5 h = 174,600, closed 158,400.
    saturday = planter.ticket(
        "catalogue",
        "platform",
        3,
        "Product Catalogue: search finds nothing",
        [
            Step("2025-07-05 03:30:00"),
            Step("2025-07-05 04:30:00", "in_progress"),
            Step("2025-07-07 04:00:00", "resolved"),
        ],
    )
    planter.fact(
        "half_hour_zone",
        "P3 tickets on the Indian calendar (UTC+5:30): over new office hours, and over a Saturday",
        {
            new_hours: expect(
                "met",
                wall=154_800,
                outside=106_200,
                net=48_600,
                target=57_600,
                team="platform",
                calendar="in_business",
                priority=3,
            ),
            saturday: expect(
                "met",
                wall=174_600,
                outside=158_400,
                net=16_200,
                target=57_600,
                team="platform",
                calendar="in_business",
                priority=3,
            ),
        },
    )


def _reopened(planter: Planter) -> None:
    # P2 on the core network, target 28,800 around the clock; resolved stretches that were left count as
    # running. 08:00 to 15:30 is 27,000 with 10:00-14:00 resolved in between: met.
    met = planter.ticket(
        "network-core",
        "net-ops",
        2,
        "Core Network: packet loss, came back",
        [
            Step("2025-07-08 08:00:00"),
            Step("2025-07-08 08:10:00", "in_progress"),
            Step("2025-07-08 10:00:00", "resolved"),
            Step("2025-07-08 14:00:00", "in_progress"),
            Step("2025-07-08 15:30:00", "resolved"),
        ],
    )
    # 08:00 to 19:00 is 39,600, though only 2 h were worked: breached at 16:00, while it was resolved.
    breached = planter.ticket(
        "network-core",
        "net-ops",
        2,
        "Core Network: site unreachable, came back",
        [
            Step("2025-07-09 08:00:00"),
            Step("2025-07-09 08:10:00", "in_progress"),
            Step("2025-07-09 09:00:00", "resolved"),
            Step("2025-07-09 18:00:00", "in_progress"),
            Step("2025-07-09 19:00:00", "resolved"),
        ],
    )
    planter.fact(
        "reopened_running_through",
        "Reopened tickets: the resolved stretch that was left again counts as running",
        {
            met: expect("met", wall=27_000, net=27_000, target=28_800, team="net-ops", calendar="always", priority=2),
            breached: expect(
                "breached",
                wall=39_600,
                net=39_600,
                target=28_800,
                team="net-ops",
                calendar="always",
                priority=2,
                original_breach_at="2025-07-09 16:00:00",
                breach_at="2025-07-09 16:00:00",
            ),
        },
    )


def _edges_of_the_target(planter: Planter) -> None:
    # P2 on the core network, target 28,800, tolerance 300, around the clock.
    def edge(day: str, resolved: str) -> str:
        return planter.ticket(
            "network-core",
            "net-ops",
            2,
            "Core Network: switch port down",
            [
                Step(f"{day} 06:00:00"),
                Step(f"{day} 06:05:00", "in_progress"),
                Step(f"{day} {resolved}", "resolved"),
            ],
        )

    def seconds(status: str, net: int, breach_at: str | None) -> dict[str, Any]:
        return expect(
            status,
            wall=net,
            net=net,
            target=28_800,
            team="net-ops",
            calendar="always",
            priority=2,
            original_breach_at=breach_at,
            breach_at=breach_at,
        )

    planter.fact(
        "exactly_on_target",
        "A ticket resolved on its target to the second: met",
        {edge("2025-05-14", "14:00:00"): seconds("met", 28_800, None)},
    )
    planter.fact(
        "one_second_over",
        "A ticket resolved one second after its target: breached raw, forgiven as within tolerance",
        {edge("2025-05-15", "14:00:01"): seconds("within_tolerance", 28_801, "2025-05-15 14:00:00")},
    )
    planter.fact(
        "edge_of_tolerance",
        "A ticket resolved on the last second of its tolerance (300 s): still forgiven",
        {edge("2025-05-16", "14:05:00"): seconds("within_tolerance", 29_100, "2025-05-16 14:00:00")},
    )
    planter.fact(
        "one_second_over_tolerance",
        "A ticket resolved one second after its tolerance: breached",
        {edge("2025-05-19", "14:05:01"): seconds("breached", 29_101, "2025-05-19 14:00:00")},
    )


def _moving_parts(planter: Planter) -> None:
    # Opened as P4 (Irish office hours), raised to P1 (around the clock, 14,400) before it is resolved: the
    # target as of stop holds for all of it. 20:00 to 23:30 is 12,600.
    raised = planter.ticket(
        "telephony",
        "sd-emea",
        4,
        "Telephony: whole floor without a line",
        [
            Step("2025-10-14 20:00:00"),
            Step("2025-10-14 20:10:00", "in_progress"),
            Step("2025-10-14 20:30:00", priority=1),
            Step("2025-10-14 23:30:00", "resolved"),
        ],
    )
    planter.fact(
        "priority_raised_in_flight",
        "A P4 ticket raised to P1: held to target and calendar of the priority it was resolved with",
        {raised: expect("met", wall=12_600, net=12_600, target=14_400, team="sd-emea", calendar="always", priority=1)},
    )
    # Desk to network operations to reliability: the team at the stop owns the result. 09:00 to 15:00 is
    # 21,600.
    escalated = planter.ticket(
        "identity",
        "sd-emea",
        2,
        "Identity and Access: nobody can log in",
        [
            Step("2025-10-21 09:00:00"),
            Step("2025-10-21 09:05:00", "in_progress"),
            Step("2025-10-21 10:00:00", team="net-ops"),
            Step("2025-10-21 12:00:00", team="sre"),
            Step("2025-10-21 15:00:00", "resolved"),
        ],
    )
    planter.fact(
        "escalated_twice",
        "A ticket that went from tier 1 to tier 2 to tier 3: it counts for the team that resolved it",
        {escalated: expect("met", wall=21_600, net=21_600, target=28_800, team="sre", calendar="always", priority=2)},
    )
    # Taken up and put on hold in the same second: the later event holds, so the pause starts at 08:00:00.
    # Paused 08:00-09:00, net 1 h 30 min after it. The first event also stands at 08:00:00, so running
    # before it is 0 s.
    same_second = planter.ticket(
        "network-core",
        "net-ops",
        2,
        "Core Network: switch port down, waiting for access",
        [
            Step("2025-10-22 08:00:00"),
            Step("2025-10-22 08:00:00", "in_progress"),
            Step("2025-10-22 08:00:00", "on_hold"),
            Step("2025-10-22 09:00:00", "in_progress"),
            Step("2025-10-22 10:30:00", "resolved"),
        ],
    )
    planter.fact(
        "events_at_one_instant",
        "Opened, taken up and put on hold in the same second: the last of the three holds",
        {
            same_second: expect(
                "met",
                wall=9_000,
                paused=3_600,
                net=5_400,
                target=28_800,
                team="net-ops",
                calendar="always",
                priority=2,
            ),
        },
    )
    # Canceled after 2 h of 4: counted to that instant, in no attainment.
    canceled = planter.ticket(
        "network-core",
        "net-ops",
        1,
        "Core Network: false alarm",
        [
            Step("2025-10-23 08:00:00"),
            Step("2025-10-23 08:05:00", "in_progress"),
            Step("2025-10-23 10:00:00", "canceled"),
        ],
    )
    planter.fact(
        "canceled_ticket",
        "A canceled ticket: its seconds are counted to the cancellation, and it is in no attainment figure",
        {
            canceled: expect(
                "canceled",
                wall=7_200,
                net=7_200,
                target=14_400,
                team="net-ops",
                calendar="always",
                priority=1,
            )
        },
    )
