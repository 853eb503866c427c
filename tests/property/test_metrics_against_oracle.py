"""Drawn observations and definitions through the real models against plain Python, which reads one observation at a
time and shares no code with the SQL.

Definitions come as rows of the seeds, so every example is a metric nobody wrote SQL for. The models' SQL is what dbt
compiles. Values are compared exactly (roundings are part of the definition), intervals to the last place published.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from typing import Any

import duckdb
import pytest

from tests.declared import observation_types, seed_types
from tests.run_dbt import ROOT, run_dbt

pytestmark = pytest.mark.slow

SEED = 20251121
# The run's instant, and the last day of the term of one who may approve freezes.
AS_OF, LEFT_ON = datetime.combine(date(2025, 6, 10), time()), date(2025, 2, 15)
EXAMPLES = 40
KINDS = ("ticket_slt", "availability", "ticket", "ticket_intake", "change", "survey", "page_view", "article")
KINDS += ("service_month",)
MODELS = (
    "int_metric_version_period",
    "int_metric_definition",
    "int_metric_freeze",
    "int_metric_day",
    "int_metric_frozen_slice",
    "int_metric_dimension_use",
    "int_metric_cell",
    "int_metric_part",
    "int_metric_period",
    "int_metric_sum",
    "int_seasonal_index",
    "int_metric_result",
)
SEEDS = (
    "metric_definition",
    "metric_entity_type",
    "metric_filter",
    "metric_weight",
    "metric_measure",
    "metric_freeze",
    "metric_replay",
    "metric_definition_lock",
)
# The tests of the seeds, as dbt runs them on the seeds of the project.
FIT, OVERLAP = "assert_metric_definitions_fit_together", "assert_metric_versions_neither_overlap_nor_gap"
WEIGHED, LOCKED = "assert_weighted_metric_weighs_every_value", "assert_locked_metric_definitions_are_unchanged"
JUDGES = (FIT, OVERLAP, WEIGHED, LOCKED)
ENTITIES = {"team": ("t1", "t2"), "service": ("s1", "s2"), "business_unit": ("u1",), "vendor": ("v1",)}
COLUMN = {
    "person": "employee_number",
    "team": "team_code",
    "service": "service_code",
    "business_unit": "business_unit_code",
    "vendor": "vendor_code",
}
DIMENSIONS = ("slt_code", "priority", "channel", "category", "risk_code", "complexity_code", "question_code")
MONTHS = tuple(date(2025, month, 1) for month in range(1, 8))
CRITICAL = {"0.8": 1.2815515655446004, "0.9": 1.6448536269514722, "0.95": 1.959963984540054, "0.99": 2.5758293035489004}
UNITS = 10**12
# Values a column of an observation may take.
CHOICES: dict[str, tuple[str | None, ...]] = {
    "employee_number": ("e1", "e2", None),
    "team_code": ("t1", "t1", "t2", "gone", None),
    "service_code": ("s1", "s2", None),
    "business_unit_code": ("u1", None),
    "vendor_code": ("v1", None),
    "slt_code": ("a", "ab"),
    "priority": ("1", "2", "3", None),
    "channel": ("phone", "phone_desk", None),
    "category": ("m1", "m2"),
    "risk_code": ("high", "low", None),
    "complexity_code": (None,),
    "question_code": (None,),
}
# kind of metric: observation kind, numerator, denominator
SHAPES: dict[str, tuple[str, str, str | None]] = {
    "share": ("ticket_slt", "adjusted_met_count", "ticket_count"),
    "weighted_share": ("ticket_slt", "raw_met_count", "ticket_count"),
    "mean": ("ticket_slt", "net_seconds", "ticket_count"),
    "ratio": ("service_month", "exposed_incident_count", "exposure_user_days"),
    "rate": ("service_month", "incident_count", "exposure_user_days"),
    "sum": ("ticket_slt", "adjusted_met_count", None),
    "time_share": ("availability", "adjusted_up_seconds", "adjusted_measured_seconds"),
}
Row = dict[str, Any]


@dataclass
class World:
    """What is drawn: seed rows by seed, observations by kind."""

    seeds: dict[str, list[Row]] = field(default_factory=dict)
    observed: dict[str, list[Row]] = field(default_factory=dict)


# --- drawing ---


def drawn_world(dice: random.Random) -> World:
    """A world by a seed: a hundred observations, a few definitions and freezes."""
    world = World({name: [] for name in SEEDS}, {kind: [] for kind in KINDS})
    for place in range(dice.choice((0, 60, 120, 240))):
        kind = dice.choice(("ticket_slt", "ticket_slt", "availability", "service_month"))
        row: Row = {name: dice.choice(values) for name, values in CHOICES.items()}
        row["observation_key"] = f"{kind}:{place}"
        row["observed_at"] = datetime.combine(date(2024, 12, 25), time()) + timedelta(
            days=dice.randint(0, 200), seconds=dice.choice((0, 43_200, 86_399))
        )
        if kind == "ticket_slt":
            row |= {"raw_met_count": dice.randint(0, 1), "ticket_count": 1}
            row |= {"adjusted_met_count": dice.randint(0, 1), "net_seconds": dice.randint(0, 900_000)}
        elif kind == "availability":
            measured = dice.choice((0, 86_400, 2_678_400))
            row |= {"adjusted_measured_seconds": measured, "adjusted_up_seconds": dice.randint(0, measured)}
        else:
            row |= {"incident_count": dice.randint(0, 9), "exposure_user_days": dice.randint(0, 3_000)}
            row["exposed_incident_count"] = row["incident_count"] if row["exposure_user_days"] else 0
        world.observed[kind].append(row)
    for number in range(dice.randint(1, 4)):
        _define(dice, world, f"m{number}")
    for number in range(dice.randint(1, 5)):
        _freeze(dice, world, number)
    for definition in dice.sample(world.seeds["metric_definition"], 1):
        first = dice.choice((date(2024, 12, 1), date(2025, 2, 1), date(2025, 2, 2), date(2025, 4, 1)))
        world.seeds["metric_replay"].append(
            {
                "metric_code": definition["metric_code"],
                "metric_version": definition["metric_version"],
                "replayed_from_on": first,
                "replayed_to_on": first + timedelta(dice.choice((0, 60, 200))),
            }
        )
    return world


def _define(dice: random.Random, world: World, code: str) -> None:
    border = dice.choice((date(2025, 2, 1), date(2025, 3, 15), date(2025, 4, 1), None))
    spans = [(date(2024, 12, 1), border and border - timedelta(1)), *([(border, None)] if border else [])]
    for version, (first, last) in enumerate(spans, start=1):
        kind = dice.choice(sorted(SHAPES))
        observation_kind, numerator, denominator = SHAPES[kind]
        standardised_by = (
            dice.choice((None, "risk_code", "priority")) if kind not in ("sum", "weighted_share") else None
        )
        is_shrunk = kind != "sum" and dice.choice((True, False))
        weighting = "none"
        if kind == "weighted_share" or (kind == "sum" and dice.choice((True, False))):
            weighting = "priority"
        bases = ["raw"] + ["standardised"] * bool(standardised_by) + ["shrunk"] * is_shrunk
        world.seeds["metric_definition"].append(
            {
                "metric_code": code,
                "metric_version": version,
                "aggregation_kind": kind,
                "observation_kind": observation_kind,
                "numerator_measure": numerator,
                "denominator_measure": denominator,
                "exclusion_policy": "none",
                "weighting": weighting,
                "standardised_by": standardised_by,
                "sample_dimension": "category" if kind == "time_share" else None,
                "value_basis": dice.choice(bases),
                "value_multiplier": dice.choice((1, 100, 30_000)),
                "value_divisor": dice.choice((1, 7, 3_600)),
                "seasonality_policy": "ratio_to_moving_average",
                "shrinkage_policy": "buehlmann" if is_shrunk else "none",
                "prior_sample_count": dice.randint(1, 50) if is_shrunk else 0,
                "confidence_level": dice.choice(sorted(CRITICAL)),
                "min_sample_count": dice.randint(1, 3),
                "baseline_days": dice.choice((0, 31, 90)),
                "phase_in_days": dice.choice((0, 1, 45, 90)),
                "unit": "u",
                "direction": "higher_is_better",
                "effective_from": first,
                "effective_to": last,
            }
        )
        key = {"metric_code": code, "metric_version": version}
        for entity_type in dice.sample(sorted(COLUMN), dice.randint(1, 3)):
            world.seeds["metric_entity_type"].append({**key, "entity_type": entity_type})
        for dimension in dice.sample(("slt_code", "priority", "channel"), dice.randint(0, 2)):
            values = dice.sample([v for v in CHOICES[dimension] if v], dice.randint(1, 2))
            world.seeds["metric_filter"].append(
                {
                    **key,
                    "applies_to": dice.choice(("both", "both", "numerator", "denominator")),
                    "dimension_code": dimension,
                    "dimension_values": "|".join(sorted(values)),
                    "is_excluded": dice.choice((True, False)),
                }
            )
        if weighting != "none":
            for value in ("1", "2", "3"):
                world.seeds["metric_weight"].append(
                    {
                        **key,
                        "dimension_code": "priority",
                        "dimension_value": value,
                        "weight": dice.randint(1, 9),
                    }
                )


def _freeze(dice: random.Random, world: World, number: int) -> None:
    """Mostly one that holds; now and then one condition is missing."""
    entity_type = dice.choice((None, None, *COLUMN))
    first = date(2025, 1, 1) + timedelta(dice.randint(-5, 150))
    last = first + timedelta(dice.choice((-1, 0, 3, 20, 20)))
    # dice of its own, so that what is drawn beside stays as it was
    signing = random.Random(f"{number} {first} {last}")
    recorded_on = (*(first,) * 6, last, last, last + timedelta(1), AS_OF.date(), AS_OF.date() - timedelta(1))
    world.seeds["metric_freeze"].append(
        {
            "freeze_id": f"f{number}",
            "metric_code": dice.choice(("m0", "m0", "m0", "m1")),
            "entity_type": entity_type,
            "entity_code": dice.choice((None, None, "t1", "s1", "e1")) if entity_type else None,
            "frozen_from_on": first,
            "frozen_to_on": last,
            "freeze_policy": dice.choice(("carry", "exclude", "suspend", "carry")),
            "reason": "drawn",
            "requested_by": "x",
            "approved_by": dice.choice((signing.choice(("y",) * 9 + ("without", "left")),) * 9 + ("x",)),
            "approved_on": dice.choice((first,) * 6 + (last, last, last + timedelta(1))),
            "decision": dice.choice(("approved",) * 9 + ("rejected",)),
            "recorded_at": datetime.combine(signing.choice(recorded_on), time(12)),
        }
    )


# --- the oracle ---


def half_up(value: Fraction) -> int:
    """Nearest whole number, halves away from zero."""
    whole = math.floor(abs(value) + Fraction(1, 2))
    return whole if value >= 0 else -whole


def places(units: int) -> Fraction:
    """A value in 10^-12 as it is published: six places."""
    return Fraction(half_up(Fraction(units, 10**6)), 10**6)


def in_force(versions: Sequence[Row], on: date) -> Row | None:
    return next(
        (v for v in versions if v["effective_from"] <= on and (v["effective_to"] is None or on <= v["effective_to"])),
        None,
    )


def is_replayed(world: World, definition: Row, entity_type: str, start: date) -> bool:
    """Asked for by name; or, of a team, in the year before the last complete quarter's end (1 April)."""
    asked = (
        row["replayed_from_on"] <= start <= row["replayed_to_on"] for row in of(world, "metric_replay", definition)
    )
    return any(asked) or (entity_type == "team" and date(2024, 4, 1) <= start < date(2025, 4, 1))


def holds(freeze: Row) -> bool:
    return (
        freeze["decision"] == "approved"
        and freeze["approved_by"] != freeze["requested_by"]
        and (freeze["approved_by"] == "y" or (freeze["approved_by"] == "left" and freeze["approved_on"] <= LEFT_ON))
        and max(freeze["approved_on"], freeze["recorded_at"].date()) <= freeze["frozen_to_on"]
        and freeze["recorded_at"] <= AS_OF
        and datetime.combine(freeze["approved_on"], time()) <= AS_OF
        and freeze["frozen_from_on"] <= freeze["frozen_to_on"]
    )


def days_of(start: date, end: date) -> list[date]:
    return [start + timedelta(n) for n in range((end - start).days)]


def takes(world: World, definition: Row, part: str, row: Row) -> bool:
    """Whether every filter of the part lets an observation through."""
    for item in of(world, "metric_filter", definition):
        if item["applies_to"] in ("both", part):
            is_listed = row[item["dimension_code"]] in item["dimension_values"].split("|")
            if is_listed == item["is_excluded"]:
                return False
    return True


def of(world: World, name: str, definition: Row) -> list[Row]:
    key = (definition["metric_code"], definition["metric_version"])
    return [row for row in world.seeds[name] if (row["metric_code"], row["metric_version"]) == key]


def wilson(p: float, n: float, z: float, sign: int) -> float:
    return (p + z * z / (2 * n) + sign * z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))) / (1 + z * z / n)


def byar(count: int, z: float, sign: int) -> float:
    if sign < 0:
        return count * (1 - 1 / (9 * count) - z / (3 * math.sqrt(count))) ** 3 if count else 0.0
    return (count + 1) * (1 - 1 / (9 * (count + 1)) + z / (3 * math.sqrt(count + 1))) ** 3


@dataclass
class Sums:
    """What the observations of an entity in a period come to."""

    pairs: list[tuple[int, int, int, str | None]] = field(
        default_factory=list
    )  # numerator, denominator, weight, stratum
    sample: int = 0
    observations: int = 0
    squares: tuple[int, int, int] = (0, 0, 0)

    @property
    def numerator(self) -> int:
        return sum(n * w for n, _, w, _ in self.pairs)

    @property
    def denominator(self) -> int:
        return sum(d * w for _, d, w, _ in self.pairs)


def sums_of(world: World, definition: Row, entity_type: str, code: str, start: date, end: date) -> Sums:
    kind, numerator, denominator = (
        definition[name] for name in ("observation_kind", "numerator_measure", "denominator_measure")
    )
    weights = {row["dimension_value"]: row["weight"] for row in of(world, "metric_weight", definition)}
    frozen = {
        day
        for freeze in world.seeds["metric_freeze"]
        if holds(freeze) and freeze["freeze_policy"] == "exclude" and applies(freeze, definition, entity_type, code)
        for day in days_of(freeze["frozen_from_on"], freeze["frozen_to_on"] + timedelta(1))
    }
    if kind == "service_month":
        # a row stands for its month, which is left out whole where a freeze touches it
        touched = {(day.year, day.month) for day in frozen}
        frozen = {day for day in days_of(start, end) if (day.year, day.month) in touched}
    found = Sums()
    values: set[str] = set()
    x2 = xy = y2 = 0
    for row in world.observed[kind]:
        on = row["observed_at"].date()
        if row[COLUMN[entity_type]] != code or not start <= on < end or on in frozen:
            continue
        is_above, is_below = (takes(world, definition, part, row) for part in ("numerator", "denominator"))
        weight = 1 if definition["weighting"] == "none" else weights.get(row["priority"], 0)
        top = row[numerator] if is_above else 0
        if denominator is None:
            bottom = 0
            found.sample += is_above
            found.observations += is_above
        else:
            bottom = row[denominator] if is_below else 0
            found.observations += is_below
            if is_below and row["category"]:
                values.add(row["category"])
        stratum = row[definition["standardised_by"]] or "(none)" if definition["standardised_by"] else None
        found.pairs.append((top, bottom, weight, stratum))
        if is_above and denominator is not None:
            x2, xy, y2 = x2 + row[numerator] ** 2, xy + row[numerator] * row[denominator], y2 + row[denominator] ** 2
    found.squares = (x2, xy, y2)
    if denominator is not None:
        found.sample = len(values) if definition["sample_dimension"] else found.observations
    return found


def applies(freeze: Row, definition: Row, entity_type: str, code: str) -> bool:
    return (
        freeze["metric_code"] == definition["metric_code"]
        and freeze["entity_type"] in (None, entity_type)
        and freeze["entity_code"] in (None, code)
    )


def ramp_share(definition: Row, start: date, end: date) -> Fraction:
    """Mean over the days of a period, walked a day at a time."""
    length, total = definition["phase_in_days"], Fraction()
    for day in days_of(start, end):
        reached = (day - definition["effective_from"]).days - definition["baseline_days"] + 1
        total += Fraction(min(max(reached, 0), length), length) if length else int(reached >= 1)
    return Fraction(half_up(total / (end - start).days * 10**6), 10**6)


def bounds(definition: Row, sums: Sums, sign: int) -> float | None:
    kind, z = definition["aggregation_kind"], CRITICAL[definition["confidence_level"]]
    scale = definition["value_multiplier"] / definition["value_divisor"]
    top, bottom = sums.numerator, sums.denominator
    if kind == "share":
        return wilson(top / bottom, bottom, z, sign) if top <= bottom else None
    if kind == "weighted_share":
        effective = bottom**2 / sum(d * w * w for _, d, w, _ in sums.pairs)
        return wilson(top / bottom, effective, z, sign) if top <= bottom else None
    if kind == "rate":
        return byar(top, z, sign) / bottom * scale
    if kind == "sum":
        plain, spread = sum(n for n, *_ in sums.pairs), sum(n * w * w for n, _, w, _ in sums.pairs)
        return (top + math.sqrt(spread / plain if plain else 1) * (byar(plain, z, sign) - plain)) * scale
    if sums.observations < 2:
        return None
    ratio, (x2, xy, y2) = top / bottom, sums.squares
    residual = max(x2 - 2 * ratio * xy + ratio * ratio * y2, 0.0)
    bound = (ratio + sign * z * math.sqrt(sums.observations * residual / (sums.observations - 1)) / bottom) * scale
    return min(max(bound, 0.0), 1.0) if kind == "time_share" else bound


def answers(world: World) -> dict[tuple[Any, ...], Row]:
    """Every result of fct_metric_result's grain, worked out one period at a time."""
    found: dict[tuple[Any, ...], Row] = {}
    periods = [("month", m, MONTHS[i + 1], m < date(2025, 6, 1)) for i, m in enumerate(MONTHS[:-1])]
    periods += [("quarter", date(2025, 1, 1), date(2025, 4, 1), True), ("quarter", date(2025, 4, 1), MONTHS[-1], False)]
    codes: dict[str, list[Row]] = {}
    for row in world.seeds["metric_definition"]:
        codes.setdefault(row["metric_code"], []).append(row)
    for versions in codes.values():
        for (grain, start, end, is_complete), definition in itertools.product(periods, versions):
            holding = in_force(versions, start)
            series = 0 if holding is definition else definition["metric_version"]
            for row in of(world, "metric_entity_type", definition):
                entity_type = row["entity_type"]
                if series and not is_replayed(world, definition, entity_type, start):
                    continue
                everyone = {
                    item[COLUMN[entity_type]]
                    for item in world.observed[definition["observation_kind"]]
                    if item[COLUMN[entity_type]] is not None
                }
                all_sums = {
                    name: sums_of(world, definition, entity_type, name, start, end)
                    for name in everyone | set(ENTITIES.get(entity_type, ()))
                }
                for name, sums in all_sums.items():
                    found[definition["metric_code"], entity_type, name, grain, start, series] = judged(
                        definition, sums, all_sums, start, end
                    ) | {"is_complete": is_complete}
    for key in sorted(found):
        _thaw(world, key, found)
    return found


def judged(definition: Row, sums: Sums, everybody: dict[str, Sums], start: date, end: date) -> Row:
    """Values of one result before freezes."""
    is_sum = definition["denominator_measure"] is None
    multiplier, divisor = definition["value_multiplier"], definition["value_divisor"]
    top, bottom = sums.numerator, sums.observations if is_sum else sums.denominator
    too_few = sums.sample < definition["min_sample_count"] or bottom == 0
    answer: Row = {"numerator": top, "denominator": bottom, "sample_count": sums.sample, "metric_units": None}
    answer |= {"version": definition["metric_version"], "phase_share": ramp_share(definition, start, end)}
    if too_few:
        return answer | {"raw_value": None, "standardised_value": None, "shrunk_value": None}

    def units(numerator: int, denominator: int) -> int:
        return half_up(Fraction(numerator * multiplier * UNITS, denominator * divisor))

    raw = units(top, 1 if is_sum else bottom)
    pool_top = sum(item.numerator for item in everybody.values())
    pool_bottom = sum(item.denominator for item in everybody.values())
    standardised = shrunk = None
    factor = 1.0
    if definition["standardised_by"]:
        expected = 0
        for stratum in {pair[3] for item in everybody.values() for pair in item.pairs}:
            above, below = (
                sum(pair[place] for item in everybody.values() for pair in item.pairs if pair[3] == stratum)
                for place in (0, 1)
            )
            own = sum(pair[1] for pair in sums.pairs if pair[3] == stratum)
            if below:
                expected += own * half_up(Fraction(above * UNITS, below))
        reference = half_up(Fraction(pool_top * UNITS, pool_bottom))
        if expected:
            standardised = half_up(Fraction(top * reference * multiplier * 10**6, expected * divisor)) * 10**6
            factor = reference * bottom / expected
    if definition["shrinkage_policy"] == "buehlmann":
        own_units = standardised if definition["standardised_by"] else raw
        k = definition["prior_sample_count"]
        if own_units is not None:
            shrunk = half_up(Fraction(sums.sample * own_units + k * units(pool_top, pool_bottom), sums.sample + k))
    answer |= {
        "raw_value": places(raw),
        "standardised_value": None if standardised is None else places(standardised),
        "shrunk_value": None if shrunk is None else places(shrunk),
        "metric_units": {"raw": raw, "standardised": standardised, "shrunk": shrunk}[definition["value_basis"]],
    }
    for name, sign in (("confidence_lower_value", -1), ("confidence_upper_value", 1)):
        bound = bounds(definition, sums, sign)
        if bound is None or (definition["standardised_by"] and standardised is None):
            answer[name] = None
        else:
            answer[name] = bound * factor
    return answer


def _thaw(world: World, key: tuple[Any, ...], found: dict[tuple[Any, ...], Row]) -> None:
    """The freezes of one result; those of earlier periods are settled."""
    code, entity_type, name, grain, start, series = key
    end = MONTHS[MONTHS.index(start) + (1 if grain == "month" else 3)]
    policies = {
        freeze["freeze_policy"]
        for freeze in world.seeds["metric_freeze"]
        if holds(freeze)
        and applies(freeze, {"metric_code": code}, entity_type, name)
        and freeze["frozen_from_on"] < end
        and freeze["frozen_to_on"] >= start
    }
    answer = found[key]
    answer["freeze_status"] = next(
        (
            said
            for policy, said in (("suspend", "suspended"), ("carry", "carried"), ("exclude", "excluded"))
            if policy in policies
        ),
        "none",
    )
    units = answer["metric_units"]
    is_carriable = answer["is_complete"] and answer["freeze_status"] in ("none", "excluded")
    answer["carriable"] = units if is_carriable else None
    if answer["freeze_status"] == "suspended":
        units = None
    elif answer["freeze_status"] == "carried":
        earlier = [
            (other[4], item["carriable"])
            for other, item in found.items()
            if (*other[:4], other[5]) == (*key[:4], series) and other[4] < start and item.get("carriable") is not None
        ]
        units = max(earlier)[1] if earlier else None
    answer["metric_value"] = None if units is None else places(units)
    answer["result_status"] = (
        "provisional"
        if not answer["is_complete"]
        else "suspended"
        if answer["freeze_status"] == "suspended"
        else "insufficient_data"
        if units is None
        else "ok"
    )


# --- the models ---


@dataclass
class Engine:
    """The models as dbt compiled them, on tables of our own."""

    connection: duckdb.DuckDBPyConnection
    compiled: dict[str, str]
    judges: dict[str, str]

    def fill(self, relation: str, rows: Sequence[Row]) -> None:
        self.connection.execute(f"delete from {relation}")
        names = [item[0] for item in self.connection.execute(f"describe {relation}").fetchall()]
        if rows:
            self.connection.executemany(
                f"insert into {relation} values ({', '.join('?' * len(names))})",
                [tuple(row.get(name) for name in names) for row in rows],
            )

    def build(self, world: World) -> dict[tuple[Any, ...], Row]:
        for name in SEEDS:
            if name != "metric_measure":
                self.fill(f"reference.{name}", world.seeds[name])
        for kind in KINDS:
            self.fill(f"core.int_observation_{kind}", world.observed[kind])
        for name in MODELS:
            self.connection.execute(f"create or replace table core.{name} as {self.compiled[name]}")
        found = self.connection.execute("select * from core.int_metric_result")
        names = [item[0] for item in found.description]
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
        keyed = {
            (
                *(r[name] for name in ("metric_code", "entity_type", "entity_code", "period_grain", "period_start_on")),
                0 if r["is_in_force"] else r["metric_version"],
            ): r
            for r in rows
        }
        assert len(keyed) == len(rows), "an entity and period has two results of one version"
        return keyed


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("metrics")
    warehouse = folder / "warehouse.duckdb"
    run_dbt(warehouse, folder / "target", "compile", "--quiet", "--select", *MODELS, "fct_metric_evidence", *JUDGES)
    compiled = {path.stem: path.read_text() for path in (folder / "target" / "compiled").rglob("models/**/*.sql")}
    judges = {path.stem: path.read_text() for path in (folder / "target" / "compiled").rglob("assert_*.sql")}
    with duckdb.connect(str(warehouse)) as connection:
        for schema in ("core", "reference"):
            connection.execute(f"create schema if not exists {schema}")
        tables: dict[str, dict[str, str]] = {f"reference.{name}": seed_types()[name] for name in SEEDS}
        tables |= {f"core.int_observation_{kind}": observation_types(kind) for kind in KINDS}
        tables |= {f"reference.{name}": {f"{name}_code": "varchar"} for name in ("team", "service", "business_unit")}
        tables["core.int_vendor_family"] = {"primary_vendor_code": "varchar"}
        tables["core.int_reporting_period"] = {
            "period_grain": "varchar",
            "period_start_on": "date",
            "period_end_on": "date",
            "is_complete": "boolean",
        }
        tables |= {
            name: seed_types()[name.partition(".")[2]]
            for name in ("reference.governance_member", "reference.approval_role")
        }
        tables["core.int_run_context"] = {"as_of_at": "timestamp"}
        for relation, columns in tables.items():
            connection.execute(f"create table {relation} ({', '.join(f'{n} {t}' for n, t in columns.items())})")
        # every drawn version was let through; test_activation_against_oracle.py draws those that were not
        connection.execute(
            "create view core.int_metric_activation as select metric_code, metric_version, true as is_activated, "
            "effective_from, effective_to from reference.metric_definition"
        )
        self = Engine(connection, compiled, judges)
        for name, codes in ENTITIES.items():
            relation = "core.int_vendor_family" if name == "vendor" else f"reference.{name}"
            column = "primary_vendor_code" if name == "vendor" else f"{name}_code"
            self.fill(relation, [{column: code} for code in codes])
        self.fill("core.int_run_context", [{"as_of_at": AS_OF}])
        self.fill("reference.approval_role", [{"approval_type": "metric_freeze", "role_code": "chair"}])
        since = {"from_on": date(2024, 1, 1), "recorded_at": datetime.combine(date(2023, 12, 15), time())}
        self.fill(
            "reference.governance_member",
            [
                {"employee_number": "x", "role_code": "chair", **since},
                {"employee_number": "y", "role_code": "chair", **since},
                {"employee_number": "without", "role_code": "counsel", **since},
                {"employee_number": "left", "role_code": "chair", "to_on": LEFT_ON, **since},
            ],
        )
        self.fill(
            "core.int_reporting_period",
            [
                {"period_grain": "month", "period_start_on": m, "period_end_on": MONTHS[i + 1], "is_complete": i < 5}
                for i, m in enumerate(MONTHS[:-1])
            ]
            + [
                {"period_grain": "quarter", "period_start_on": a, "period_end_on": b, "is_complete": c}
                for a, b, c in ((MONTHS[0], MONTHS[3], True), (MONTHS[3], MONTHS[6], False))
            ],
        )
        connection.execute(
            "insert into reference.metric_measure select * from "
            f"read_csv('{ROOT / 'seeds' / 'metrics' / 'metric_measure.csv'}', header = true, all_varchar = true)"
        )
        yield self


def exact(value: Any) -> Any:
    return Fraction(*value.as_integer_ratio()) if hasattr(value, "as_integer_ratio") else value


def differences(expected: Row, result: Row) -> list[str]:
    names = ("numerator", "denominator", "sample_count", "raw_value", "standardised_value", "shrunk_value")
    names += ("metric_value", "phase_share", "freeze_status", "result_status")
    found = [f"{n}: oracle {expected[n]}, model {result[n]}" for n in names if expected[n] != exact(result[n])]
    for name in ("confidence_lower_value", "confidence_upper_value"):
        own, told = expected.get(name), result[name]
        if (own is None) != (told is None) or (
            own is not None and not math.isclose(own, float(told), rel_tol=1e-7, abs_tol=2e-6)
        ):
            found.append(f"{name}: oracle {own}, model {told}")
    return found


def compared(world: World, results: dict[tuple[Any, ...], Row]) -> list[str]:
    expected = answers(world)
    # a person without anything measured in any period has no result
    measured = {
        key[:3] for key, row in expected.items() if row["sample_count"] or row["numerator"] or row["denominator"]
    }
    found = []
    for key, answer in expected.items():
        if key not in results:
            if key[1] in ENTITIES and key[2] in ENTITIES[key[1]]:
                found.append(f"{key}: no result")
            elif key[1] == "person" and key[:3] in measured and answer["sample_count"]:
                found.append(f"{key}: no result of a person who was measured")
            continue
        if results[key]["metric_version"] != answer["version"]:
            found.append(f"{key}: version {results[key]['metric_version']}, not {answer['version']}")
        found += [f"{key}: {line}" for line in differences(answer, results[key])]
    return found + [f"{key}: a result nobody asked for" for key in results if key not in expected]


@pytest.mark.requirement("DESK-1.3")
@pytest.mark.requirement("OPS-1.3")
@pytest.mark.requirement("OPS-4.3")
@pytest.mark.requirement("DESK-6.4")
@pytest.mark.parametrize("example", range(EXAMPLES))
def test_drawn_definitions_come_out_as_the_oracle_says(engine: Engine, example: int) -> None:
    world = drawn_world(random.Random(SEED + example))
    assert compared(world, engine.build(world)) == []


def test_strata_of_one_metric_are_not_the_samples_of_another(engine: Engine) -> None:
    """The same measures by the same dimension, told apart for standardising by one, counted as samples by the other."""
    world = drawn_world(random.Random(SEED))
    assert len(world.observed["ticket_slt"]) > 20
    for name in SEEDS:
        world.seeds[name] = []
    for code, use in (("m0", "standardised_by"), ("m1", "sample_dimension")):
        unset = dict.fromkeys(("effective_to", "standardised_by", "sample_dimension"))
        world.seeds["metric_definition"].append(_plain(code) | unset | {use: "category"})
        world.seeds["metric_entity_type"].append({"metric_code": code, "metric_version": 1, "entity_type": "team"})
    assert compared(world, engine.build(world)) == []


def test_each_observation_table_is_scanned_once_for_dimensions_and_once_for_sums_whatever_the_definitions(
    engine: Engine,
) -> None:
    """By the engine's own plan; and no model but the cells and the evidence of what is paid reads observations."""
    plans = []
    for count in (1, 11):
        world = World({name: [] for name in SEEDS}, {kind: [] for kind in KINDS})
        for number in range(count):
            world.seeds["metric_definition"].append(_plain(f"m{number}"))
            world.seeds["metric_entity_type"].append(
                {"metric_code": f"m{number}", "metric_version": 1, "entity_type": "team"}
            )
        engine.build(world)
        plans.append(
            engine.connection.execute("explain (format json) " + engine.compiled["int_metric_cell"]).fetchone()[1]
        )
    for kind in KINDS:
        name = f'int_observation_{kind}"'
        assert [plan.count(name) for plan in plans] == [2, 2], (kind, plans[0])
    readers = {name for name, sql in engine.compiled.items() if "int_observation_" in sql}
    assert readers == {"int_metric_cell", "fct_metric_evidence"}


def _plain(code: str) -> Row:
    kind, numerator, denominator = SHAPES["share"]
    return {
        "metric_code": code,
        "metric_version": 1,
        "aggregation_kind": "share",
        "observation_kind": kind,
        "numerator_measure": numerator,
        "denominator_measure": denominator,
        "exclusion_policy": "adjusted",
        "weighting": "none",
        "value_basis": "raw",
        "value_multiplier": 1,
        "value_divisor": 1,
        "seasonality_policy": "none",
        "shrinkage_policy": "none",
        "prior_sample_count": 0,
        "confidence_level": "0.95",
        "min_sample_count": 1,
        "baseline_days": 0,
        "phase_in_days": 0,
        "effective_from": date(2024, 12, 1),
    }


def _sound() -> World:
    """One definition of one version, in order and locked."""
    world = World({name: [] for name in SEEDS}, {kind: [] for kind in KINDS})
    world.seeds["metric_definition"].append(_plain("m"))
    world.seeds["metric_entity_type"].append({"metric_code": "m", "metric_version": 1, "entity_type": "team"})
    return world


# which test, what it must say, what is changed in the definition, rows added to other seeds
WRONG: list[tuple[str, str, Row, dict[str, list[Row]]]] = [
    (FIT, "numerator_measure is no measure", {"numerator_measure": "nothing"}, {}),
    (FIT, "denominator_measure is no measure", {"denominator_measure": "nothing"}, {}),
    (FIT, "a sum has no denominator_measure", {"aggregation_kind": "sum"}, {}),
    (FIT, "divides a measure by its whole_measure", {"aggregation_kind": "mean"}, {}),
    (FIT, "a weighted_share needs a weighting", {"aggregation_kind": "weighted_share"}, {}),
    (FIT, "a share or rate is unweighted", {"weighting": "priority"}, {}),
    (FIT, "exclusion_policy is not that", {"exclusion_policy": "raw"}, {}),
    (FIT, "value_basis and standardised_by disagree", {"value_basis": "standardised"}, {}),
    (FIT, "value_basis and standardised_by disagree", {"standardised_by": "risk_code"}, {}),
    (FIT, "needs a shrinkage_policy", {"value_basis": "shrunk"}, {}),
    (FIT, "shrinkage_policy and prior_sample_count disagree", {"shrinkage_policy": "buehlmann"}, {}),
    (FIT, "needs a seasonality_policy", {"value_basis": "seasonally_adjusted"}, {}),
    (FIT, "are at least 1", {"value_divisor": 0}, {}),
    (FIT, "are not negative", {"phase_in_days": -1}, {}),
    (FIT, "no entity type", {"metric_version": 2}, {}),
    (FIT, "metric_filter has a version", {}, {"metric_filter": [{"metric_code": "m", "metric_version": 9}]}),
    (OVERLAP, "", {}, {"metric_definition": [_plain("m") | {"metric_version": 2}]}),
    (
        OVERLAP,
        "",
        {"effective_to": date(2025, 1, 1)},
        {"metric_definition": [_plain("m") | {"metric_version": 2, "effective_from": date(2025, 1, 3)}]},
    ),
    (WEIGHED, "", {"aggregation_kind": "weighted_share", "weighting": "priority"}, {}),
    (LOCKED, "changed under its old number", {"min_sample_count": 2}, {}),
    (LOCKED, "locked version is gone", {"metric_code": "other"}, {}),
    (LOCKED, "new version: lock it", {}, {"metric_definition": [_plain("other")]}),
]


def _judged(engine: Engine, name: str, world: World) -> str:
    engine.build(world)
    return " ".join(str(row) for row in engine.connection.execute(engine.judges[name]).fetchall())


@pytest.mark.requirement("OPS-4.6")
@pytest.mark.parametrize("case", range(len(WRONG)), ids=[f"{w[0]}-{n}" for n, w in enumerate(WRONG)])
def test_a_definition_out_of_order_is_refused_and_one_in_order_is_not(engine: Engine, case: int) -> None:
    name, says, change, more = WRONG[case]
    world = _sound()
    engine.build(world)
    lock = engine.connection.execute(
        "select metric_code, metric_version, definition_hash from core.int_metric_definition"
    ).fetchall()
    world.seeds["metric_definition_lock"] = [
        dict(zip(("metric_code", "metric_version", "definition_hash"), row, strict=True)) for row in lock
    ]
    assert _judged(engine, name, world) == ""
    world.seeds["metric_definition"][0] |= change
    for seed_name, rows in more.items():
        world.seeds[seed_name] += rows
    found = _judged(engine, name, world)
    assert found and says in found
