"""The company's monitoring as Datadog shows it: monitors, SLOs, downtimes, and state changes as events."""

from __future__ import annotations

from bisect import bisect_left
from datetime import datetime
from typing import Any

from ingestion.demo.model import Company, MonitorTransition


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
