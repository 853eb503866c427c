"""A server on loopback that answers like ServiceNow's Table API, Datadog and BambooHR, and can misbehave.

`fault(number, path, params, answer)` is called for every request (numbered from 1) with the answer that would
be sent, and may change it in place: status, headers, body, or `cut_after` to break the connection after so
many bytes.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Answer:
    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut_after: int | None = None

    def records(self) -> list[dict[str, Any]]:
        return json.loads(self.body)["result"]

    def replace_records(self, records: list[Any]) -> None:
        self.body = json.dumps({"result": records}).encode()


Fault = Callable[[int, str, dict[str, str], Answer], None]


class VendorServer:
    """Tables by name for ServiceNow; `lists` by path for the others (already JSON-able records)."""

    def __init__(self) -> None:
        self.tables: dict[str, list[dict[str, Any]]] = {}
        self.lists: dict[str, list[dict[str, Any]]] = {}
        self.fault: Fault | None = None
        self.requests: list[tuple[str, dict[str, str], dict[str, str]]] = []

    def __enter__(self) -> VendorServer:
        vendor = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                vendor.answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def environment(self) -> dict[str, str]:
        return {
            "SERVICENOW_URL": self.url,
            "SERVICENOW_USER": "integration.reader",
            "SERVICENOW_PASSWORD": "s3cr3t-of-servicenow",
            "DATADOG_URL": self.url,
            "DD_API_KEY": "s3cr3t-of-datadog",
            "DD_APP_KEY": "s3cr3t-of-the-app",
            "BAMBOOHR_URL": f"{self.url}/company/v1",
            "BAMBOOHR_API_KEY": "s3cr3t-of-bamboo",
        }

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        params = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        self.requests.append((parts.path, params, dict(handler.headers)))
        answer = self._route(parts.path, params)
        if self.fault:
            self.fault(len(self.requests), parts.path, params, answer)
        handler.send_response(answer.status)
        for name, value in answer.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(answer.body)))
        handler.end_headers()
        if answer.cut_after is not None:
            handler.wfile.write(answer.body[: answer.cut_after])
            handler.wfile.flush()
            handler.close_connection = True
            return
        handler.wfile.write(answer.body)

    def _route(self, path: str, params: dict[str, str]) -> Answer:
        if path.startswith("/api/now/table/"):
            return self._table(path.rpartition("/")[2], params)
        if path not in self.lists:
            return Answer(b'{"error":"not found"}', status=404)
        records = self.lists[path]
        if path == "/api/v2/events":
            first, limit = int(params.get("page[cursor]", "c0")[1:]), int(params["page[limit]"])
            page = records[first : first + limit]
            meta = {"page": {"after": f"c{first + limit}"}} if first + limit < len(records) else {}
            return Answer(json.dumps({"data": page, "meta": meta}).encode())
        if path == "/api/v1/monitor":
            first = int(params["page"]) * int(params["page_size"])
            return Answer(json.dumps(records[first : first + int(params["page_size"])]).encode())
        if path in ("/api/v1/slo", "/api/v2/downtime"):
            limit = int(params.get("limit") or params["page[limit]"])
            first = int(params.get("offset") or params.get("page[offset]") or 0)
            total = {"page": {"total_filtered_count": len(records)}}
            envelope = {"data": records[first : first + limit], "meta": total, "metadata": total}
            return Answer(json.dumps(envelope).encode())
        if path.endswith("/directory"):
            return Answer(json.dumps({"fields": [{"id": "displayName"}], "employees": records}).encode())
        return Answer(json.dumps(records).encode())

    def _table(self, name: str, params: dict[str, str]) -> Answer:
        rows, order = self.tables.get(name, []), []
        for condition in params["sysparm_query"].split("^"):
            if condition.startswith("ORDERBY"):
                order.append(condition.removeprefix("ORDERBY"))
            elif condition.startswith("sys_idIN"):
                wanted = condition.removeprefix("sys_idIN").split(",")
                rows = [row for row in rows if row["sys_id"] in wanted]
            elif ">=" in condition:
                column, _, value = condition.partition(">=")
                rows = [row for row in rows if row.get(column, "") >= value]
            elif "<" in condition:
                column, _, value = condition.partition("<")
                rows = [row for row in rows if row.get(column, "") < value]
        rows = sorted(rows, key=lambda row: [str(row.get(column, "")) for column in order])
        first, limit = int(params["sysparm_offset"]), int(params["sysparm_limit"])
        headers = {"X-Total-Count": str(len(rows))}
        if first + limit < len(rows):
            headers["Link"] = f'<{self.url}/api/now/table/{name}?sysparm_offset={first + limit}>;rel="next"'
        return Answer(json.dumps({"result": rows[first : first + limit]}).encode(), headers=headers)
