"""What may be asked of a system: told by it or stated by us, shared by all that ask, waited for."""

import time

import pytest

from ingestion.contracts import SourceError, Window
from ingestion.rate_limit import RequestBudget, budget_of, reset_in_seconds, stated_maximum
from ingestion.sources import SOURCES
from tests.faults.vendor_server import Answer, VendorServer


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr("ingestion.rate_limit.time.monotonic", lambda: now[0])
    return now


def test_resets_are_read_in_the_three_ways_they_are_written() -> None:
    now = time.time()
    assert reset_in_seconds({"X-RateLimit-Reset": "12"}) == 12
    assert reset_in_seconds({"X-RateLimit-Reset": str(int(now) + 60)}) == pytest.approx(60, abs=2)
    assert reset_in_seconds({"X-RateLimit-Reset": str(int(now) - 60)}) == 0
    iso = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + 60))
    assert reset_in_seconds({"X-RateLimit-Reset": iso}) == pytest.approx(60, abs=2)
    assert [reset_in_seconds({"X-RateLimit-Reset": text}) for text in ("soon", "", "-1", "nan", "1e30")] == [None] * 5


def test_what_is_left_is_counted_down_and_the_reset_waited_for(clock: list[float]) -> None:
    budget = RequestBudget()
    assert budget.take("/a") == 0
    budget.note("/a", {"X-RateLimit-Remaining": "2", "X-RateLimit-Reset": "30"})
    clock[0] += 10
    assert [budget.take("/a"), budget.take("/b")] == [0, 0], "one limit without a name holds for all endpoints"
    assert not budget.take_at_once("/a")
    assert budget.take("/b") == 20
    assert budget.take("/b") == 0, "after the reset the budget is full until the system says otherwise"


def test_a_named_limit_holds_for_its_endpoints_only(clock: list[float]) -> None:
    budget = RequestBudget()
    for endpoint, name in (("/events", "events"), ("/slo", "slo")):
        budget.note(endpoint, {"X-RateLimit-Remaining": "5", "X-RateLimit-Reset": "30", "X-RateLimit-Name": name})
    budget.note("/events", {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "30", "X-RateLimit-Name": "events"})
    assert (budget.take("/slo"), budget.take("/other"), budget.take("/events")) == (0, 0, 30)


def test_a_stated_maximum_is_kept_over_any_minute(clock: list[float]) -> None:
    budget = RequestBudget(max_requests_per_minute=3)
    sent = []
    for _ in range(10):
        clock[0] += budget.take("/a")
        sent.append(clock[0])
        clock[0] += 1
    assert all(later - earlier >= 60 for earlier, later in zip(sent, sent[3:], strict=False))
    assert sent[:4] == [1000, 1001, 1002, 1060]


def test_a_request_ahead_is_sent_only_if_nobody_has_to_wait(clock: list[float]) -> None:
    budget = RequestBudget(max_requests_per_minute=2)
    assert [budget.take_at_once("/a") for _ in range(3)] == [True, True, False]
    assert budget.take("/a") == 60


@pytest.mark.parametrize("text", ["0", "many", "-3", "1.5"])
def test_a_maximum_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("DATADOG_REQUESTS_PER_MINUTE", text)
    with pytest.raises(SourceError, match="DATADOG_REQUESTS_PER_MINUTE"):
        stated_maximum("datadog")
    monkeypatch.setenv("DATADOG_REQUESTS_PER_MINUTE", "")
    assert stated_maximum("datadog") is None


def test_entities_of_a_source_share_its_budget_and_wait_aloud(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    told: list[str] = []
    monkeypatch.setattr("ingestion.http.time.sleep", slept.append)

    def nothing_left(current: int, path: str, params: dict, answer: Answer) -> None:
        if current == 1:
            answer.headers = {**answer.headers, "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "45"}

    with VendorServer() as server:
        server.fault = nothing_left
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        source = SOURCES["servicenow"]
        for entity in ("sys_user", "sys_user_group"):
            assert list(source.pages(source.entities[entity], Window("snapshot"), told.append))
        assert slept == [pytest.approx(45, abs=2)]
        assert told[0].startswith("the budget of requests is spent; waiting 4")
        assert budget_of(f"http://bob@{server.url.partition('//')[2]}/x") is budget_of(server.url)
        server.fault = lambda current, path, params, answer: setattr(
            answer, "headers", {"X-Total-Count": "0", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "7200"}
        )
        entity = source.entities["sys_user"]
        assert list(source.pages(entity, Window("snapshot"), told.append))
        with pytest.raises(SourceError, match=r"no request is left for 7[12][0-9][0-9] s"):
            list(source.pages(entity, Window("snapshot"), told.append))


def test_a_stated_maximum_holds_over_the_entities_of_a_source(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("ingestion.http.time.sleep", slept.append)
    with VendorServer() as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("SERVICENOW_REQUESTS_PER_MINUTE", "2")
        source = SOURCES["servicenow"]
        for entity in ("sys_user", "sys_user_group", "cmdb_ci"):
            list(source.pages(source.entities[entity], Window("snapshot"), lambda message: None))
        assert len(server.requests) == 3
    assert slept == [pytest.approx(60, abs=3)]
