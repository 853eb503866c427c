"""Drawn sets of exclusion requests through the real models against an expansion by hand, second by second.

Each set has a vendor, two services and three configuration items of its own; its requests overlap, recur, cross changes
of the clocks and name a service, the vendor, an item or everything. All sets stand in one warehouse, built once. The
expansion (ingestion.demo.reference_exclusions) shares no code with the SQL; where a rule is concerned it is held to
python-dateutil as well.
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import numpy
import pyarrow as pa
import pytest
from dateutil.rrule import rrulestr
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from ingestion.demo.reference_exclusions import (
    WEEKDAYS,
    ExclusionRequest,
    occurrences,
    parse_rule,
    read_requests,
)
from tests.declared import seed_types
from tests.run_dbt import run_dbt

ROOT = Path(__file__).resolve().parents[2]
SET_COUNT = 220
SEED = 20250309
AS_OF = datetime.fromisoformat("2025-06-30")
LAST_ON = AS_OF.date() + timedelta(days=366)
ZONES = ("", "Europe/Dublin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")
# The nights the clocks change, the ends of months and a leap day.
ANCHORS = [
    datetime.fromisoformat("2024-02-29"),
    datetime.fromisoformat("2025-01-31"),
    datetime.fromisoformat("2025-03-08"),
    datetime.fromisoformat("2025-03-29"),
    datetime.fromisoformat("2025-04-05"),
    datetime.fromisoformat("2025-10-04"),
    datetime.fromisoformat("2025-10-25"),
    datetime.fromisoformat("2025-11-01"),
]
# Where the union is taken second by second; elsewhere interval by interval.
SPANS = [
    (datetime.fromisoformat("2025-03-01"), datetime.fromisoformat("2025-04-12")),
    (datetime.fromisoformat("2025-09-30"), datetime.fromisoformat("2025-11-07")),
]
# category, is_root_cause_required, is_advance_approval_required, request_deadline_days
CATEGORIES = [
    dict(
        zip(
            ("category", "is_root_cause_required", "is_advance_approval_required", "request_deadline_days"),
            row,
            strict=True,
        )
    )
    for row in (
        ("storm", "true", "false", ""),
        ("supplier", "false", "false", "30"),
        ("maintenance", "false", "true", ""),
    )
]
CATEGORY_DOCUMENTS = [
    {"category": "storm", "document_type": "evidence"},
    {"category": "supplier", "document_type": "vendor_statement"},
]
# category, audience, is_counted, is_outside_control_required, from, to
POLICIES = [
    ("storm", "customer", True, True, "2020-01-01", ""),
    ("storm", "internal", True, False, "2020-01-01", ""),
    ("storm", "personal", True, False, "2025-03-30", ""),
    ("supplier", "customer", True, True, "2020-01-01", ""),
    ("supplier", "internal", False, False, "2020-01-01", "2025-04-05"),
    ("supplier", "internal", True, False, "2025-04-06", ""),
    ("maintenance", "internal", True, False, "2020-01-01", ""),
    ("maintenance", "personal", False, False, "2020-01-01", ""),
]
AUDIENCES = ("customer", "internal", "personal")

Window = tuple[datetime, datetime]


# --- drawing ---


def _rule(draw: st.DrawFn, starts: datetime) -> str:
    frequency = draw(st.sampled_from(["DAILY", "WEEKLY", "WEEKLY", "MONTHLY", "MONTHLY", "YEARLY"]))
    parts = [f"FREQ={frequency}"]
    if draw(st.booleans()):
        parts.append(f"INTERVAL={draw(st.integers(1, 4))}")
    last = (starts.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    weekday = WEEKDAYS[starts.weekday()]
    by_day = draw(st.sampled_from(["none", "weekdays", "number", "last", "month_days", "both"]))
    if by_day in ("weekdays", "both") or (by_day in ("number", "last") and frequency != "MONTHLY"):
        others = draw(st.lists(st.sampled_from(WEEKDAYS), max_size=3, unique=True))
        parts.append("BYDAY=" + ",".join(sorted({weekday, *others})))
    elif by_day == "number":
        parts.append(f"BYDAY=+{(starts.day - 1) // 7 + 1}{weekday},{draw(st.sampled_from(WEEKDAYS))}")
    elif by_day == "last":
        parts.append(f"BYDAY=-{(last.day - starts.day) // 7 + 1}{weekday}")
    if by_day in ("month_days", "both") and frequency != "WEEKLY":
        own = draw(st.sampled_from([f"{starts.day}", f"{starts.day:02d}", f"{starts.day - last.day - 1}"]))
        others = draw(st.lists(st.integers(1, 31) | st.integers(-31, -1), max_size=3))
        parts.append("BYMONTHDAY=" + ",".join([own, *map(str, others)]))
    if draw(st.booleans()):
        parts.append(f"WKST={draw(st.sampled_from(WEEKDAYS))}")
    end = draw(st.sampled_from(["never", "count", "until"]))
    if end == "count":
        parts.append(f"COUNT={draw(st.integers(1, 40))}")
    if end == "until":
        until = starts + timedelta(days=draw(st.integers(0, 300)), hours=draw(st.integers(0, 23)))
        parts.append(f"UNTIL={until:%Y%m%dT%H%M%SZ}")
    return ";".join(draw(st.permutations(parts)))


@st.composite
def exclusion_set(draw: st.DrawFn) -> list[dict[str, str]]:
    """The requests of one set; scope codes begin with '#', which stands for the set."""
    found = []
    for _ in range(draw(st.integers(1, 6))):
        starts = draw(st.sampled_from(ANCHORS)) + timedelta(
            days=draw(st.integers(-10, 3)),
            seconds=draw(st.sampled_from([0, 1800, 3600, 5400, 7200, 9000, 72_000, 86_399])),
        )
        length = draw(st.sampled_from([0, 1, 900, 1800, 3600, 7200, 14_400, 86_400, 100_000, 400_000]))
        recurrence = _rule(draw, starts) if draw(st.integers(0, 9)) < 6 else ""
        if draw(st.integers(0, 29)) == 0:
            recurrence = draw(
                st.sampled_from(["FREQ=HOURLY", "FREQ=DAILY;BYSETPOS=1", "FREQ=DAILY;COUNT=0", "every day"])
            )
        excluded = []
        if recurrence and draw(st.booleans()):
            excluded = [starts + timedelta(days=days) for days in draw(st.lists(st.integers(0, 40), max_size=3))]
        scope_type = draw(st.sampled_from(["service", "service", "vendor", "configuration_item", "configuration_item"]))
        scope_code = "#" + draw(
            st.sampled_from({"service": ["a", "b"], "vendor": ["v"], "configuration_item": ["i", "j", "k"]}[scope_type])
        )
        if not recurrence and draw(st.integers(0, 24)) == 0:
            scope_type, scope_code, length = "all", "", 900
        flaw = draw(st.sampled_from(["", "", "", "", "", "", "pending", "self", "paper", "late", "early"]))
        approved = starts + timedelta(days=draw(st.integers(-5, 20)))
        requested = approved - timedelta(days=1)
        if flaw == "late":
            requested, approved = starts + timedelta(days=60), starts + timedelta(days=61)
        if flaw == "early":
            requested = approved + timedelta(days=1)
        found.append(
            {
                "category": draw(st.sampled_from(["storm", "supplier", "maintenance"])),
                "controllability": draw(st.sampled_from(["outside_control", "within_control"])),
                "scope_type": scope_type,
                "scope_code": scope_code,
                "time_zone": draw(st.sampled_from(ZONES)),
                "starts_at": str(starts),
                "ends_at": str(starts + timedelta(seconds=length)),
                "recurrence": recurrence,
                "excluded_starts": ";".join(map(str, excluded)),
                "root_cause": "" if flaw == "paper" else "wind",
                "requested_by": "e1",
                "requested_at": str(requested),
                "approved_by": "e1" if flaw == "self" else "e2",
                "approved_at": str(approved),
                "decision": "pending" if flaw == "pending" else "approved",
                "flaw": flaw,
            }
        )
    return found


def draw_sets() -> list[list[dict[str, str]]]:
    """The same sets on every run."""
    drawn: list[list[dict[str, str]]] = []

    @seed(SEED)
    @settings(
        max_examples=2 * SET_COUNT,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(exclusion_set())
    def collect(requests: list[dict[str, str]]) -> None:
        if requests not in drawn and len(drawn) < SET_COUNT:
            drawn.append(requests)

    collect()
    return drawn


# --- the world and its build ---


@dataclass(frozen=True)
class World:
    """Rows of the seeds, requests as the expansion judges them, and the scopes tickets stand on."""

    seeds: dict[str, list[Mapping[str, object]]]
    requests: list[ExclusionRequest]
    services: dict[str, str]
    items: dict[str, str]
    scopes: list[tuple[str, str]]


def make_world(sets: list[list[dict[str, str]]]) -> World:
    """The sets side by side, each with codes of its own."""
    rows: list[dict[str, str]] = []
    documents: list[dict[str, str]] = []
    services, items, scopes = {}, {}, []
    for number, requests in enumerate(sets):
        name = f"n{number:03d}"
        services |= {f"{name}a": f"{name}v", f"{name}b": ""}
        items |= {f"{name}i": "", f"{name}j": f"{name}v", f"{name}k": ""}
        # items of the set on its services, on none, and on the service of another vendor
        scopes += [(f"{name}{service}", f"{name}{item}") for service in "ab" for item in "ij"] + [("", f"{name}i")]
        for place, request in enumerate(requests):
            row = {**request, "exclusion_id": f"{name}-{place}"}
            row["scope_code"] = row["scope_code"].replace("#", name)
            rows.append(row)
            for document_type in ("evidence", "vendor_statement"):
                received = "" if row["flaw"] == "paper" and place % 2 else "2025-01-01 00:00:00"
                documents.append(
                    {
                        "exclusion_id": row["exclusion_id"],
                        "document_type": document_type,
                        "reference": "d",
                        "received_at": received,
                    }
                )
    vendors = sorted(filter(None, services.values()))
    seeds: dict[str, list[Mapping[str, object]]] = {
        "exclusion_request": list(rows),
        "exclusion_document": list(documents),
        "exclusion_category": list(CATEGORIES),
        "exclusion_category_document": list(CATEGORY_DOCUMENTS),
        "exclusion_policy": [
            dict(
                zip(
                    (
                        "category",
                        "audience",
                        "is_counted",
                        "is_outside_control_required",
                        "effective_from",
                        "effective_to",
                    ),
                    policy,
                    strict=True,
                )
            )
            for policy in POLICIES
        ],
        "vendor": [{"vendor_code": code} for code in vendors],
        "service": [{"service_code": code, "vendor_code": vendor} for code, vendor in services.items()],
        "configuration_item": [
            {"configuration_item_code": code, "vendor_code": vendor} for code, vendor in items.items()
        ],
        "calendar": [{"calendar_code": zone, "time_zone": zone} for zone in ZONES if zone],
    }
    judged = read_requests(rows, CATEGORIES, CATEGORY_DOCUMENTS, documents, vendors, LAST_ON)
    return World(seeds, judged, services, items, scopes)


def _write(
    connection: duckdb.DuckDBPyConnection, relation: str, types: Mapping[str, str], rows: Iterable[Mapping[str, object]]
) -> None:
    """A table of these columns and types; empty text is null."""
    listed = list(rows)
    texts = {name: pa.array([str(row.get(name, "")) for row in listed], pa.string()) for name in types}
    connection.register("drawn_rows", pa.table(texts))
    casts = ", ".join(f"cast(nullif({name}, '') as {kind}) as {name}" for name, kind in types.items())
    connection.execute(f"create schema if not exists {relation.split('.')[0]}")
    connection.execute(f"create table {relation} as select {casts} from drawn_rows")
    connection.unregister("drawn_rows")


def build(world: World, folder: Path) -> Path:
    """Write the seeds and what stands above the exclusions, build them with dbt, and say where."""
    warehouse_path = folder / "warehouse.duckdb"
    types = seed_types()
    with duckdb.connect(str(warehouse_path)) as connection:
        for name, rows in world.seeds.items():
            path = next((ROOT / "seeds").rglob(f"{name}.csv"))
            with path.open(encoding="utf-8", newline="") as handle:
                header = next(csv.reader(handle))
            _write(connection, f"reference.{name}", {column: types[name][column] for column in header}, rows)
        _write(connection, "core.int_run_context", {"as_of_at": "timestamp"}, [{"as_of_at": str(AS_OF)}])
        _write(
            connection,
            "core.int_maintenance_window",
            {
                "exclusion_id": "varchar",
                "exclusion_source": "varchar",
                "service_code": "varchar",
                "starts_at": "timestamp",
                "ends_at": "timestamp",
                "refusal_reason": "varchar",
            },
            [],
        )
        # no CMDB has landed: an item is nothing to refuse by
        _write(connection, "staging.stg_servicenow__configuration_items", {"configuration_item_code": "varchar"}, [])
        _write(
            connection,
            "core.int_cmdb_item",
            {
                "configuration_item_code": "varchar",
                "is_listed": "boolean",
                "verified_from_at": "timestamp",
                "verified_to_at": "timestamp",
            },
            [],
        )
        _write(
            connection,
            "reference.cmdb_policy",
            types["cmdb_policy"],
            [{"is_item_exclusion_refused": True, "effective_from": "2015-01-01"}],
        )
        # every item as the ticket events would name it: one that a request reaches makes a scope of its own
        _write(
            connection,
            "core.int_ticket_event",
            {"service_code": "varchar", "configuration_item_code": "varchar", "exclusion_scope_code": "varchar"},
            [
                {"service_code": service, "configuration_item_code": item, "exclusion_scope_code": f"{service}/{item}"}
                for service, item in world.scopes
            ],
        )
    models = ("rule", "occurrence", "item_refusal", "request", "scope", "piece", "window")
    select = ("run", "--quiet", "--select", *(f"int_exclusion_{name}" for name in models))
    run_dbt(warehouse_path, folder / "target", *select)
    return warehouse_path


# --- the expansion by hand ---


def counts_for(request: ExclusionRequest, audience: str, begins: datetime) -> bool:
    """Whether a window that begins then counts by the audience's policy."""
    return any(
        category == request.category
        and policy_audience == audience
        and is_counted
        and (request.is_outside_control or not is_outside_control_required)
        and date.fromisoformat(first) <= begins.date() <= date.fromisoformat(last or "9999-12-31")
        for category, policy_audience, is_counted, is_outside_control_required, first, last in POLICIES
    )


def reaches(request: ExclusionRequest, world: World, service: str, item: str) -> bool:
    """Whether a request is for a ticket of a service and an item, '' for none."""
    return (
        request.scope_type == "all"
        or (request.scope_type == "service" and request.scope_code == service)
        or (request.scope_type == "configuration_item" and request.scope_code == item)
        or (
            request.scope_type == "vendor"
            and request.scope_code in {world.services.get(service, ""), world.items.get(item, "")}
        )
    )


def expected_windows(world: World) -> dict[tuple[str, str], dict[str, list[Window]]]:
    """By scope and audience the windows of each request that counts, UTC without zone."""
    scopes = [(code, "") for code in world.services] + [("", ""), *world.scopes]
    by_audience: dict[str, list[tuple[ExclusionRequest, list[Window]]]] = defaultdict(list)
    for request in world.requests:
        for audience in AUDIENCES:
            windows = [
                (begins.replace(tzinfo=None), ends.replace(tzinfo=None))
                for begins, ends in request.windows
                if not request.own_fault and counts_for(request, audience, begins)
            ]
            if windows:
                by_audience[audience].append((request, windows))
    found: dict[tuple[str, str], dict[str, list[Window]]] = {}
    for service, item in scopes:
        code = service + (f"/{item}" if item else "")
        for audience, counted in by_audience.items():
            reached = {
                request.exclusion_id: windows for request, windows in counted if reaches(request, world, service, item)
            }
            if reached:
                found[code, audience] = reached
    return found


def union(windows: Iterable[Window]) -> list[Window]:
    """The union, interval by interval."""
    merged: list[Window] = []
    for begins, ends in sorted(windows):
        if merged and begins <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], ends))
        else:
            merged.append((begins, ends))
    return merged


def seconds_of(windows: Iterable[Window], first: datetime, last: datetime) -> numpy.ndarray:
    """One cell per second of a span: whether a window holds it."""
    cells = numpy.zeros(int((last - first).total_seconds()), dtype=bool)
    for begins, ends in windows:
        low, high = (int((moment - first).total_seconds()) for moment in (begins, ends))
        if high > 0:
            cells[max(low, 0) : max(high, 0)] = True
    return cells


@dataclass(frozen=True)
class Case:
    """Drawn, expected, and where it was built."""

    world: World
    sets: list[list[dict[str, str]]]
    expected: dict[tuple[str, str], dict[str, list[Window]]]
    warehouse_path: Path


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    sets = draw_sets()
    world = make_world(sets)
    return Case(world, sets, expected_windows(world), build(world, tmp_path_factory.mktemp("exclusions")))


def _read(case: Case, query: str) -> list[tuple]:
    with duckdb.connect(str(case.warehouse_path), read_only=True) as connection:
        return connection.execute(query).fetchall()


@pytest.mark.requirement("SVC-2.4")
@pytest.mark.requirement("SLT-3.6")
def test_windows_are_the_union_of_what_counts(case: Case) -> None:
    found: dict[tuple[str, str], list[Window]] = defaultdict(list)
    for scope, audience, begins, ends in _read(
        case,
        "select exclusion_scope_code, audience, starts_at, ends_at from core.int_exclusion_window "
        "where audience <> 'documented' order by all",
    ):
        found[scope, audience].append((begins, ends))
    expected = {
        key: union(window for windows in by_request.values() for window in windows)
        for key, by_request in case.expected.items()
    }
    differing = {key for key in found.keys() | expected.keys() if found.get(key) != expected.get(key)}
    assert not differing, [(key, found.get(key, [])[:3], expected.get(key, [])[:3]) for key in sorted(differing)[:5]]
    for key, by_request in case.expected.items():
        for first, last in SPANS:
            by_hand = seconds_of((window for windows in by_request.values() for window in windows), first, last)
            assert numpy.array_equal(by_hand, seconds_of(found[key], first, last)), key


@pytest.mark.requirement("SVC-2.4")
def test_every_stretch_knows_the_requests_that_cover_it(case: Case) -> None:
    by_stretch: dict[tuple[str, str, datetime, datetime], list[tuple[str, int, bool]]] = defaultdict(list)
    for scope, audience, begins, ends, exclusion_id, covering_count, is_credited in _read(
        case, "select * from core.int_exclusion_piece where audience <> 'documented'"
    ):
        by_stretch[scope, audience, begins, ends].append((exclusion_id, covering_count, is_credited))
    lengths: Counter[tuple[str, str]] = Counter()
    for (scope, audience, begins, ends), rows in by_stretch.items():
        covering = {
            exclusion_id
            for exclusion_id, windows in case.expected[scope, audience].items()
            if any(low <= begins and ends <= high for low, high in union(windows))
        }
        assert {row[0] for row in rows} == covering
        assert all(count == len(covering) for _, count, _ in rows)
        assert [row[0] for row in rows if row[2]] == [min(covering)]
        lengths[scope, audience] += int((ends - begins).total_seconds())
    for key, by_request in case.expected.items():
        merged = union(window for windows in by_request.values() for window in windows)
        assert lengths[key] == sum(int((ends - begins).total_seconds()) for begins, ends in merged), key


@pytest.mark.requirement("OPS-5.3")
def test_a_request_is_effective_just_where_it_has_windows_that_count(case: Case) -> None:
    effective = {
        (exclusion_id, audience)
        for exclusion_id, audience in _read(
            case, "select exclusion_id, audience from core.int_exclusion_request where is_effective"
        )
    }
    by_hand = {
        (request.exclusion_id, audience)
        for request in case.world.requests
        for audience in AUDIENCES
        if not request.own_fault and any(counts_for(request, audience, begins) for begins, _ in request.windows)
    }
    # one whose windows in time are not those its policy counts may be called effective without moving anything
    assert by_hand <= effective
    scoped = set(_read(case, "select distinct exclusion_id, audience from core.int_exclusion_scope"))
    assert {pair for pair in scoped if pair[1] != "documented"} <= by_hand
    refused = dict(_read(case, "select exclusion_id, any_value(reasons) from core.int_exclusion_request group by all"))
    for request in case.world.requests:
        if request.own_fault:
            assert refused[request.exclusion_id] != "effective", request


def test_the_sets_reach_every_case(case: Case) -> None:
    """The comparison says little about a rule no set touches."""
    assert len(case.sets) >= 200
    rows = [row for requests in case.sets for row in requests]
    counts = Counter(row["scope_type"] for row in rows) + Counter(row["flaw"] for row in rows)
    counts += Counter(row["time_zone"] for row in rows)
    for kind in ("service", "vendor", "configuration_item", "all", "pending", "self", "paper", "late", "early", *ZONES):
        assert counts[kind] >= 5, counts
    rules = [row["recurrence"] for row in rows if row["recurrence"]]
    assert len(rules) >= 100
    for word in ("DAILY", "WEEKLY", "MONTHLY", "YEARLY", "INTERVAL", "BYDAY", "BYMONTHDAY", "COUNT", "UNTIL", "WKST"):
        assert sum(word in rule for rule in rules) >= 5, word
    assert sum(row["excluded_starts"] != "" for row in rows) >= 20
    overlapping = sum(len(by_request) > 1 for by_request in case.expected.values())
    assert overlapping >= 100


def test_rules_are_read_as_dateutil_reads_them(case: Case) -> None:
    """The expansion by hand against another implementation of RFC 5545, on wall clocks without a zone."""
    compared = 0
    for row in (row for requests in case.sets for row in requests if row["recurrence"]):
        starts = datetime.fromisoformat(row["starts_at"])
        try:
            rule = parse_rule(row["recurrence"])
        except ValueError:
            continue
        if rule.until or not rule.has_day(starts.date(), starts.date()):
            continue
        # dateutil takes days that are in a list of numbered and in a list of plain weekdays; the standard, in either
        if len({number == 0 for number, _ in rule.weekdays}) > 1:
            continue
        mine = [
            begins.replace(tzinfo=None)
            for begins, _ in occurrences(starts, starts + timedelta(seconds=1), "", row["recurrence"], [], LAST_ON)
        ]
        last = datetime.fromisoformat(f"{LAST_ON} 23:59:59")
        theirs = list(rrulestr("RRULE:" + row["recurrence"], dtstart=starts).between(starts, last, inc=True))
        assert mine == theirs, row
        compared += 1
    assert compared >= 80


@pytest.mark.parametrize(
    ("reading", "zone", "instant"),
    [
        ("2025-03-30 01:30:00", "Europe/Dublin", "2025-03-30 01:30:00"),
        ("2025-10-26 01:30:00", "Europe/Dublin", "2025-10-26 00:30:00"),
        ("2025-11-02 01:30:00", "America/New_York", "2025-11-02 05:30:00"),
        ("2025-04-06 01:45:00", "Australia/Lord_Howe", "2025-04-05 14:45:00"),
        ("2025-06-01 02:00:00", "Asia/Kolkata", "2025-05-31 20:30:00"),
    ],
)
def test_wall_clocks_are_read_as_the_standard_says(reading: str, zone: str, instant: str) -> None:
    """A repeated reading is the first one, a skipped one counts by the offset before the gap (RFC 5545, 3.3.5)."""
    starts = datetime.fromisoformat(reading)
    ((begins, _),) = occurrences(starts, starts + timedelta(days=2), zone, "", [])
    assert begins == datetime.fromisoformat(instant).replace(tzinfo=UTC)
    assert begins == starts.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
