"""Each planned fault happens to the requests it is planned for, and to no other."""

from __future__ import annotations

import threading
import time

import pytest
import requests

from ingestion.demo.company import build_company
from ingestion.demo.faults import ACTIONS, FaultPlan, FaultRule
from ingestion.demo.model import Company
from ingestion.demo.server import DemoServer

TIMEOUT = 10


@pytest.fixture(scope="module")
def company() -> Company:
    return build_company(ticket_count=120)


@pytest.fixture
def served(company: Company):
    """A function that serves the company under some rules and gives (plan, ask)."""
    running: list[DemoServer] = []

    def serve(*rules: FaultRule):
        plan = FaultPlan(list(rules))
        server = DemoServer(company, fault_plan=plan, with_drops=False)
        server.start()
        running.append(server)
        env = server.environment()

        def ask(offset: int = 0, limit: int = 40, table: str = "incident") -> requests.Response:
            return requests.get(
                f"{server.url}/api/now/table/{table}",
                params={
                    "sysparm_query": "ORDERBYnumber",
                    "sysparm_limit": limit,
                    "sysparm_offset": offset,
                },
                auth=(env["SERVICENOW_USER"], env["SERVICENOW_PASSWORD"]),
                timeout=TIMEOUT,
            )

        return plan, ask, env

    yield serve
    for server in running:
        server.stop()


def numbers(response: requests.Response) -> list[str]:
    return [record["number"] for record in response.json()["result"]]


def test_status_with_retry_after_then_success(served) -> None:
    plan, ask, _ = served(
        FaultRule("table/incident", "status", nth=(1,), status=429, retry_after=3),
        FaultRule("table/incident", "status", nth=(2, 3), status=500),
        FaultRule("table/incident", "status", nth=(4,), status=502),
    )
    answers = [ask() for _ in range(5)]
    assert [answer.status_code for answer in answers] == [429, 500, 500, 502, 200]
    assert answers[0].headers["Retry-After"] == "3"
    assert "Retry-After" not in answers[1].headers
    assert len(numbers(answers[4])) == 40
    assert plan.fired() == [1, 2, 1]
    assert plan.matched() == [5, 5, 5]
    assert ask(table="sys_user").status_code == 200
    assert plan.matched() == [5, 5, 5], "other tables do not count"


def test_cut_in_the_middle_of_the_body(served) -> None:
    _, ask, _ = served(FaultRule("sysparm_offset=40", "cut"))
    assert len(numbers(ask())) == 40
    with pytest.raises((requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        ask(40)


def test_malformed_json_with_status_200(served) -> None:
    _, ask, _ = served(FaultRule("table/incident", "malformed", nth=(1,)))
    answer = ask()
    assert answer.status_code == 200
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()
    assert len(numbers(ask())) == 40


def test_page_faults(served) -> None:
    _, ask, _ = served()
    pages = [numbers(ask(offset)) for offset in (0, 40, 80)]
    total = ask().headers["X-Total-Count"]
    assert total == "120"

    _, ask, _ = served(FaultRule("sysparm_offset=40", "duplicate_page"))
    assert [numbers(ask(offset)) for offset in (0, 40, 80)] == [pages[0], pages[0], pages[2]]

    _, ask, _ = served(FaultRule("sysparm_offset=40", "short_page", records=3))
    assert numbers(ask(40)) == pages[1][:-3]
    assert ask(40).headers["X-Total-Count"] == total

    _, ask, _ = served(FaultRule("sysparm_offset=40", "empty_page"))
    assert numbers(ask(40)) == []
    assert ask(40).headers["X-Total-Count"] == total

    _, ask, _ = served(FaultRule("sysparm_offset=40", "shuffle"))
    assert numbers(ask(40)) != pages[1]
    assert sorted(numbers(ask(40))) == pages[1]

    _, ask, _ = served(FaultRule("table/incident", "change_total", nth=(2,), by=5))
    assert [ask(offset).headers["X-Total-Count"] for offset in (0, 40, 80)] == ["120", "125", "120"]

    _, ask, _ = served(FaultRule("sysparm_offset=40", "shrink", records=3))
    assert numbers(ask(40)) == pages[1][:-3]
    assert ask(40).headers["X-Total-Count"] == "117"

    _, ask, _ = served(FaultRule("sysparm_offset=40", "bad_record", records=2, value=["no", "record"]))
    spoilt = ask(40).json()["result"]
    assert spoilt[1] == ["no", "record"] and [record["number"] for record in spoilt[:1]] == pages[1][:1]
    assert len(spoilt) == 40 and ask(40).headers["X-Total-Count"] == total


def test_column_faults_spoil_only_the_answer_they_are_planned_for(served) -> None:
    _, ask, _ = served(
        FaultRule("table/incident", "drop_column", nth=(1,), column="priority"),
        FaultRule("table/incident", "add_column", nth=(1,), column="u_new", value="x"),
        FaultRule("table/incident", "change_type", nth=(1,), column="state"),
        FaultRule(
            "table/incident",
            "set_value",
            nth=(1,),
            column="resolved_at",
            value="2001-01-01 00:00:00",
            where="number",
            equals="INC0010001",
        ),
    )
    spoilt, sound = ask().json()["result"], ask().json()["result"]
    assert all("priority" not in record and record["u_new"] == "x" for record in spoilt)
    assert all(set(record["state"]) == {"value"} for record in spoilt)
    changed = [record["number"] for record in spoilt if record["resolved_at"] == "2001-01-01 00:00:00"]
    assert changed == ["INC0010001"]
    assert all(record["priority"] in "12345" and "u_new" not in record for record in sound)
    assert all(isinstance(record["state"], str) for record in sound)


def test_nested_columns_and_totals_of_datadog(served) -> None:
    _, _, env = served(
        FaultRule("v2/downtime", "drop_column", nth=(1,), column="attributes.schedule.start"),
        FaultRule("v2/downtime", "change_total", nth=(1,)),
    )
    headers = {"DD-API-KEY": env["DD_API_KEY"], "DD-APPLICATION-KEY": env["DD_APP_KEY"]}
    first, second = (
        requests.get(f"{env['DATADOG_URL']}/api/v2/downtime", headers=headers, timeout=TIMEOUT).json() for _ in range(2)
    )
    assert all("start" not in row["attributes"]["schedule"] for row in first["data"])
    assert all("start" in row["attributes"]["schedule"] for row in second["data"])
    totals = [page["meta"]["page"]["total_filtered_count"] for page in (first, second)]
    assert totals[0] == totals[1] + 1


def test_delay(served) -> None:
    _, ask, _ = served(FaultRule("table/incident", "delay", nth=(1,), seconds=0.4))
    started = time.monotonic()
    ask(limit=1)
    assert time.monotonic() - started >= 0.4


def test_counting_is_safe_for_many_threads(served) -> None:
    plan, ask, _ = served(FaultRule("table/incident", "status", nth=range(1, 11), status=500))
    codes: list[int] = []
    threads = [threading.Thread(target=lambda: codes.append(ask(limit=1).status_code)) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [200] * 14 + [500] * 10
    assert plan.matched() == [24]
    assert plan.fired() == [10]


def test_a_rule_that_cannot_work_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown fault"):
        FaultRule("x", "explode")
    with pytest.raises(ValueError, match="needs a column"):
        FaultRule("x", "drop_column")
    assert len(ACTIONS) == 15
