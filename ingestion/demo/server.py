"""A loopback HTTP server that answers as the company's source systems do.

One port for all: ServiceNow below /api/now, Datadog below /api/v1 and /api/v2, BambooHR below
/api/gateway.php/<company>/v1. Nothing with a stamp at or after the company's `as_of_at` is served.
Credentials are made up for each server and handed out by `environment()` only.

Where the real systems are peculiar, so is this one: ServiceNow ignores a condition on an unknown field and
leaves the Link header out when there is one page; Datadog counts events from a cursor and has no total for
monitors; BambooHR answers XML unless asked for JSON, in no particular order.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import secrets
import tempfile
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hmac import compare_digest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from ingestion.demo.faults import FaultPlan, Reply
from ingestion.demo.model import Company
from ingestion.demo.served_bamboohr import BambooRecords, as_xml
from ingestion.demo.served_datadog import DatadogRecords
from ingestion.demo.served_servicenow import QueryError, ServiceNowTables

COMPANY_PATH = "demo"
DEFAULT_LIMIT = 10_000
MAX_EVENTS_PAGE = 1_000


@dataclass
class _Request:
    """What a route needs to know of a request; `params` holds the last value of each name."""

    path: str
    params: dict[str, str]
    headers: Any

    def number(self, name: str, default: int) -> int:
        text = self.params.get(name, "")
        return int(text) if text.isdigit() else default

    def basic_auth(self) -> tuple[str, str] | None:
        scheme, _, encoded = (self.headers.get("Authorization") or "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return user, password


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    demo: DemoServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is not worth a traceback."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "demo"
    sys_version = ""
    # Small answers must not wait for the client's delayed acknowledgement.
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def do_GET(self) -> None:
        """Answer by route, spoilt by the fault plan."""
        demo = self.server.demo
        parts = urlsplit(self.path)
        request = _Request(unquote(parts.path), dict(parse_qsl(parts.query, keep_blank_values=True)), self.headers)
        url = request.path + (
            "?" + "&".join(f"{name}={value}" for name, value in request.params.items()) if request.params else ""
        )
        demo.note_request(url)
        reply = demo.plan.apply(url, request.path, demo.answer(request))
        if reply.delay_seconds:
            time.sleep(reply.delay_seconds)
        self._send(reply)

    def _refuse_method(self) -> None:
        self._send(Reply(405, {"error": {"message": "Method not allowed", "detail": "the demo only reads"}}))

    do_POST = do_PUT = do_PATCH = do_DELETE = _refuse_method

    def _send(self, reply: Reply) -> None:
        if isinstance(reply.payload, str):
            body, kind = reply.payload.encode(), "text/xml"
        else:
            body = json.dumps(reply.payload, separators=(",", ":"), ensure_ascii=False).encode()
            kind = "application/json;charset=UTF-8"
        if reply.is_malformed:
            body = body[: max(1, len(body) * 2 // 3)]
        self.send_response(reply.status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if self.command != "GET" or reply.cut_share is not None:
            self.close_connection = True
            self.send_header("Connection", "close")
        self.end_headers()
        if reply.cut_share is not None:
            body = body[: int(len(body) * reply.cut_share)]
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: requests are noted by the server, and addresses may hold keys."""


class DemoServer:
    """Serves a company on 127.0.0.1 while its `with` block lasts.

    `port` 0 takes a free one. `drops_path` is where the payroll, ledger and monitor sample files are written (a
    temporary folder of its own by default); with `with_drops=False` there are none and those sources stay absent.
    `requests` lists the decoded path and query of every request so far.
    """

    def __init__(
        self,
        company: Company,
        fault_plan: FaultPlan | None = None,
        *,
        port: int = 0,
        drops_path: Path | str | None = None,
        with_drops: bool = True,
    ) -> None:
        self.company = company
        self.plan = fault_plan or FaultPlan()
        self.requests: list[str] = []
        self._lock = threading.Lock()
        self._port = port
        self._drops_path = Path(drops_path) if drops_path else None
        self._with_drops = with_drops
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        self._httpd: _Server | None = None
        self._thread: threading.Thread | None = None
        self._user = "integration.reader"
        self._secret = {name: secrets.token_hex(16) for name in ("servicenow", "dd_api", "dd_app", "bamboohr")}
        self._servicenow = ServiceNowTables(company)
        self._datadog = DatadogRecords(company)
        self._bamboo = BambooRecords(company)
        self._rate_used = 0

    # -- life

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Write the drops, then listen."""
        if self._with_drops:
            self._write_drops()
        self._httpd = _Server(("127.0.0.1", self._port), _Handler)
        self._httpd.demo = self
        self._thread = threading.Thread(
            target=self._httpd.serve_forever, kwargs={"poll_interval": 0.05}, name="demo-server", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Stop listening and remove the temporary drops."""
        if self._httpd:
            self._httpd.shutdown()
            self._httpd.server_close()
            self._httpd = None
        if self._thread:
            self._thread.join(timeout=5)
            self._thread = None
        if self._temporary:
            self._temporary.cleanup()
            self._temporary = None

    def _write_drops(self) -> None:
        from ingestion.demo.monitor_samples import write_monitor_samples
        from ingestion.demo.pay_desk import write_drops

        if self._drops_path is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="demo-drops-")
            self._drops_path = Path(self._temporary.name)
        payroll, ledger = self._drops_path / "payroll", self._drops_path / "ledger"
        payroll.mkdir(parents=True, exist_ok=True)
        ledger.mkdir(parents=True, exist_ok=True)
        write_drops(self.company, payroll, ledger)
        write_monitor_samples(self.company, self._drops_path / "monitor_samples")

    @property
    def url(self) -> str:
        """http://127.0.0.1:<port>"""
        if not self._httpd:
            raise RuntimeError("the demo server is not running: use it as a context manager or call start()")
        return f"http://127.0.0.1:{self._httpd.server_address[1]}"

    def environment(self) -> dict[str, str]:
        """Every variable that points the pipeline at this company: addresses, credentials, folders, dates."""
        found = {
            "SERVICENOW_URL": self.url,
            "SERVICENOW_USER": self._user,
            "SERVICENOW_PASSWORD": self._secret["servicenow"],
            "DATADOG_URL": self.url,
            "DD_API_KEY": self._secret["dd_api"],
            "DD_APP_KEY": self._secret["dd_app"],
            "BAMBOOHR_URL": f"{self.url}/api/gateway.php/{COMPANY_PATH}/v1",
            "BAMBOOHR_API_KEY": self._secret["bamboohr"],
            "EXTRACT_FROM": self.company.start_on.isoformat(),
            "AS_OF": self.company.as_of_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        if self._with_drops and self._drops_path:
            found["PAYROLL_DROP_PATH"] = str(self._drops_path / "payroll")
            found["LEDGER_DROP_PATH"] = str(self._drops_path / "ledger")
            found["MONITOR_SAMPLE_DROP_PATH"] = str(self._drops_path / "monitor_samples")
        return found

    def note_request(self, url: str) -> None:
        """Remember a request for tests."""
        with self._lock:
            self.requests.append(url)

    # -- routes

    def answer(self, request: _Request) -> Reply:
        """The reply a well-behaved system gives."""
        path = request.path
        if path.startswith("/api/now/"):
            return self._answer_servicenow(request)
        if path.startswith(("/api/v1/", "/api/v2/")):
            return self._answer_datadog(request)
        if path.startswith("/api/gateway.php/"):
            return self._answer_bamboohr(request)
        return Reply(404, {"error": {"message": "Not found", "detail": path}, "status": "failure"})

    def _answer_servicenow(self, request: _Request) -> Reply:
        def failure(status: int, message: str, detail: str | None) -> Reply:
            return Reply(status, {"error": {"message": message, "detail": detail}, "status": "failure"})

        given = request.basic_auth()
        if not given or not _same(given[0], self._user) or not _same(given[1], self._secret["servicenow"]):
            reply = failure(401, "User Not Authenticated", "Required to provide Auth information")
            reply.headers["WWW-Authenticate"] = 'Basic realm="Service-now"'
            return reply
        match = re.fullmatch(r"/api/now/(?:v[12]/)?table/([a-z0-9_]+)(?:/([0-9a-f]{32}))?", request.path)
        if not match:
            return failure(400, "Requested URI does not represent any resource", request.path)
        table = self._servicenow.tables.get(match[1])
        if not table:
            return failure(400, f"Invalid table {match[1]}", None)
        params = request.params
        display = params.get("sysparm_display_value", "false")
        without_links = params.get("sysparm_exclude_reference_link", "false") == "true"
        wanted = [name.strip() for name in params.get("sysparm_fields", "").split(",") if name.strip()]
        columns = [name for name in wanted if name in table.position] if wanted else table.columns

        def record(row: tuple[str, ...]) -> dict[str, Any]:
            return self._servicenow.render(table, row, columns, display, without_links)

        if match[2]:
            rows = [row for row in table.rows if row[table.position["sys_id"]] == match[2]]
            if not rows:
                return failure(404, "No Record found", "Record doesn't exist or ACL restricts the record retrieval")
            return Reply(200, {"result": record(rows[0])})
        try:
            found = table.find(params.get("sysparm_query", ""))
        except QueryError as error:
            return failure(400, "Invalid query", str(error))
        limit = max(1, request.number("sysparm_limit", DEFAULT_LIMIT))
        offset = request.number("sysparm_offset", 0)
        records = [record(table.rows[index]) for index in found[offset : offset + limit]]
        headers = {"X-Total-Count": str(len(found))}
        link = self._link(request, len(found), limit, offset)
        if link:
            headers["Link"] = link
        payload = {"result": records}
        return Reply(200, payload, headers, records, [(headers, "X-Total-Count")])

    def _link(self, request: _Request, total: int, limit: int, offset: int) -> str:
        """RFC 8288 links to the first, previous, next and last page; nothing when there is one page only."""
        if total <= limit and not offset:
            return ""
        last = (total - 1) // limit * limit if total else 0
        places = [("first", 0)]
        if offset > 0:
            places.append(("prev", max(0, offset - limit)))
        if offset + limit < total:
            places.append(("next", offset + limit))
        places.append(("last", last))
        links = []
        for name, place in places:
            query = urlencode({**request.params, "sysparm_limit": limit, "sysparm_offset": place}, quote_via=quote)
            links.append(f'<{self.url}{request.path}?{query}>;rel="{name}"')
        return ",".join(links)

    def _answer_datadog(self, request: _Request) -> Reply:
        with self._lock:
            self._rate_used += 1
            remaining = 100_000 - self._rate_used % 100_000
        limits = {
            "X-RateLimit-Limit": "100000",
            "X-RateLimit-Period": "3600",
            "X-RateLimit-Remaining": str(remaining),
            "X-RateLimit-Reset": "1200",
            "X-RateLimit-Name": "demo_reads",
        }
        api_key = request.headers.get("DD-API-KEY") or ""
        app_key = request.headers.get("DD-APPLICATION-KEY") or ""
        if not _same(api_key, self._secret["dd_api"]) or not _same(app_key, self._secret["dd_app"]):
            return Reply(403, {"errors": ["Forbidden"]})
        routes = {
            "/api/v1/monitor": self._datadog_monitors,
            "/api/v1/slo": self._datadog_slos,
            "/api/v2/downtime": self._datadog_downtimes,
            "/api/v2/events": self._datadog_events,
        }
        route = routes.get(request.path.rstrip("/"))
        reply = route(request) if route else Reply(404, {"errors": ["Not Found"]})
        reply.headers.update(limits)
        return reply

    def _datadog_monitors(self, request: _Request) -> Reply:
        records = list(self._datadog.monitors)
        if "page" in request.params or "page_size" in request.params:
            size = min(1000, request.number("page_size", 100))
            start = request.number("page", 0) * size
            records = records[start : start + size]
        return Reply(200, records, records=records)

    def _datadog_slos(self, request: _Request) -> Reply:
        start, limit = request.number("offset", 0), request.number("limit", 1000)
        records = self._datadog.slos[start : start + limit]
        page = {"total_count": len(self._datadog.slos), "total_filtered_count": len(self._datadog.slos)}
        payload = {"data": records, "errors": [], "metadata": {"page": page}}
        return Reply(
            200,
            payload,
            records=records,
            total_places=[(page, "total_count"), (page, "total_filtered_count")],
        )

    def _datadog_downtimes(self, request: _Request) -> Reply:
        rows = self._datadog.downtimes
        if request.params.get("current_only") == "true":
            rows = [row for row in rows if row["attributes"]["status"] == "active"]
        start, limit = request.number("page[offset]", 0), request.number("page[limit]", 30)
        records = rows[start : start + limit]
        page = {"total_filtered_count": len(rows)}
        payload = {"data": records, "meta": {"page": page}}
        return Reply(200, payload, records=records, total_places=[(page, "total_filtered_count")])

    def _datadog_events(self, request: _Request) -> Reply:
        params = request.params
        limit = request.number("page[limit]", 10)
        sort = params.get("sort", "timestamp")
        if not 1 <= limit <= MAX_EVENTS_PAGE:
            return Reply(400, {"errors": [f"page[limit] must be between 1 and {MAX_EVENTS_PAGE}"]})
        if sort not in ("timestamp", "-timestamp"):
            return Reply(400, {"errors": [f"sort must be timestamp or -timestamp, not {sort}"]})
        try:
            rows = self._datadog.find(
                params.get("filter[query]", ""),
                self._moment(params.get("filter[from]")),
                self._moment(params.get("filter[to]")),
            )
            start = _read_cursor(params.get("page[cursor]"))
        except ValueError as error:
            return Reply(400, {"errors": [str(error)]})
        if sort == "-timestamp":
            rows = rows[::-1]
        records = [self._datadog.event(row) for row in rows[start : start + limit]]
        payload: dict[str, Any] = {
            "data": records,
            "meta": {"elapsed": 7, "request_id": _request_id(request), "status": "done"},
        }
        if start + limit < len(rows):
            cursor = base64.urlsafe_b64encode(json.dumps({"at": start + limit}).encode()).decode()
            payload["meta"]["page"] = {"after": cursor}
            query = urlencode({**params, "page[cursor]": cursor}, quote_via=quote)
            payload["links"] = {"next": f"{self.url}{request.path}?{query}"}
        return Reply(200, payload, records=records)

    def _moment(self, text: str | None) -> datetime | None:
        """ISO 8601, epoch milliseconds, or now-15m (now is the company's as_of)."""
        if not text:
            return None
        match = re.fullmatch(r"now(?:-(\d+)([smhd]))?", text)
        if match:
            unit = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}.get(match[2] or "s", "seconds")
            return self.company.as_of_at - timedelta(**{unit: int(match[1] or 0)})
        if text.isdigit():
            return datetime.fromtimestamp(int(text) / 1000, UTC)
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(f"{text!r} is not an instant: ISO 8601, epoch milliseconds or now-15m") from None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def _answer_bamboohr(self, request: _Request) -> Reply:
        given = request.basic_auth()
        if not given or not _same(given[0], self._secret["bamboohr"]):
            return Reply(401, {"error": "Unauthorized"}, {"WWW-Authenticate": 'Basic realm="BambooHR"'})
        base = f"/api/gateway.php/{COMPANY_PATH}/v1"
        wants_json = "json" in (request.headers.get("Accept") or "")
        match = re.fullmatch(re.escape(base) + r"/employees/(all|\d+)/tables/(\w+)", request.path)
        if request.path == f"{base}/employees/directory":
            records = list(self._bamboo.employees)
            payload: Any = {"fields": self._bamboo.fields, "employees": records}
            kind = "directory"
        elif match and match[2] in self._bamboo.tables:
            records = [row for row in self._bamboo.tables[match[2]] if match[1] in ("all", row["employeeId"])]
            payload, kind = records, "table"
        else:
            return Reply(404, {"error": "Not found"}, {"X-BambooHR-Error-Message": "no such resource"})
        if not wants_json:
            return Reply(200, as_xml(kind, records))
        return Reply(200, payload, records=records)


def _same(given: str, expected: str) -> bool:
    return compare_digest(given.encode(), expected.encode())


def _request_id(request: _Request) -> str:
    """The same for the same question, so that the same answer is the same bytes."""
    return base64.urlsafe_b64encode(json.dumps(request.params).encode()).decode().rstrip("=")[-24:]


def _read_cursor(text: str | None) -> int:
    if not text:
        return 0
    try:
        return int(json.loads(base64.urlsafe_b64decode(text))["at"])
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise ValueError("page[cursor] is not one of ours") from None
