"""What dbt gives a template, as far as linting needs it: sqlfluff renders models with this instead of dbt.

sqlfluff loads this package as its jinja `library_path` (pyproject.toml); every public name becomes a name of
the template. The project's macros are loaded from dbt_project/macros as they are, and a dispatched macro
renders as a plain call of its own name: the model is linted, not one engine's spelling. The same rendering
serves tests/conventions.py, which reads from it what a model selects from and which functions it writes.

It cannot render what asks the warehouse while compiling (run_query and the like). No model does that.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlglot
import yaml
from sqlglot.errors import SqlglotError

# The schemas under which ref() and source() render: no schema of the warehouse has these names, so a table
# named in a model's text without ref() or source() stands out.
REF_SCHEMA = "dbt_ref"
SOURCE_SCHEMA = "dbt_source"


def ref(*names: str, **_: Any) -> str:
    """The relation a model or seed stands in: `dbt_ref.<model>`, of one name or of project and name."""
    return f"{REF_SCHEMA}.{names[-1]}"


def source(source_name: str, table_name: str) -> str:
    """The relation of a source's table: `dbt_source.<source>__<table>`."""
    return f"{SOURCE_SCHEMA}.{source_name}__{table_name}"


def _as_sql(value: Any) -> str:
    """An argument of a macro as SQL: a list is one argument per element, text that is no SQL a literal."""
    if isinstance(value, (list, tuple)):
        return ", ".join(_as_sql(element) for element in value)
    if value is None:
        return "null"
    text = str(value)
    try:
        sqlglot.parse_one(f"f({text})", read="duckdb")
    except SqlglotError:  # a regular expression, a path, a format
        return "'" + text.replace("'", "''") + "'"
    return text


def local_md5(text: str) -> str:
    """A fixed text for a fingerprint: linting does not read what it is taken of."""
    return "fingerprint"


class target:
    """dbt's target, of which the project reads the database's name alone."""

    database = "warehouse"


def _left_join(relation: str, alias: str, equal_left: str, equal_right: str, value: str, at_or_before: str) -> str:
    return (
        f"left join {relation} as {alias}\n"
        f"        on {equal_left} = {alias}.{equal_right} and {value} >= {alias}.{at_or_before}"
    )


def var(name: str, default: Any = None) -> Any:
    """A variable as dbt_project.yml gives it."""
    project = yaml.safe_load((Path(__file__).resolve().parents[1] / "dbt_project.yml").read_text())
    return project["vars"][project["name"]].get(name, default)


class adapter:
    """dbt's adapter object, of which the project uses dispatch, quote and get_relation alone."""

    @staticmethod
    def get_relation(**_: Any) -> None:
        """No relation: linting has no warehouse, so a model is linted as in its first build."""

    @staticmethod
    def quote(identifier: str) -> str:
        """The name as an engine quotes it; DuckDB's way here."""
        return f'"{identifier}"'

    @staticmethod
    def dispatch(macro_name: str, macro_namespace: str | None = None) -> Callable[..., str]:
        """Give the macro as a call of its own name: int_div of a and b renders as `int_div(a, b)`.

        The one macro that is a join and not a value renders as the join every engine knows.
        """
        if macro_name == "asof_join":
            return _left_join

        def call(*arguments: Any, **named_arguments: Any) -> str:
            parts = [_as_sql(argument) for argument in (*arguments, *named_arguments.values())]
            return f"{macro_name}({', '.join(parts)})"

        return call
