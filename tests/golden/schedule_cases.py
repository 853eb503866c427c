"""A published case: one ticket under two schedules, its first reply timed by the last schedule and by all of them.

Source: the decision log of the dbt package for Zendesk (fivetran/dbt_zendesk, DECISIONLOG.md, "Business Time
Metrics"). Ticket 941606 is created on 2020-09-29 17:01:38 UTC under "Level 1 Chicago", moves to "Level 2 San
Francisco" on 2020-09-30 19:01:25 and has its first public reply at 19:01:46. Zendesk measures by the last schedule,
689.46; the package over all schedules, 959.46.

What the text has: the three instants, and both schedules as minutes of the week in UTC (Sunday 00:00 = 0). What it
does not have, and what is put in its place: the zones (those of the two cities; both on summer time that week, so
that the openings come out at round wall-clock times, which is how they are known to be right), and the figures in a
unit. They are minutes and seconds written with a point (the text writes 19:01:25 as minute 1.25), and the creation is
rounded to 17:02:00 there. So 959.46 is 959 min 46 s and 689.46 is 689 min 46 s; from the instant as stamped each is
22 s more.
"""

from __future__ import annotations

from dataclasses import dataclass

# Minutes of the week in UTC, as published.
PUBLISHED_INTERVALS = {
    "level-1-chicago": (
        (720, 1560),
        (2160, 3000),
        (3600, 4440),
        (5040, 5880),
        (6480, 7320),
        (7920, 8760),
        (9360, 10200),
    ),
    "level-2-san-francisco": ((2340, 2910), (3780, 4350), (5220, 5790), (6660, 7230), (8100, 8670)),
}

# The same on the wall: zone, ISO weekdays, opening and closing minute of the day.
SCHEDULES = {
    "level-1-chicago": ("America/Chicago", (1, 2, 3, 4, 5, 6, 7), 7 * 60, 21 * 60),
    "level-2-san-francisco": ("America/Los_Angeles", (1, 2, 3, 4, 5), 8 * 60, 17 * 60 + 30),
}

CREATED_AS_PUBLISHED = "2020-09-29 17:02:00"
CREATED_AS_STAMPED = "2020-09-29 17:01:38"
SCHEDULE_CHANGED = "2020-09-30 19:01:25"
FIRST_REPLY = "2020-09-30 19:01:46"
WEEK_BEGAN = "2020-09-27 00:00:00"


@dataclass(frozen=True)
class ScheduleCase:
    """Seconds of a policy for a creation instant, and how they come about."""

    name: str
    created_at: str
    calendar_policy: str
    business_seconds: int
    working: str


SCHEDULE_CASES = (
    ScheduleCase(
        "all_schedules_as_published",
        CREATED_AS_PUBLISHED,
        "as_of_event",
        959 * 60 + 46,
        "Chicago: Tuesday 17:02:00 to Wednesday 02:00 538 min, Wednesday 12:00 to 19:01:25 421 min 25 s; San "
        "Francisco: 21 s. 959 min 46 s.",
    ),
    ScheduleCase(
        "last_schedule_as_published",
        CREATED_AS_PUBLISHED,
        "of_target",
        689 * 60 + 46,
        "San Francisco alone: Tuesday 17:02:00 to Wednesday 00:30 448 min, Wednesday 15:00 to 19:01:46 241 min 46 s. "
        "689 min 46 s.",
    ),
    ScheduleCase(
        "all_schedules_as_stamped",
        CREATED_AS_STAMPED,
        "as_of_event",
        960 * 60 + 8,
        "As published, begun 22 s earlier, in an opening: 538 min 22 s + 421 min 25 s + 21 s.",
    ),
    ScheduleCase(
        "last_schedule_as_stamped",
        CREATED_AS_STAMPED,
        "of_target",
        690 * 60 + 8,
        "As published, begun 22 s earlier, in an opening: 448 min 22 s + 241 min 46 s.",
    ),
)
