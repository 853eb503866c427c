"""Hand-worked clock cases: one ticket each, on the governed calendars, targets and exclusions of seeds/.

Every figure below was worked out on paper from the seeds, not read off a program; ``working`` shows how.
The same tickets can be put before the reference calculation or, through ``golden_company``, before the
whole warehouse. Instants are UTC text, seconds whole. Grain: ticket x SLT definition.
"""

from __future__ import annotations

from dataclasses import dataclass

HOUR = 3600
AS_OF = "2025-10-01 00:00:00"


@dataclass(frozen=True)
class Clock:
    """Expected result of one ticket under one SLT definition."""

    slt_code: str
    slt_status: str
    target_seconds: int
    net_seconds: int
    excluded_seconds: int = 0
    paused_seconds: int = 0
    outside_calendar_seconds: int = 0
    stop_at: str | None = None
    is_breached_raw: bool = False
    is_breached_adjusted: bool = False
    original_breach_at: str | None = None
    breach_at: str | None = None

    @property
    def wall_seconds(self) -> int:
        """Every second of the clock."""
        return self.net_seconds + self.excluded_seconds + self.paused_seconds + self.outside_calendar_seconds


@dataclass(frozen=True)
class ClockCase:
    """A ticket (``events``: instant, state, priority) of one service, and what its clocks must show."""

    name: str
    working: str
    service_code: str
    events: tuple[tuple[str, str, int], ...]
    expected: tuple[Clock, ...]


def resolution(slt_status: str, target_seconds: int, net_seconds: int, **rest: object) -> Clock:
    return Clock("incident_resolution", slt_status, target_seconds, net_seconds, **rest)


def response(slt_status: str, target_seconds: int, net_seconds: int, **rest: object) -> Clock:
    return Clock("incident_response", slt_status, target_seconds, net_seconds, **rest)


CLOCK_CASES = (
    ClockCase(
        name="exact_on_target",
        working=(
            "us_business 08-12 and 13-18 New York, June = UTC-4. Monday 08:00 on: 9 h; Tuesday 08-12 4 "
            "h and 13-16 3 h: 16 h = 57,600 = the target of priority 3, so met. Wall 12:00Z to 20:00Z "
            "next day 32 h. Response: Monday 08:00 to 10:00 = 7,200 = its target."
        ),
        service_code="checkout",
        events=(
            ("2025-06-09 12:00:00", "new", 3),
            ("2025-06-09 14:00:00", "in_progress", 3),
            ("2025-06-10 20:00:00", "resolved", 3),
        ),
        expected=(
            resolution("met", 57600, 57600, outside_calendar_seconds=16 * HOUR, stop_at="2025-06-10 20:00:00"),
            response("met", 7200, 7200, stop_at="2025-06-09 14:00:00"),
        ),
    ),
    ClockCase(
        name="one_second_over_target",
        working="As exact_on_target, one second later: over by 1 <= 900 of tolerance. Over since 20:00:00Z.",
        service_code="checkout",
        events=(
            ("2025-06-09 12:00:00", "new", 3),
            ("2025-06-09 14:00:01", "in_progress", 3),
            ("2025-06-10 20:00:01", "resolved", 3),
        ),
        expected=(
            resolution(
                "within_tolerance",
                57600,
                57601,
                outside_calendar_seconds=16 * HOUR,
                stop_at="2025-06-10 20:00:01",
                is_breached_raw=True,
                is_breached_adjusted=True,
                original_breach_at="2025-06-10 20:00:00",
                breach_at="2025-06-10 20:00:00",
            ),
            response(
                "within_tolerance",
                7200,
                7201,
                stop_at="2025-06-09 14:00:01",
                is_breached_raw=True,
                is_breached_adjusted=True,
                original_breach_at="2025-06-09 14:00:00",
                breach_at="2025-06-09 14:00:00",
            ),
        ),
    ),
    ClockCase(
        name="last_second_of_tolerance",
        working="57,600 + 900: over by exactly the tolerance, still forgiven.",
        service_code="checkout",
        events=(("2025-06-09 12:00:00", "new", 3), ("2025-06-10 20:15:00", "resolved", 3)),
        expected=(
            resolution(
                "within_tolerance",
                57600,
                58500,
                outside_calendar_seconds=16 * HOUR,
                stop_at="2025-06-10 20:15:00",
                is_breached_raw=True,
                is_breached_adjusted=True,
                original_breach_at="2025-06-10 20:00:00",
                breach_at="2025-06-10 20:00:00",
            ),
        ),
    ),
    ClockCase(
        name="first_second_beyond_tolerance",
        working="57,600 + 901: one second more than forgiven.",
        service_code="checkout",
        events=(("2025-06-09 12:00:00", "new", 3), ("2025-06-10 20:15:01", "resolved", 3)),
        expected=(
            resolution(
                "breached",
                57600,
                58501,
                outside_calendar_seconds=16 * HOUR,
                stop_at="2025-06-10 20:15:01",
                is_breached_raw=True,
                is_breached_adjusted=True,
                original_breach_at="2025-06-10 20:00:00",
                breach_at="2025-06-10 20:00:00",
            ),
        ),
    ),
    ClockCase(
        name="half_hour_zone_and_new_opening_hours",
        working=(
            "in_business, Asia/Kolkata = UTC+5:30; 09:30-18:30 until 2024-12-31, 09:00-18:00 from "
            "2025-01-01. Tuesday 31st 18:00-18:30 local 0.5 h; Wednesday 9 h; Thursday 09:00-09:45 "
            "0.75 h: 10.25 h = 36,900. Wall 12:30Z to 04:15Z two days on 39.75 h = 143,100; outside "
            "106,200."
        ),
        service_code="catalogue",
        events=(("2024-12-31 12:30:00", "new", 3), ("2025-01-02 04:15:00", "resolved", 3)),
        expected=(resolution("met", 57600, 36900, outside_calendar_seconds=106200, stop_at="2025-01-02 04:15:00"),),
    ),
    ClockCase(
        name="paused_over_the_spring_weekend",
        working=(
            "ie_extended 00:30-22:00 Dublin daily; clocks go forward 2025-03-30 01:00Z. Friday 20-22 2 "
            "h; Saturday 00:30-10:00 9.5 h; on hold Saturday 10:00Z to Monday 08:00Z 46 h (47 on the "
            "wall clock); Monday 08-12Z = 09-13 local 4 h: 15.5 h = 55,800. Outside Friday 22:00 to "
            "00:30 2.5 h. Wall 64 h."
        ),
        service_code="vpn",
        events=(
            ("2025-03-28 20:00:00", "new", 3),
            ("2025-03-28 20:30:00", "in_progress", 3),
            ("2025-03-29 10:00:00", "on_hold", 3),
            ("2025-03-31 08:00:00", "in_progress", 3),
            ("2025-03-31 12:00:00", "resolved", 3),
        ),
        expected=(
            resolution(
                "met",
                57600,
                55800,
                paused_seconds=46 * HOUR,
                outside_calendar_seconds=9000,
                stop_at="2025-03-31 12:00:00",
            ),
            response("met", 7200, 1800, stop_at="2025-03-28 20:30:00"),
        ),
    ),
    ClockCase(
        name="running_through_the_spring_change",
        working=(
            "Saturday 21-22Z 1 h. Sunday opens 00:30 GMT = 00:30Z, closes 22:00 IST = 21:00Z: 20.5 h, "
            "not 21.5. 21.5 h = 77,400. Target 16 h is used up 15 h into Sunday: 15:30Z. Outside 2.5 h "
            "+ 1 h; wall 25 h."
        ),
        service_code="vpn",
        events=(("2025-03-29 21:00:00", "new", 3), ("2025-03-30 22:00:00", "resolved", 3)),
        expected=(
            resolution(
                "breached",
                57600,
                77400,
                outside_calendar_seconds=12600,
                stop_at="2025-03-30 22:00:00",
                is_breached_raw=True,
                is_breached_adjusted=True,
                original_breach_at="2025-03-30 15:30:00",
                breach_at="2025-03-30 15:30:00",
            ),
        ),
    ),
    ClockCase(
        name="running_through_the_autumn_change",
        working=(
            "Clocks go back 2024-10-27 01:00Z. Saturday 21-22 IST = 20-21Z 1 h; Sunday opens 00:30 IST "
            "= Saturday 23:30Z, closes 22:00 GMT = 22:00Z: 22.5 h. 23.5 h = 84,600. Outside 2.5 h + "
            "0.5 h; wall 26.5 h."
        ),
        service_code="vpn",
        events=(("2024-10-26 20:00:00", "new", 4), ("2024-10-27 22:30:00", "resolved", 4)),
        expected=(resolution("met", 115200, 84600, outside_calendar_seconds=10800, stop_at="2024-10-27 22:30:00"),),
    ),
    ClockCase(
        name="american_weekend_with_change",
        working=(
            "New York goes from UTC-5 to UTC-4 on 2025-03-09. Friday 17-18 EST = 22-23Z 1 h; Monday "
            "opens 08:00 EDT = 12:00Z, until 13:00Z 1 h. Wall 63 h = 226,800."
        ),
        service_code="checkout",
        events=(("2025-03-07 22:00:00", "new", 3), ("2025-03-10 13:00:00", "resolved", 3)),
        expected=(resolution("met", 57600, 7200, outside_calendar_seconds=219600, stop_at="2025-03-10 13:00:00"),),
    ),
    ClockCase(
        name="bank_holiday",
        working=(
            "ie_business 09:00-17:30, closed Monday 2025-03-17. Friday 17:00-17:30 and Tuesday "
            "09:00-09:30: 1 h. Wall Friday 17:00Z to Tuesday 09:30Z 88.5 h = 318,600."
        ),
        service_code="payments",
        events=(("2025-03-14 17:00:00", "new", 3), ("2025-03-18 09:30:00", "resolved", 3)),
        expected=(resolution("met", 57600, 3600, outside_calendar_seconds=315000, stop_at="2025-03-18 09:30:00"),),
    ),
    ClockCase(
        name="overlapping_exclusions",
        working=(
            "payments, priority 2: its own target 4 h round the clock. EXR-0001 09-21Z and EXR-0008 "
            "18Z-02Z overlap: together 17 h, once. 07Z to 05Z is 22 h; net 2 h + 3 h = 5 h. Raw over "
            "at 07+4 = 11Z; net over two hours after 02Z = 04Z."
        ),
        service_code="payments",
        events=(("2025-03-12 07:00:00", "new", 2), ("2025-03-13 05:00:00", "resolved", 2)),
        expected=(
            resolution(
                "breached",
                14400,
                18000,
                excluded_seconds=17 * HOUR,
                stop_at="2025-03-13 05:00:00",
                is_breached_raw=True,
                is_breached_adjusted=True,
                original_breach_at="2025-03-12 11:00:00",
                breach_at="2025-03-13 04:00:00",
            ),
        ),
    ),
    ClockCase(
        name="paused_inside_an_exclusion",
        working=(
            "08Z to 22Z 14 h; on hold 10-12Z inside EXR-0001: 2 h paused, not excluded as well. "
            "Excluded 09-10 and 12-22 (EXR-0001, then EXR-0008) 11 h; net 1 h. Raw clock 08-10 2 h, "
            "12-14 2 h: over at 14Z."
        ),
        service_code="payments",
        events=(
            ("2025-03-12 08:00:00", "new", 2),
            ("2025-03-12 10:00:00", "on_hold", 2),
            ("2025-03-12 12:00:00", "in_progress", 2),
            ("2025-03-12 22:00:00", "resolved", 2),
        ),
        expected=(
            resolution(
                "met",
                14400,
                3600,
                excluded_seconds=11 * HOUR,
                paused_seconds=2 * HOUR,
                stop_at="2025-03-12 22:00:00",
                is_breached_raw=True,
                original_breach_at="2025-03-12 14:00:00",
            ),
        ),
    ),
    ClockCase(
        name="exclusion_of_a_vendor",
        working=(
            "checkout stands at cloudharbour, EXR-0003 2025-06-18 11Z to 19th 03Z 16 h. 10Z to 04Z 18 "
            "h; net 2 h. Raw over 4 h after 10Z = 14Z."
        ),
        service_code="checkout",
        events=(("2025-06-18 10:00:00", "new", 1), ("2025-06-19 04:00:00", "resolved", 1)),
        expected=(
            resolution(
                "met",
                14400,
                7200,
                excluded_seconds=16 * HOUR,
                stop_at="2025-06-19 04:00:00",
                is_breached_raw=True,
                original_breach_at="2025-06-18 14:00:00",
            ),
        ),
    ),
    ClockCase(
        name="exclusion_of_everything_and_no_service",
        working=(
            "No service: round the clock. EXR-0002 for all, 2024-11-05 02:00-08:30Z 6.5 h. 01Z to 20Z "
            "19 h, net 12.5 h = 45,000 <= 57,600. Raw over at 01+16 = 17Z."
        ),
        service_code="",
        events=(("2024-11-05 01:00:00", "new", 3), ("2024-11-05 20:00:00", "resolved", 3)),
        expected=(
            resolution(
                "met",
                57600,
                45000,
                excluded_seconds=23400,
                stop_at="2024-11-05 20:00:00",
                is_breached_raw=True,
                original_breach_at="2024-11-05 17:00:00",
            ),
        ),
    ),
    ClockCase(
        name="exclusion_without_evidence",
        working="EXR-0004 on erp lacks its evidence: no effect. 08Z to 20Z 12 h, over after 8 h at 16Z.",
        service_code="erp",
        events=(("2025-05-06 08:00:00", "new", 2), ("2025-05-06 20:00:00", "resolved", 2)),
        expected=(
            resolution(
                "breached",
                28800,
                43200,
                stop_at="2025-05-06 20:00:00",
                is_breached_raw=True,
                is_breached_adjusted=True,
                original_breach_at="2025-05-06 16:00:00",
                breach_at="2025-05-06 16:00:00",
            ),
        ),
    ),
    ClockCase(
        name="exclusion_approved_by_its_requester",
        working="EXR-0005 on orders: e1002 asked and approved. No effect; 12Z to 22Z 10 h, over at 20Z.",
        service_code="orders",
        events=(("2025-02-10 12:00:00", "new", 2), ("2025-02-10 22:00:00", "resolved", 2)),
        expected=(
            resolution(
                "breached",
                28800,
                36000,
                stop_at="2025-02-10 22:00:00",
                is_breached_raw=True,
                is_breached_adjusted=True,
                original_breach_at="2025-02-10 20:00:00",
                breach_at="2025-02-10 20:00:00",
            ),
        ),
    ),
    ClockCase(
        name="exclusion_of_a_category_that_does_not_count",
        working="EXR-0006 vendor_outage counts for nobody. email 06Z to 15Z 9 h, over at 14Z.",
        service_code="email",
        events=(("2025-08-21 06:00:00", "new", 2), ("2025-08-21 15:00:00", "resolved", 2)),
        expected=(
            resolution(
                "breached",
                28800,
                32400,
                stop_at="2025-08-21 15:00:00",
                is_breached_raw=True,
                is_breached_adjusted=True,
                original_breach_at="2025-08-21 14:00:00",
                breach_at="2025-08-21 14:00:00",
            ),
        ),
    ),
    ClockCase(
        name="reopened_runs_through",
        working=(
            "Resolved 04Z, reopened 10Z, resolved 14Z, closed later: the clock runs from 00Z to 14Z, "
            "14 h, the six hours resolved included. Response stops at 00:30 for good."
        ),
        service_code="identity",
        events=(
            ("2025-04-01 00:00:00", "new", 3),
            ("2025-04-01 00:30:00", "in_progress", 3),
            ("2025-04-01 04:00:00", "resolved", 3),
            ("2025-04-01 10:00:00", "in_progress", 3),
            ("2025-04-01 14:00:00", "resolved", 3),
            ("2025-04-04 14:00:00", "closed", 3),
        ),
        expected=(
            resolution("met", 57600, 50400, stop_at="2025-04-01 14:00:00"),
            response("met", 7200, 1800, stop_at="2025-04-01 00:30:00"),
        ),
    ),
    ClockCase(
        name="canceled",
        working="Canceled after 6 h: counted so far, over the response target at 02Z, and judged by nobody.",
        service_code="identity",
        events=(("2025-04-02 00:00:00", "new", 3), ("2025-04-02 06:00:00", "canceled", 3)),
        expected=(
            resolution("canceled", 57600, 21600),
            response(
                "canceled",
                7200,
                21600,
                is_breached_raw=True,
                is_breached_adjusted=True,
                original_breach_at="2025-04-02 02:00:00",
                breach_at="2025-04-02 02:00:00",
            ),
        ),
    ),
    ClockCase(
        name="canceled_after_stop",
        working=(
            "Taken up at 01Z, resolved at 17Z (17 h of 16 h: over since 16Z, by 3,600 > 900), canceled a "
            "day later: the stop had decided, the breach stays. Response 1 h, decided at 01Z."
        ),
        service_code="identity",
        events=(
            ("2025-04-14 00:00:00", "new", 3),
            ("2025-04-14 01:00:00", "in_progress", 3),
            ("2025-04-14 17:00:00", "resolved", 3),
            ("2025-04-15 17:00:00", "canceled", 3),
        ),
        expected=(
            resolution(
                "breached",
                57600,
                61200,
                stop_at="2025-04-14 17:00:00",
                is_breached_raw=True,
                is_breached_adjusted=True,
                original_breach_at="2025-04-14 16:00:00",
                breach_at="2025-04-14 16:00:00",
            ),
            response("met", 7200, 3600, stop_at="2025-04-14 01:00:00"),
        ),
    ),
    ClockCase(
        name="canceled_by_mistake",
        working=(
            "Canceled from 02:00:00Z to 02:01:00Z, taken up again, resolved at 05Z, closed later: the 60 s "
            "ran through, 5 h = 18,000. Response: the cancel comes before the first answer at 02:01 and "
            "decides; counted to 02Z = 7,200, on target and not over it."
        ),
        service_code="identity",
        events=(
            ("2025-04-16 00:00:00", "new", 3),
            ("2025-04-16 02:00:00", "canceled", 3),
            ("2025-04-16 02:01:00", "in_progress", 3),
            ("2025-04-16 05:00:00", "resolved", 3),
            ("2025-04-19 05:00:00", "closed", 3),
        ),
        expected=(
            resolution("met", 57600, 18000, stop_at="2025-04-16 05:00:00"),
            response("canceled", 7200, 7200),
        ),
    ),
    ClockCase(
        name="canceled_and_then_closed",
        working="Canceled at 03Z and closed at 09Z without work between: canceled from 03Z on, 10,800 s.",
        service_code="identity",
        events=(
            ("2025-04-17 00:00:00", "new", 3),
            ("2025-04-17 00:30:00", "in_progress", 3),
            ("2025-04-17 03:00:00", "canceled", 3),
            ("2025-04-17 09:00:00", "closed", 3),
        ),
        expected=(
            resolution("canceled", 57600, 10800),
            response("met", 7200, 1800, stop_at="2025-04-17 00:30:00"),
        ),
    ),
    ClockCase(
        name="priority_raised_on_the_way",
        working=(
            "Opened as 4, raised to 2 at 06Z. Resolution takes the priority at stop: 8 h, 9 h used, "
            "over at 08Z. Response takes the one at start (8 h; identity is round the clock): 1 h used."
        ),
        service_code="identity",
        events=(
            ("2025-04-03 00:00:00", "new", 4),
            ("2025-04-03 01:00:00", "in_progress", 4),
            ("2025-04-03 06:00:00", "in_progress", 2),
            ("2025-04-03 09:00:00", "resolved", 2),
        ),
        expected=(
            resolution(
                "breached",
                28800,
                32400,
                stop_at="2025-04-03 09:00:00",
                is_breached_raw=True,
                is_breached_adjusted=True,
                original_breach_at="2025-04-03 08:00:00",
                breach_at="2025-04-03 08:00:00",
            ),
            response("met", 28800, 3600, stop_at="2025-04-03 01:00:00"),
        ),
    ),
    ClockCase(
        name="paused_exactly_on_target",
        working=(
            "Used up to the second at 08Z, on hold until 12Z, then one minute more: over by 60 <= 300, "
            "and over only since work went on at 12Z."
        ),
        service_code="identity",
        events=(
            ("2025-04-07 00:00:00", "new", 2),
            ("2025-04-07 08:00:00", "on_hold", 2),
            ("2025-04-07 12:00:00", "in_progress", 2),
            ("2025-04-07 12:01:00", "resolved", 2),
        ),
        expected=(
            resolution(
                "within_tolerance",
                28800,
                28860,
                paused_seconds=4 * HOUR,
                stop_at="2025-04-07 12:01:00",
                is_breached_raw=True,
                is_breached_adjusted=True,
                original_breach_at="2025-04-07 12:00:00",
                breach_at="2025-04-07 12:00:00",
            ),
        ),
    ),
    ClockCase(
        name="two_events_in_one_second",
        working="On hold and in progress at 01:00:00Z: the later one holds, nothing was paused. 3 h.",
        service_code="identity",
        events=(
            ("2025-04-08 00:00:00", "new", 3),
            ("2025-04-08 01:00:00", "on_hold", 3),
            ("2025-04-08 01:00:00", "in_progress", 3),
            ("2025-04-08 03:00:00", "resolved", 3),
        ),
        expected=(
            resolution("met", 57600, 10800, stop_at="2025-04-08 03:00:00"),
            response("met", 7200, 3600, stop_at="2025-04-08 01:00:00"),
        ),
    ),
    ClockCase(
        name="open_within_target",
        working="Open since 21Z, as of 00Z: 3 h of 4 h.",
        service_code="identity",
        events=(("2025-09-30 21:00:00", "new", 1), ("2025-09-30 21:10:00", "in_progress", 1)),
        expected=(
            resolution("running", 14400, 10800),
            response("met", 900, 600, stop_at="2025-09-30 21:10:00"),
        ),
    ),
    ClockCase(
        name="open_beyond_target",
        working="Open since 12Z, as of 00Z: 12 h of 4 h, over at 16Z; answered at 12:15Z, on target.",
        service_code="identity",
        events=(("2025-09-30 12:00:00", "new", 1), ("2025-09-30 12:15:00", "in_progress", 1)),
        expected=(
            resolution(
                "running_breached",
                14400,
                43200,
                is_breached_raw=True,
                is_breached_adjusted=True,
                original_breach_at="2025-09-30 16:00:00",
                breach_at="2025-09-30 16:00:00",
            ),
            response("met", 900, 900, stop_at="2025-09-30 12:15:00"),
        ),
    ),
)
