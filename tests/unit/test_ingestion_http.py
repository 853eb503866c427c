"""The client's promises that need no fault: what it sends, what it shows, how it reads waiting times."""

import email.utils
import time

import pytest

from ingestion.contracts import SourceError, Window
from ingestion.http import Client, safe_url
from ingestion.rate_limit import retry_after_seconds
from ingestion.sources import SOURCES
from tests.faults.vendor_server import VendorServer


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://bob:pw@host:8443/a?b=1#c", "https://host:8443/a?b=1"),
        (
            "https://host/a?api_key=x&token=y&Password=z&page=2",
            "https://host/a?api_key=***&token=***&Password=***&page=2",
        ),
        ("https://host/a?q=x%3E%3D2025-01-01%2000%3A00", "https://host/a?q=x>=2025-01-01 00:00"),
    ],
)
def test_safe_url(url: str, shown: str) -> None:
    assert safe_url(url) == shown


@pytest.mark.parametrize("password", ["pa/ss-word", "pa?ss-word", "pa#ss-word", "pa[ss-word"])
def test_an_address_that_cannot_be_taken_apart_is_not_shown(password: str) -> None:
    with pytest.raises(SourceError, match="percent-encoded") as error:
        Client(f"https://user:{password}@host/api")
    assert "ss-word" not in str(error.value)


def test_client_shows_no_credentials() -> None:
    with Client("https://bob:pw@host", auth=("user-name", "pass-word"), headers={"DD-API-KEY": "key-1"}) as client:
        assert repr(client) == "Client(https://host)"


@pytest.mark.parametrize("url", ["ftp://host", "host.example.com", "http://"])
def test_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(SourceError, match=r"not an http\(s\) address"):
        Client(url)


def test_waiting_times() -> None:
    assert retry_after_seconds(429, {"Retry-After": "7"}) == 7
    assert retry_after_seconds(
        503, {"Retry-After": email.utils.formatdate(time.time() + 60, usegmt=True)}
    ) == pytest.approx(60, abs=3)
    assert retry_after_seconds(503, {"Retry-After": email.utils.formatdate(time.time() - 60, usegmt=True)}) == 0
    assert retry_after_seconds(429, {"X-RateLimit-Reset": "12"}) == 12
    assert retry_after_seconds(500, {"X-RateLimit-Reset": "1200"}) is None
    assert retry_after_seconds(429, {"Retry-After": "soon"}) is None
    assert retry_after_seconds(429, {}) is None


def test_each_vendor_gets_its_credentials_as_it_wants_them(monkeypatch: pytest.MonkeyPatch) -> None:
    with VendorServer() as server:
        server.lists["/api/v1/slo"] = [{"id": "s1", "name": "n"}]
        server.lists["/company/v1/employees/directory"] = [{"id": "1", "displayName": "A"}]
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        found = {}
        for source, entity in (("servicenow", "sys_user"), ("datadog", "slo"), ("bamboohr", "employee")):
            pages = SOURCES[source].pages(SOURCES[source].entities[entity], Window("snapshot"), print)
            found[source] = [record.text for page in pages for record in page.records]
        headers = [headers for _, _, headers in server.requests]
    assert found == {
        "servicenow": [],
        "datadog": ['{"id": "s1", "name": "n"}'],
        "bamboohr": ['{"id": "1", "displayName": "A"}'],
    }
    assert headers[0]["Authorization"].startswith("Basic ")
    assert (headers[1]["DD-API-KEY"], headers[1]["DD-APPLICATION-KEY"]) == (
        "s3cr3t-of-datadog",
        "s3cr3t-of-the-app",
    )
    assert "Authorization" not in headers[1]
    assert headers[2]["Authorization"] == "Basic czNjcjN0LW9mLWJhbWJvbzp4"
    assert all(header["Accept"] == "application/json" for header in headers)


def test_a_proxy_for_the_outside_does_not_catch_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with VendorServer() as server, Client(server.url) as client:
        server.tables["sys_user"] = []
        entity = SOURCES["servicenow"].entities["sys_user"]
        params = {"sysparm_query": "", "sysparm_limit": "1", "sysparm_offset": "0"}
        assert client.get_records(entity.endpoint, params, entity).records == []


def test_no_record_found_is_an_empty_page(monkeypatch: pytest.MonkeyPatch) -> None:
    def older_release(current: int, path: str, params: dict, answer: object) -> None:
        answer.status = 404
        answer.body = b'{"error":{"message":"No Record found","detail":"..."},"status":"failure"}'

    with VendorServer() as server:
        server.fault = older_release
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        source = SOURCES["servicenow"]
        (page,) = source.pages(source.entities["sys_user"], Window("snapshot"), print)
    assert (page.records, page.total) == ([], 0)
