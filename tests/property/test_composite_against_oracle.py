"""Drawn service trees through the real models against a plain recursion on exact fractions.

The recursion knows the three structures as they are written down and shares no code with the SQL, which works level by
level on whole numbers. Trees share branches, change with the month, and miss some of their leaves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from benchmarks.model_sql import model_sql

SEED = 20251105
EXAMPLES = 16
TALLEST = 6
BILLION = 10**9
# Rounding to 10^-12 after each factor, then to the ninth place that is published.
TOLERANCE = Fraction(6, 10 * BILLION)
# Each month has a tree of its own, whose rows are in force for the last time on the month's first day.
MONTHS = {f"2025-0{n}-01": (f"2025-0{n - 1}-02", f"2025-0{n}-01") for n in range(2, 9)}

TABLES = """
    create table int_reporting_period (period_grain varchar, period_start_on date, is_complete boolean);
    create table service (service_code varchar);
    create table component (component_code varchar);
    create table vendor (vendor_code varchar);
    create table int_vendor_family (vendor_code varchar, primary_vendor_code varchar);
    create table service_component (
        parent_code varchar, measure varchar, component_code varchar, component_layer varchar, owner_code varchar,
        owner_share decimal(9, 4), weight decimal(9, 4), structure varchar, effective_from date, effective_to date
    );
    create table service_target (
        service_code varchar, contract_code varchar, measure varchar, target_share decimal(9, 6), effective_from date,
        effective_to date
    );
    create table fct_component_performance (
        component_code varchar, measure varchar, period_month date, performance_source varchar,
        raw_share decimal(18, 9), adjusted_share decimal(18, 9)
    );
"""


@dataclass
class Node:
    """A parent: how it needs its components, and of each its weight and its owner's share in 1/10000."""

    structure: str
    components: list[str]
    weights: list[int]
    owner_shares: list[int]
    target: int | None


@dataclass
class Tree:
    """One month's tree: leaves with what they did in 10^-9 (None: not known), parents in order of their height."""

    leaves: dict[str, int | None]
    parents: dict[str, Node] = field(default_factory=dict)
    heights: dict[str, int] = field(default_factory=dict)


def parts_of(draw: st.DrawFn, count: int) -> list[int]:
    """10000 cut into positive whole parts."""
    cuts = sorted(draw(st.sets(st.integers(1, 9_999), min_size=count - 1, max_size=count - 1)))
    return [after - before for before, after in zip([0, *cuts], [*cuts, 10_000], strict=True)]


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    shares = st.one_of(
        st.just(BILLION),
        st.integers(990_000_000, BILLION),
        st.integers(0, BILLION),
        st.sampled_from((0, 1, BILLION - 1, 999_000_000)),
    )
    leaves = {f"leaf{n}": draw(shares) for n in range(draw(st.integers(1, 7)))}
    if draw(st.integers(0, 3)) == 0:
        leaves[draw(st.sampled_from(sorted(leaves)))] = None
    tree = Tree(leaves)
    for number in range(draw(st.integers(1, 8))):
        below = [*leaves, *(code for code, height in tree.heights.items() if height < TALLEST)]
        # what stands highest is taken often, so that trees grow tall
        chosen = draw(st.lists(st.sampled_from(below), min_size=1, max_size=5, unique=True))
        if tree.heights and draw(st.booleans()) and below[-1] not in chosen:
            chosen.append(below[-1])
        code = f"node{number}"
        target = draw(st.one_of(st.none(), st.integers(900_000, 1_000_000)))
        structure = draw(st.sampled_from(("series", "parallel", "weighted")))
        tree.parents[code] = Node(structure, chosen, parts_of(draw, len(chosen)), parts_of(draw, len(chosen)), target)
        tree.heights[code] = 1 + max(tree.heights.get(component, 0) for component in chosen)
    return tree


def composite(tree: Tree, code: str) -> Fraction | None:
    """What a node comes to, by recursion."""
    if code in tree.leaves:
        share = tree.leaves[code]
        return None if share is None else Fraction(share, BILLION)
    node = tree.parents[code]
    parts = [composite(tree, component) for component in node.components]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    if node.structure == "weighted":
        return sum((part * weight for part, weight in zip(known, node.weights, strict=True)), Fraction()) / 10_000
    result = Fraction(1)
    for part in known:
        result *= part if node.structure == "series" else 1 - part
    return result if node.structure == "series" else 1 - result


def largest_remainder(whole: int, owner_shares: list[int], codes: list[str]) -> dict[str, int]:
    """The whole in parts by share, each cut down, what is left over going to the largest remainders, then by code."""
    parts = {code: whole * share // 10_000 for code, share in zip(codes, owner_shares, strict=True)}
    remainders = {code: whole * share % 10_000 for code, share in zip(codes, owner_shares, strict=True)}
    for code in sorted(codes, key=lambda code: (-remainders[code], code))[: whole - sum(parts.values())]:
        parts[code] += 1
    return parts


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(TABLES)
        connection.executemany("insert into int_reporting_period values ('month', ?, true)", [(m,) for m in MONTHS])
        for model in ("int_component_month", "fct_composite_component", "int_service_tree_fault"):
            connection.execute(f"create view {model} as {model_sql(model)}")
        yield connection


def edges_of(month_trees: dict[str, Tree]) -> list[tuple[Any, ...]]:
    return [
        (
            parent,
            "availability",
            component,
            "platform",
            "internal",
            Decimal(node.owner_shares[place]).scaleb(-4),
            Decimal(node.weights[place]).scaleb(-4) if node.structure == "weighted" else None,
            node.structure,
            *MONTHS[month],
        )
        for month, tree in month_trees.items()
        for parent, node in tree.parents.items()
        for place, component in enumerate(node.components)
    ]


def fill(engine: duckdb.DuckDBPyConnection, month_trees: dict[str, Tree], edges: list[tuple[Any, ...]]) -> None:
    for table in ("service", "service_component", "service_target", "fct_component_performance"):
        engine.execute(f"delete from {table}")
    codes = sorted({code for tree in month_trees.values() for code in (*tree.leaves, *tree.parents)})
    engine.executemany("insert into service values (?)", [(code,) for code in codes])
    if edges:
        engine.executemany("insert into service_component values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", edges)
    targets = [
        (parent, None, "availability", Decimal(node.target).scaleb(-6), *MONTHS[month])
        for month, tree in month_trees.items()
        for parent, node in tree.parents.items()
        if node.target is not None
    ]
    if targets:
        engine.executemany("insert into service_target values (?, ?, ?, ?, ?, ?)", targets)
    engine.executemany(
        "insert into fct_component_performance values (?, 'availability', ?, 'monitors', ?, ?)",
        [
            # nothing is taken out of the raw figure, so it can only be lower
            (leaf, month, Decimal(share // 2).scaleb(-9), Decimal(share).scaleb(-9))
            for month, tree in month_trees.items()
            for leaf, share in tree.leaves.items()
            if share is not None
        ]
        # a parent's own monitors must not count beside its components
        + [
            (parent, month, Decimal("0.123"), Decimal("0.456"))
            for month, tree in month_trees.items()
            for parent in tree.parents
        ],
    )


@pytest.mark.requirement("SLT-3.3")
@pytest.mark.requirement("OPS-6.1")
@seed(SEED)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)
@given(drawn=st.lists(trees(), min_size=len(MONTHS), max_size=len(MONTHS)))
def test_composites_and_owner_parts_are_those_of_the_recursion(
    engine: duckdb.DuckDBPyConnection, drawn: list[Tree]
) -> None:
    month_trees = dict(zip(MONTHS, drawn, strict=True))
    fill(engine, month_trees, edges_of(month_trees))
    assert engine.execute("select * from int_service_tree_fault").fetchall() == []
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    columns = (
        "period_month::varchar, parent_code, component_code, parent_height_number, composite_raw_share, "
        "composite_adjusted_share, shortfall_share, owner_shortfall_share"
    )
    for row in engine.execute(f"select {columns} from fct_composite_component").fetchall():
        names = ("month", "parent", "component", "height", "raw", "adjusted", "shortfall", "part")
        found.setdefault(row[:2], []).append(dict(zip(names, row, strict=True)))
    assert set(found) == {(month, parent) for month, tree in month_trees.items() for parent in tree.parents}
    for (month, parent), rows in found.items():
        tree, node = month_trees[month], month_trees[month].parents[parent]
        halved = Tree(
            {leaf: None if share is None else share // 2 for leaf, share in tree.leaves.items()}, tree.parents
        )
        expected, expected_raw = composite(tree, parent), composite(halved, parent)
        assert {row["component"] for row in rows} == set(node.components)
        assert {row["height"] for row in rows} == {tree.heights[parent]}
        (adjusted,) = {row["adjusted"] for row in rows}
        (raw,) = {row["raw"] for row in rows}
        (shortfall,) = {row["shortfall"] for row in rows}
        if expected is None or expected_raw is None:
            assert adjusted is raw is shortfall is None
            continue
        assert abs(Fraction(adjusted) - expected) <= TOLERANCE
        assert abs(Fraction(raw) - expected_raw) <= TOLERANCE
        if node.target is None:
            assert shortfall is None
            continue
        missing = max(node.target * 1_000 - int(adjusted * BILLION), 0)
        assert int(shortfall * BILLION) == missing
        parts = largest_remainder(missing, node.owner_shares, node.components)
        assert {row["component"]: int(row["part"] * BILLION) for row in rows} == parts
        assert sum(parts.values()) == missing


@seed(SEED)
@settings(
    max_examples=30, deadline=None, database=None, phases=(Phase.generate,), suppress_health_check=list(HealthCheck)
)
@given(tree=trees(), data=st.data())
def test_a_spoilt_tree_is_named(engine: duckdb.DuckDBPyConnection, tree: Tree, data: st.DataObject) -> None:
    month_trees = {"2025-02-01": tree}
    edges = edges_of(month_trees)
    at = data.draw(st.integers(0, len(edges) - 1))
    row = list(edges[at])
    kind = data.draw(st.sampled_from(("share", "circle", "unknown", "owner", "repeated")))
    if kind == "share":
        row[5] -= Decimal("0.0001")
    elif kind == "circle":
        row[2] = row[0]
    elif kind == "unknown":
        row[2] = "nothing"
    elif kind == "owner":
        row[4] = "nobody"
    fill(
        engine, month_trees, [*edges, edges[at]] if kind == "repeated" else [*edges[:at], tuple(row), *edges[at + 1 :]]
    )
    reasons = dict(engine.execute("select parent_code, reason from int_service_tree_fault").fetchall())
    assert row[0] in reasons, (kind, reasons)
