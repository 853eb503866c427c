"""Datadog by its API v1 (monitors, SLOs with history and corrections, synthetics) and v2 (the rest).

Vendor terms: authentication by the headers DD-API-KEY and DD-APPLICATION-KEY. Monitors are paged by page and
page_size and have no total; SLOs and corrections by limit and offset (a total in the metadata); downtimes by
page[offset] and page[limit]; synthetic tests by page_number and page_size; events and RUM by the cursor
meta.page.after; incidents by meta.pagination.next_offset, absent on the last page. SLO history and synthetic
results are asked for parent by parent; a parent that answers 404 was deleted under way, which is said and stops
nothing. A monitor's change of state is an event with source:alert; its states are OK, Alert, Warn, No Data.
`filter[to]` may be inclusive: an event on the edge can come with both days, and its id tells them apart.
SLO corrections without an end recur by an RRULE in their own time zone.

The history of an SLO is kept by calendar month (UTC), the last HISTORY_MONTHS that are over: it is Datadog's own
figure, to be compared with the warehouse's.

Delivers: SVC-3.1
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from ingestion.contracts import Entity, Page, Source, Window
from ingestion.http import Client, required
from ingestion.rate_limit import stated_maximum
from ingestion.settings import Settings
from ingestion.sources import datadog_paging as paging
from ingestion.sources.datadog_entities import ENTITIES

HISTORY_MONTHS = 6
# How a 404 below a listed parent is told from a wrong address: every error of Datadog is a list of this name.
GONE_TEXT = '"errors"'


class Datadog(Source):
    """API v1 and v2 by key headers (DATADOG_URL, DD_API_KEY, DD_APP_KEY)."""

    def is_configured(self) -> tuple[bool, str]:
        """Configured when DATADOG_URL is set."""
        if os.environ.get("DATADOG_URL"):
            return True, "DATADOG_URL is set"
        return False, "DATADOG_URL is not set"

    def partition_keys(self, entity: Entity) -> list[str]:
        """The months of the SLO history that are over, oldest first; nothing for entities read by stamp."""
        if entity.partitioning != "monthly":
            return []
        now = Settings.from_env().as_of or datetime.now(UTC)
        numbers = range(now.year * 12 + now.month - 1 - HISTORY_MONTHS, now.year * 12 + now.month - 1)
        return [f"{number // 12}-{number % 12 + 1:02}" for number in numbers]

    def pages(self, entity: Entity, window: Window, notify: Callable[[str], None]) -> Iterator[Page]:
        """Page as the endpoint of this entity does it."""
        with self._client(notify) as client:
            if entity.name in paging.EVENT_QUERIES:
                yield from paging.cursor_pages(client, entity, window)
            elif entity.name == "incident":
                yield from paging.next_offset_pages(client, entity)
            elif entity.name in ("slo_history", "synthetic_result"):
                with self._client(notify, GONE_TEXT) as nested:
                    if entity.name == "slo_history":
                        parents = self.entities["slo"]
                        yield from paging.slo_history_pages(nested, client, parents, entity, window, notify)
                    else:
                        parents = self.entities["synthetic_test"]
                        yield from paging.synthetic_result_pages(nested, client, parents, entity, window, notify)
            else:
                yield from paging.numbered_pages(client, entity)

    def _client(self, notify: Callable[[str], None], no_match_text: str | None = None) -> Client:
        return Client(
            required("DATADOG_URL"),
            headers={"DD-API-KEY": required("DD_API_KEY"), "DD-APPLICATION-KEY": required("DD_APP_KEY")},
            credential_names="DD_API_KEY and DD_APP_KEY",
            no_match_text=no_match_text,
            notify=notify,
            max_requests_per_minute=stated_maximum("datadog"),
        )


DATADOG = Datadog(
    name="datadog",
    description=(
        "Datadog: monitors with their changes of state, SLOs with history and corrections, downtimes, incidents, "
        "synthetic and real-user results."
    ),
    connector_version="datadog-api/1",
    entities={entity.name: entity for entity in ENTITIES},
)
