"""One batch of drawn tickets through the real models: a scratch warehouse, prepared, built by dbt and read back.

What the models read is written here in one place: every seed (the drawn rows where the world has some, the tree's own
otherwise; columns as the CSV's header has them) and the four models that stand where the sources end. Columns follow
the tree: one the world knows nothing of stays null.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import yaml

from tests.declared import seed_types
from tests.property.clock_oracle import CONDITION_FIELDS, Answer, Ticket
from tests.property.strategies import World
from tests.run_dbt import run_dbt

ROOT = Path(__file__).resolve().parents[2]
# Where the sources end: written by the harness, as is every staging model (empty: what core still reads of them are
# names). All models between them and the marts are the real ones.
PREPARED = (
    "int_run_context",
    "int_extract_batch",
    "int_ticket_record",
    "int_servicenow_ticket_event",
    "int_event_log_ticket_event",
    "int_jira_ticket_event",
    "int_maintenance_window",
)
BUILT = ("fct_ticket_slt", "fct_slt_clock_segment")

Row = Mapping[str, Any]


def _text(value: Any) -> str | None:
    """A value as a seed's cell or a typed literal spells it; None for an empty cell."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Fraction):
        return str(float(value))
    return str(value)


def _at(seconds: int | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _write(
    connection: duckdb.DuckDBPyConnection, schema: str, name: str, types: Mapping[str, str], rows: Iterable[Row]
) -> None:
    """A table of the columns and types given; what a row does not have is null."""
    listed = list(rows)
    columns = {column: pa.array([_text(row.get(column)) for row in listed], pa.string()) for column in types}
    connection.register("drawn_rows", pa.table(columns))
    casts = ", ".join(f'cast(nullif("{column}", \'\') as {kind}) as "{column}"' for column, kind in types.items())
    connection.execute(f"create schema if not exists {schema}")
    connection.execute(f"create or replace table {schema}.{name} as select {casts} from drawn_rows")
    connection.unregister("drawn_rows")


# --- seeds ---


def seed_rows(world: World) -> dict[str, list[Row]]:
    """The rows the world has for seeds, by seed and column."""
    governed = world.governed
    open_from = date(2015, 1, 1)
    condition_rows = []
    for definition in governed.definitions:
        for row in definition.conditions:
            condition_rows.append(
                {"slt_code": definition.slt_code, "slt_version": definition.slt_version, **row.__dict__}
            )
    return {
        "slt_definition": [{"slt_name": item.slt_code, **item.__dict__} for item in governed.definitions],
        "slt_condition": condition_rows,
        "slt_target": [item.__dict__ for item in governed.targets],
        "calendar": [
            {"calendar_code": item.calendar_code, "calendar_name": item.calendar_code, "time_zone": item.time_zone}
            for item in governed.calendars.values()
        ],
        "calendar_segment": [
            {
                "calendar_code": item.calendar_code,
                "iso_weekday": opening.iso_weekday,
                "opens_at_local": f"{opening.opens_at // 60:02d}:{opening.opens_at % 60:02d}",
                "closes_at_local": f"{opening.closes_at // 60:02d}:{opening.closes_at % 60:02d}",
                "effective_from": opening.effective_from,
                "effective_to": opening.effective_to,
            }
            for item in governed.calendars.values()
            for opening in item.openings
        ],
        "calendar_holiday": [
            {"calendar_code": item.calendar_code, "holiday_on": on, "holiday_name": "closed"}
            for item in governed.calendars.values()
            for on in sorted(item.holidays)
        ],
        "service": [
            {
                "service_code": code,
                "service_name": code,
                "criticality": 1,
                "owner_team_code": "t1",
                "country_code": "IE",
                "calendar_code": calendar_code,
                "vendor_code": governed.service_vendors[code],
            }
            for code, calendar_code in governed.service_calendars.items()
        ],
        "vendor": [
            {"vendor_code": code, "vendor_name": code}
            for code in sorted({code for code in governed.service_vendors.values() if code})
        ],
        "contract": [
            {
                "contract_code": code,
                "contract_name": code,
                "customer_name": code,
                "business_unit_code": business_unit_code,
                "effective_from": open_from,
            }
            for code, business_unit_code in governed.contract_business_units.items()
        ],
        "configuration_item": [
            {"configuration_item_code": request.scope_code}
            for request in governed.requests
            if request.scope_type == "configuration_item"
        ],
        "exclusion_category": [
            {"category": category, "is_evidence_required": False, "is_root_cause_required": False}
            for category in sorted({request.category for request in governed.requests})
        ],
        "exclusion_policy": [
            {"category": category, "audience": audience, "is_counted": True, "effective_from": open_from}
            for category, audience in sorted(governed.counted)
        ],
        "exclusion_request": [
            {
                "exclusion_id": request.exclusion_id,
                "category": request.category,
                "scope_type": request.scope_type,
                "scope_code": request.scope_code,
                "starts_at": _at(request.starts_at),
                "ends_at": _at(request.ends_at),
                "root_cause": "drawn",
                "evidence_reference": "drawn",
                "requested_by": "e1",
                "requested_at": _at(request.ends_at),
                "approved_by": "e1" if request.flaw == "approver_is_requester" else "e2",
                "approved_at": _at(request.ends_at + 60),
                "decision": "rejected" if request.flaw == "not_approved" else "approved",
            }
            for request in governed.requests
        ],
        # what belongs to requests of the tree's own
        "exclusion_document": [],
        "exclusion_category_document": [],
    }


def _write_seeds(connection: duckdb.DuckDBPyConnection, world: World, root: Path) -> None:
    drawn, types = seed_rows(world), seed_types(root)
    for path in sorted((root / "seeds").rglob("*.csv")):
        with path.open(encoding="utf-8", newline="") as handle:
            reader = csv.DictReader(handle)
            columns = {name: types.get(path.stem, {}).get(name, "varchar") for name in reader.fieldnames or ()}
            _write(connection, "reference", path.stem, columns, drawn.get(path.stem, reader))


# --- tickets ---


def _type_of(column: str) -> str:
    """The type of a column of a core model, which its name tells."""
    if column.endswith("_at"):
        return "timestamp"
    if column.startswith(("is_", "has_", "made_")):
        return "boolean"
    if column.endswith("_count"):
        return "bigint"
    return "integer" if column in ("priority", "source_sequence", "tier") else "varchar"


def _model_types(root: Path, name: str) -> dict[str, str]:
    path = next((root / "dbt_project" / "models").rglob(f"{name}.yml"))
    entry = next(item for item in yaml.safe_load(path.read_text())["models"] if item["name"] == name)
    return {column["name"]: _type_of(column["name"]) for column in entry["columns"]}


def _batch_of(at: int, world: World) -> str:
    """The extract that brought what was recorded at an instant."""
    return f"drawn-{sum(earlier < at for earlier in world.earlier_as_of)}"


def model_rows(world: World) -> dict[str, list[Row]]:
    """The rows of the prepared models, by model and column."""
    records: list[Row] = []
    events: list[Row] = []
    for ticket in world.tickets:
        records.append(
            {
                "ticket_key": ticket.ticket_key,
                "source_system": ticket.source_system,
                "ticket_number": ticket.ticket_number,
                "opened_at": _at(ticket.opened_at),
                "priority": ticket.events[0].priority,
                "batch_id": _batch_of(ticket.opened_at, world),
            }
        )
        for place, event in enumerate(ticket.events, start=1):
            events.append(
                {
                    "ticket_key": ticket.ticket_key,
                    "recorded_at": _at(event.at),
                    "source_sequence": place,
                    "ticket_state": event.ticket_state,
                    "source_state": event.ticket_state,
                    "priority": event.priority,
                    "service_code": event.service_code,
                    "configuration_item_code": event.configuration_item_code,
                    "contract_code": event.contract_code,
                    "team_code": event.team_code,
                    "source_row_count": 1,
                    "batch_id": _batch_of(event.at, world),
                }
            )
    return {
        "int_run_context": [{"run_id": "drawn", "as_of_at": _at(world.as_of_at), "as_of_policy": "stated"}],
        "int_extract_batch": [
            {"batch_id": f"drawn-{number}"}
            for number in range(1 + sum(at < world.as_of_at for at in world.earlier_as_of))
        ],
        "int_ticket_record": records,
        "int_servicenow_ticket_event": events,
        "int_event_log_ticket_event": [],
        "int_jira_ticket_event": [],
        "int_maintenance_window": [],
    }


# --- the build ---


@dataclass(frozen=True)
class Built:
    """What the marts say: results and segments by (ticket_key, slt_code), verdicts by (slt_code, slt_version)."""

    results: dict[tuple[str, str], dict[str, Any]]
    segments: dict[tuple[str, str], list[dict[str, Any]]]
    refusals: dict[tuple[str, int], str | None]


def _plain(value: Any) -> Any:
    """A value as the oracle has it: instants in seconds, exact numbers as fractions."""
    if isinstance(value, datetime):
        return int(value.replace(tzinfo=UTC).timestamp())
    if isinstance(value, (bool, str)) or value is None or not hasattr(value, "as_integer_ratio"):
        return value
    return Fraction(*value.as_integer_ratio())


def _read(connection: duckdb.DuckDBPyConnection, relation: str, order: str) -> list[dict[str, Any]]:
    found = connection.execute(f"select * from {relation} order by {order}")
    names = [column[0] for column in found.description]
    return [dict(zip(names, map(_plain, row), strict=True)) for row in found.fetchall()]


def build(world: World, folder: Path, root: Path = ROOT, target_path: Path | None = None) -> Built:
    """Write the world into the warehouse of a folder, build the marts there and read them.

    A folder that holds a warehouse already is built on: what is incremental takes up what changed.
    ``target_path`` names dbt's own folder where several builds share one, which spares parsing again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    warehouse_path = folder / "warehouse.duckdb"
    with duckdb.connect(str(warehouse_path)) as connection:
        _write_seeds(connection, world, root)
        for path in sorted((root / "dbt_project" / "models" / "staging").rglob("stg_*.sql")):
            _write(connection, "staging", path.stem, _model_types(root, path.stem), [])
        for name, rows in model_rows(world).items():
            _write(connection, "core", name, _model_types(root, name), rows)
    run_dbt(
        warehouse_path,
        target_path or folder / "target",
        *("run", "--quiet"),
        *("--select", *(f"+{name}" for name in BUILT)),
        *("--exclude", "path:models/staging", *(f"+{name}" for name in PREPARED)),
        root=root,
    )
    with duckdb.connect(str(warehouse_path), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        results = _read(connection, "slt.fct_ticket_slt", "ticket_key, slt_code")
        segments = _read(connection, "slt.fct_slt_clock_segment", "ticket_slt_key, from_at, clock_class")
        refusals = {
            (row["slt_code"], int(row["slt_version"])): row["refusal_reason"]
            for row in _read(connection, "core.int_slt_definition", "slt_code, slt_version")
        }
    found = Built({(row["ticket_key"], row["slt_code"]): row for row in results}, {}, refusals)
    assert len(found.results) == len(results), "fct_ticket_slt holds a ticket x SLT twice"
    for row in segments:
        found.segments.setdefault((row["ticket_key"], row["slt_code"]), []).append(row)
    return found


# --- the comparison ---

# Columns of the mart that are no answer of a clock.
IDENTITY = frozenset(
    {"ticket_slt_key", "ticket_key", "ticket_sequence", "ticket_number", "source_system", "slt_code", "batch_id"}
)


def differences(expected: Answer | None, result: dict[str, Any] | None, segments: list[dict[str, Any]]) -> list[str]:
    """Where one clock of the warehouse is not what the oracle says, one line each; [] where all agree."""
    if expected is None or result is None:
        if segments and result is None:
            return [f"{len(segments)} segments of a clock that has no result"]
        if (expected is None) != (result is None):
            return [
                f"(row): oracle {'none' if expected is None else 'one'}, mart {'none' if result is None else 'one'}"
            ]
        return []
    unknown = set(result) - IDENTITY - set(Answer.__dataclass_fields__)
    found = [f"{name}: a column of the mart that the oracle knows nothing of" for name in sorted(unknown)]
    for name in Answer.__dataclass_fields__:
        if name in result and getattr(expected, name) != result[name]:
            found.append(f"{name}: oracle {_shown(getattr(expected, name))}, mart {_shown(result[name])}")
    return found + _segment_differences(expected, segments)


def _segment_differences(expected: Answer, segments: list[dict[str, Any]]) -> list[str]:
    """Stretches in order without a gap from start to end, each second of each in the class the walk saw."""
    found = []
    at = expected.start_at
    stretches: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for segment in segments:
        stretches.setdefault((segment["from_at"], segment["to_at"]), []).append(segment)
    for (from_at, to_at), parts in sorted(stretches.items()):
        if from_at != at:
            found.append(f"segments: the stretch at {_at(from_at)} follows one that ends at {_at(at)}")
        at = to_at
        walked = dict.fromkeys(("paused", "outside_calendar", "excluded", "net", "stopped"), 0)
        for piece in expected.pieces:
            inside = min(piece.to_at, to_at) - max(piece.from_at, from_at)
            walked[piece.clock_class] += max(0, inside)
        told = dict.fromkeys(walked, 0)
        for part in parts:
            told[part["clock_class"]] += int(part["seconds"])
        if told != walked:
            found.append(f"segments from {_at(from_at)} to {_at(to_at)}: oracle {walked}, mart {told}")
    if at != expected.end_at:
        found.append(f"segments end at {_at(at)}, the clock at {_at(expected.end_at)}")
    return found


def _shown(value: Any) -> str:
    if isinstance(value, Fraction):
        return str(int(value)) if value.denominator == 1 else f"{float(value):.6f}"
    if isinstance(value, int) and not isinstance(value, bool) and value > 10**9:
        return str(_at(value))
    return repr(value)


def described(world: World, ticket: Ticket, slt_code: str, expected: Answer | None) -> str:
    """A ticket, what governs it and the oracle's walk, to read beside a difference."""
    lines = [f"ticket {ticket.ticket_key}, as of {_at(world.as_of_at)}"]
    lines += [
        f"  {_at(event.at)} {event.ticket_state} "
        + " ".join(
            f"{name}={getattr(event, name)}"
            for name in (*CONDITION_FIELDS[1:], "configuration_item_code")
            if getattr(event, name) is not None
        )
        for event in ticket.events
    ]
    for definition in world.governed.definitions:
        if definition.slt_code == slt_code:
            policies = {name: value for name, value in definition.__dict__.items() if name != "conditions"}
            lines.append("  definition " + " ".join(f"{name}={_text(value)}" for name, value in policies.items()))
            lines += [
                f"    {row.condition} {row.clause}: {row.field} {row.operator} {row.value}"
                for row in definition.conditions
            ]
    lines += [
        f"  request {request.exclusion_id} {request.scope_type} {request.scope_code} {request.category} "
        f"{request.flaw or 'in order'} {_at(request.starts_at)} to {_at(request.ends_at)}"
        for request in world.governed.requests
        if any(request.scope_code in ("", event.service_code, event.configuration_item_code) for event in ticket.events)
        and request.ends_at > ticket.opened_at
    ]
    if expected is not None:
        lines.append("  walk")
        lines += [
            f"    {_at(piece.from_at)} to {_at(piece.to_at)} {piece.clock_class} ({piece.ticket_state})"
            for piece in expected.pieces
        ]
    return "\n".join(lines)
