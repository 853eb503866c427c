"""From which columns of its direct parents each column of a model is made.

The compiled SQL is qualified once per model (sqlglot resolves stars and bare names by the parents' columns); each
output column is then walked down through ctes, subqueries and unions with a memo, so that ctes used many times
cost nothing more. Filters and join conditions are not lineage: only what enters the value is.
About 10 ms a model.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp, parse_one
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope

# column of the model -> ((schema, table, column), ...) of its parents
Lineage = dict[str, list[tuple[str, str, str]]]
Columns = Mapping[tuple[str, str], Mapping[str, str]]


def column_lineage(sql: str, parents: Columns) -> Lineage:
    """Lineage of one compiled model; `parents` maps (schema, table) to {column: type}.

    Raises sqlglot's SqlglotError when the SQL cannot be read.
    """
    schema: dict[str, dict[str, dict[str, str]]] = {}
    for (schema_name, table), columns in parents.items():
        schema.setdefault(schema_name, {})[table] = dict(columns)
    tree = parse_one(sql, dialect="duckdb")
    for table in tree.find_all(exp.Table):
        table.set("catalog", None)  # "warehouse"."core"."t": the database is always the same
    qualified = qualify(
        tree,
        dialect="duckdb",
        schema=schema,
        validate_qualify_columns=False,
        identify=False,
        quote_identifiers=False,
    )
    root = build_scope(qualified)
    if root is None:
        return {}
    walker = _Walker()
    return {name: sorted(walker.sources(root, name)) for name in root.expression.named_selects}


class _Walker:
    """Memoised walk from an output column down to columns of real tables."""

    def __init__(self) -> None:
        self._memo: dict[tuple[int, str], frozenset[tuple[str, str, str]]] = {}

    def sources(self, scope: Scope, name: str) -> frozenset[tuple[str, str, str]]:
        key = (id(scope), name.lower())
        if key not in self._memo:
            self._memo[key] = frozenset()  # a recursive cte meets itself here
            self._memo[key] = self._walk(scope, name)
        return self._memo[key]

    def _walk(self, scope: Scope, name: str) -> frozenset[tuple[str, str, str]]:
        if scope.set_operation_scopes:
            names = [column.lower() for column in scope.expression.named_selects]
            if name.lower() not in names:
                return frozenset()
            position = names.index(name.lower())
            found: set[tuple[str, str, str]] = set()
            for part in scope.set_operation_scopes:
                selects = part.expression.named_selects
                if position < len(selects):
                    found |= self.sources(part, selects[position])
            return frozenset(found)
        select = next((item for item in scope.expression.selects if item.alias_or_name.lower() == name.lower()), None)
        if select is None:
            return frozenset()
        found = set()
        for column in select.find_all(exp.Column):
            found |= self._column(scope, column)
        return frozenset(found)

    def _column(self, scope: Scope, column: exp.Column) -> frozenset[tuple[str, str, str]]:
        for candidate in (scope, *scope.subquery_scopes):
            source = candidate.sources.get(column.table)
            if isinstance(source, exp.Table):
                return frozenset(((source.db, source.name, column.name),))
            if isinstance(source, Scope):
                return self.sources(source, column.name)
        return frozenset()
