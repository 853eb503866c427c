"""docs/coverage.md: for every requirement what delivers it, what proves it, and how far it is.

Nothing is written down twice. A requirement is claimed where the work is done:
- a dbt model, seed, source or source table by `meta.requirements` in its yml;
- a Python module of the project by a line `Delivers: <ids>` in its docstring;
- a gate check by being named in the requirement itself.
It is proved by a test that says so; a test on the same model may guard something else:
- a dbt test of any kind (unit, singular, generic) by `meta.requirements`, when its severity is error;
- a gate check by the `requirements` of its specification, when it blocks;
- a pytest by `@pytest.mark.requirement("<id>")`, when it is neither skipped nor expected to fail.

Status: `planned` until everything requirements.psv names for it exists and something claims it; `delivered`
then; `proven` when a test stands behind it as well.
"""

from __future__ import annotations

import ast
import csv
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dagster_project.lib.environment import REPO_ROOT

REQUIREMENTS_PATH = REPO_ROOT / "docs" / "requirements.psv"
COVERAGE_PATH = REPO_ROOT / "docs" / "coverage.md"
PACKAGES = ("ingestion", "expectations", "dagster_project")
GATES = ("raw", "staging", "marts")
STATUSES = ("planned", "delivered", "proven")
SHOWN_PER_CELL = 6

_ID = re.compile(r"[A-Z]+-\d+\.\d+")
_NAME = re.compile(r"\b[a-z][a-z0-9]*(?:_+[a-z0-9]+)+(?:\.[a-z0-9_]+)?\b|\b[a-z]+\.[a-z0-9_]+\b")


@dataclass(frozen=True)
class Requirement:
    """One line of requirements.psv; mechanism names the models, seeds and checks that shall deliver it."""

    id: str
    text: str
    mechanism: str
    area: str


@dataclass
class Claims:
    """What the project says about itself.

    delivered_by and proved_by: id -> names, in the order found; names: everything that exists and that a
    requirement may name (models, seeds, source tables, `model.column`, checks, metrics, packages, sources).
    """

    delivered_by: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    proved_by: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    names: set[str] = field(default_factory=set)

    def merge(self, other: Claims) -> Claims:
        """Add another part's claims to these and return these."""
        for mine, theirs in ((self.delivered_by, other.delivered_by), (self.proved_by, other.proved_by)):
            for requirement, by in theirs.items():
                mine[requirement] += [name for name in by if name not in mine[requirement]]
        self.names |= other.names
        return self


@dataclass(frozen=True)
class Row:
    """One line of the table; missing names what the requirement asks for and does not exist yet."""

    requirement: Requirement
    delivered_by: tuple[str, ...]
    proved_by: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def status(self) -> str:
        """One of STATUSES (see the module)."""
        if not self.delivered_by or self.missing:
            return "planned"
        return "proven" if self.proved_by else "delivered"


def read_requirements(path: Path = REQUIREMENTS_PATH) -> list[Requirement]:
    """The lines of `id|requirement|mechanism|area`; ValueError on a malformed line or a repeated id."""
    found: dict[str, Requirement] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        parts = line.split("|")
        if len(parts) != 4 or not _ID.fullmatch(parts[0]):
            raise ValueError(f"{path.name}, line {number}: not `id|requirement|mechanism|area`: {line[:60]}")
        if parts[0] in found:
            raise ValueError(f"{path.name}, line {number}: {parts[0]} stands twice")
        found[parts[0]] = Requirement(*parts)
    return list(found.values())


def names_asked_for(mechanism: str) -> list[str]:
    """The names in a mechanism that must exist; what stands in brackets or in free words explains only.

    'fct_a.b; metric c_d (note); ingestion jira' asks for fct_a.b, c_d and jira.
    """
    asked: list[str] = []
    for part in re.split(r"[;,]", re.sub(r"\([^)]*\)", "", mechanism)):
        words = part.split()
        if words[:1] == ["ingestion"]:
            asked += words
        elif len(words) == 1 and re.fullmatch(r"[a-z]+", words[0]):
            asked.append(words[0])
        else:
            asked += _NAME.findall(part)
    return list(dict.fromkeys(asked))


def claims_of_manifest(manifest: Mapping[str, Any]) -> Claims:
    """What dbt's manifest claims: nodes deliver, tests prove.

    By name: a manifest parsed in parts has an order of its own. `meta.owner` is a name once every source system
    declares one.
    """
    claims = Claims()
    nodes = sorted([*manifest.get("nodes", {}).values(), *manifest.get("sources", {}).values()], key=_name_of_node)
    for node in nodes:
        if node["resource_type"] not in ("model", "seed", "source"):
            continue
        claims.names |= {node["name"]} | {f"{node['name']}.{column}" for column in node.get("columns", {})}
        of_source = _as_list((node.get("source_meta") or {}).get("requirements"))
        for requirement in dict.fromkeys(_ids(node) + of_source):
            source = f"{node['source_name']}." if node["resource_type"] == "source" else ""
            claims.delivered_by[requirement].append(f"{source}{node['name']}")
    sources = [n for n in nodes if n["resource_type"] == "source" and n["source_name"] != "landing"]
    if sources and all((source.get("source_meta") or {}).get("owner") for source in sources):
        claims.names.add("meta.owner")
    tests = [node for node in nodes if node["resource_type"] == "test"]
    for test in [*tests, *sorted(manifest.get("unit_tests", {}).values(), key=_name_of_node)]:
        if (test.get("config") or {}).get("severity", "error").lower() != "error":
            continue
        kind = "unit test" if test["resource_type"] == "unit_test" else "dbt test"
        for requirement in dict.fromkeys(_ids(test)):
            claims.proved_by[requirement].append(f"{kind} {test['name']}")
    return claims


def claims_of_checks(specs: Iterable[Any], requirements: Iterable[Requirement]) -> Claims:
    """What gate checks claim: delivered is what asks for them by name, proved what blocking ones carry."""
    claims = Claims()
    asked_by: dict[str, list[str]] = defaultdict(list)
    for requirement in requirements:
        for name in names_asked_for(requirement.mechanism):
            asked_by[name].append(requirement.id)
    for spec in specs:
        claims.names.add(spec.check_name)
        for requirement_id in asked_by[spec.check_name]:
            claims.delivered_by[requirement_id].append(spec.check_name)
        if spec.severity == "block":
            for requirement_id in getattr(spec, "requirements", ()):
                claims.proved_by[requirement_id].append(f"gate {spec.check_name}")
    return claims


def claims_of_modules(root: Path = REPO_ROOT) -> Claims:
    """What Python modules claim by `Delivers:` in their docstring; packages and sources are names."""
    claims = Claims(names=set(PACKAGES))
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            if path.parent.name == "sources":
                claims.names.add(path.stem)
            docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
            for line in re.findall(r"^Delivers: (.+)$", docstring, re.MULTILINE):
                for requirement in _ID.findall(line):
                    claims.delivered_by[requirement].append(path.relative_to(root).as_posix())
    return claims


def claims_of_pytests(root: Path = REPO_ROOT) -> Claims:
    """Which tests say that they prove a requirement; a skipped or expected failure proves nothing."""
    claims = Claims()
    for path in sorted((root / "tests").rglob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        of_module = [
            mark
            for node in tree.body
            if isinstance(node, ast.Assign)
            and any(isinstance(target, ast.Name) and target.id == "pytestmark" for target in node.targets)
            for mark in (node.value.elts if isinstance(node.value, (ast.List, ast.Tuple)) else [node.value])
        ]
        for name, marks in _marked_tests(tree, of_module):
            kinds = {_mark_name(mark) for mark in marks}
            if kinds & {"skip", "skipif", "xfail"}:
                continue
            for mark in marks:
                if _mark_name(mark) == "requirement" and isinstance(mark, ast.Call):
                    for argument in mark.args:
                        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                            label = f"{path.relative_to(root).as_posix()}::{name}"
                            claims.proved_by[argument.value].append(label)
    return claims


def metric_names(root: Path = REPO_ROOT) -> set[str]:
    """Codes of the metrics the project defines."""
    path = root / "seeds" / "metrics" / "metric_definition.csv"
    with path.open(newline="", encoding="utf-8") as lines:
        return {line["metric_code"] for line in csv.DictReader(lines)}


def assess(requirements: Iterable[Requirement], claims: Claims) -> list[Row]:
    """One row per requirement, in the order of the list."""
    return [
        Row(
            requirement,
            tuple(claims.delivered_by.get(requirement.id, ())),
            tuple(claims.proved_by.get(requirement.id, ())),
            tuple(name for name in names_asked_for(requirement.mechanism) if name not in claims.names),
        )
        for requirement in requirements
    ]


def false_claims(requirements: Iterable[Requirement], claims: Claims) -> list[str]:
    """Claims and proofs of a requirement that does not exist."""
    known = {requirement.id for requirement in requirements}
    return [
        f"{name} claims {requirement}, which is no requirement of {REQUIREMENTS_PATH.name}: mend the id"
        for by in (claims.delivered_by, claims.proved_by)
        for requirement, names in by.items()
        if requirement not in known
        for name in names
    ]


def figures(rows: list[Row]) -> str:
    """How many requirements there are and how many of each status, as text."""
    counts = Counter(row.status for row in rows)
    return f"{len(rows)} requirements: " + ", ".join(f"{counts[status]} {status}" for status in reversed(STATUSES))


def render(rows: list[Row]) -> str:
    """The page as markdown, ending with a line feed."""
    lines = [
        "# Coverage",
        "",
        "Generated by `make coverage`; do not edit. The requirements stand in `requirements.psv`; what",
        "delivers and what proves them is read from the dbt manifest, the gates, the modules and the tests",
        "themselves (the rules are in `dagster_project/lib/coverage.py`).",
        "",
        f"{figures(rows)}.",
        "",
        "| id | requirement | delivered by | proved by | status |",
        "| --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        delivered = _cell(row.delivered_by)
        if row.delivered_by and row.missing:
            delivered += f"; to come: {_cell(row.missing)}"
        cells = (row.requirement.id, row.requirement.text, delivered, _cell(row.proved_by), row.status)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def parsed_manifest() -> Mapping[str, Any]:
    """The dbt manifest, parsed again when a file of the project is newer (some six seconds when cold)."""
    from dagster_project.lib.dbt_project import load_project
    from dagster_project.lib.environment import settle_environment

    return load_project(settle_environment()).manifest


def collect(requirements: list[Requirement], manifest: Mapping[str, Any]) -> Claims:
    """Everything the tree claims, with the manifest given."""
    from expectations.runner import list_checks

    checks = [spec for gate in GATES for spec in list_checks(gate)]
    claims = claims_of_manifest(manifest).merge(claims_of_modules()).merge(claims_of_checks(checks, requirements))
    claims.names |= metric_names()
    return claims.merge(claims_of_pytests())


def write_coverage(check: bool = False) -> int:
    """Write docs/coverage.md, or with check only compare it; the last line printed is the figure.

    Returns 0 when the page is true, 1 when a claim is false or, with check, the page is stale. Parses the dbt
    project when its manifest is missing or old.
    """
    requirements = read_requirements()
    claims = collect(requirements, parsed_manifest())
    rows = assess(requirements, claims)
    page = render(rows)
    wrong = false_claims(requirements, claims)
    is_stale = not COVERAGE_PATH.exists() or COVERAGE_PATH.read_text(encoding="utf-8") != page
    for line in wrong:
        sys.stderr.write(f"{line}\n")
    if is_stale and check:
        sys.stderr.write(f"{COVERAGE_PATH.relative_to(REPO_ROOT)} is stale: run make coverage\n")
    elif is_stale and not wrong:
        COVERAGE_PATH.write_text(page, encoding="utf-8")
    sys.stdout.write(f"coverage: {figures(rows)}\n")
    return int(bool(wrong) or (is_stale and check))


def _name_of_node(node: Mapping[str, Any]) -> tuple[str, str]:
    return node.get("source_name", ""), node["name"]


def _ids(node: Mapping[str, Any]) -> list[str]:
    """meta.requirements of a manifest entry, wherever dbt keeps it."""
    meta = {**(node.get("meta") or {}), **((node.get("config") or {}).get("meta") or {})}
    return _as_list(meta.get("requirements"))


def _as_list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())


def _marked_tests(
    tree: ast.Module | ast.ClassDef, inherited: list[ast.expr], prefix: str = ""
) -> Iterator[tuple[str, list[ast.expr]]]:
    """Names of the test functions below a module or class, with all marks that hold for them."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            yield from _marked_tests(node, inherited + node.decorator_list, f"{prefix}{node.name}::")
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test_"):
            yield f"{prefix}{node.name}", inherited + node.decorator_list


def _mark_name(mark: ast.expr) -> str:
    """'requirement' of `pytest.mark.requirement(...)`; '' for anything that is no mark."""
    target = mark.func if isinstance(mark, ast.Call) else mark
    is_mark = isinstance(target, ast.Attribute) and ast.unparse(target.value) == "pytest.mark"
    return target.attr if is_mark and isinstance(target, ast.Attribute) else ""


def _cell(names: Iterable[str]) -> str:
    """Names as code, cut where a cell would hide the table."""
    quoted = [f"`{name.replace('|', '/')}`" for name in names]
    rest = len(quoted) - SHOWN_PER_CELL
    return ", ".join(quoted[:SHOWN_PER_CELL]) + (f" and {rest} more" if rest > 0 else "")
