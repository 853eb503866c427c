"""The SQL of one dbt model as DuckDB gets it, without dbt: macros and model rendered as one jinja template.

Benchmarks and property tests run the warehouse's own rules on tables of their own with it. It renders what a
model says (ref, source, var, dispatched macros), not what needs a warehouse while compiling.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

DBT = Path(__file__).resolve().parent.parent / "dbt_project"


class _Adapter:
    """dbt's adapter object, of which the project uses dispatch and quote alone."""

    @jinja2.pass_context
    def dispatch(self, context: jinja2.runtime.Context, name: str, namespace: str | None = None) -> Callable[..., str]:
        """DuckDB's implementation of a macro."""
        return context.resolve(f"duckdb__{name}")  # type: ignore[no-any-return]

    @staticmethod
    def quote(identifier: str) -> str:
        """The name as DuckDB quotes it."""
        return f'"{identifier}"'


@cache
def _macros() -> str:
    text = "\n".join(path.read_text() for path in sorted((DBT / "macros").rglob("*.sql")))
    # blocks of dbt's own, which are no macros
    return re.sub(r"\{%-?\s*(materialization|test)\b.*?\{%-?\s*end\1\s*-?%\}", "", text, flags=re.DOTALL)


def render(text: str, relations: Mapping[str, str] | None = None, variables: Mapping[str, Any] | None = None) -> str:
    """A text with the project's macros rendered. relations: table per model or seed; its own name without one."""
    names = dict(relations or {})
    given = dict(variables or {})
    # `do` stands in some macros that others render; nothing escapes: this is SQL
    environment = jinja2.Environment(extensions=["jinja2.ext.do"], undefined=jinja2.StrictUndefined)  # noqa: S701
    template = environment.from_string(_macros() + "\n" + text)
    return template.render(
        {
            "adapter": _Adapter(),
            "return": lambda value: value,
            "ref": lambda name: names.get(name, name),
            "source": lambda source, table: names.get(table, f"raw_{source}.{table}"),
            "var": lambda name, default=None: given.get(name, default),
            "config": lambda **_: "",
        }
    ).strip()


def model_sql(name: str, relations: Mapping[str, str] | None = None, variables: Mapping[str, Any] | None = None) -> str:
    """The SQL of a model. Raises FileNotFoundError where there is none of that name."""
    paths = sorted((DBT / "models").rglob(f"{name}.sql"))
    if not paths:
        raise FileNotFoundError(f"no model {name} below dbt_project/models")
    return render(paths[0].read_text(), relations, variables)
