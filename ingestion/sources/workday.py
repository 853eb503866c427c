"""Workday by a custom report published as a web service (Report-as-a-Service, RaaS).

Vendor terms: WORKDAY_URL is the tenant's report base, https://<host>/ccx/service/customreport2/<tenant>;
WORKDAY_WORKER_REPORT names the report as <owner>/<report name>, blanks in the name written as underscores; basic
authentication as an integration system user, `<user>@<tenant>`. The report must be of type Advanced with "Enable As
Web Service", and the user needs the domains its fields stand in: a field the user may not see is left out silently.
`format=json` answers {"Report_Entry": [...]}: the whole report at once, without pages, at most 2 GB or 30 minutes.
Prompts of the report are query parameters under their XML alias (WORKDAY_WORKER_PROMPTS, written as a query string).
Values are text, numbers and flags included ("1", "0"); an empty field is left out of the entry altogether; a
multi-instance field is a list of objects under <alias>_group. There is no update stamp, so an extract is a snapshot.

The report lists every worker, leavers included, with one entry per Effective_Date; Entry_Moment is when the row was
entered, so a row may change the past. Worker_Status is Active, On_Leave or Terminated; a row Terminated is dated the
first day not employed, and a rehire is a later Active row of the same Employee_ID.

Delivers: DESK-3.6
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from urllib.parse import parse_qsl

from ingestion.contracts import Entity, Page, Source, SourceError, Window, words
from ingestion.http import Client, required
from ingestion.rate_limit import stated_maximum

ENTITIES = (
    Entity(
        source="workday",
        name="worker",
        partitioning="snapshot",
        columns=words(
            "Employee_ID Effective_Date Entry_Moment Worker_Name Email_Primary_Work Other_System_ID Hire_Date "
            "Worker_Status Business_Title Supervisory_Organization Manager_ID Location Country Exempt "
            "Union_Memberships_group"
        ),
        key=("Employee_ID", "Effective_Date"),
        description="What holds for a worker from Effective_Date: status, title, organization, manager, place.",
        optional=frozenset({"Other_System_ID", "Manager_ID", "Union_Memberships_group"}),
        known_fields=frozenset({"Legal_Name", "Position_ID", "Worker_Type", "Company", "Cost_Center"}),
        endpoint="WORKDAY_WORKER_REPORT",
        record_key="Report_Entry",
    ),
)


class Workday(Source):
    """One report as one answer (WORKDAY_URL, WORKDAY_USER, WORKDAY_PASSWORD, WORKDAY_WORKER_REPORT)."""

    def is_configured(self) -> tuple[bool, str]:
        """Configured when WORKDAY_URL is set."""
        if os.environ.get("WORKDAY_URL"):
            return True, "WORKDAY_URL is set"
        return False, "WORKDAY_URL is not set"

    def pages(self, entity: Entity, window: Window, notify: Callable[[str], None]) -> Iterator[Page]:
        """The whole report, as one page."""
        report = required(entity.endpoint).strip("/")
        if report.count("/") != 1:
            raise SourceError(
                f"{entity.endpoint} is {report!r}",
                "environment",
                "write it as <report owner>/<report name with underscores>",
            )
        prompts = os.environ.get("WORKDAY_WORKER_PROMPTS", "")
        try:
            params = dict(parse_qsl(prompts, strict_parsing=True)) if prompts else {}
        except ValueError:
            raise SourceError(
                "WORKDAY_WORKER_PROMPTS is no query string",
                "environment",
                "write the prompts as Alias=value&Other_Alias=value",
            ) from None
        with Client(
            required("WORKDAY_URL"),
            auth=(required("WORKDAY_USER"), required("WORKDAY_PASSWORD")),
            credential_names="WORKDAY_USER and WORKDAY_PASSWORD",
            max_requests_per_minute=stated_maximum("workday"),
            notify=notify,
        ) as client:
            yield Page(client.get_records(f"/{report}", {**params, "format": "json"}, entity).records)


WORKDAY = Workday(
    name="workday",
    description="Workday: workers of units kept there, in time, by a custom report.",
    connector_version="workday-raas/1",
    entities={entity.name: entity for entity in ENTITIES},
)
