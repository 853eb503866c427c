"""The demonstration server answers as the source systems do: paging, windows, refusals, display values."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import timedelta
from itertools import pairwise
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from ingestion.demo.company import build_company, company_as_of
from ingestion.demo.model import Company
from ingestion.demo.served_servicenow import AUDIT_COLUMNS, INCIDENT_COLUMNS
from ingestion.demo.server import DemoServer

TIMEOUT = 10


@pytest.fixture(scope="module")
def company() -> Company:
    return build_company(ticket_count=400)


@pytest.fixture(scope="module")
def server(company: Company):
    with DemoServer(company, with_drops=False) as running:
        yield running


class Caller:
    """Calls with the right credentials."""

    def __init__(self, server: DemoServer) -> None:
        self.env = server.environment()
        self.session = requests.Session()
        self.session.trust_env = False

    def table(self, name: str, **params: object) -> requests.Response:
        return self.session.get(
            f"{self.env['SERVICENOW_URL']}/api/now/table/{name}",
            params=params,
            auth=(self.env["SERVICENOW_USER"], self.env["SERVICENOW_PASSWORD"]),
            timeout=TIMEOUT,
        )

    def datadog(self, path: str, **params: object) -> requests.Response:
        return self.session.get(
            self.env["DATADOG_URL"] + path,
            params=params,
            headers={"DD-API-KEY": self.env["DD_API_KEY"], "DD-APPLICATION-KEY": self.env["DD_APP_KEY"]},
            timeout=TIMEOUT,
        )

    def bamboo(self, path: str, accept: str = "application/json") -> requests.Response:
        return self.session.get(
            self.env["BAMBOOHR_URL"] + path,
            auth=(self.env["BAMBOOHR_API_KEY"], "x"),
            headers={"Accept": accept},
            timeout=TIMEOUT,
        )


@pytest.fixture(scope="module")
def call(server: DemoServer) -> Caller:
    return Caller(server)


def links(response: requests.Response) -> dict[str, str]:
    return {name: url for url, name in re.findall(r'<([^>]+)>;rel="(\w+)"', response.headers.get("Link", ""))}


# -- ServiceNow


@pytest.mark.parametrize("table", ["incident", "sys_audit", "change_request", "sys_user"])
def test_paging_by_offset_walks_every_record_exactly_once(call: Caller, table: str) -> None:
    seen: list[str] = []
    offset, total = 0, None
    while total is None or offset < total:
        page = call.table(table, sysparm_limit=97, sysparm_offset=offset, sysparm_fields="sys_id")
        total = int(page.headers["X-Total-Count"])
        seen += [record["sys_id"] for record in page.json()["result"]]
        offset += 97
    assert len(seen) == total
    assert len(set(seen)) == total


def test_following_the_link_header_walks_every_record_exactly_once(call: Caller, company: Company) -> None:
    page = call.table("incident", sysparm_limit=90, sysparm_query="ORDERBYnumber", sysparm_fields="number")
    seen = [record["number"] for record in page.json()["result"]]
    assert "prev" not in links(page)
    while "next" in links(page):
        page = call.session.get(links(page)["next"], auth=_auth(call), timeout=TIMEOUT)
        seen += [record["number"] for record in page.json()["result"]]
    assert seen == sorted(ticket.number for ticket in company.tickets)
    place = links(page)
    assert {"first", "prev", "last"} <= set(place)
    assert parse_qs(urlsplit(place["last"]).query)["sysparm_offset"] == ["360"]


def _auth(call: Caller) -> tuple[str, str]:
    return call.env["SERVICENOW_USER"], call.env["SERVICENOW_PASSWORD"]


def test_no_link_header_when_there_is_one_page(call: Caller) -> None:
    page = call.table("sys_user_group")
    assert page.headers["X-Total-Count"] == "8"
    assert "Link" not in page.headers


def test_windows_are_disjoint_and_complete(call: Caller, company: Company) -> None:
    edges = ["2024-07-01 00:00:00", "2025-01-01 00:00:00", "2025-03-12 12:00:00", "2026-01-05 00:00:00"]
    numbers: Counter[str] = Counter()
    for low, high in pairwise(edges):
        query = f"sys_updated_on>={low}^sys_updated_on<{high}^ORDERBYsys_updated_on^ORDERBYsys_id"
        records = call.table("incident", sysparm_query=query).json()["result"]
        stamps = [(record["sys_updated_on"], record["sys_id"]) for record in records]
        assert stamps == sorted(stamps)
        assert all(low <= stamp < high for stamp, _ in stamps)
        numbers.update(record["number"] for record in records)
    assert numbers == Counter(ticket.number for ticket in company.tickets)


def test_window_edges_are_to_the_second(call: Caller, company: Company) -> None:
    last = company.tickets[100].events[-1].at
    at, after = (
        last.strftime("%Y-%m-%d %H:%M:%S"),
        (last + timedelta(seconds=1)).strftime("%Y-%m-%d %H:%M:%S"),
    )

    def count(query: str) -> int:
        return int(call.table("incident", sysparm_query=query, sysparm_limit=1).headers["X-Total-Count"])

    exact = count(f"sys_updated_on={at}")
    assert exact >= 1
    assert count(f"sys_updated_on>={at}^sys_updated_on<{after}") == exact
    assert count(f"sys_updated_on>{at}^sys_updated_on<={at}") == 0
    assert count(f"sys_updated_on<={at}") + count(f"sys_updated_on>{at}") == len(company.tickets)


def test_conditions_order_and_date_calls(call: Caller, company: Company) -> None:
    query = "priorityIN1,2^state=7^ORDERBYDESCopened_at"
    records = call.table("incident", sysparm_query=query).json()["result"]
    expected = [
        ticket
        for ticket in company.tickets
        if ticket.events[-1].priority <= 2 and ticket.events[-1].ticket_state == "closed"
    ]
    assert len(records) == len(expected) > 0
    opened = [record["opened_at"] for record in records]
    assert opened == sorted(opened, reverse=True)
    by_call = call.table(
        "incident", sysparm_query="opened_at>=javascript:gs.dateGenerate('2025-07-01','00:00:00')"
    ).headers["X-Total-Count"]
    assert int(by_call) == sum(ticket.opened_at.isoformat() >= "2025-07-01" for ticket in company.tickets)


def test_unknown_field_in_a_condition_is_ignored_as_the_real_system_does(call: Caller, company: Company) -> None:
    page = call.table("incident", sysparm_query="no_such_field=1", sysparm_limit=1)
    assert page.headers["X-Total-Count"] == str(len(company.tickets))


def test_unreadable_query_and_unknown_table_are_refused(call: Caller) -> None:
    for page in (
        call.table("incident", sysparm_query="priority=1^ORstate=2"),
        call.table("incident", sysparm_query="???"),
        call.table("no_such_table"),
    ):
        assert page.status_code == 400
        assert page.json()["status"] == "failure"
        assert set(page.json()["error"]) == {"message", "detail"}


def test_values_are_strings_and_references_link_and_value(call: Caller) -> None:
    query = "state=7^assigned_toISNOTEMPTY^business_serviceISNOTEMPTY^cmdb_ciISNOTEMPTY^contractISNOTEMPTY"
    (record,) = call.table("incident", sysparm_query=query, sysparm_limit=1).json()["result"]
    assert tuple(record) == INCIDENT_COLUMNS
    references = {name: value for name, value in record.items() if isinstance(value, dict)}
    assert set(references) == {
        "assigned_to",
        "assignment_group",
        "business_service",
        "caller_id",
        "cmdb_ci",
        "contract",
        "opened_by",
        "resolved_by",
    }
    for value in references.values():
        assert set(value) == {"link", "value"}
        assert value["link"].endswith(value["value"])
    assert all(isinstance(value, (str, dict)) for value in record.values())
    flat = call.table("incident", sysparm_query=query, sysparm_limit=1, sysparm_exclude_reference_link="true").json()[
        "result"
    ][0]
    assert all(isinstance(value, str) for value in flat.values())
    assert flat["assigned_to"] == references["assigned_to"]["value"]


def test_single_record_by_sys_id(call: Caller, company: Company) -> None:
    ticket = company.tickets[7]
    assert call.table(f"incident/{ticket.sys_id}").json()["result"]["number"] == ticket.number
    missing = call.table("incident/" + "0" * 32)
    assert missing.status_code == 404
    assert missing.json()["error"]["message"] == "No Record found"


def test_display_values_are_in_the_users_zone(call: Caller) -> None:
    fields = "number,opened_at,closed_at,state,priority,assignment_group,caller_id"
    raw = call.table("incident", sysparm_query="number=INC0990011", sysparm_fields=fields).json()["result"][0]
    shown = call.table(
        "incident", sysparm_query="number=INC0990011", sysparm_fields=fields, sysparm_display_value="true"
    ).json()["result"][0]
    both = call.table(
        "incident", sysparm_query="number=INC0990011", sysparm_fields=fields, sysparm_display_value="all"
    ).json()["result"][0]
    # Opened in winter time, closed in summer time, which began in Dublin on 2025-03-30.
    assert (raw["opened_at"], shown["opened_at"]) == ("2025-03-28 18:00:00", "2025-03-28 18:00:00")
    assert (raw["closed_at"], shown["closed_at"]) == ("2025-04-05 10:00:00", "2025-04-05 11:00:00")
    assert (raw["state"], shown["state"]) == ("7", "Closed")
    assert shown["priority"] == "3 - Moderate"
    assert shown["assignment_group"]["display_value"] == "Network Operations"
    assert both["closed_at"] == {"display_value": "2025-04-05 11:00:00", "value": "2025-04-05 10:00:00"}
    assert both["assignment_group"]["value"] == raw["assignment_group"]["value"]


def test_audit_tells_the_whole_history(call: Caller, company: Company) -> None:
    rows = call.table("sys_audit", sysparm_query="ORDERBYsys_created_on").json()["result"]
    assert tuple(rows[0]) == AUDIT_COLUMNS
    by_ticket: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        by_ticket.setdefault(row["documentkey"], []).append(row)
    groups = {row["sys_id"]: row["name"] for row in call.table("sys_user_group").json()["result"]}
    names = {team.team_code: team.assignment_group_name for team in company.teams}
    services = {row["sys_id"]: row["number"] for row in call.table("cmdb_ci_service").json()["result"]}
    items = {row["sys_id"]: row["name"] for row in call.table("cmdb_ci").json()["result"]}
    contracts = {row["sys_id"]: row["number"] for row in call.table("ast_contract").json()["result"]}
    users = {row["sys_id"]: row["employee_number"] for row in call.table("sys_user").json()["result"]}
    codes = {"new": "1", "in_progress": "2", "on_hold": "3", "resolved": "6", "closed": "7", "canceled": "8"}
    for ticket in company.tickets:
        history = sorted(by_ticket[ticket.sys_id], key=lambda row: int(row["record_checkpoint"]))
        opening = [row for row in history if row["record_checkpoint"] == "0"]
        assert {row["fieldname"] for row in opening} - {"cmdb_ci", "contract"} == {
            "state",
            "priority",
            "assignment_group",
            "assigned_to",
            "business_service",
        }
        assert all(row["oldvalue"] == "" for row in opening)
        held: dict[str, str] = {}
        for checkpoint, event in enumerate(ticket.events):
            changed = [row for row in history if row["record_checkpoint"] == str(checkpoint)]
            assert changed, "an event without an audit row would be lost"
            for row in changed:
                assert row["oldvalue"] == held.get(row["fieldname"], "")
                assert row["sys_created_on"] == event.at.strftime("%Y-%m-%d %H:%M:%S")
                held[row["fieldname"]] = row["newvalue"]
            assert held["state"] == codes[event.ticket_state]
            assert held["priority"] == str(event.priority)
            assert groups[held["assignment_group"]] == names[event.team_code]
            assert services.get(held["business_service"], "") == event.service_code
            assert items.get(held.get("cmdb_ci", ""), "") == event.configuration_item_code
            assert contracts.get(held.get("contract", ""), "") == event.contract_code
            assert (users[held["assigned_to"]] if held["assigned_to"] else None) == event.assigned_to


def test_incidents_hold_their_current_values(call: Caller, company: Company) -> None:
    records = {row["number"]: row for row in call.table("incident").json()["result"]}
    for ticket in company.tickets:
        record, last = records[ticket.number], ticket.events[-1]
        assert record["sys_updated_on"] == last.at.strftime("%Y-%m-%d %H:%M:%S")
        assert record["sys_mod_count"] == str(len(ticket.events) - 1)
        assert record["priority"] == str(last.priority)
        resolved = [event.at for event in ticket.events if event.ticket_state == "resolved"]
        if last.ticket_state in ("resolved", "closed"):
            assert record["resolved_at"] == resolved[-1].strftime("%Y-%m-%d %H:%M:%S")
        else:
            assert record["resolved_at"] == ""
        assert record["active"] == ("false" if last.ticket_state in ("closed", "canceled") else "true")


def test_made_sla_is_naive_and_wrong_where_planted(call: Caller, company: Company) -> None:
    flags = {row["number"]: row["made_sla"] for row in call.table("incident").json()["result"]}
    facts = {fact.code: fact.detail for fact in company.planted}
    for number, expected in facts["force_majeure_payments"]["tickets"].items():
        assert expected["slt_status"] == "met"
        assert flags[number] == "false", "ServiceNow knows no exclusions"
    assert flags[next(iter(facts["exactly_on_target"]["tickets"]))] == "true"
    assert flags[next(iter(facts["one_second_over"]["tickets"]))] == "false"
    for number, flag in facts["wrong_made_sla_flag"]["flags"].items():
        assert flags[number] == str(flag["made_sla_served"]).lower()


# -- who may ask


def test_wrong_credentials_are_refused(server: DemoServer) -> None:
    env = server.environment()
    url = f"{server.url}/api/now/table/incident"
    for auth in (None, ("x", "y"), (env["SERVICENOW_USER"], "wrong")):
        answer = requests.get(url, auth=auth, timeout=TIMEOUT)
        assert answer.status_code == 401
        assert answer.json()["error"]["message"] == "User Not Authenticated"
        assert answer.headers["WWW-Authenticate"].startswith("Basic")
    for headers in ({}, {"DD-API-KEY": env["DD_API_KEY"]}, {"DD-API-KEY": "a", "DD-APPLICATION-KEY": "b"}):
        answer = requests.get(f"{server.url}/api/v1/monitor", headers=headers, timeout=TIMEOUT)
        assert (answer.status_code, answer.json()) == (403, {"errors": ["Forbidden"]})
    answer = requests.get(f"{env['BAMBOOHR_URL']}/employees/directory", auth=("no", "x"), timeout=TIMEOUT)
    assert answer.status_code == 401


def test_each_server_has_its_own_credentials(company: Company, server: DemoServer) -> None:
    with DemoServer(company, with_drops=False) as other:
        mine, theirs = server.environment(), other.environment()
    for name in ("SERVICENOW_PASSWORD", "DD_API_KEY", "DD_APP_KEY", "BAMBOOHR_API_KEY"):
        assert mine[name] != theirs[name]


def test_only_reading_is_offered(server: DemoServer) -> None:
    assert requests.post(f"{server.url}/api/now/table/incident", timeout=TIMEOUT).status_code == 405
    assert requests.get(f"{server.url}/elsewhere", timeout=TIMEOUT).status_code == 404


# -- Datadog


def test_events_by_cursor_walk_every_transition_exactly_once(call: Caller, company: Company) -> None:
    seen: list[str] = []
    params: dict[str, object] = {"filter[query]": "source:alert", "page[limit]": 250}
    while True:
        page = call.datadog("/api/v2/events", **params).json()
        seen += [event["id"] for event in page["data"]]
        after = page["meta"].get("page", {}).get("after")
        if not after:
            assert "links" not in page
            break
        assert "page%5Bcursor%5D=" in page["links"]["next"]
        params["page[cursor]"] = after
    assert seen == [row.id for row in company.transitions]


def test_events_have_the_real_shape(call: Caller, company: Company) -> None:
    page = call.datadog("/api/v2/events", **{"page[limit]": 1})
    assert {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"} <= set(page.headers)
    (event,) = page.json()["data"]
    first = company.transitions[0]
    attributes = event["attributes"]
    assert event["type"] == "event"
    assert attributes["timestamp"] == first.at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    assert attributes["attributes"]["timestamp"] == int(first.at.timestamp()) * 1000
    assert attributes["attributes"]["monitor"]["id"] == first.monitor_id
    assert attributes["attributes"]["monitor"]["transition"] == {
        "source_state": "No Data",
        "destination_state": "OK",
        "transition_type": "no data recovery",
    }


def test_events_by_window_monitor_and_order(call: Caller, company: Company) -> None:
    window = {"filter[from]": "2025-03-12T00:00:00Z", "filter[to]": "2025-03-13T00:00:00+00:00"}
    expected = [row.id for row in company.transitions if f"{row.at:%Y-%m-%d}" == "2025-03-12"]
    asked = {"filter[query]": "source:alert", "page[limit]": 1000, **window}
    found = [event["id"] for event in call.datadog("/api/v2/events", **asked).json()["data"]]
    assert found == expected
    backwards = call.datadog("/api/v2/events", sort="-timestamp", **asked).json()["data"]
    assert [event["id"] for event in backwards] == expected[::-1]
    monitor = company.monitors[0].id
    asked["filter[query]"] = f"source:alert @monitor.id:{monitor}"
    rows = call.datadog("/api/v2/events", **asked).json()["data"]
    assert {event["attributes"]["attributes"]["monitor_id"] for event in rows} == {monitor}
    for wrong in ({"page[limit]": 5000}, {"filter[from]": "yesterday"}, {"page[cursor]": "!"}, {"sort": "x"}):
        answer = call.datadog("/api/v2/events", **wrong)
        assert answer.status_code == 400
        assert answer.json()["errors"]


def test_monitors_slos_and_downtimes(call: Caller, company: Company) -> None:
    monitors = []
    for number in range(4):
        monitors += call.datadog("/api/v1/monitor", page=number, page_size=7).json()
    assert [monitor["id"] for monitor in monitors] == [monitor.id for monitor in company.monitors]
    assert all(any(tag.startswith("service:") for tag in monitor["tags"]) for monitor in monitors)
    last = {row.monitor_id: row.destination_state for row in company.transitions}
    assert all(monitor["overall_state"] == last[monitor["id"]] for monitor in monitors)
    slos = call.datadog("/api/v1/slo", limit=5, offset=10).json()
    assert len(slos["data"]) == 2
    assert slos["metadata"]["page"]["total_filtered_count"] == 12
    downtimes, offset = [], 0
    while True:
        page = call.datadog("/api/v2/downtime", **{"page[offset]": offset, "page[limit]": 20}).json()
        downtimes += page["data"]
        offset += 20
        if offset >= page["meta"]["page"]["total_filtered_count"]:
            break
    assert [row["id"] for row in downtimes] == [row.id for row in company.downtimes]
    statuses = Counter(row["attributes"]["status"] for row in downtimes)
    assert statuses["ended"] > 30
    assert statuses["canceled"] >= 1
    for row in downtimes:
        assert (row["attributes"]["canceled"] is None) == (row["attributes"]["status"] != "canceled")


# -- BambooHR


def test_directory_and_tables(call: Caller, company: Company) -> None:
    directory = call.bamboo("/employees/directory").json()
    assert {row["employeeNumber"] for row in directory["employees"]} == {
        person.employee_number for person in company.employees
    }
    leavers = {row["employeeNumber"] for row in directory["employees"] if row["terminationDate"]}
    assert leavers == {person.employee_number for person in company.employees if person.terminated_on}
    jobs = call.bamboo("/employees/all/tables/jobInfo").json()
    assert {row["id"] for row in jobs} == {job.id for job in company.job_infos}
    assert {row["department"] for row in jobs} == {team.hris_department for team in company.teams}
    statuses = call.bamboo("/employees/all/tables/employmentStatus").json()
    assert len(statuses) == len(company.employees) + len(leavers)
    targets = call.bamboo("/employees/all/tables/customIncentiveTarget").json()
    amounts = {row.id: (f"{row.quarterly_amount:.2f}", row.currency_code) for row in company.incentive_targets}
    assert {row["id"]: (row["quarterlyTargetAmount"], row["currency"]) for row in targets} == amounts
    one = call.bamboo(f"/employees/{jobs[0]['employeeId']}/tables/jobInfo").json()
    assert {row["employeeId"] for row in one} == {jobs[0]["employeeId"]}
    assert call.bamboo("/employees/all/tables/salary").status_code == 404


def test_xml_unless_json_is_asked_for(call: Caller) -> None:
    answer = call.bamboo("/employees/directory", accept="*/*")
    assert answer.headers["Content-Type"].startswith("text/xml")
    assert answer.text.startswith("<?xml")


# -- the server itself


def test_the_same_question_gets_the_same_bytes_from_another_server(company: Company, call: Caller) -> None:
    """A port of chance must not make an unchanged record look changed."""
    with DemoServer(company, with_drops=False) as other:
        again = Caller(other)
        for ask in (
            lambda c: c.table("incident", sysparm_limit=50, sysparm_query="ORDERBYsys_updated_on"),
            lambda c: c.table("sys_user"),
            lambda c: c.datadog("/api/v1/monitor"),
            lambda c: c.datadog("/api/v2/downtime"),
            lambda c: c.datadog("/api/v2/events", **{"page[limit]": 1000, "filter[from]": "2025-12-01"}),
            lambda c: c.bamboo("/employees/all/tables/jobInfo"),
        ):
            assert ask(call).content == ask(again).content


def test_an_earlier_company_serves_less_and_the_later_one_more_of_the_same(company: Company) -> None:
    earlier = company_as_of(company, company.as_of_at - timedelta(days=200))
    with DemoServer(earlier, with_drops=False) as server:
        rows = Caller(server).table("sys_audit").json()["result"]
        limit = earlier.as_of_at.strftime("%Y-%m-%d %H:%M:%S")
        assert rows
        assert all(row["sys_created_on"] < limit for row in rows)
        old = {row["sys_id"]: json.dumps(row) for row in rows}
    with DemoServer(company, with_drops=False) as server:
        new = {row["sys_id"]: json.dumps(row) for row in Caller(server).table("sys_audit").json()["result"]}
    assert len(old) < len(new)
    assert all(new[sys_id] == row for sys_id, row in old.items())


def test_environment_and_drops(company: Company, tmp_path) -> None:
    with DemoServer(company, drops_path=tmp_path) as server:
        env = server.environment()
        assert env["EXTRACT_FROM"] == "2024-07-01"
        assert env["AS_OF"] == "2026-01-05T00:00:00Z"
        assert (tmp_path / "payroll" / "payroll_register_2025-12.csv").is_file()
        assert env["LEDGER_DROP_PATH"] == str(tmp_path / "ledger")
        assert list((tmp_path / "ledger").glob("journal_*.csv"))
    with DemoServer(company, with_drops=False) as server:
        assert "PAYROLL_DROP_PATH" not in server.environment()


def test_a_server_that_is_not_running_says_so(company: Company) -> None:
    with pytest.raises(RuntimeError, match="not running"):
        _ = DemoServer(company, with_drops=False).url
