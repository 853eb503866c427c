"""The demonstration company: the same every time, realistic, its planted figures right to the second."""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ingestion.demo.__main__ import main
from ingestion.demo.company import build_company, company_as_of, naive_made_sla
from ingestion.demo.model import Company, Ticket
from ingestion.demo.timeline import Targets, load_clocks, quarter_of, utc
from ingestion.demo.vendor_reports import vendor_reports

SEEDS = Path(__file__).resolve().parents[2] / "seeds"
SMALL = 600


@pytest.fixture(scope="module")
def company() -> Company:
    return build_company(ticket_count=SMALL)


@pytest.fixture(scope="module")
def whole_company() -> Company:
    return build_company()


def seed(relative: str) -> list[dict[str, str]]:
    with (SEEDS / relative).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


# -- an oracle that shares nothing with the generator: it walks the wall clock step by step


class Oracle:
    def __init__(self) -> None:
        self.zones = {row["calendar_code"]: ZoneInfo(row["time_zone"]) for row in seed("calendars/calendar.csv")}
        self.segments = seed("calendars/calendar_segment.csv")
        self.holidays = {(row["calendar_code"], row["holiday_on"]) for row in seed("calendars/calendar_holiday.csv")}
        self.services = {row["service_code"]: row for row in seed("services/service.csv")}
        documents: dict[str, set[str]] = defaultdict(set)
        for row in seed("governance/exclusion_document.csv"):
            documents[row["exclusion_id"]].add(row["document_type"])
        self.windows = [
            row
            for row in seed("governance/exclusion_request.csv")
            if row["decision"] == "approved"
            and row["approved_by"] not in ("", row["requested_by"])
            and {"evidence", "root_cause_analysis"} <= documents[row["exclusion_id"]]
            and row["root_cause"]
            and row["category"] == "force_majeure"
        ]

    def is_open(self, calendar: str, at: datetime) -> bool:
        local = at.astimezone(self.zones[calendar])
        day, clock = local.date().isoformat(), local.strftime("%H:%M:%S")
        if (calendar, day) in self.holidays:
            return False
        return any(
            row["calendar_code"] == calendar
            and int(row["iso_weekday"]) == local.isoweekday()
            and row["opens_at_local"] <= clock < row["closes_at_local"]
            and row["effective_from"] <= day <= (row["effective_to"] or "9999")
            for row in self.segments
        )

    def is_excluded(self, service: str, at: datetime) -> bool:
        text = at.strftime("%Y-%m-%d %H:%M:%S")
        vendor = self.services[service]["vendor_code"] if service else ""
        return any(
            row["starts_at"] <= text < row["ends_at"]
            and (
                row["scope_type"] == "all"
                or (row["scope_type"] == "service" and row["scope_code"] == service)
                or (row["scope_type"] == "vendor" and row["scope_code"] == vendor)
            )
            for row in self.windows
        )

    def count(self, ticket: Ticket, calendar: str, target: int) -> dict[str, object]:
        """Parts of a resolution clock under running_through, a second or a minute at a time."""
        step = 60 if all(event.at.second == 0 for event in ticket.events) else 1
        stopped = ("resolved", "closed", "canceled")
        last_open = max(i for i, event in enumerate(ticket.events) if event.ticket_state not in stopped)
        start, stop = ticket.events[0].at, ticket.events[last_open + 1].at
        service = ticket.events[0].service_code
        parts: Counter[str] = Counter()
        breach: dict[str, str | None] = {"original_breach_at": None, "breach_at": None}
        at = start
        while at < stop:
            # The last event at or before this instant holds.
            state = [event for event in ticket.events if event.at <= at][-1].ticket_state
            if state == "on_hold":
                kind = "paused"
            elif not self.is_open(calendar, at):
                kind = "outside"
            else:
                kind = "excluded" if self.is_excluded(service, at) else "net"
                # The clock counts on from here with its target full: from here on it is breached.
                if parts["excluded"] + parts["net"] == target:
                    breach["original_breach_at"] = at.strftime("%Y-%m-%d %H:%M:%S")
                if kind == "net" and parts["net"] == target:
                    breach["breach_at"] = at.strftime("%Y-%m-%d %H:%M:%S")
            parts[kind] += step
            at += timedelta(seconds=step)
        return {
            "wall_seconds": int((stop - start).total_seconds()),
            "paused_seconds": parts["paused"],
            "outside_calendar_seconds": parts["outside"],
            "excluded_seconds": parts["excluded"],
            "net_seconds": parts["net"],
            "business_seconds": parts["excluded"] + parts["net"],
            **breach,
        }


def planted_tickets(company: Company) -> list[tuple[str, str, dict[str, object]]]:
    return [
        (fact.code, number, expected)
        for fact in company.planted
        for number, expected in fact.detail.get("tickets", {}).items()
    ]


# -- the same every time


def test_same_seed_gives_the_same_company(company: Company) -> None:
    again = build_company(ticket_count=SMALL)
    assert again == company


def test_other_seed_gives_other_chance_but_the_same_planted_tickets(company: Company) -> None:
    other = build_company(seed=7, ticket_count=SMALL)
    assert [t.opened_at for t in other.tickets] != [t.opened_at for t in company.tickets]
    assert [row.at for row in other.transitions] != [row.at for row in company.transitions]
    assert planted_tickets(other) == planted_tickets(company)


def test_more_tickets_do_not_change_the_people(company: Company, whole_company: Company) -> None:
    assert whole_company.employees == company.employees
    assert whole_company.incentive_targets == company.incentive_targets
    assert whole_company.transitions == company.transitions


# -- size and sense


def test_size_of_the_whole_company(whole_company: Company) -> None:
    assert len(whole_company.tickets) == 25_000
    assert len({ticket.number for ticket in whole_company.tickets}) == 25_000
    assert len({ticket.sys_id for ticket in whole_company.tickets}) == 25_000
    assert sum(person.is_agent for person in whole_company.employees) == 60
    assert len(whole_company.monitors) == 20
    assert {monitor.service_code for monitor in whole_company.monitors} == {
        service.service_code for service in whole_company.services
    }
    states = Counter(ticket.events[-1].ticket_state for ticket in whole_company.tickets)
    assert set(states) == {"new", "in_progress", "on_hold", "resolved", "closed", "canceled"}
    assert {ticket.events[0].priority for ticket in whole_company.tickets} == {1, 2, 3, 4, 5}
    assert any(ticket.events[0].service_code == "" for ticket in whole_company.tickets)


def test_nothing_happens_at_or_after_as_of(whole_company: Company) -> None:
    as_of = whole_company.as_of_at
    assert all(event.at < as_of for ticket in whole_company.tickets for event in ticket.events)
    assert all(row.at < as_of for row in whole_company.transitions)
    assert all(row.updated_at < as_of for row in whole_company.changes)
    assert all(row.created_at < as_of for row in whole_company.downtimes)


def test_histories_are_in_order_and_each_event_changes_something(whole_company: Company) -> None:
    for ticket in whole_company.tickets:
        assert ticket.events[0].at == ticket.opened_at
        assert ticket.events[0].ticket_state == "new"
        for before, after in pairwise(ticket.events):
            assert before.at <= after.at
            assert (before.ticket_state, before.priority, before.team_code, before.assigned_to) != (
                after.ticket_state,
                after.priority,
                after.team_code,
                after.assigned_to,
            ) or before.service_code != after.service_code
        states = [event.ticket_state for event in ticket.events]
        if states[-1] == "closed":
            resolved = [event for event in ticket.events if event.ticket_state == "resolved"][-1]
            assert ticket.events[-1].at - resolved.at == timedelta(days=5)


def test_tickets_are_assigned_to_agents_who_work_in_that_team_on_that_day(whole_company: Company) -> None:
    numbers = {person.id: person.employee_number for person in whole_company.employees}
    people = {person.employee_number: person for person in whole_company.employees}
    jobs = defaultdict(list)
    for job in whole_company.job_infos:
        jobs[numbers[job.employee_id]].append((job.effective_on, job.team_code))

    def team_on(number: str, day: date) -> str:
        return max(row for row in jobs[number] if row[0] <= day)[1]

    for ticket in whole_company.tickets[:3000]:
        before = None
        for event in ticket.events:
            if event.assigned_to and event.assigned_to != before:
                person, day = people[event.assigned_to], event.at.date()
                assert person.is_agent
                assert person.hired_on <= day
                assert person.terminated_on is None or day < person.terminated_on
                assert team_on(event.assigned_to, day) == event.team_code
            before = event.assigned_to


def test_attainment_differs_and_stays_in_range(whole_company: Company) -> None:
    clocks = load_clocks(date(2024, 6, 20), date(2026, 2, 1))
    targets = Targets({row.service_code: row.calendar_code for row in whole_company.services})
    counts: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for ticket in whole_company.tickets:
        if ticket.events[-1].ticket_state not in ("resolved", "closed"):
            continue
        last_open = max(i for i, e in enumerate(ticket.events) if e.ticket_state not in ("resolved", "closed"))
        stop = ticket.events[last_open + 1]
        count = counts[stop.team_code, quarter_of(stop.at)]
        count[0] += naive_made_sla(ticket, whole_company.as_of_at, clocks, targets)
        count[1] += 1
    shares = {key: met / total for key, (met, total) in counts.items() if key[1] < "2026"}
    assert len(shares) == 8 * 6
    assert all(counts[key][1] >= 150 for key in shares)
    assert all(0.80 <= share <= 0.97 for share in shares.values()), shares
    # All three bands from 0.80 on occur, so payouts differ.
    assert min(shares.values()) < 0.88 < 0.92 < max(shares.values())


def test_availability_is_in_range_by_quarter(whole_company: Company) -> None:
    seconds: dict[tuple[int, str], Counter[str]] = defaultdict(Counter)
    by_monitor = defaultdict(list)
    for row in whole_company.transitions:
        by_monitor[row.monitor_id].append(row)
    for monitor_id, rows in by_monitor.items():
        assert rows[0].source_state == "No Data"
        ends = [row.at for row in rows[1:]] + [whole_company.as_of_at]
        for row, end in zip(rows, ends, strict=True):
            # Counted in the quarter in which the stretch began: exact enough for a range.
            seconds[monitor_id, quarter_of(row.at)][row.destination_state] += int((end - row.at).total_seconds())
        for before, after in pairwise(rows):
            assert after.source_state == before.destination_state
            assert before.at < after.at
    for (_, quarter), parts in seconds.items():
        if quarter == "2026-Q1":
            continue
        up = parts["OK"] + parts["Warn"]
        assert 0.98 <= up / (up + parts["Alert"]) <= 0.9999


def test_transfers_stay_within_a_currency(company: Company) -> None:
    currency = {team.team_code: team.currency_code for team in company.teams}
    by_person = defaultdict(set)
    for job in company.job_infos:
        by_person[job.employee_id].add(currency[job.team_code])
    assert all(len(currencies) == 1 for currencies in by_person.values())
    agents = {person.id for person in company.employees if person.is_agent}
    assert {row.employee_id for row in company.incentive_targets} == agents
    for row in company.incentive_targets:
        assert by_person[row.employee_id] == {row.currency_code}
        assert row.quarterly_amount == row.quarterly_amount.quantize(Decimal("0.01"))


def test_no_agent_numbers_for_the_two_officers(company: Company) -> None:
    people = {person.employee_number: person for person in company.employees}
    assert not people["e1002"].is_agent
    assert not people["e1041"].is_agent


# -- planted facts


def test_planted_facts_are_all_there(company: Company) -> None:
    codes = [fact.code for fact in company.planted]
    assert len(codes) == len(set(codes))
    assert {
        "force_majeure_payments",
        "vendor_scope_exclusion",
        "all_scope_exclusion_without_service",
        "refused_exclusion_exr_0004",
        "refused_exclusion_exr_0005",
        "refused_exclusion_exr_0006",
        "refused_exclusion_exr_0007",
        "dst_weekend_dublin",
        "dst_weekend_new_york",
        "half_hour_zone",
        "reopened_running_through",
        "exactly_on_target",
        "one_second_over",
        "edge_of_tolerance",
        "one_second_over_tolerance",
        "leaver_mid_period",
        "transfer_mid_period",
        "hire_mid_period",
        "raise_mid_period",
        "alert_inside_maintenance",
        "alert_across_maintenance_start",
        "alert_inside_canceled_downtime",
        "no_data_gap",
        "flapping_monitor",
        "outage_force_majeure",
        "wrong_made_sla_flag",
    } <= set(codes)


def test_planted_seconds_agree_with_the_wall_clock(company: Company) -> None:
    oracle = Oracle()
    tickets = {ticket.number: ticket for ticket in company.tickets}
    checked = 0
    for code, number, expected in planted_tickets(company):
        counted = oracle.count(tickets[number], expected["calendar_code"], expected["target_seconds"])
        assert {name: expected[name] for name in counted} == counted, (code, number)
        net, target = expected["net_seconds"], expected["target_seconds"]
        assert expected["is_breached_raw"] == (expected["business_seconds"] > target)
        assert expected["is_breached_adjusted"] == (net > target)
        checked += 1
    assert checked >= 25


def test_refused_exclusions_would_have_changed_the_result(company: Company) -> None:
    tickets = {ticket.number: ticket for ticket in company.tickets}
    windows = {row["exclusion_id"]: row for row in seed("governance/exclusion_request.csv")}
    for fact in company.planted:
        if not fact.code.startswith("refused_exclusion"):
            continue
        ((number, expected),) = fact.detail["tickets"].items()
        window = windows[fact.detail["exclusion_ids"][0]]
        start, stop = tickets[number].events[0].at, tickets[number].events[-2].at
        inside = min(stop, utc(window["ends_at"])) - max(start, utc(window["starts_at"]))
        assert expected["slt_status"] == "breached"
        assert expected["net_seconds"] - inside.total_seconds() <= expected["target_seconds"]


def test_planted_people(company: Company) -> None:
    people = {person.employee_number: person for person in company.employees}
    facts = {fact.code: fact.detail for fact in company.planted}
    assert people[facts["leaver_mid_period"]["employee_number"]].terminated_on == date(2025, 2, 15)
    assert people[facts["hire_mid_period"]["employee_number"]].hired_on == date(2025, 8, 18)
    moved = people[facts["transfer_mid_period"]["employee_number"]]
    jobs = [(j.effective_on, j.team_code) for j in company.job_infos if j.employee_id == moved.id]
    assert [team for _, team in jobs] == ["sd-emea", "net-ops"]
    assert jobs[1][0] == date(2025, 5, 12)
    for code in ("leaver_mid_period", "transfer_mid_period", "hire_mid_period", "raise_mid_period"):
        for first, last, days, _ in facts[code]["segments"]:
            assert (date.fromisoformat(last) - date.fromisoformat(first)).days + 1 == days


def test_planted_monitoring(company: Company) -> None:
    facts = {fact.code: fact.detail for fact in company.planted}

    def stretch(monitor_id: int, start: str) -> tuple[str, int]:
        rows = [row for row in company.transitions if row.monitor_id == monitor_id]
        index = next(i for i, row in enumerate(rows) if row.at == utc(start))
        return rows[index].destination_state, int((rows[index + 1].at - rows[index].at).total_seconds())

    gap = facts["no_data_gap"]
    assert stretch(gap["monitor_id"], gap["gap_from"]) == ("No Data", 9296)
    for code in (
        "alert_inside_maintenance",
        "alert_across_maintenance_start",
        "alert_inside_canceled_downtime",
    ):
        fact = facts[code]
        assert stretch(fact["monitor_id"], fact["alert_from"]) == ("Alert", fact["down_seconds"])
        (downtime,) = [row for row in company.downtimes if row.id == fact["downtime_id"]]
        assert (downtime.canceled_at is None) == (fact["maintenance_seconds"] > 0)
        if downtime.canceled_at is None:
            assert (downtime.end_at - downtime.start_at).total_seconds() == fact["maintenance_seconds"]
    assert {row.canceled_at is None for row in company.downtimes} == {True, False}
    flapping = facts["flapping_monitor"]
    alerts = [
        row
        for row in company.transitions
        if row.monitor_id == flapping["monitor_id"]
        and utc(flapping["from"]) <= row.at < utc(flapping["to"])
        and row.destination_state == "Alert"
    ]
    assert len(alerts) == 6


def test_wrong_flags_contradict_the_rule(company: Company) -> None:
    (fact,) = [fact for fact in company.planted if fact.code == "wrong_made_sla_flag"]
    assert len(fact.detail["flags"]) == 7
    for flag in fact.detail["flags"].values():
        assert flag["made_sla_by_rule"] is not flag["made_sla_served"]


# -- another as_of


def test_an_earlier_as_of_knows_less(company: Company) -> None:
    at = datetime(2025, 3, 12, 20, 0, tzinfo=UTC)
    earlier = company_as_of(company, at)
    assert all(event.at < at for ticket in earlier.tickets for event in ticket.events)
    later = {ticket.number: ticket for ticket in company.tickets}
    for ticket in earlier.tickets:
        assert later[ticket.number].events[: len(ticket.events)] == ticket.events
    # The outage is still on: nothing about it can be asserted yet, the leaver of February can be no longer.
    codes = {fact.code for fact in earlier.planted}
    assert "force_majeure_payments" not in codes
    assert "dst_weekend_new_york" in codes
    assert len(company.tickets) == SMALL, "the later company is left as it is"


def test_small_and_early_companies_build() -> None:
    early = build_company(as_of=datetime(2024, 8, 1, tzinfo=UTC), ticket_count=50)
    assert len(early.tickets) == 50
    # Every planted ticket, monitor story and person's story comes later than this.
    assert {fact.code for fact in early.planted} <= {"wrong_made_sla_flag"}
    assert max(event.at for ticket in early.tickets for event in ticket.events) < early.as_of_at


def test_impossible_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="planted"):
        build_company(ticket_count=5)
    with pytest.raises(ValueError, match="not after"):
        build_company(as_of=datetime(2024, 6, 1, tzinfo=UTC))
    with pytest.raises(ValueError, match="time zone"):
        build_company(as_of=datetime(2026, 1, 5))  # noqa: DTZ001


# -- the command line


def test_describe_lists_every_planted_fact(company: Company, capsys) -> None:
    assert main(["describe", "--json", "--without-pay", "--tickets", str(SMALL)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == [
        {"code": fact.code, "description": fact.description, "detail": fact.detail}
        for fact in (*company.planted, *vendor_reports(company).facts)
    ]
    assert main(["describe", "--tickets", str(SMALL)]) == 0
    text = capsys.readouterr().out
    assert all(f"\n{fact.code}\n" in text for fact in company.planted)
    assert "payroll_line_off_by_one_cent" in text


def test_a_wrong_as_of_is_explained(capsys) -> None:
    with pytest.raises(SystemExit):
        main(["describe", "--as-of", "yesterday"])
    assert "2026-01-05T00:00:00Z" in capsys.readouterr().err


def test_contracts_and_items_change_in_flight(company: Company) -> None:
    """Tickets of chance have a contract and an item of their service, a few change; planted ones have neither."""
    services = {row["configuration_item_code"]: row["service_code"] for row in seed("services/configuration_item.csv")}
    known = {row["contract_code"] for row in seed("services/contract.csv")}
    planted = {number for fact in company.planted for number in fact.detail.get("tickets", {})}
    changed_contracts = changed_items = 0
    for ticket in company.tickets:
        contracts = {event.contract_code for event in ticket.events}
        items = {event.configuration_item_code for event in ticket.events} - {""}
        assert contracts - {""} <= known
        assert all(services[item] == ticket.events[0].service_code for item in items)
        assert ticket.number not in planted or not (items or contracts - {""})
        changed_contracts += len(contracts) > 1
        changed_items += len({event.configuration_item_code for event in ticket.events}) > 1
    assert 0 < changed_contracts < 0.02 * len(company.tickets)
    assert 0 < changed_items < 0.04 * len(company.tickets)
