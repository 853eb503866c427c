"""docs/coverage.md says what is true: the claims are read right, and a false or stale page is refused."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from dagster_project.lib import coverage
from dagster_project.lib.coverage import Claims, Requirement, Row


def requirement(mechanism: str = "fct_payout", id: str = "OPS-1.1") -> Requirement:
    return Requirement(id, "Each payout traces", mechanism, "finance")


def row(mechanism: str = "fct_payout", **claims: Any) -> Row:
    (only,) = coverage.assess([requirement(mechanism)], Claims(**claims))
    return only


def node(name: str, kind: str = "model", ids: list[str] | None = None, **more: Any) -> dict[str, Any]:
    return {"name": name, "resource_type": kind, "config": {"meta": {"requirements": ids or []}}, **more}


MODEL = node("fct_payout", ids=["OPS-1.1"], columns={"amount": {}})


def proved_by(test: dict[str, Any], section: str = "nodes") -> list[str]:
    manifest: dict[str, Any] = {"nodes": {"model.p.fct_payout": MODEL}}
    manifest.setdefault(section, {})["x"] = test
    return coverage.claims_of_manifest(manifest).proved_by["OPS-1.1"]


# --- the page ---


def test_the_page_is_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """No claim of what does not exist, and the page in the repository is the one the tree gives."""
    for name in ("WAREHOUSE_PATH", "PUBLISH_PATH", "SPOOL_PATH"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    code = coverage.write_coverage(check=True)
    printed = capsys.readouterr()
    assert code == 0, printed.err
    assert printed.out.splitlines()[-1].startswith("coverage: 229 requirements: ")


def test_a_stale_page_is_refused_and_a_run_mends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "coverage.md"
    monkeypatch.setattr(coverage, "REPO_ROOT", tmp_path)
    monkeypatch.setattr(coverage, "COVERAGE_PATH", page)
    monkeypatch.setattr(coverage, "read_requirements", lambda: [requirement()])
    monkeypatch.setattr(coverage, "parsed_manifest", lambda: {})
    claims = Claims({"OPS-1.1": ["fct_payout"]}, {}, {"fct_payout"})
    monkeypatch.setattr(coverage, "collect", lambda requirements, manifest: claims)

    assert coverage.write_coverage(check=True) == 1
    assert "is stale: run make coverage" in capsys.readouterr().err
    assert not page.exists()
    assert coverage.write_coverage() == 0
    assert capsys.readouterr().out == "coverage: 1 requirements: 0 proven, 1 delivered, 0 planned\n"
    assert coverage.write_coverage(check=True) == 0
    page.write_text(page.read_text().replace("delivered |", "proven |"))
    assert coverage.write_coverage(check=True) == 1

    claims.delivered_by["OPS-9.9"] = ["fct_payout"]
    before = page.read_text()
    assert coverage.write_coverage() == 1, "a false claim is not written down"
    assert page.read_text() == before
    assert "fct_payout claims OPS-9.9, which is no requirement" in capsys.readouterr().err


def test_the_table_has_a_line_per_requirement() -> None:
    rows = [row(delivered_by={"OPS-1.1": [f"m{n}" for n in range(8)]}, names={"fct_payout"})]
    page = coverage.render(rows)
    assert "1 requirements: 0 proven, 1 delivered, 0 planned." in page
    assert "| OPS-1.1 | Each payout traces | `m0`, `m1`, `m2`, `m3`, `m4`, `m5` and 2 more |  | delivered |" in page


# --- status ---


def test_status_needs_a_claim_everything_named_and_a_proof() -> None:
    claim, proof, names = {"OPS-1.1": ["fct_payout"]}, {"OPS-1.1": ["t"]}, {"fct_payout"}
    assert row(delivered_by=claim, proved_by=proof, names=names).status == "proven"
    assert row(delivered_by=claim, names=names).status == "delivered"
    assert row(proved_by=proof, names=names).status == "planned"
    assert row(delivered_by=claim, proved_by=proof).status == "planned"


def test_what_is_missing_stands_in_the_table() -> None:
    part = row("fct_payout; statement", delivered_by={"OPS-1.1": ["fct_payout"]}, names={"fct_payout"})
    assert (part.status, part.missing) == ("planned", ("statement",))
    assert "`fct_payout`; to come: `statement`" in coverage.render([part])


@pytest.mark.parametrize(
    ("mechanism", "names"),
    [
        ("fct_a.b_c; rpt_d", ["fct_a.b_c", "rpt_d"]),
        ("service.owner", ["service.owner"]),
        ("metric c_d (+ a_variant)", ["c_d"]),
        ("gate in fct_score", ["fct_score"]),
        ("ingestion servicenow, jira", ["ingestion", "servicenow", "jira"]),
        ("stg_survey__fairness", ["stg_survey__fairness"]),
        ("statement; role-scoped publication", ["statement"]),
    ],
)
def test_names_asked_for(mechanism: str, names: list[str]) -> None:
    assert coverage.names_asked_for(mechanism) == names


def test_false_claims_are_found() -> None:
    claims = Claims({"OPS-9.9": ["fct_x"], "OPS-1.1": ["fct_y"]}, {"XX-1.1": ["t"]})
    assert coverage.false_claims([requirement()], claims) == [
        "fct_x claims OPS-9.9, which is no requirement of requirements.psv: mend the id",
        "t claims XX-1.1, which is no requirement of requirements.psv: mend the id",
    ]


@pytest.mark.parametrize("line", ["OPS-1.1|only three|parts", "one|a|b|c", "OPS-1.1|a|b|c\nOPS-1.1|a|b|c"])
def test_a_malformed_list_is_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "requirements.psv"
    path.write_text(f"{line}\n")
    with pytest.raises(ValueError, match=r"requirements\.psv, line \d"):
        coverage.read_requirements(path)


# --- what claims and what proves ---


def test_models_and_sources_deliver() -> None:
    source = node("incident", "source", source_name="servicenow", source_meta={"requirements": ["OPS-3.1"]})
    claims = coverage.claims_of_manifest({"nodes": {"m": MODEL}, "sources": {"s": source}})
    assert dict(claims.delivered_by) == {"OPS-1.1": ["fct_payout"], "OPS-3.1": ["servicenow.incident"]}
    assert claims.names == {"fct_payout", "fct_payout.amount", "incident"}


ON_THE_MODEL = {"depends_on": {"nodes": ["model.p.fct_payout"]}}


@pytest.mark.requirement("SLT-2.6")
@pytest.mark.parametrize(("second", "is_name"), [({"owner": "Finance"}, True), ({}, False)])
def test_owners_of_sources_exist_once_every_source_declares_one(second: dict[str, str], is_name: bool) -> None:
    """The landing's own audit is no source system and needs none."""
    sources = [
        node("incident", "source", source_name="servicenow", source_meta={"owner": "Operations"}),
        node("payment", "source", source_name="payroll", source_meta=second),
        node("extract_batch", "source", source_name="landing"),
    ]
    claims = coverage.claims_of_manifest({"sources": {str(n): source for n, source in enumerate(sources)}})
    assert ("meta.owner" in claims.names) is is_name


def test_claims_do_not_depend_on_the_order_of_the_manifest() -> None:
    models = [node(name, ids=["OPS-1.1"]) for name in ("fct_b", "fct_a")]
    tests = [node(name, "test", ["OPS-1.1"]) for name in ("b_holds", "a_holds")]
    units = [node(name, "unit_test", ["OPS-1.1"]) for name in ("b_case", "a_case")]
    manifest = {
        "nodes": {item["name"]: item for item in [*models, *tests]},
        "unit_tests": {item["name"]: item for item in units},
    }
    claims = coverage.claims_of_manifest(manifest)
    assert claims.delivered_by["OPS-1.1"] == ["fct_a", "fct_b"]
    assert claims.proved_by["OPS-1.1"] == [
        "dbt test a_holds",
        "dbt test b_holds",
        "unit test a_case",
        "unit test b_case",
    ]


def test_a_test_that_says_so_proves() -> None:
    assert proved_by(node("assert_sums", "test", ["OPS-1.1"])) == ["dbt test assert_sums"]
    assert proved_by(node("rounds", "unit_test", ["OPS-1.1"]), "unit_tests") == ["unit test rounds"]


def test_a_test_on_the_model_that_does_not_say_so_proves_nothing() -> None:
    assert proved_by(node("given", "test", **ON_THE_MODEL)) == []
    assert proved_by(node("rounds", "unit_test", **ON_THE_MODEL), "unit_tests") == []


def test_a_warning_proves_nothing() -> None:
    warning = node("assert_sums", "test", ["OPS-1.1"])
    warning["config"]["severity"] = "WARN"
    assert proved_by(warning) == []


@dataclass(frozen=True)
class Spec:
    check_name: str
    severity: str
    requirements: tuple[str, ...] = ()


def test_gate_checks_prove_when_they_block_and_deliver_when_asked_for() -> None:
    specs = [Spec("a", "block", ("OPS-1.1",)), Spec("b", "warn", ("OPS-1.1",)), Spec("chk_c", "block")]
    asked = [requirement("chk_c (blocking)", id="OPS-7.1")]
    claims = coverage.claims_of_checks(specs, asked)
    assert dict(claims.proved_by) == {"OPS-1.1": ["gate a"]}
    assert dict(claims.delivered_by) == {"OPS-7.1": ["chk_c"]}
    assert claims.names == {"a", "b", "chk_c"}


def test_modules_deliver_by_their_docstring(tmp_path: Path) -> None:
    module = tmp_path / "ingestion" / "sources" / "jira.py"
    module.parent.mkdir(parents=True)
    module.write_text('"""Jira.\n\nDelivers: DESK-3.1, LTI-7.1\n"""\n# Delivers: OPS-1.1\n')
    claims = coverage.claims_of_modules(tmp_path)
    assert set(claims.delivered_by) == {"DESK-3.1", "LTI-7.1"}
    assert "jira" in claims.names


def test_pytests_prove_by_their_mark_unless_they_are_skipped(tmp_path: Path) -> None:
    path = tmp_path / "tests" / "test_a.py"
    path.parent.mkdir()
    path.write_text(
        "import pytest\n"
        "@pytest.mark.requirement('OPS-1.1')\ndef test_one(): ...\n"
        "@pytest.mark.skip\n@pytest.mark.requirement('OPS-1.2')\ndef test_two(): ...\n"
        "@pytest.mark.requirement('OPS-1.3')\ndef helper(): ...\n"
        "@pytest.mark.requirement('OPS-1.4')\nclass TestThree:\n    def test_four(self): ...\n"
    )
    assert dict(coverage.claims_of_pytests(tmp_path).proved_by) == {
        "OPS-1.1": ["tests/test_a.py::test_one"],
        "OPS-1.4": ["tests/test_a.py::TestThree::test_four"],
    }


def test_a_module_wide_mark_holds_for_its_tests(tmp_path: Path) -> None:
    path = tmp_path / "tests" / "unit" / "test_b.py"
    path.parent.mkdir(parents=True)
    path.write_text("import pytest\npytestmark = [pytest.mark.requirement('OPS-1.1')]\ndef test_one(): ...\n")
    assert coverage.claims_of_pytests(tmp_path).proved_by["OPS-1.1"] == ["tests/unit/test_b.py::test_one"]
