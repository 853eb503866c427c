"""The gates' checks as data: complete, unique, cheap to list, and true to what stands beside them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from expectations.checks import FromQuery
from expectations.runner import GATES, GateError, list_checks
from expectations.suites import raw, staging
from ingestion.sources import SOURCES

ROOT = Path(__file__).resolve().parents[2]
STAGING_MODELS = ROOT / "dbt_project" / "models" / "staging"
ENTITIES = {f"{s.name}.{e.name}": e for s in SOURCES.values() for e in s.entities.values()}


def test_listing_imports_no_great_expectations() -> None:
    code = (
        "import sys; from expectations.runner import GATES, list_checks; "
        "[list_checks(g) for g in GATES]; import expectations.report; "
        "assert 'great_expectations' not in sys.modules and 'pandas' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_an_unknown_gate_is_named_with_those_that_exist() -> None:
    with pytest.raises(GateError, match="raw, staging, marts"):
        list_checks("core")  # type: ignore[arg-type]


@pytest.mark.parametrize("gate", GATES)
def test_names_are_unique_and_well_formed(gate: str) -> None:
    names = [spec.check_name for spec in list_checks(gate)]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in names)


def test_every_check_says_what_it_expects_and_how_to_mend() -> None:
    requirements = {line.split("|")[0] for line in (ROOT / "docs" / "requirements.psv").read_text().splitlines()}
    for gate in GATES:
        for spec in list_checks(gate):
            assert spec.severity in ("block", "warn"), spec
            assert spec.description.endswith("."), spec.check_name
            assert len(spec.how_to_mend) > 15, spec.check_name
            assert set(spec.requirements) <= requirements, spec.check_name
            assert set(spec.sources) <= set(SOURCES), spec.check_name
            is_query = spec.expectation_type in ("UnexpectedRowsExpectation", "ExpectFewUnexpectedRows")
            assert is_query == (spec.failing_rows is not None), spec.check_name
            assert (spec.expectation_type == "ExpectFewUnexpectedRows") == (spec.tolerated_share > 0)


def test_each_gate_stands_on_its_own_layer() -> None:
    """A check elsewhere could not hold back what is below the gate."""
    schemas = {gate: {spec.table.split(".")[0] for spec in list_checks(gate)} for gate in GATES}
    assert schemas["raw"] == {"landing"} | {f"raw_{name}" for name in SOURCES}
    assert schemas["staging"] == {"staging"}
    assert schemas["marts"] <= {"slt", "metrics", "incentives", "finance", "governance"}


@pytest.mark.parametrize("gate", ["staging", "marts"])
def test_every_table_is_a_model(gate: str) -> None:
    models = {path.stem for path in (ROOT / "dbt_project" / "models").rglob("*.sql")}
    seeds = {path.stem for path in (ROOT / "seeds").rglob("*.csv")}
    for spec in list_checks(gate):
        for table in (spec.table, *spec.reads):
            schema, _, name = table.partition(".")
            if schema not in ("landing",) and not schema.startswith("raw_"):
                assert name in (seeds if schema == "reference" else models), (spec.check_name, table)


def test_reads_names_every_governed_table_a_query_uses() -> None:
    """A missing seed must be named as missing, not appear as an SQL error."""
    for gate in GATES:
        for spec in list_checks(gate):
            texts = [spec.failing_rows if isinstance(spec.failing_rows, str) else ""]
            texts += [v.query for v in spec.arguments.values() if isinstance(v, FromQuery)]
            used = set(re.findall(r"\b(reference\.\w+)", " ".join(texts)))
            assert used <= set(spec.reads), (spec.check_name, used - set(spec.reads))


def test_every_entity_has_its_checks() -> None:
    for gate, tables in (
        ("raw", {entity.table for entity in ENTITIES.values()}),
        ("staging", {table for table, _ in staging.MODELS.values()}),
    ):
        assert tables <= {spec.table for spec in list_checks(gate)}
    assert set(staging.MODELS) == set(ENTITIES)


# The kinds of number that a cast to one of them can read.
WHOLE = {"integer", "epoch_seconds", "nanoseconds"}
NUMBERS = {"integer": WHOLE} | dict.fromkeys(
    ("money", "rate", "share", "decimal"), WHOLE | {"money", "rate", "share", "percentage", "decimal"}
)


def staging_casts(text: str) -> dict[str, str]:
    """What a staging model casts: raw column -> kind."""
    column = r"""(?:\{\{\s*adapter\.quote\('(\w+)'\)\s*\}\}|(\w+))"""
    in_macro = r"""(?:adapter\.quote\('(\w+)'\)|'(\w+)'|known(?:_text)?\('(\w+)'\))"""
    found: dict[str, str] = {}
    for match in re.finditer(rf"to_date\({in_macro}\)", text):
        found[next(filter(None, match.groups()))] = "date"
    for match in re.finditer(rf"parse_timestamp\({in_macro}(?:,\s*'(\w+)')?\)", text):
        *names, form = match.groups()
        kind = {None: "timestamp", "sql": "timestamp"}.get(form, form)
        found[next(filter(None, names))] = kind
    types = {
        "integer": "integer",
        "bigint": "integer",
        "boolean": "boolean",
        "decimal(18, 2)": "money",
        "decimal(18, 8)": "rate",
        "decimal(9, 6)": "share",
    }
    for match in re.finditer(r"""to_date\("(\w+) \|\| '-01'"\)""", text):
        found[match[1]] = "month"
    kind_of = r"as (\w+(?:\(\d+, \d+\))?)"
    for match in re.finditer(rf"cast\((?:coalesce\()?nullif\({column},\s*''\)[^\n]*? {kind_of}", text):
        quoted, bare, kind = match.groups()
        found[quoted or bare] = types.get(kind, kind.partition("(")[0])
    for match in re.finditer(rf"cast\(\{{\{{\s*known(?:_text)?\('(\w+)'\)\s*\}}\}} {kind_of}", text):
        found[match[1]] = types[match[2]]
    return found


@pytest.mark.parametrize("name", sorted(ENTITIES))
def test_what_staging_casts_is_checked_before(name: str) -> None:
    """A cast that the raw gate does not foresee would stop the build with a cast error instead of a gate."""
    model = staging.MODELS[name][0].partition(".")[2]
    text = next(STAGING_MODELS.rglob(f"{model}.sql")).read_text()
    foreseen = raw.CASTS.get(name, {})
    for column, kind in staging_casts(text).items():
        assert foreseen.get(column) in NUMBERS.get(kind, {kind}), (column, kind, foreseen.get(column))


def test_cast_columns_are_of_the_contract() -> None:
    for name, casts in raw.CASTS.items():
        assert set(casts) <= set(ENTITIES[name].columns), name


def test_staging_casts_reads_every_way_of_casting() -> None:
    text = """
        {{ to_date(adapter.quote('hireDate')) }} as a, {{ to_date('paid_on') }} as b,
        {{ parse_timestamp('opened_at') }} as c, {{ parse_timestamp(adapter.quote('end'), 'iso8601') }} as d,
        {{ parse_timestamp(known_text('closed_at'), 'day_first_minute') }} as e,
        cast(nullif(made_sla, '') as boolean) as f, cast({{ known('active') }} as boolean) as g,
        cast(coalesce(nullif(debit_amount, ''), '0') as decimal(18, 2)) as h,
        cast(nullif({{ adapter.quote('target') }}, '') as decimal(18, 2)) as i
    """
    assert staging_casts(text) == {
        "hireDate": "date",
        "paid_on": "date",
        "opened_at": "timestamp",
        "end": "iso8601",
        "closed_at": "day_first_minute",
        "made_sla": "boolean",
        "active": "boolean",
        "debit_amount": "money",
        "target": "money",
    }


def test_a_check_is_plain_data() -> None:
    spec = list_checks("raw")[0]
    assert spec == list_checks("raw")[0]
    with pytest.raises(AttributeError):
        spec.severity = "warn"  # type: ignore[misc]
