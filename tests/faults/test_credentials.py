"""Tokens are fetched, renewed and replaced in time; no secret of a run is found in anything the run leaves behind."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ingestion.contracts import SourceError
from ingestion.demo.company import build_company
from ingestion.demo.faults import FaultPlan, FaultRule
from ingestion.demo.model import Company
from ingestion.demo.served_servicenow import ServedServiceNow
from ingestion.demo.server import DemoServer
from ingestion.http import Client
from ingestion.oauth import OAuth2, shared_oauth2
from ingestion.redaction import Redactor
from ingestion.sources import SOURCES
from tests.faults.conftest import Desk

DAYS = "2024-07-01/2024-07-31"


@pytest.fixture(scope="module")
def company() -> Company:
    return build_company(ticket_count=30, as_of=datetime(2024, 8, 1, tzinfo=UTC))


@pytest.fixture
def plan() -> FaultPlan:
    return FaultPlan([])


@pytest.fixture
def server(company: Company, plan: FaultPlan, monkeypatch: pytest.MonkeyPatch) -> Iterator[DemoServer]:
    monkeypatch.setattr("ingestion.sources.servicenow.PAGE_SIZE", 10)
    shared_oauth2.cache_clear()
    with DemoServer(company, plan, with_drops=False) as server:
        yield server


def instance(server: DemoServer) -> ServedServiceNow:
    return next(system for system in server.systems if isinstance(system, ServedServiceNow))


def set_environment(monkeypatch: pytest.MonkeyPatch, found: dict[str, str]) -> None:
    for name, value in found.items():
        monkeypatch.setenv(name, value)


def tokens_asked(server: DemoServer) -> int:
    return server.requests.count("/oauth_token.do")


@pytest.mark.parametrize("with_refresh_token", [False, True])
def test_one_token_serves_all_entities(
    desk: Desk, server: DemoServer, monkeypatch: pytest.MonkeyPatch, with_refresh_token: bool
) -> None:
    set_environment(monkeypatch, instance(server).oauth_environment(with_refresh_token=with_refresh_token))
    assert desk.extract("servicenow", "incident", DAYS).row_count > 10
    assert desk.extract("servicenow", "sys_user", "snapshot").row_count > 10
    assert tokens_asked(server) == 1


def test_token_is_renewed_before_it_ends(desk: Desk, server: DemoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    set_environment(monkeypatch, instance(server).oauth_environment())
    now = [1000.0]
    monkeypatch.setattr("ingestion.oauth.time.monotonic", lambda: now[0])
    desk.extract("servicenow", "sys_user_group", "snapshot")
    now[0] += instance(server).token_life_seconds - 61
    desk.extract("servicenow", "sys_user_group", "snapshot")
    assert tokens_asked(server) == 1
    now[0] += 2
    desk.extract("servicenow", "sys_user_group", "snapshot")
    assert tokens_asked(server) == 2


def test_token_refused_under_way_is_replaced_once(
    desk: Desk, server: DemoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_environment(monkeypatch, instance(server).oauth_environment())
    desk.extract("servicenow", "sys_user_group", "snapshot")
    instance(server).forget_tokens()
    assert desk.extract("servicenow", "incident", DAYS).row_count > 10
    assert tokens_asked(server) == 2 and desk.sleeps == []
    assert "the system refused the token; fetching another" in [event.message for event in desk.progress]


def test_token_refused_for_ever_is_an_error(desk: Desk, server: DemoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    set_environment(monkeypatch, instance(server).oauth_environment())
    monkeypatch.setattr(ServedServiceNow, "token_life_seconds", 0)
    with pytest.raises(SourceError, match="answered 401") as caught:
        desk.extract("servicenow", "incident", DAYS)
    assert "check SERVICENOW_CLIENT_ID" in str(caught.value)
    assert tokens_asked(server) == 2


def test_post_of_a_token_is_repeated(
    desk: Desk, server: DemoServer, plan: FaultPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan.__init__(
        [
            FaultRule("oauth_token", "status", nth=(1,), status=503),
            FaultRule("oauth_token", "status", nth=(2,), status=429, retry_after=3),
        ]
    )
    set_environment(monkeypatch, instance(server).oauth_environment())
    assert desk.extract("servicenow", "incident", DAYS).row_count > 10
    assert tokens_asked(server) == 3 and 3 in desk.sleeps


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("SERVICENOW_CLIENT_SECRET", "wr0ng-secret-of-the-client", "no token was given: the system answered 401"),
        ("SERVICENOW_CLIENT_SECRET", "", "SERVICENOW_CLIENT_SECRET is not set"),
        ("SERVICENOW_TOKEN_URL", "http://127.0.0.1:1/token?secret=abc", "no token could be fetched"),
    ],
)
def test_no_token_is_a_clear_error(
    desk: Desk, server: DemoServer, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    found = instance(server).oauth_environment()
    set_environment(monkeypatch, {**found, name: value})
    with pytest.raises(SourceError, match=said) as caught:
        desk.extract("servicenow", "incident", DAYS)
    for secret in (found["SERVICENOW_CLIENT_SECRET"], "wr0ng-secret", "abc"):
        assert secret not in str(caught.value)
    assert desk.is_empty()


def test_client_credentials_may_stand_in_the_header() -> None:
    seen = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append((self.headers["Authorization"], self.rfile.read(int(self.headers["Content-Length"]))))
            body = b'{"access_token": "t0ken-in-the-answer", "token_type": "bearer"}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        grant = OAuth2(
            f"http://127.0.0.1:{httpd.server_address[1]}/t",
            "Aladdin",
            "open sesame",
            scope="a b",
            credentials_in="header",
        )
        assert grant.token() == grant.token() == "t0ken-in-the-answer"
        httpd.shutdown()
    assert seen == [("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", b"grant_type=client_credentials&scope=a+b")]
    assert "sesame" not in repr(grant) and grant.blank("Bearer t0ken-in-the-answer") == "Bearer ***"


# Each secret as it stands in the environment of the run below; none may be found anywhere afterwards.
SECRETS = {
    "SERVICENOW_USER": "integration.reader",
    "SERVICENOW_PASSWORD": "p&ss/w0rd+of servicenow",
    "SERVICENOW_CLIENT_ID": "cl1ent-id-of-servicenow",
    "SERVICENOW_CLIENT_SECRET": "cl1ent-secret-of-servicenow",
    "DD_API_KEY": "s3cr3t-of-datadog",
    "DD_APP_KEY": "s3cr3t-of-the-app",
    "BAMBOOHR_API_KEY": "s3cr3t-of-bamboo",
}


class EchoServer:
    """Answers all it is sent, headers and body, with the status it is set to: the rudest system there is."""

    def __init__(self) -> None:
        self.status = 400
        echo = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = (
                    f"{self.path} {self.headers} {self.rfile.read(length).decode()} token t0ken-that-was-given"
                ).encode()
                is_token = self.path.startswith("/oauth_token.do") and echo.status != 403
                if is_token:
                    body = b'{"access_token": "t0ken-that-was-given", "expires_in": 60}'
                self.send_response(200 if is_token else echo.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, *_: object) -> None:
                pass

        self._httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._httpd.server_address[1]}"

    def __enter__(self) -> EchoServer:
        threading.Thread(target=self._httpd.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._httpd.shutdown()
        self._httpd.server_close()


@pytest.mark.requirement("LTI-7.5")
@pytest.mark.parametrize("status", [400, 401, 403, 503])
@pytest.mark.parametrize("with_client", [False, True])
def test_no_secret_is_found_in_what_a_run_leaves_behind(
    desk: Desk,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    status: int,
    with_client: bool,
) -> None:
    """Errors, progress, every log at its finest, standard output, the warehouse's bytes and what was spooled."""
    shared_oauth2.cache_clear()
    caplog.set_level(logging.DEBUG)
    left = []
    with EchoServer() as echo:
        echo.status = status
        host = f"http://us3r-in-address:w0rd-in-address@{echo.address}"
        set_environment(monkeypatch, SECRETS)
        set_environment(
            monkeypatch, {"SERVICENOW_URL": host, "DATADOG_URL": host, "BAMBOOHR_URL": f"{host}/company/v1"}
        )
        if not with_client:
            monkeypatch.delenv("SERVICENOW_CLIENT_ID")
        for source, entity, key in (
            ("servicenow", "incident", DAYS),
            ("datadog", "slo", "snapshot"),
            ("bamboohr", "employee", "snapshot"),
        ):
            with pytest.raises(SourceError) as caught:
                desk.extract(source, entity, key)
            left.append(str(caught.value) + repr(caught.value))
        entity = SOURCES["servicenow"].entities["incident"]
        with Client(host) as client, pytest.raises(SourceError) as caught:
            client.get_records("/r", {"api_token": "t0ken-in-the-query", "page": "1"}, entity)
        left += [str(caught.value), repr(client)]
    assert [record for record in caplog.records if record.name.startswith("urllib3")], "nothing was logged to look at"
    left += [repr(desk.progress), caplog.text, *capfd.readouterr()]
    left += [path.read_bytes().decode("latin-1") for path in desk.settings.warehouse_path.parent.rglob("*.*")]
    secrets = [*SECRETS.values(), "us3r-in-address", "w0rd-in-address", "t0ken-in-the-query", "t0ken-that-was-given"]
    blank = Redactor(secrets)
    for text in left:
        for form in blank._forms:
            assert form not in text, f"{form!r} in {text[max(0, text.find(form) - 200) :][:400]!r}"
        assert "czNjcjN0" not in text and "aW50ZWdyYXRpb24" not in text, "a basic header"
    assert any("api_token=***" in text for text in left)
