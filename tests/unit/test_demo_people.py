"""People as BambooHR and Workday show them, and as their sources read them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import requests

from ingestion.contracts import SourceError, Window
from ingestion.demo.company import build_company, company_as_of
from ingestion.demo.model import Company
from ingestion.demo.rosters import ACQUIRED, SHARED_ACCOUNTS, SHIFTS, Rosters
from ingestion.demo.server import DemoServer
from ingestion.demo.timeline import read_seed
from ingestion.sources import SOURCES

TIMEOUT = 10


@pytest.fixture(scope="module")
def company() -> Company:
    return build_company(ticket_count=400)


class Caller:
    """Calls with the right credentials."""

    def __init__(self, server: DemoServer) -> None:
        self.env = server.environment()
        self.session = requests.Session()
        self.session.trust_env = False

    def workday(self, report: str | None = None, **params: str) -> requests.Response:
        return self.session.get(
            f"{self.env['WORKDAY_URL']}/{report or self.env['WORKDAY_WORKER_REPORT']}",
            params=params,
            auth=(self.env["WORKDAY_USER"], self.env["WORKDAY_PASSWORD"]),
            timeout=TIMEOUT,
        )

    def bamboo(self, path: str, **params: str) -> requests.Response:
        return self.session.get(
            self.env["BAMBOOHR_URL"] + path,
            params=params,
            auth=(self.env["BAMBOOHR_API_KEY"], "x"),
            headers={"Accept": "application/json"},
            timeout=TIMEOUT,
        )


@pytest.fixture(scope="module")
def call(company: Company):
    with DemoServer(company, with_drops=False) as running:
        yield Caller(running)


def test_custom_tables_and_time_off(call: Caller, company: Company) -> None:
    numbers = {person.id: person for person in company.employees}
    shifts = call.bamboo("/employees/all/tables/customShift").json()
    assert {row["employeeId"] for row in shifts} <= set(numbers) and len(shifts) > 2_000
    assert all(datetime.fromisoformat(row["startsAt"]) < datetime.fromisoformat(row["endsAt"]) for row in shifts)
    night = [row for row in shifts if row["shiftCode"] == "NOC-NIGHT"]
    lengths = {
        datetime.fromisoformat(row["endsAt"]).astimezone(UTC) - datetime.fromisoformat(row["startsAt"]).astimezone(UTC)
        for row in night
    }
    # twelve hours by the wall clock, and eleven or thirteen where the clocks change
    assert lengths == {timedelta(hours=11), timedelta(hours=12), timedelta(hours=13)}
    terms = call.bamboo("/employees/all/tables/customEmploymentTerms").json()
    assert {row["exemptStatus"] for row in terms} == {"exempt", "non_exempt", "not_applicable"}
    assert any(row["dateEntered"] > row["date"] for row in terms), "nothing was entered late"
    assert any(row["unionCode"] for row in terms)
    managers = call.bamboo("/employees/all/tables/customTeamAssignment").json()
    assert [row["managerEmployeeNumber"] for row in managers].count(None) == 1
    read = call.bamboo("/employees/all/tables/customPlanAcknowledgement").json()
    assert any(row["acknowledgedAt"] for row in read) and not all(row["acknowledgedAt"] for row in read)
    assert call.bamboo("/time_off/requests/").status_code == 400
    away = call.bamboo("/time_off/requests/", start="2025-03-01", end="2025-03-31").json()
    assert away and all(row["start"] <= "2025-03-31" and row["end"] >= "2025-03-01" for row in away)
    everything = call.bamboo("/time_off/requests/", start="2024-07-01", end="2099-12-31").json()
    assert {row["status"]["status"] for row in everything} == {"approved", "denied", "canceled"}
    assert len({row["id"] for row in everything}) == len(everything) > len(away)


def test_nobody_is_rostered_while_away_or_before_hire(call: Caller, company: Company) -> None:
    people = {person.id: person for person in company.employees}
    away = {
        (row["employeeId"], date.fromisoformat(row["start"]) + timedelta(days=n))
        for row in call.bamboo("/time_off/requests/", start="2024-07-01", end="2099-12-31").json()
        if row["status"]["status"] == "approved"
        for n in range((date.fromisoformat(row["end"]) - date.fromisoformat(row["start"])).days + 1)
    }
    for row in call.bamboo("/employees/all/tables/customShift").json():
        person, day = people[row["employeeId"]], datetime.fromisoformat(row["startsAt"]).date()
        assert person.hired_on <= day and (person.terminated_on is None or day < person.terminated_on)
        assert (person.id, day) not in away


# -- Workday


def test_the_report_comes_whole_with_empty_fields_left_out(call: Caller, company: Company) -> None:
    entries = call.workday(format="json", Include_Terminated_Workers="1").json()["Report_Entry"]
    assert len({entry["Employee_ID"] for entry in entries}) == 12
    assert all(isinstance(value, str | list) and value for entry in entries for value in entry.values())
    assert {"Other_System_ID", "Manager_ID", "Union_Memberships_group"} - set(entries[0])
    statuses = [entry["Worker_Status"] for entry in entries if entry["Employee_ID"] == "W-2004"]
    assert statuses == ["Active", "Terminated", "Active"], "nobody was taken on again"
    numbers = {person.employee_number: person.email for person in company.employees}
    both = [entry for entry in entries if "Other_System_ID" in entry]
    assert both and all(numbers[entry["Other_System_ID"]] == entry["Email_Primary_Work"] for entry in both)
    without = call.workday(format="json").json()["Report_Entry"]
    assert {entry["Worker_Status"] for entry in without} == {"Active", "On_Leave"}
    assert call.workday().text.startswith("<?xml")
    assert call.workday(report="Somebody/Else", format="json").status_code == 404


# -- the sources


def landed(call: Caller, monkeypatch: pytest.MonkeyPatch, source: str, entity: str) -> list[dict]:
    """The values of every record the source reads from the demonstration server."""
    for name, value in call.env.items():
        monkeypatch.setenv(name, value)
    pages = SOURCES[source].pages(SOURCES[source].entities[entity], Window("snapshot"), lambda message: None)
    return [dict(record.values) for page in pages for record in page.records if not record.reason]


@pytest.mark.requirement("LTI-7.1")
@pytest.mark.parametrize("entity", sorted(SOURCES["bamboohr"].entities))
def test_every_list_of_bamboohr_has_what_its_contract_names(
    call: Caller, monkeypatch: pytest.MonkeyPatch, entity: str
) -> None:
    contract = SOURCES["bamboohr"].entities[entity]
    records = landed(call, monkeypatch, "bamboohr", entity)
    names = {name for record in records for name in record}
    assert records and set(contract.columns) <= names <= set(contract.columns) | contract.known_fields
    assert len({record["id"] for record in records}) == len(records)


def test_a_request_for_leave_is_landed_flat(call: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    for record in landed(call, monkeypatch, "bamboohr", "time_off_request"):
        assert record["status"] in ("approved", "denied", "canceled")
        assert record["typeName"] in ("Vacation", "Sick", "Parental") and record["amountUnit"] == "days"
        assert (
            int(record["amount"]) == (date.fromisoformat(record["end"]) - date.fromisoformat(record["start"])).days + 1
        )


@pytest.mark.requirement("LTI-7.1")
def test_the_worker_report_is_read_whole_with_its_prompts(call: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    contract = SOURCES["workday"].entities["worker"]
    records = landed(call, monkeypatch, "workday", "worker")
    names = {name for record in records for name in record}
    assert set(contract.columns) - contract.optional <= names <= set(contract.columns)
    assert {(r["Employee_ID"], r["Effective_Date"]) for r in records if r["Worker_Status"] == "Terminated"}
    monkeypatch.delenv("WORKDAY_WORKER_PROMPTS")
    source = SOURCES["workday"]
    (page,) = source.pages(contract, Window("snapshot"), print)
    assert len(page.records) < len(records), "the prompt did not arrive"


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("WORKDAY_WORKER_REPORT", "Worker_History", "report owner"),
        ("WORKDAY_WORKER_REPORT", "ISU_Warehouse/Gone", "404"),
        ("WORKDAY_WORKER_PROMPTS", "no query", "Alias=value"),
        ("WORKDAY_PASSWORD", "wr0ng-and-secret", "401"),
    ],
)
def test_what_workday_refuses_is_said_without_the_secret(
    call: Caller, monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    for variable, good in call.env.items():
        monkeypatch.setenv(variable, good)
    monkeypatch.setenv(name, value)
    with pytest.raises(SourceError) as refused:
        list(SOURCES["workday"].pages(SOURCES["workday"].entities["worker"], Window("snapshot"), print))
    assert says in str(refused.value) and "wr0ng-and-secret" not in str(refused.value)
    assert call.env["WORKDAY_PASSWORD"] not in str(refused.value)


# -- the generator


def test_an_earlier_day_holds_the_same_rosters_but_fewer(company: Company) -> None:
    now, then = Rosters(company), Rosters(company_as_of(company, datetime(2025, 6, 1, tzinfo=UTC)))
    for name in ("customShift", "customOnCall"):
        earlier, later = ({tuple(row.items()) for row in side.tables[name]} for side in (then, now))
        assert earlier < later, name


def test_the_governed_accounts_and_shifts_are_the_companys() -> None:
    kinds = {row["user_name"]: row["account_kind"] for row in read_seed("people/shared_account.csv")}
    assert {user for user, kind in kinds.items() if kind == "shared"} == set(SHARED_ACCOUNTS)
    for row in read_seed("people/shared_account_shift.csv"):
        assert SHIFTS[row["shift_code"]][0] == SHARED_ACCOUNTS[row["user_name"]][1]


def test_shared_accounts_only_put_tickets_on_hold(company: Company) -> None:
    rosters = Rosters(company)
    written = {
        (rosters.writer(ticket, position), event.ticket_state)
        for ticket in company.tickets
        for position, event in enumerate(ticket.events)
    } - {(None, event.ticket_state) for ticket in company.tickets for event in ticket.events}
    named = ACQUIRED[0][0].lower().replace(" ", ".")
    assert written and written <= {(user, "on_hold") for user in (*SHARED_ACCOUNTS, named)}
    assert not {event.assigned_to for ticket in company.tickets for event in ticket.events} & set(SHARED_ACCOUNTS)
