"""The SQL of one dbt model as DuckDB gets it, without dbt: macros and model rendered as one jinja template.

Benchmarks and property tests run the warehouse's own rules on tables of their own with it. It renders what a
model says (ref, source, var, dispatched macros), not what needs a warehouse while compiling.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jinja2
import yaml

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


class _Returned(Exception):
    """What a macro hands back by `return`, on its way out of the macro."""

    def __init__(self, value: Any) -> None:
        self.value = value


def _return(value: Any) -> None:
    raise _Returned(value)


def _refuse(message: str) -> None:
    raise ValueError(message)


# `do` stands in some macros that others render; nothing escapes: this is SQL
_ENVIRONMENT = jinja2.Environment(extensions=["jinja2.ext.do"], undefined=jinja2.StrictUndefined)  # noqa: S701


@cache
def _macros() -> dict[str, jinja2.Template]:
    """Every macro as a template of its own, so that its caller gets what it returns and not that as text."""
    text = "\n".join(path.read_text() for path in sorted((DBT / "macros").rglob("*.sql")))
    # blocks of dbt's own, which are no macros
    text = re.sub(r"\{%-?\s*(materialization|test)\b.*?\{%-?\s*end\1\s*-?%\}", "", text, flags=re.DOTALL)
    blocks = re.finditer(r"\{%-?\s*macro\s+(\w+).*?\{%-?\s*endmacro\s*-?%\}", text, flags=re.DOTALL)
    return {block[1]: _ENVIRONMENT.from_string(block[0]) for block in blocks}


def _callable(macro: Callable[..., str]) -> Callable[..., Any]:
    def call(*arguments: Any, **named: Any) -> Any:
        try:
            return macro(*arguments, **named)
        except _Returned as returned:
            return returned.value

    return call


@cache
def _project_variables() -> dict[str, Any]:
    """The project's variables as dbt_project.yml has them."""
    return yaml.safe_load((DBT / "dbt_project.yml").read_text())["vars"]["slt_warehouse"]


def render(
    text: str,
    relations: Mapping[str, str] | None = None,
    variables: Mapping[str, Any] | None = None,
    this: str | None = None,
) -> str:
    """A text with the project's macros rendered. relations: table per model or seed; its own name without one.

    this: the table an incremental model adds to; without one it is built for the first time.
    """
    names = dict(relations or {})
    given = {**_project_variables(), **(variables or {})}
    context: dict[str, Any] = {
        **_ENVIRONMENT.globals,
        "adapter": _Adapter(),
        "exceptions": SimpleNamespace(raise_compiler_error=_refuse),
        "return": _return,
        "ref": lambda name: names.get(name, name),
        "source": lambda source, table: names.get(table, f"raw_{source}.{table}"),
        "var": lambda name, default=None: given.get(name, default),
        "config": lambda **_: "",
        "this": this,
        "is_incremental": lambda: this is not None,
        # there is no warehouse to ask, so what goes by difference is built whole
        "execute": False,
        "local_md5": lambda value: hashlib.md5(value.encode(), usedforsecurity=False).hexdigest(),
    }
    for name, template in _macros().items():
        context[name] = _callable(getattr(template.make_module(context, shared=True), name))
    return _ENVIRONMENT.from_string(text).render(context).strip()


def model_sql(
    name: str,
    relations: Mapping[str, str] | None = None,
    variables: Mapping[str, Any] | None = None,
    this: str | None = None,
) -> str:
    """The SQL of a model. Raises FileNotFoundError where there is none of that name."""
    paths = sorted((DBT / "models").rglob(f"{name}.sql"))
    if not paths:
        raise FileNotFoundError(f"no model {name} below dbt_project/models")
    return render(paths[0].read_text(), relations, variables, this)
