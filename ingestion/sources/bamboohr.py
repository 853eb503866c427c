"""BambooHR by its API v1.

Vendor terms: BAMBOOHR_URL is the whole base including the company, e.g.
https://<company>.bamboohr.com/api/v1; basic authentication with the API key as the user and any password;
JSON only when the header Accept asks for it. The directory and the tables come whole, without pages and
without an update stamp, so each extract is a snapshot. Tables are effective-dated by their column `date`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

from ingestion.contracts import Entity, Page, Source, Window
from ingestion.http import Client, required
from ingestion.rate_limit import stated_maximum


def _entity(name: str, endpoint: str, columns: str, description: str, optional: str = "", known: str = "") -> Entity:
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
        with Client(
            required("BAMBOOHR_URL"),
            auth=(required("BAMBOOHR_API_KEY"), "x"),
            credential_names="BAMBOOHR_API_KEY",
            notify=notify,
            max_requests_per_minute=stated_maximum("bamboohr"),
        ) as client:
            yield Page(client.get_records(entity.endpoint, {}, entity).records)


BAMBOOHR = BambooHR(
    name="bamboohr",
    description="BambooHR: employees, their jobs, employment statuses and incentive targets in time.",
    connector_version="bamboohr-api/1",
    entities={entity.name: entity for entity in ENTITIES},
)
