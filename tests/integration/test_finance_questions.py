"""docs/finance.md: every question's query runs on the published database and gives what stands there, cell by cell.

`SLTW_UPDATE_SNAPSHOT=1` writes the results anew; the difference is for whoever signs the figures to read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.lib.close import closable_periods, close_period, register_closed_periods
from dagster_project.lib.dbt_project import load_project
from dagster_project.lib.publish import publish
from ingestion.settings import Settings
from tests.conftest import DemoWarehouse
from tests.integration.test_close import settings_in
from tests.run_dbt import ROOT, run_dbt

pytestmark = pytest.mark.slow

PAGE = ROOT / "docs" / "finance.md"
LEAST_QUESTIONS = 20
QUESTION = re.compile(
    r"^## (?P<title>[^\n]+)\n(?P<words>.*?)```sql\n(?P<query>.*?)```\n(?:\n```text\n(?P<result>.*?)```\n)?",
    re.DOTALL | re.MULTILINE,
)
CLOSED = ("int_closed_period", "int_closed_payout_line", "int_closed_quarter", "fct_closed_payout_line")
READ_FROM_CLOSED = ("rpt_close_readiness", "rpt_close_difference", "fct_restatement", "dim_closed_period")


@dataclass(frozen=True)
class Question:
    title: str
    query: str
    result: str


def questions() -> list[Question]:
    return [
        Question(found["title"], found["query"], found["result"] or "")
        for found in QUESTION.finditer(PAGE.read_text(encoding="utf-8"))
    ]


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Rows in aligned columns, figures to the right; '(none)' when there is no row."""
    if not rows:
        return "(none)\n"
    cells = [["" if value is None else str(value) for value in row] for row in rows]
    widths = [max(len(line[place]) for line in [list(columns), *cells]) for place in range(len(columns))]
    is_figure = [
        all(re.fullmatch(r"(-?[\d.]+)?", row[place]) for row in cells) and any(row[place] for row in cells)
        for place in range(len(columns))
    ]

    def line(values: Sequence[str]) -> str:
        placed = zip(values, widths, is_figure, strict=True)
        return "  ".join(v.rjust(width) if figure else v.ljust(width) for v, width, figure in placed).rstrip()

    return "\n".join(line(values) for values in [list(columns), ["-" * width for width in widths], *cells]) + "\n"


@pytest.fixture(scope="module")
def published(demo_warehouse: DemoWarehouse, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The finance database of the company with all its quarters but the last two closed."""
    folder = tmp_path_factory.mktemp("questions")
    settings = settings_in(folder, demo_warehouse)
    for quarter in closable_periods(settings):
        close_period(settings, quarter)
    register_closed_periods(settings)
    run_dbt(settings.warehouse_path, folder / "target", "run", "--select", *CLOSED, *READ_FROM_CLOSED)
    manifest = load_project(Settings.from_env(demo_warehouse.environment)).manifest
    return publish(settings.warehouse_path, folder / "published", manifest, "finance", "questions").path


def answer(path: Path, query: str) -> str:
    with duckdb.connect(str(path), read_only=True) as connection:
        found = connection.execute(query)
        return table([column[0] for column in found.description], found.fetchall())


def test_there_are_twenty_questions_and_each_has_a_result() -> None:
    asked = questions()
    assert len(asked) >= LEAST_QUESTIONS
    assert len(asked) == PAGE.read_text(encoding="utf-8").count("\n## "), "a question without a query"
    assert [question.title for question in asked if not question.result] == []


@pytest.mark.requirement("OPS-7.5")
@pytest.mark.parametrize("question", questions(), ids=lambda question: re.sub(r"\W+", "_", question.title.lower()))
def test_the_answer_stands_on_the_page(published: Path, question: Question) -> None:
    found = answer(published, question.query)
    if os.environ.get("SLTW_UPDATE_SNAPSHOT"):
        before = f"```sql\n{question.query}```\n"
        text = PAGE.read_text(encoding="utf-8")
        start = text.index(before) + len(before)
        rest = re.sub(r"\A\n```text\n.*?```\n", "", text[start:], flags=re.DOTALL)
        PAGE.write_text(text[:start] + f"\n```text\n{found}```\n" + rest, encoding="utf-8")
    else:
        assert found == question.result


def test_only_one_question_has_nothing_to_answer(published: Path) -> None:
    """A query that finds nothing would prove nothing: only what changed since the close is rightly empty."""
    empty = [question.title for question in questions() if answer(published, question.query) == "(none)\n"]
    assert empty == ["What changed since a quarter was closed?"]
