"""The promises of the sources as Dagster's freshness policies, and which marts wait when an entity is late.

A policy of Dagster looks at materialisations by the wall clock, and is judged by its daemon even while nothing runs:
it shows a source that was not asked. Whether what came reaches far enough is rpt_source_sla's to say, and the gate's.
Freshness checks are what these policies have superseded.

Delivers: LTI-7.6
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg

from ingestion.contracts import Entity, Source
from ingestion.freshness import Promise, promise_of, read_promises

# The longest time between two deliveries that are both on time, on top of what is promised after the window.
PERIOD = {"daily": timedelta(days=1), "snapshot": timedelta(days=1), "monthly": timedelta(days=31)}
# A promise in hours of a calendar closed at night and at week-ends, as hours on the wall: nothing is failed too early.
CALENDAR_FACTOR = 7
WARN_SHARE = 0.8


def dependents_of_entities(manifest: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """(source, entity, schema, mart) for every mart downstream of a raw table, from dbt's own lineage."""
    children: Mapping[str, list[str]] = manifest["child_map"]
    found = []
    for unique_id, table in manifest["sources"].items():
        if not table["schema"].startswith("raw_"):
            continue
        reached: set[str] = set()
        ahead = [unique_id]
        while ahead:
            fresh = {
                child for node in ahead for child in children.get(node, ()) if child.startswith("model.")
            } - reached
            reached |= fresh
            ahead = sorted(fresh)
        marts = [manifest["nodes"][node] for node in reached if "marts" in manifest["nodes"][node].get("tags", ())]
        entity = table.get("identifier") or table["name"]
        found += [(table["schema"].removeprefix("raw_"), entity, m["schema"], m["alias"]) for m in marts]
    return sorted(found)


def policy_of_entity(source: Source, entity: Entity) -> dg.FreshnessPolicy | None:
    """How long an entity may go without a new partition.

    None where nothing is promised, and for snapshots and files: one that did not change is checked, not materialised.
    """
    if entity.partitioning not in ("daily", "monthly"):
        return None
    promise = promise_of(read_promises(), source.name, entity.name, datetime.now(UTC).date())
    return _policy(window_of(promise, entity)) if promise else None


def policy_of_source(source: Source) -> dg.FreshnessPolicy | None:
    """How long a source may go without being asked: the shortest of what its entities promise."""
    promises, today = read_promises(), datetime.now(UTC).date()
    windows = [
        window
        for entity in source.entities.values()
        if (promise := promise_of(promises, source.name, entity.name, today))
        and (window := window_of(promise, entity)) is not None
    ]
    return _policy(min(windows, default=None))


def window_of(promise: Promise, entity: Entity) -> timedelta | None:
    """The longest time on the wall between two deliveries of which each keeps the promise; None: nothing promised."""
    if promise.promised_hours is None:
        return None
    factor = 1 if promise.calendar_code == "always" else CALENDAR_FACTOR
    return PERIOD.get(entity.partitioning, timedelta()) + timedelta(hours=promise.promised_hours * factor)


def _policy(window: timedelta | None) -> dg.FreshnessPolicy | None:
    return dg.FreshnessPolicy.time_window(fail_window=window, warn_window=window * WARN_SHARE) if window else None
