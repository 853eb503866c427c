"""The company's people as BambooHR shows them: the directory, the effective-dated tables and time off."""

from __future__ import annotations

import re
import secrets
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from ingestion.demo.faults import Reply
from ingestion.demo.model import Company, Employee
from ingestion.demo.rosters import Rosters
from ingestion.demo.served import Request, ServedSystem, same
from ingestion.demo.tickets import sys_id_of

COMPANY_PATH = "demo"
DAY = r"\d{4}-\d{2}-\d{2}"


class BambooRecords:
    """The company's people as BambooHR shows them; rows of a table come in no particular order."""

    def __init__(self, company: Company) -> None:
        teams = {team.team_code: team for team in company.teams}
        country_names = {"IE": "Ireland", "US": "United States", "IN": "India"}
        locations = {"IE": "Dublin", "US": "New York", "IN": "Bengaluru"}
        by_id = {person.id: person for person in company.employees}
        leads = {
            job.team_code: by_id[job.employee_id].display_name
            for job in company.job_infos
            if job.job_title == "Team Lead" and job.employee_id in by_id
        }
        head = next(
            (by_id[job.employee_id] for job in company.job_infos if job.job_title == "Head of Operations"),
            None,
        )

        def boss(person: Employee, team_code: str) -> str | None:
            if head and person.id == head.id:
                return None
            lead = leads.get(team_code)
            return (head.display_name if head else None) if lead in (None, person.display_name) else lead

        self.employees = [
            {
                "id": person.id,
                "employeeNumber": person.employee_number,
                "displayName": person.display_name,
                "firstName": person.display_name.split()[0],
                "lastName": person.display_name.split()[-1],
                "workEmail": person.email,
                "country": person.country_code,
                "location": locations[person.country_code],
                "hireDate": person.hired_on.isoformat(),
                "terminationDate": person.terminated_on.isoformat() if person.terminated_on else None,
            }
            for person in company.employees
        ]
        job_info = [
            {
                "id": job.id,
                "employeeId": job.employee_id,
                "date": job.effective_on.isoformat(),
                "location": locations[by_id[job.employee_id].country_code],
                "department": teams[job.team_code].hris_department,
                "division": country_names[teams[job.team_code].country_code],
                "jobTitle": job.job_title,
                "reportsTo": boss(by_id[job.employee_id], job.team_code),
            }
            for job in company.job_infos
        ]
        status: list[dict[str, Any]] = []
        for person in company.employees:
            for day, name in ((person.hired_on, "Full-Time"), (person.terminated_on, "Terminated")):
                if day:
                    status.append(
                        {
                            "id": str(9001 + len(status)),
                            "employeeId": person.id,
                            "date": day.isoformat(),
                            "employmentStatus": name,
                        }
                    )
        targets = [
            {
                "id": target.id,
                "employeeId": target.employee_id,
                "date": target.effective_on.isoformat(),
                "quarterlyTargetAmount": f"{target.quarterly_amount:.2f}",
                "currency": target.currency_code,
            }
            for target in company.incentive_targets
        ]
        rosters = Rosters(company)
        self.time_off = rosters.leave
        self.tables = {
            name: sorted(rows, key=lambda row: sys_id_of(name, row["id"]))
            for name, rows in (
                ("jobInfo", job_info),
                ("employmentStatus", status),
                ("customIncentiveTarget", targets),
                *rosters.tables.items(),
            )
        }
        self.fields = [
            {"id": name, "type": "date" if name.endswith("Date") else "text", "name": name}
            for name in self.employees[0]
        ]


def as_xml(kind: str, records: list[dict[str, Any]]) -> str:
    """The records as BambooHR gives them to those who do not ask for JSON."""
    lines = [f"<{kind}>"]
    for record in records:
        attributes = " ".join(f"{name}={quoteattr(str(value))}" for name, value in record.items() if value is not None)
        lines.append(f"  <row {attributes}/>")
    return "\n".join(['<?xml version="1.0"?>', *lines, f"</{kind}>"])


class ServedBambooHR(ServedSystem):
    """The API below /api/gateway.php/<company>/v1, by a key as user of basic authentication."""

    def __init__(self, company: Company) -> None:
        super().__init__(company)
        self._api_key = secrets.token_hex(16)
        self._records = BambooRecords(company)

    def handles(self, path: str) -> bool:
        """All below /api/gateway.php/."""
        return path.startswith("/api/gateway.php/")

    def environment(self, drops_path: Path | None) -> dict[str, str]:
        """Address and key."""
        base = f"{self.url}/api/gateway.php/{COMPANY_PATH}/v1"
        return {"BAMBOOHR_URL": base, "BAMBOOHR_API_KEY": self._api_key}

    def answer(self, request: Request) -> Reply:
        """The directory, the tables and the time-off requests, as JSON or XML."""
        given = request.basic_auth()
        if not given or not same(given[0], self._api_key):
            return Reply(401, {"error": "Unauthorized"}, {"WWW-Authenticate": 'Basic realm="BambooHR"'})
        base = f"/api/gateway.php/{COMPANY_PATH}/v1"
        wants_json = "json" in (request.headers.get("Accept") or "")
        match = re.fullmatch(re.escape(base) + r"/employees/(all|\d+)/tables/(\w+)", request.path)
        if request.path == f"{base}/employees/directory":
            records = list(self._records.employees)
            payload: Any = {"fields": self._records.fields, "employees": records}
            kind = "directory"
        elif match and match[2] in self._records.tables:
            records = [row for row in self._records.tables[match[2]] if match[1] in ("all", row["employeeId"])]
            payload, kind = records, "table"
        elif request.path.rstrip("/") == f"{base}/time_off/requests":
            first, last = request.params.get("start", ""), request.params.get("end", "")
            if not re.fullmatch(DAY, first) or not re.fullmatch(DAY, last):
                return Reply(400, {"error": "start and end are required"})
            records = [row for row in self._records.time_off if row["start"] <= last and row["end"] >= first]
            payload, kind = records, "requests"
        else:
            return Reply(404, {"error": "Not found"}, {"X-BambooHR-Error-Message": "no such resource"})
        if not wants_json:
            return Reply(200, as_xml(kind, records))
        return Reply(200, payload, records=records)
