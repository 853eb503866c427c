"""The company's monitoring as Datadog shows it: monitors, SLOs, downtimes, and state changes as events.

Corrections, histories, incidents, synthetic and real-user results come from `ingestion.demo.observability`. As with
the vendor, incidents leave next_offset out on the last page, results come newest first and so many at most, and a
history whose query failed has no value and says why. An SLO or a test in `gone` is listed until it has answered 404, as
one that is deleted under way; one in `shut` stays listed.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import secrets
import threading
from bisect import bisect_left
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from ingestion.demo.faults import Reply
from ingestion.demo.model import Company, MonitorTransition
from ingestion.demo.observability import Observability
from ingestion.demo.served import Request, ServedSystem, same

MAX_EVENTS_PAGE = 1_000
MAX_RESULTS = 150


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


TRANSITION_TYPES = {"Alert": "alert", "Warn": "warning", "No Data": "no data"}
EVENT_STATUS = {"OK": "ok", "Warn": "warn", "Alert": "error", "No Data": "error"}


class DatadogRecords:
    """The company's monitoring as Datadog shows it."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self._monitors = {monitor.id: monitor for monitor in company.monitors}
        self.transitions = sorted(company.transitions, key=lambda row: (row.at, row.id))
        self.stamps = [row.at for row in self.transitions]
        last: dict[int, MonitorTransition] = {row.monitor_id: row for row in self.transitions}
        self.monitors = [
            {
                "id": monitor.id,
                "org_id": 900_001,
                "name": monitor.name,
                "type": "service check" if "availability" in monitor.name else "metric alert",
                "query": f'"http.can_connect".over("service:{monitor.service_code}").last(4)'
                if "availability" in monitor.name
                else f"avg(last_5m):p95:trace.http.request{{service:{monitor.service_code}}} > 2.5",
                "message": f"{monitor.name} needs attention @oncall",
                "tags": [f"service:{monitor.service_code}", "env:prod"],
                "options": {
                    "notify_no_data": True,
                    "no_data_timeframe": 10,
                    "renotify_interval": 0,
                    "thresholds": {"critical": 2.5, "warning": 1.8},
                },
                "overall_state": last[monitor.id].destination_state if monitor.id in last else "No Data",
                "created": _iso(monitor.created_at),
                "modified": _iso(monitor.created_at),
                "creator": {
                    "name": "Monitoring",
                    "handle": "monitoring@example.com",
                    "email": "monitoring@example.com",
                },
                "multi": False,
                "deleted": None,
                "priority": None,
                "restricted_roles": None,
            }
            for monitor in company.monitors
        ]
        self.slos = [
            {
                "id": slo.id,
                "name": slo.name,
                "type": "monitor",
                "description": None,
                "monitor_ids": [monitor_id for monitor_id in slo.monitor_ids if monitor_id in self._monitors],
                "monitor_tags": [],
                "tags": [f"service:{slo.service_code}", "env:prod"],
                "thresholds": [
                    {
                        "timeframe": "30d",
                        "target": float(slo.target),
                        "target_display": str(slo.target),
                        "warning": float(slo.warning),
                        "warning_display": str(slo.warning),
                    }
                ],
                "created_at": int(slo.created_at.timestamp()),
                "modified_at": int(slo.created_at.timestamp()),
                "creator": {
                    "name": "Monitoring",
                    "handle": "monitoring@example.com",
                    "email": "monitoring@example.com",
                },
            }
            for slo in company.slos
        ]
        self.downtimes = [
            {
                "id": downtime.id,
                "type": "downtime",
                "attributes": {
                    "canceled": _iso(downtime.canceled_at) if downtime.canceled_at else None,
                    "created": _iso(downtime.created_at),
                    "display_timezone": "UTC",
                    "message": downtime.message,
                    "modified": _iso(downtime.canceled_at or downtime.created_at),
                    "monitor_identifier": {"monitor_tags": [f"service:{downtime.service_code}"]},
                    "mute_first_recovery_notification": False,
                    "notify_end_states": ["alert", "warn", "no data"],
                    "notify_end_types": ["expired"],
                    "schedule": {"start": _iso(downtime.start_at), "end": _iso(downtime.end_at)},
                    "scope": f"service:{downtime.service_code}",
                    "status": self._status(downtime.start_at, downtime.end_at, downtime.canceled_at),
                },
                "relationships": {"monitor": {"data": None}},
            }
            for downtime in company.downtimes
        ]

    def _status(self, start_at: datetime, end_at: datetime, canceled_at: datetime | None) -> str:
        now = self._company.as_of_at
        if canceled_at and canceled_at < now:
            return "canceled"
        if end_at <= now:
            return "ended"
        return "active" if start_at <= now else "scheduled"

    def event(self, row: MonitorTransition) -> dict[str, Any]:
        """A change of state as a v2 event: its own fields stand in attributes.attributes."""
        monitor = self._monitors[row.monitor_id]
        if row.destination_state == "OK":
            kind = f"{TRANSITION_TYPES.get(row.source_state, 'no data')} recovery"
        else:
            kind = TRANSITION_TYPES[row.destination_state]
        tags = [f"service:{monitor.service_code}", "env:prod", "source:alert"]
        title = f"[{row.destination_state}] {monitor.name}"
        milliseconds = int(row.at.timestamp()) * 1000
        return {
            "id": row.id,
            "type": "event",
            "attributes": {
                "timestamp": _iso(row.at),
                "message": f"{monitor.name} went from {row.source_state} to {row.destination_state}",
                "tags": tags,
                "attributes": {
                    "aggregation_key": str(row.monitor_id),
                    "evt": {"id": row.id, "name": title, "source_id": 36, "type": "monitor_alert"},
                    "monitor": {
                        "id": monitor.id,
                        "name": monitor.name,
                        "groups": [],
                        "tags": tags[:2],
                        "transition": {
                            "source_state": row.source_state,
                            "destination_state": row.destination_state,
                            "transition_type": kind,
                        },
                    },
                    "monitor_id": monitor.id,
                    "service": monitor.service_code,
                    "sourcecategory": "monitor_alert",
                    "status": EVENT_STATUS[row.destination_state],
                    "timestamp": milliseconds,
                    "title": title,
                },
            },
        }

    def find(self, query: str, from_at: datetime | None, to_at: datetime | None) -> list[MonitorTransition]:
        """Changes of state in [from_at, to_at) that a search query asks for, oldest first."""
        low = bisect_left(self.stamps, from_at) if from_at else 0
        high = bisect_left(self.stamps, to_at) if to_at else len(self.stamps)
        rows = self.transitions[low:high]
        for term in query.split():
            name, _, value = term.partition(":")
            if name == "source":
                rows = rows if value == "alert" else []
            elif name in ("@monitor.id", "@monitor_id"):
                rows = [row for row in rows if str(row.monitor_id) == value]
            elif name == "service":
                rows = [row for row in rows if self._monitors[row.monitor_id].service_code == value]
            elif term != "*":
                raise ValueError(f"the search term {term!r} is not spoken here")
        return rows


class ServedDatadog(ServedSystem):
    """API v1 and v2, by two keys in headers."""

    def __init__(self, company: Company) -> None:
        super().__init__(company)
        self._api_key = secrets.token_hex(16)
        self._app_key = secrets.token_hex(16)
        self._records = DatadogRecords(company)
        self._more = Observability(company)
        self._rum_stamps = [self._moment(row["attributes"]["timestamp"]) for row in self._more.rum_events]
        self.gone: set[str] = set()
        self.shut: set[str] = set()
        self._answered_gone: set[str] = set()
        self._lock = threading.Lock()
        self._rate_used = 0

    def handles(self, path: str) -> bool:
        """All below /api/v1/ and /api/v2/."""
        return path.startswith(("/api/v1/", "/api/v2/"))

    def environment(self, drops_path: Path | None) -> dict[str, str]:
        """Address and keys."""
        return {"DATADOG_URL": self.url, "DD_API_KEY": self._api_key, "DD_APP_KEY": self._app_key}

    def answer(self, request: Request) -> Reply:
        """By route, with what the rate limit leaves."""
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
        if not same(api_key, self._api_key) or not same(app_key, self._app_key):
            return Reply(403, {"errors": ["Forbidden"]})
        routes = {
            "/api/v1/monitor": self._monitors,
            "/api/v1/slo": self._slos,
            "/api/v2/downtime": self._downtimes,
            "/api/v2/events": self._events,
            "/api/v1/slo/correction": self._corrections,
            "/api/v2/incidents": self._incidents,
            "/api/v1/synthetics/tests": self._tests,
            "/api/v2/rum/events": self._rum_events,
        }
        path = request.path.rstrip("/")
        route = routes.get(path)
        if route is None and re.fullmatch(r"/api/v1/slo/[^/]+/history", path):
            route = self._history
        if route is None and re.fullmatch(r"/api/v1/synthetics/tests/[^/]+/results", path):
            route = self._results
        reply = route(request) if route else Reply(404, {"errors": ["Not Found"]})
        reply.headers.update(limits)
        return reply

    def _monitors(self, request: Request) -> Reply:
        records = list(self._records.monitors)
        if "page" in request.params or "page_size" in request.params:
            size = min(1000, request.number("page_size", 100))
            start = request.number("page", 0) * size
            records = records[start : start + size]
        return Reply(200, records, records=records)

    def _slos(self, request: Request) -> Reply:
        start, limit = request.number("offset", 0), request.number("limit", 1000)
        listed = [slo for slo in self._records.slos if slo["id"] not in self._answered_gone & self.gone]
        records = listed[start : start + limit]
        page = {"total_count": len(listed), "total_filtered_count": len(listed)}
        payload = {"data": records, "errors": [], "metadata": {"page": page}}
        return Reply(
            200,
            payload,
            records=records,
            total_places=[(page, "total_count"), (page, "total_filtered_count")],
        )

    def _downtimes(self, request: Request) -> Reply:
        rows = self._records.downtimes
        if request.params.get("current_only") == "true":
            rows = [row for row in rows if row["attributes"]["status"] == "active"]
        start, limit = request.number("page[offset]", 0), request.number("page[limit]", 30)
        records = rows[start : start + limit]
        page = {"total_filtered_count": len(rows)}
        payload = {"data": records, "meta": {"page": page}}
        return Reply(200, payload, records=records, total_places=[(page, "total_filtered_count")])

    def _corrections(self, request: Request) -> Reply:
        start, limit = request.number("offset", 0), request.number("limit", 25)
        records = self._more.corrections[start : start + limit]
        page = {"total_count": len(self._more.corrections), "total_filtered_count": len(self._more.corrections)}
        return Reply(
            200,
            {"data": records, "meta": {"page": page}},
            records=records,
            total_places=[(page, "total_count"), (page, "total_filtered_count")],
        )

    def _history(self, request: Request) -> Reply:
        slo_id = request.path.rstrip("/").split("/")[-2]
        start, end = request.number("from_ts", -1), request.number("to_ts", -1)
        if not 0 <= start < end:
            return Reply(400, {"errors": ["from_ts and to_ts are epoch seconds, from_ts the earlier"]})
        history = None if self._is_away(slo_id) else self._more.history(slo_id, start, end)
        if history is None:
            return Reply(404, {"errors": ["SLO not found"]})
        return Reply(200, {"data": history, "errors": None})

    def _incidents(self, request: Request) -> Reply:
        start, size = request.number("page[offset]", 0), min(100, request.number("page[size]", 10))
        records = self._more.incidents[start : start + size]
        pagination: dict[str, Any] = {"offset": start, "size": size}
        if start + size < len(self._more.incidents):
            pagination["next_offset"] = start + size
        return Reply(200, {"data": records, "included": [], "meta": {"pagination": pagination}}, records=records)

    def _is_away(self, key: str) -> bool:
        if key in self.gone:
            self._answered_gone.add(key)
        return key in self.gone or key in self.shut

    def _tests(self, request: Request) -> Reply:
        size = request.number("page_size", 100)
        start = request.number("page_number", 0) * size
        listed = [test for test in self._more.tests if test["public_id"] not in self._answered_gone & self.gone]
        records = listed[start : start + size]
        return Reply(200, {"tests": records}, records=records)

    def _results(self, request: Request) -> Reply:
        public_id = request.path.rstrip("/").split("/")[-2]
        if self._is_away(public_id) or public_id not in self._more.results:
            return Reply(404, {"errors": ["Synthetics test not found"]})
        first, last = request.number("from_ts", 0), request.number("to_ts", 1 << 62)
        found = [row for row in self._more.results[public_id] if first <= row["check_time"] <= last]
        records = found[::-1][:MAX_RESULTS]
        latest = records[0]["check_time"] if records else None
        return Reply(200, {"last_timestamp_fetched": latest, "results": records}, records=records)

    def _rum_events(self, request: Request) -> Reply:
        query = request.params.get("filter[query]", "")
        if query not in ("", "*", "@type:view"):
            return Reply(400, {"errors": [f"the search term {query!r} is not spoken here"]})

        def between(from_at: datetime | None, to_at: datetime | None) -> list[dict[str, Any]]:
            low = bisect_left(self._rum_stamps, from_at) if from_at else 0
            high = bisect_left(self._rum_stamps, to_at) if to_at else len(self._rum_stamps)
            return self._more.rum_events[low:high]

        return self._searched(request, between)

    def _events(self, request: Request) -> Reply:
        def between(from_at: datetime | None, to_at: datetime | None) -> list[dict[str, Any]]:
            rows = self._records.find(request.params.get("filter[query]", ""), from_at, to_at)
            return [self._records.event(row) for row in rows]

        return self._searched(request, between)

    def _searched(
        self, request: Request, between: Callable[[datetime | None, datetime | None], list[dict[str, Any]]]
    ) -> Reply:
        """A search by cursor over what stands between two instants, oldest first."""
        params = request.params
        limit = request.number("page[limit]", 10)
        sort = params.get("sort", "timestamp")
        if not 1 <= limit <= MAX_EVENTS_PAGE:
            return Reply(400, {"errors": [f"page[limit] must be between 1 and {MAX_EVENTS_PAGE}"]})
        if sort not in ("timestamp", "-timestamp"):
            return Reply(400, {"errors": [f"sort must be timestamp or -timestamp, not {sort}"]})
        try:
            rows = between(self._moment(params.get("filter[from]")), self._moment(params.get("filter[to]")))
            start = _read_cursor(params.get("page[cursor]"))
        except ValueError as error:
            return Reply(400, {"errors": [str(error)]})
        if sort == "-timestamp":
            rows = rows[::-1]
        records = rows[start : start + limit]
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


def _request_id(request: Request) -> str:
    """The same for the same question, so that the same answer is the same bytes."""
    return base64.urlsafe_b64encode(json.dumps(request.params).encode()).decode().rstrip("=")[-24:]


def _read_cursor(text: str | None) -> int:
    if not text:
        return 0
    try:
        return int(json.loads(base64.urlsafe_b64decode(text))["at"])
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise ValueError("page[cursor] is not one of ours") from None
