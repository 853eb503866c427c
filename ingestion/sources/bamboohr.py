"""BambooHR by its API v1.

Vendor terms: BAMBOOHR_URL is the whole base including the company, e.g.
https://<company>.bamboohr.com/api/v1; basic authentication with the API key as the user and any password;
JSON only when the header Accept asks for it. The directory and the tables come whole, without pages and
without an update stamp, so each extract is a snapshot: who is no longer listed has vanished from it, and only an
earlier snapshot still knows them. Tables are effective-dated by their column `date`; a row may be entered later than
it is dated (`dateEntered` of the custom tables), so the past can change. Custom tables are named custom<Name> and
hold what the company chose to keep in them; the field names here are the ones these tables have to be given. Shifts
and rotations have instants with an offset and the zone they were planned in. /time_off/requests demands `start` and
`end` (days, both inclusive) and answers every request that touches them, whatever its status; its status, type and
amount are nested. The key sees what its user may see: field-level access hides columns without a word.

Delivers: DESK-3.6
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from ingestion.contracts import Entity, Page, Source, Window
from ingestion.http import Client, required
from ingestion.rate_limit import stated_maximum
from ingestion.settings import DEFAULT_EXTRACT_FROM, Settings

# How far ahead leave is asked for: people book it within the year that follows.
LEAVE_AHEAD = timedelta(days=366)
# Without AS_OF the end stands still, so that an unchanged list stays the same question.
LAST_LEAVE_DAY = "2099-12-31"


def _leave(record: dict[str, Any]) -> dict[str, Any]:
    """A time-off request with its nested status, type and amount as fields of their own."""
    flat = {name: value for name, value in record.items() if name not in ("status", "type", "amount")}
    for nested, names in (
        ("status", {"status": "status", "lastChanged": "statusChanged"}),
        ("type", {"name": "typeName"}),
        ("amount", {"unit": "amountUnit", "amount": "amount"}),
    ):
        inner = record.get(nested)
        if isinstance(inner, dict):
            flat |= {mine: inner.get(theirs) for theirs, mine in names.items()}
        elif nested in record:
            flat[nested] = inner
    return flat


def _entity(
    name: str,
    endpoint: str,
    columns: str,
    description: str,
    optional: str = "",
    known: str = "",
    flatten: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
) -> Entity:
    return Entity(
        source="bamboohr",
        name=name,
        partitioning="snapshot",
        columns=tuple(columns.split()),
        key=("id",),
        description=description,
        optional=frozenset(optional.split()),
        known_fields=frozenset(known.split()),
        endpoint=endpoint,
        record_key="employees" if endpoint.endswith("directory") else None,
        flatten=flatten,
    )


ENTITIES = (
    _entity(
        "employee",
        "/employees/directory",
        "id employeeNumber displayName workEmail country hireDate terminationDate",
        "One employee of the directory, leavers included; terminationDate is the first day not employed.",
        optional="terminationDate",
        known="firstName lastName preferredName jobTitle workPhone mobilePhone department location division "
        "pronouns supervisor photoUploaded photoUrl linkedIn instagram facebook skypeUsername twitterFeed "
        "canUploadPhoto workPhoneExtension",
    ),
    _entity(
        "job_info",
        "/employees/all/tables/jobInfo",
        "id employeeId date location department division jobTitle reportsTo",
        "One job of an employee, in effect from `date` until the next one.",
    ),
    _entity(
        "employment_status",
        "/employees/all/tables/employmentStatus",
        "id employeeId date employmentStatus",
        "One status of an employee from `date`; a row Terminated is dated the first day not employed.",
        known="benefitGroup comment terminationReasonId terminationTypeId terminationRehireId finalPayDate",
    ),
    _entity(
        "incentive_target",
        "/employees/all/tables/customIncentiveTarget",
        "id employeeId date quarterlyTargetAmount currency",
        "The incentive an employee can earn in a quarter at 100%, from `date`.",
    ),
    _entity(
        "employment_term",
        "/employees/all/tables/customEmploymentTerms",
        "id employeeId date dateEntered jurisdiction unionCode exemptStatus tier",
        "The terms an employee works under from `date`: jurisdiction, union, exempt status, tier.",
        optional="unionCode",
    ),
    _entity(
        "team_assignment",
        "/employees/all/tables/customTeamAssignment",
        "id employeeId date dateEntered team managerEmployeeNumber",
        "The team an employee works in and the manager reported to, from `date`.",
        optional="managerEmployeeNumber",
    ),
    _entity(
        "plan_acknowledgement",
        "/employees/all/tables/customPlanAcknowledgement",
        "id employeeId date planCode planVersion communication acknowledgedAt",
        "A communication of an incentive plan sent to an employee on `date`, and when it was acknowledged.",
        optional="acknowledgedAt",
    ),
    _entity(
        "shift",
        "/employees/all/tables/customShift",
        "id employeeId shiftCode startsAt endsAt timeZone",
        "One shift an employee is rostered on, half-open; timeZone is the one it was planned in.",
    ),
    _entity(
        "on_call_rotation",
        "/employees/all/tables/customOnCall",
        "id employeeId rotationCode level startsAt endsAt timeZone",
        "One stretch of an employee's on-call duty, half-open; level 1 is called first.",
    ),
    _entity(
        "time_off_request",
        "/time_off/requests/",
        "id employeeId start end created status statusChanged typeName amountUnit amount",
        "A request for leave of whole days, both inclusive, with its latest status.",
        known="name actions dates notes comments approvers employeeName",
        flatten=_leave,
    ),
)


class BambooHR(Source):
    """API v1 with the key as basic-auth user (BAMBOOHR_URL, BAMBOOHR_API_KEY)."""

    def is_configured(self) -> tuple[bool, str]:
        """Configured when BAMBOOHR_URL is set."""
        if os.environ.get("BAMBOOHR_URL"):
            return True, "BAMBOOHR_URL is set"
        return False, "BAMBOOHR_URL is not set"

    def pages(self, entity: Entity, window: Window, notify: Callable[[str], None]) -> Iterator[Page]:
        """The one page there is."""
        params: dict[str, str] = {}
        if entity.name == "time_off_request":
            settings = Settings.from_env()
            last_on = (settings.as_of + LEAVE_AHEAD).date().isoformat() if settings.as_of else LAST_LEAVE_DAY
            params = {"start": min(settings.extract_from, DEFAULT_EXTRACT_FROM).isoformat(), "end": last_on}
        with Client(
            required("BAMBOOHR_URL"),
            auth=(required("BAMBOOHR_API_KEY"), "x"),
            credential_names="BAMBOOHR_API_KEY",
            notify=notify,
            max_requests_per_minute=stated_maximum("bamboohr"),
        ) as client:
            yield Page(client.get_records(entity.endpoint, params, entity).records)


BAMBOOHR = BambooHR(
    name="bamboohr",
    description="BambooHR: employees in time: jobs, terms, teams, targets, leave, shifts, on-call, acknowledgements.",
    connector_version="bamboohr-api/1",
    entities={entity.name: entity for entity in ENTITIES},
)
