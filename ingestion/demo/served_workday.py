"""The acquired unit's people as Workday answers for them: one report as a web service."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from ingestion.demo.faults import Reply
from ingestion.demo.model import Company
from ingestion.demo.rosters import Rosters
from ingestion.demo.served import Request, ServedSystem, same

BASE = "/ccx/service/customreport2/harbour"
REPORT = "ISU_Warehouse/Worker_History"


def as_xml(entries: list[dict[str, Any]]) -> str:
    """The report as Workday gives it to those who do not ask for another format."""
    lines = ["<?xml version='1.0' encoding='UTF-8'?>", "<wd:Report_Data>"]
    for entry in entries:
        fields = "".join(f"<wd:{k}>{escape(v)}</wd:{k}>" for k, v in entry.items() if isinstance(v, str))
        lines.append(f"<wd:Report_Entry>{fields}</wd:Report_Entry>")
    return "\n".join([*lines, "</wd:Report_Data>"])


class ServedWorkday(ServedSystem):
    """The report below /ccx/service/customreport2/, by an integration system user."""

    def __init__(self, company: Company) -> None:
        super().__init__(company)
        self._user, self._password = "ISU_Warehouse@harbour", secrets.token_urlsafe(16)
        self._entries = Rosters(company).workday_entries()

    def handles(self, path: str) -> bool:
        """All below /ccx/."""
        return path.startswith("/ccx/")

    def environment(self, drops_path: Path | None) -> dict[str, str]:
        """Address, user, report and its prompt."""
        return {
            "WORKDAY_URL": f"{self.url}{BASE}",
            "WORKDAY_USER": self._user,
            "WORKDAY_PASSWORD": self._password,
            "WORKDAY_WORKER_REPORT": REPORT,
            "WORKDAY_WORKER_PROMPTS": "Include_Terminated_Workers=1",
        }

    def answer(self, request: Request) -> Reply:
        """The whole report at once; its prompt leaves terminated rows out unless it is 1."""
        given = request.basic_auth()
        if not given or not same(given[0], self._user) or not same(given[1], self._password):
            return Reply(401, {"error": "invalid username or password"}, {"WWW-Authenticate": 'Basic realm="Workday"'})
        if request.path != f"{BASE}/{REPORT}":
            return Reply(404, {"error": "The report does not exist or is not shared with this user"})
        with_leavers = request.params.get("Include_Terminated_Workers") == "1"
        entries = [entry for entry in self._entries if with_leavers or entry["Worker_Status"] != "Terminated"]
        if request.params.get("format") != "json":
            return Reply(200, as_xml(entries))
        return Reply(200, {"Report_Entry": entries}, records=entries)
