"""A loopback HTTP server that answers as the company's source systems do.

One port for all: ServiceNow below /api/now, Jira below /rest, Datadog below /api/v1 and /api/v2, BambooHR
below /api/gateway.php/<company>/v1. Nothing with a stamp at or after the company's `as_of_at` is served.
Credentials are made up for each server and handed out by `environment()` only.

Where the real systems are peculiar, so is this one: ServiceNow ignores a condition on an unknown field and
leaves the Link header out when there is one page; Datadog counts events from a cursor and has no total for
monitors; BambooHR answers XML unless asked for JSON, in no particular order.
"""

from __future__ import annotations

import json
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from ingestion.demo.faults import FaultPlan, Reply
from ingestion.demo.model import Company
from ingestion.demo.served import Request, not_allowed
from ingestion.demo.systems import served_systems


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
        self._reply("GET")

    def do_POST(self) -> None:
        """As GET, where a system takes one (a token, a query too long for an address)."""
        self._reply("POST")

    def _reply(self, method: str) -> None:
        demo = self.server.demo
        length = self.headers.get("Content-Length") or ""
        body = self.rfile.read(int(length)) if length.isdigit() else b""
        parts = urlsplit(self.path)
        params = dict(parse_qsl(parts.query, keep_blank_values=True))
        request = Request(unquote(parts.path), params, self.headers, method, body)
        url = request.path + (
            "?" + "&".join(f"{name}={value}" for name, value in request.params.items()) if request.params else ""
        )
        demo.note_request(url)
        reply = demo.plan.apply(url, request.path, demo.answer(request))
        if reply.delay_seconds:
            time.sleep(reply.delay_seconds)
        self._send(reply)

    def _refuse_method(self) -> None:
        self._send(not_allowed())

    do_PUT = do_PATCH = do_DELETE = _refuse_method

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
        self.systems = served_systems(company)

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
        for system in self.systems:
            system.url = self.url

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
        if self._drops_path is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="demo-drops-")
            self._drops_path = Path(self._temporary.name)
        for system in self.systems:
            system.write_drops(self._drops_path)

    @property
    def url(self) -> str:
        """http://127.0.0.1:<port>"""
        if not self._httpd:
            raise RuntimeError("the demo server is not running: use it as a context manager or call start()")
        return f"http://127.0.0.1:{self._httpd.server_address[1]}"

    def environment(self) -> dict[str, str]:
        """Every variable that points the pipeline at this company: addresses, credentials, folders, dates."""
        drops_path = self._drops_path if self._with_drops else None
        found: dict[str, str] = {}
        for system in self.systems:
            found.update(system.environment(drops_path))
        found["EXTRACT_FROM"] = self.company.start_on.isoformat()
        found["AS_OF"] = self.company.as_of_at.strftime("%Y-%m-%dT%H:%M:%SZ")
        return found

    def note_request(self, url: str) -> None:
        """Remember a request for tests."""
        with self._lock:
            self.requests.append(url)

    # -- routes

    def answer(self, request: Request) -> Reply:
        """The reply a well-behaved system gives."""
        for system in self.systems:
            if system.handles(request.path):
                if request.method == "POST" and not system.takes_post(request.path):
                    return not_allowed()
                return system.answer(request)
        return Reply(404, {"error": {"message": "Not found", "detail": request.path}, "status": "failure"})
