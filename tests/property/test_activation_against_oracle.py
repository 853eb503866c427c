"""Drawn requests, votes and sign-offs through the real models against a walk over the starts of periods.

The oracle knows the rule as it is written: at each start of a period it looks at what had been entered by then, and
asks each condition anew. It shares no code with the SQL, which works with the instants of the conditions. Votes come
from members past and present, from the requester, twice and under another's function; decisions are entered late, and
some only after the run's as-of instant.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.governance import fill, open_engine, rows_of

SEED = 20260105
EXAMPLES = 40
METRICS = 8
FIRST = date(2025, 1, 1)
LAST = date(2027, 12, 1)
PEOPLE = ("p1", "p2", "p3", "p4", "p5")
FUNCTIONS = ("operations", "finance", "legal")
KINDS = ("new", "formula", "threshold", "categorisation")
WEAKEST_FIRST = ("categorisation", "threshold", "formula")
TEAMS = ("t1", "t2")
ROLES = {"legal": "legal_counsel", "works_council": "works_council_chair"}

Row = dict[str, Any]


@dataclass
class World:
    """What is drawn, as rows of the seeds."""

    as_of_at: datetime
    tables: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))


def rarely(draw: st.DrawFn, one_in: int = 10) -> bool:
    """Whether something unusual is drawn: a world in which little goes wrong shows most of the edges."""
    return draw(st.sampled_from((*(False,) * (one_in - 1), True)))


def days(draw: st.DrawFn, first: date = FIRST, span: int = 300) -> date:
    # two thirds fall on the edges that decide: the starts of months and the days about them
    if draw(st.integers(0, 2)):
        month = date(first.year + (first.month - 1 + draw(st.integers(0, span // 30))) // 12, 1, 1)
        month = month.replace(month=(first.month - 1 + draw(st.integers(0, span // 30))) % 12 + 1)
        return month + timedelta(days=draw(st.integers(-1, 1)))
    return first + timedelta(days=draw(st.integers(0, span)))


def entered(draw: st.DrawFn, on: date) -> datetime:
    """When something of a day is entered: that day, some time later, or at a midnight."""
    late = draw(st.sampled_from((1, 20, 120, -1))) if rarely(draw, 6) else 0
    return datetime.combine(on + timedelta(days=late), time(draw(st.sampled_from((0, 0, 9)))))


@st.composite
def worlds(draw: st.DrawFn) -> World:
    as_of = date(2025, 6, 1) + timedelta(days=draw(st.integers(0, 500)))
    world = World(datetime.combine(as_of, time(draw(st.sampled_from((0, 12))))))
    tables = world.tables
    tables["team"] = [{"team_code": code} for code in TEAMS]
    for kind in KINDS:
        tables["activation_rule"].append(
            {
                "change_kind": kind,
                "effective_from": date(2020, 1, 1),
                "effective_to": None,
                "body_code": "metrics_board",
                "min_vote_count": draw(st.sampled_from((1, 2, 2, 3))),
                "majority_share": draw(st.sampled_from(("0.5", "0.6666", "0"))),
                "notice_days": draw(st.sampled_from((0, 60, 60))),
                "notice_days_without_kpi": draw(st.sampled_from((0, 30))),
                "is_impact_assessment_required": draw(st.booleans()),
                "min_assessed_days": 90,
                "is_legal_required": draw(st.booleans()),
                "is_works_council_required": rarely(draw, 4),
                "start_grain": draw(st.sampled_from(("month", "quarter"))),
            }
        )
        tables["activation_rule_function"] += [
            {"change_kind": kind, "effective_from": date(2020, 1, 1), "member_function": name}
            for name in draw(st.sets(st.sampled_from(FUNCTIONS), max_size=draw(st.sampled_from((0, 1, 2)))))
        ]
    tables["approval_role"] = [{"approval_type": kind, "role_code": role} for kind, role in ROLES.items()]
    usual = dict(zip(PEOPLE, (*FUNCTIONS, *FUNCTIONS), strict=False))
    holders = dict(zip(PEOPLE, ROLES.values(), strict=False))
    for person in PEOPLE:
        is_usual = not rarely(draw, 15)
        tables["governance_member"].append(
            {
                "employee_number": person,
                "body_code": "metrics_board" if is_usual else "steering_committee",
                "member_function": usual[person] if is_usual else draw(st.sampled_from(FUNCTIONS)),
                "role_code": holders.get(person) if is_usual else draw(st.sampled_from((None, *ROLES.values()))),
                "from_on": date(2025, 3, 1) if rarely(draw) else date(2024, 1, 1),
                "to_on": date(2025, 4, 1) if rarely(draw) else None,
                "recorded_at": datetime.combine(date(2025, 3, 15) if rarely(draw) else date(2023, 12, 15), time(12)),
            }
        )
    for number in range(METRICS):
        draw_metric(draw, tables, f"m{number}")
        if rarely(draw, 4):
            plan = {"plan_code": f"p{number}", "plan_version": 1}
            starts_on = days(draw, date(2024, 7, 1), 540)
            tables["plan_component"].append({**plan, "metric_code": f"m{number}"})
            tables["int_plan_activation"].append(
                {
                    **plan,
                    "is_activated": not rarely(draw, 4),
                    "effective_from": starts_on,
                    "effective_to": starts_on + timedelta(days=200) if rarely(draw, 4) else None,
                    "signed_on": starts_on - timedelta(days=draw(st.sampled_from((0, 90)))),
                }
            )
    tables["activation_rule"].append({**tables["activation_rule"][0], "change_kind": "retirement"})
    return world


def draw_metric(draw: st.DrawFn, tables: dict[str, list[Row]], code: str) -> None:
    last = draw(st.integers(1, 3))
    for version in range(1, last + 1):
        proposed = days(draw)
        end = proposed + timedelta(days=120) if rarely(draw, 4) else None
        tables["metric_definition"].append(
            {
                "metric_code": code,
                "metric_version": version,
                "effective_from": proposed,
                "effective_to": end,
                "metric_name": f"name {version}",
                "numerator_measure": draw(st.sampled_from(("met_count", "met_count", "raw_met_count"))),
                "min_sample_count": draw(st.sampled_from((20, 20, 10))),
            }
        )
        if rarely(draw, 6):
            tables["metric_filter"].append(
                {
                    "metric_code": code,
                    "metric_version": version,
                    "applies_to": "both",
                    "dimension_code": "priority",
                    "dimension_values": "4|5",
                    "is_excluded": True,
                }
            )
        # a first version is new, and a later one mostly owns up to a change of the formula
        usual = ("new", "new", "formula") if version == 1 else ("formula", "formula", "formula", *KINDS[1:])
        kinds = draw(st.lists(st.sampled_from((*usual, draw(st.sampled_from(KINDS)))), max_size=2, unique=True))
        for kind in kinds or ([] if rarely(draw) else usual[:1]):
            draw_request(draw, tables, code, version, kind, proposed)
    if rarely(draw, 5):
        draw_request(draw, tables, code, draw(st.integers(1, last)), "retirement", days(draw))


def draw_request(
    draw: st.DrawFn, tables: dict[str, list[Row]], code: str, version: int, kind: str, proposed: date
) -> None:
    request = f"{code}-{kind}-{version}"
    requested_on = days(draw, span=90)
    # a notice of 60 days ends on a start of a month, or a day about it
    edge_on = proposed - timedelta(days=draw(st.sampled_from((59, 60, 61, 30))))
    notice_on = None if rarely(draw) else draw(st.sampled_from((requested_on, requested_on, edge_on)))
    tables["metric_change_request"].append(
        {
            "change_request_id": request,
            "metric_code": code,
            "metric_version": version,
            "change_kind": kind,
            "requested_by": draw(st.sampled_from(PEOPLE)) if rarely(draw, 6) else "other",
            "requested_on": requested_on,
            "recorded_at": entered(draw, requested_on),
            "notice_on": notice_on,
            "notice_recorded_at": None if notice_on is None else entered(draw, notice_on),
            "proposed_from": draw(st.sampled_from((proposed, proposed, proposed + timedelta(days=40)))),
            "proposed_to": proposed + timedelta(days=draw(st.sampled_from((30, 120)))) if rarely(draw, 5) else None,
            "is_kpi_affected": draw(st.sampled_from((True, True, False))),
        }
    )
    functions = {row["employee_number"]: row["member_function"] for row in tables["governance_member"]}
    meeting_on = requested_on + timedelta(days=draw(st.integers(0, 30)))
    voters = [*draw(st.permutations(PEOPLE)), *draw(st.lists(st.sampled_from(PEOPLE), max_size=2))]
    for number, voter in enumerate(voters[draw(st.integers(0, 3)) :]):
        # most vote in one meeting, some later and some before they were asked
        voted_on = meeting_on
        if rarely(draw, 6):
            voted_on = draw(st.sampled_from((requested_on - timedelta(days=1), days(draw, span=200))))
        own = functions.get(voter, "finance")
        tables["metric_board_vote"].append(
            {
                "vote_id": f"{request}-{number}",
                "change_request_id": request,
                "employee_number": voter,
                "member_function": "operations" if rarely(draw) else own,
                "vote": draw(st.sampled_from(("for", "for", "for", "for", "against", "abstain"))),
                "voted_on": voted_on,
                "recorded_at": entered(draw, voted_on),
            }
        )
    if not rarely(draw):
        assessed_on = requested_on + timedelta(days=draw(st.integers(0, 40)))
        covered_from = date(2024, 1, 1)
        tables["metric_impact_assessment"].append(
            {
                "assessment_id": f"{request}-a",
                "change_request_id": request,
                "assessed_by": "other",
                "assessed_on": assessed_on,
                "recorded_at": entered(draw, assessed_on),
                "reference": None if rarely(draw) else "CSV",
                "covered_from_on": covered_from,
                "covered_to_on": covered_from + timedelta(days=88 if rarely(draw) else 89),
            }
        )
        covered = TEAMS[:1] if rarely(draw) else draw(st.sampled_from((("*",), TEAMS)))
        tables["metric_impact_assessment_team"] += [
            {"assessment_id": f"{request}-a", "team_code": team} for team in covered
        ]
    for kind_of_sign_off in ROLES:
        for number in range(draw(st.sampled_from((0, 1, 1, 1, 1, 1, 2, 2)))):
            decided_on = requested_on + timedelta(days=-1 if rarely(draw) else draw(st.sampled_from((0, 20, 90))))
            tables["governance_approval"].append(
                {
                    "approval_id": f"{request}-{kind_of_sign_off}-{number}",
                    "register_code": "metric_change_request",
                    "register_id": request,
                    "approval_type": kind_of_sign_off,
                    "decided_by": draw(st.sampled_from((*(PEOPLE[list(ROLES).index(kind_of_sign_off)],) * 5, *PEOPLE))),
                    "decided_on": decided_on,
                    "recorded_at": entered(draw, decided_on),
                    "decision": "rejected" if rarely(draw) else "approved",
                }
            )


# --- the oracle ---


class Oracle:
    """The rules read one after the other, for one start of a period at a time."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.tables = world.tables

    def is_known(self, on: date | None, recorded_at: datetime | None, by: datetime) -> bool:
        """Taken and entered by an instant, and not after the run's own."""
        if on is None or recorded_at is None:
            return False
        return datetime.combine(on, time()) <= min(by, self.world.as_of_at) and recorded_at <= min(
            by, self.world.as_of_at
        )

    def seats(self, person: str, on: date, recorded_at: datetime) -> list[Row]:
        """What somebody held on the day of a decision, as far as entered when the decision counted."""
        return [
            row
            for row in self.tables["governance_member"]
            if row["employee_number"] == person
            and row["from_on"] <= on
            and (row["to_on"] is None or on <= row["to_on"])
            and row["recorded_at"] <= counted(on, recorded_at)
        ]

    def valid_votes(self, request: Row, by: datetime) -> list[Row]:
        """Votes that count by an instant: the first good one of each member."""
        good = [
            vote
            for vote in self.tables["metric_board_vote"]
            if vote["change_request_id"] == request["change_request_id"]
            and self.is_known(vote["voted_on"], vote["recorded_at"], by)
            and vote["employee_number"] != request["requested_by"]
            and vote["voted_on"] >= request["requested_on"]
            and any(
                seat["body_code"] == "metrics_board" and seat["member_function"] == vote["member_function"]
                for seat in self.seats(vote["employee_number"], vote["voted_on"], vote["recorded_at"])
            )
        ]
        good.sort(key=lambda vote: (counted(vote["voted_on"], vote["recorded_at"]), vote["vote_id"]))
        first: dict[str, Row] = {}
        for vote in good:
            first.setdefault(vote["employee_number"], vote)
        return list(first.values())

    def board_has_decided(self, request: Row, rule: Row, by: datetime) -> bool:
        """At some instant up to then, quorum, functions and majority stood together."""
        needed = {
            row["member_function"]
            for row in self.tables["activation_rule_function"]
            if row["change_kind"] == request["change_kind"]
        }
        votes = self.valid_votes(request, by)
        for at in {counted(vote["voted_on"], vote["recorded_at"]) for vote in votes}:
            cast = [vote for vote in votes if counted(vote["voted_on"], vote["recorded_at"]) <= at]
            ayes = sum(vote["vote"] == "for" for vote in cast)
            noes = sum(vote["vote"] == "against" for vote in cast)
            tenths = round(float(rule["majority_share"]) * 10_000)
            if (
                len(cast) >= rule["min_vote_count"]
                and needed <= {vote["member_function"] for vote in cast}
                and ayes * 10_000 > tenths * (ayes + noes)
            ):
                return True
        return False

    def is_signed(self, request: Row, kind: str, by: datetime) -> bool:
        return any(
            row["register_id"] == request["change_request_id"]
            and row["approval_type"] == kind
            and row["decision"] == "approved"
            and self.is_known(row["decided_on"], row["recorded_at"], by)
            and row["decided_by"] != request["requested_by"]
            and row["decided_on"] >= request["requested_on"]
            and any(
                seat["role_code"] == ROLES[kind]
                for seat in self.seats(row["decided_by"], row["decided_on"], row["recorded_at"])
            )
            for row in self.tables["governance_approval"]
        )

    def is_assessed(self, request: Row, by: datetime) -> bool:
        for row in self.tables["metric_impact_assessment"]:
            teams = {
                team["team_code"]
                for team in self.tables["metric_impact_assessment_team"]
                if team["assessment_id"] == row["assessment_id"]
            }
            if (
                row["change_request_id"] == request["change_request_id"]
                and self.is_known(row["assessed_on"], row["recorded_at"], by)
                and row["reference"] is not None
                and (row["covered_to_on"] - row["covered_from_on"]).days + 1 >= 90
                and ("*" in teams or teams >= set(TEAMS))
            ):
                return True
        return False

    def holds(self, request: Row, start: date) -> bool:
        """Whether everything had been done when a period began."""
        by = datetime.combine(start, time())
        rule = next(row for row in self.tables["activation_rule"] if row["change_kind"] == request["change_kind"])
        if not self.is_known(request["requested_on"], request["recorded_at"], by):
            return False
        notice_days = rule["notice_days"] if request["is_kpi_affected"] else rule["notice_days_without_kpi"]
        if notice_days:
            if not self.is_known(request["notice_on"], request["notice_recorded_at"], by):
                return False
            announced = max(request["notice_on"], request["notice_recorded_at"].date())
            if start < announced + timedelta(days=notice_days):
                return False
        return (
            self.board_has_decided(request, rule, by)
            and (not rule["is_impact_assessment_required"] or self.is_assessed(request, by))
            and (not rule["is_legal_required"] or self.is_signed(request, "legal", by))
            and (not rule["is_works_council_required"] or self.is_signed(request, "works_council", by))
        )

    def begins(self, request: Row, definition: Row) -> date | None:
        """The first start of a period a request may take effect on."""
        rule = next(row for row in self.tables["activation_rule"] if row["change_kind"] == request["change_kind"])
        earliest = request["proposed_from"]
        if request["change_kind"] != "retirement":
            earliest = max(earliest, definition["effective_from"])
        return next(
            (
                start
                for start in month_starts()
                if start >= earliest
                and (rule["start_grain"] == "month" or start.month in (1, 4, 7, 10))
                and self.holds(request, start)
            ),
            None,
        )

    def content(self, definition: Row) -> tuple[list[Any], list[Any]]:
        """What a version counts, and its thresholds."""
        key = (definition["metric_code"], definition["metric_version"])
        filters = [
            sorted((name, str(value)) for name, value in row.items() if name != "metric_version")
            for row in self.tables["metric_filter"]
            if (row["metric_code"], row["metric_version"]) == key
        ]
        return [definition["numerator_measure"], filters], [definition["min_sample_count"]]

    def is_honest_about_kind(self, declared: str, definition: Row, followed: Row | None) -> bool:
        """Whether a request asked for no less than its version changes."""
        if declared == "new" or definition["metric_version"] == 1:
            return definition["metric_version"] == 1 and declared in ("new", "formula")
        changed = 2
        if followed:
            (counts, threshold), (counted_before, threshold_before) = self.content(definition), self.content(followed)
            changed = 2 if counts != counted_before else int(threshold != threshold_before)
        return WEAKEST_FIRST.index(declared) >= changed

    def is_honest_about_pay(self, request: Row, definition: Row) -> bool:
        """Whether a change of what a plan pays by says so."""
        proposed = request["proposed_from"]
        if request["change_kind"] != "retirement":
            proposed = max(proposed, definition["effective_from"])
        codes = {
            row["plan_code"] for row in self.tables["plan_component"] if row["metric_code"] == request["metric_code"]
        }
        return request["is_kpi_affected"] or not any(
            plan["plan_code"] in codes
            and plan["is_activated"]
            and (plan["effective_from"] <= proposed or plan["signed_on"] <= request["requested_on"])
            and (plan["effective_to"] or date.max) >= proposed
            for plan in self.tables["int_plan_activation"]
        )

    def in_force(self, code: str) -> dict[date, int | None]:
        """The version of a metric in force at each start of a month."""
        definitions = [row for row in self.tables["metric_definition"] if row["metric_code"] == code]
        requests = [row for row in self.tables["metric_change_request"] if row["metric_code"] == code]
        last = max(row["metric_version"] for row in definitions)
        retired: dict[int, date] = {}
        begins: dict[int, date] = {}
        for definition in definitions:
            version = definition["metric_version"]
            for request in requests:
                if request["change_kind"] == "retirement" and version <= request["metric_version"] <= last:
                    start = self.begins(request, definition)
                    if start and self.is_honest_about_pay(request, definition):
                        retired[version] = start
        ends: dict[int, date] = {}
        for definition in sorted(definitions, key=lambda row: row["metric_version"]):
            version = definition["metric_version"]
            starts = []
            for request in requests:
                if request["change_kind"] == "retirement" or request["metric_version"] != version:
                    continue
                start = self.begins(request, definition)
                if start and self.is_honest_about_pay(request, definition):
                    before = [
                        other
                        for other in definitions
                        if begins.get(other["metric_version"], start) < start
                        and retired.get(other["metric_version"], date.max) > start
                        and ends[other["metric_version"]] >= start
                    ]
                    followed = max(before, key=lambda row: row["metric_version"], default=None)
                    if self.is_honest_about_kind(request["change_kind"], definition, followed):
                        end = request["proposed_to"] or date.max
                        starts.append((start, -request["requested_on"].toordinal(), request["change_request_id"], end))
            if starts:
                begins[version], ends[version] = min(starts)[0], min(starts)[-1]
        for version in list(begins):
            if begins[version] > ends[version] or (version in retired and begins[version] >= retired[version]):
                del begins[version]
        found: dict[date, int | None] = {}
        for start in month_starts():
            begun = [version for version, first in begins.items() if first <= start]
            version = max(begun, default=None)
            if version is not None and (start > ends[version] or (version in retired and start >= retired[version])):
                version = None
            found[start] = version
        return found


def counted(on: date, recorded_at: datetime) -> datetime:
    return max(datetime.combine(on, time()), recorded_at)


def month_starts() -> list[date]:
    return [date(year, month, 1) for year in range(FIRST.year - 1, LAST.year + 1) for month in range(1, 13)]


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with open_engine() as connection:
        # plans stand ready: their own gates are proved elsewhere
        connection.execute("create table plan_rows as select * from int_plan_activation")
        connection.execute("drop view int_plan_activation")
        connection.execute("alter table plan_rows rename to int_plan_activation")
        yield connection


TABLES = (
    "team",
    "activation_rule",
    "activation_rule_function",
    "approval_role",
    "governance_member",
    "metric_definition",
    "metric_filter",
    "plan_component",
    "int_plan_activation",
    "metric_change_request",
    "metric_board_vote",
    "metric_impact_assessment",
    "metric_impact_assessment_team",
    "governance_approval",
)


@pytest.mark.requirement("OPS-4.1")
@pytest.mark.requirement("OPS-4.2")
@pytest.mark.requirement("SVC-6.2")
@seed(SEED)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)
@given(world=worlds())
def test_versions_in_force_are_those_of_the_walk(engine: duckdb.DuckDBPyConnection, world: World) -> None:
    for table in TABLES:
        fill(engine, table, world.tables.get(table, []))
    fill(engine, "int_run_context", [{"run_id": "r", "as_of_at": world.as_of_at}])
    rows = rows_of(engine, "select * from int_metric_activation")
    assert {(row["metric_code"], row["metric_version"]) for row in rows} == {
        (row["metric_code"], row["metric_version"]) for row in world.tables["metric_definition"]
    }
    # a version either holds from a day or says why not
    assert all(
        (row["refusal_reasons"] is None) == row["is_activated"] == (row["effective_from"] is not None) for row in rows
    )
    oracle = Oracle(world)
    for code in sorted({row["metric_code"] for row in rows}):
        judged = [row for row in rows if row["metric_code"] == code and row["is_activated"]]
        found = {}
        for start in month_starts():
            holding = [
                row["metric_version"]
                for row in judged
                if row["effective_from"] <= start and (row["effective_to"] is None or start <= row["effective_to"])
            ]
            assert len(holding) <= 1, (start, judged)
            found[start] = holding[0] if holding else None
        drawn = {
            table: [row for row in listed if code in str(row.get("change_request_id", row.get("register_id", code)))]
            for table, listed in world.tables.items()
        }
        assert found == oracle.in_force(code), (code, drawn, judged)
