"""The handbook of metrics and plans: every definition version and plan version in force, before and proposed.

Written from the tables the warehouse computes from (the seeds as loaded, the activation its gates give), so that what
people are trained on cannot fall behind what is paid. People are named by function alone. Same warehouse, same text.

Delivers: OPS-8.6, DESK-5.2
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb

Row = Mapping[str, Any]
Rows = tuple[Row, ...]


@dataclass(frozen=True)
class Handbook:
    """Everything the handbook tells, each part in the order it is told."""

    as_of_at: datetime
    versions: Rows
    activations: Rows
    entity_types: Rows
    filters: Rows
    weights: Rows
    measures: Rows
    requests: Rows
    votes: Rows
    approvals: Rows
    freezes: Rows
    plans: Rows
    plan_activations: Rows
    components: Rows
    bands: Rows
    gates: Rows
    conditions: Rows
    disqualifications: Rows
    clauses: Rows
    weight_adjustments: Rows


COMPONENT_COLUMNS = (
    *("tier", "component_code", "metric_code", "weight", "band_method", "role", "processing_grain"),
    *("threshold_value", "accelerator_from_value", "accelerator_factor"),
)
QUERIES = {
    "versions": "select * from reference.metric_definition order by metric_code, metric_version",
    "activations": "select * from core.int_metric_activation order by metric_code, metric_version",
    "entity_types": "select * from reference.metric_entity_type order by all",
    "filters": "select * from reference.metric_filter order by all",
    "weights": "select * from reference.metric_weight order by all",
    "measures": "select * from reference.metric_measure order by observation_kind, measure_code",
    "requests": """
        select * from governance.rpt_metric_activation where change_request_id <> ''
        order by metric_code, metric_version, requested_on, change_request_id
    """,
    "votes": """
        select change_request_id, member_function, vote, voted_on, is_counted, refusal_reasons
        from core.int_metric_vote order by change_request_id, counts_from_at, vote_id
    """,
    "approvals": """
        select register_code, register_id, subject_version, country_code, approval_type, decided_on, decision,
            is_counted, refusal_reasons
        from core.int_governance_approval
        order by register_id, subject_version, country_code, approval_type, approval_id
    """,
    "freezes": "select * from governance.rpt_metric_freeze order by metric_code, frozen_from_on, freeze_id",
    "plans": "select * from reference.incentive_plan order by plan_code, plan_version",
    "plan_activations": """
        select * from governance.rpt_plan_activation where subject_type = 'plan_version'
        order by subject_code, subject_version, country_code
    """,
    "components": "select * from reference.plan_component order by plan_code, plan_version, tier, component_code",
    "bands": "select * from reference.achievement_band order by plan_code, plan_version, component_code, lower_bound",
    "gates": "select * from reference.counter_gate order by all",
    "conditions": "select * from reference.eligibility_rule order by all",
    "disqualifications": "select * from reference.disqualification_rule order by all",
    "clauses": "select * from reference.plan_clause order by plan_code, plan_version, clause_code",
    "weight_adjustments": """
        select * from governance.rpt_weight_adjustment
        order by plan_code, plan_version, starts_on, adjustment_id, component_code
    """,
}


def read_handbook(connection: duckdb.DuckDBPyConnection) -> Handbook:
    """Everything the handbook tells, from one warehouse."""
    (as_of_at,) = connection.execute("select as_of_at from core.int_run_context").fetchone() or (None,)
    return Handbook(as_of_at=as_of_at, **{name: _rows(connection, query) for name, query in QUERIES.items()})


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> Rows:
    answer = connection.execute(query)
    names = [column[0] for column in answer.description or ()]
    return tuple(dict(zip(names, row, strict=True)) for row in answer.fetchall())


def told(value: object) -> str:
    """A value as the handbook writes it: no trailing zeros, days as ISO, nothing for what is not given."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    return " ".join(str(value).split()).replace("|", "\\|")


def table(names: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Lines of a Markdown table, with an empty line behind it; nothing for no rows."""
    listed = [[told(value) for value in row] for row in rows]
    if listed:
        yield f"| {' | '.join(names)} |"
        yield f"|{'---|' * len(names)}"
        yield from (f"| {' | '.join(row)} |" for row in listed)
        yield ""


def _of(rows: Rows, *names: str) -> dict[tuple[Any, ...], list[Row]]:
    """Rows by the values of some columns."""
    found: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        found[tuple(row[name] for name in names)].append(row)
    return found


def formula(version: Row, measures: Mapping[tuple[str, str], Row]) -> str:
    """How a value comes about, in words."""
    kind = version["observation_kind"]
    divided_kind = version["denominator_observation_kind"] or kind

    def named(of_kind: str, code: str) -> str:
        measure = measures.get((of_kind, code))
        return f"{code} ({measure['measure_description'].rstrip('.')})" if measure else code

    above = named(kind, version["numerator_measure"])
    below = named(divided_kind, version["denominator_measure"]) if version["denominator_measure"] else None
    weighed = f", each weighed by its {version['weighting']}" if version["weighting"] != "none" else ""
    sentences = [f"The sum of {above}{weighed}" + (f", divided by the sum of {below}{weighed}." if below else ".")]
    if version["value_multiplier"] != 1 or version["value_divisor"] != 1:
        sentences.append(
            f"Times {version['value_multiplier']}, divided by {version['value_divisor']}: in {version['unit']}."
        )
    if version["standardised_by"]:
        sentences.append(
            f"Set against what all entities of the type have in the same period, a {version['standardised_by']} at a "
            "time, so that a hard mix is no fault."
        )
    if version["shrinkage_policy"] == "buehlmann":
        sentences.append(
            f"Drawn towards the mean of its entity type as if {version['prior_sample_count']} observations of the mean "
            "had been seen (Bühlmann)."
        )
    if version["seasonality_policy"] != "none":
        sentences.append("A seasonally adjusted value stands beside it where two years have been seen.")
    sentences.append(f"What counts is the {version['value_basis'].replace('_', ' ')} value.")
    sentences.append(
        f"On fewer than {version['min_sample_count']} "
        f"{'different ' + version['sample_dimension'] + ' values' if version['sample_dimension'] else 'observations'} "
        "there is no result."
    )
    return " ".join(sentences)


def phase(version: Row) -> str:
    """The phase-in in words."""
    if not version["baseline_days"] and not version["phase_in_days"]:
        return "Counts in full from its first day."
    return (
        f"Measured for {version['baseline_days']} days without effect, then phased in over "
        f"{version['phase_in_days']} days."
    )


def standing(activation: Row | None, as_of_on: date) -> str:
    """Whether a version is in force, was, will be, or what its gates miss."""
    if activation is None or not activation["is_activated"]:
        missing = activation["refusal_reasons"] if activation else None
        return f"proposed, not in force: {missing or 'not judged'}"
    start, end = activation["effective_from"], activation["effective_to"]
    until = f" to {end}" if end else ""
    if start > as_of_on:
        return f"will be in force from {start}{until}"
    if end is not None and end < as_of_on:
        return f"was in force from {start}{until}"
    return f"in force from {start}{until}"


def _metric(book: Handbook, code: str, of: Callable[[str], list[Row]]) -> Iterator[str]:
    measures = {(row["observation_kind"], row["measure_code"]): row for row in book.measures}
    yield f"## {code}"
    yield ""
    for version in of("versions"):
        number = version["metric_version"]

        def side(name: str, number: int = number) -> list[Row]:
            return [row for row in of(name) if row["metric_version"] == number]

        activation = next(iter(side("activations")), None)
        yield f"### {code} version {number}: {told(version['metric_name'])}"
        yield ""
        yield f"Status: {standing(activation, book.as_of_at.date())}."
        yield ""
        yield formula(version, measures)
        yield phase(version)
        yield f"Owner: {told(version['owner'])}, with {told(version['co_owner'])}."
        yield ""
        yield from table(("parameter", "value"), version.items())
        yield from table(("entity type",), ((row["entity_type"],) for row in side("entity_types")))
        yield from table(
            ("filter on", "dimension", "values", "excluded"),
            (
                (row["applies_to"], row["dimension_code"], row["dimension_values"], row["is_excluded"])
                for row in side("filters")
            ),
        )
        yield from table(
            ("weight by", "value", "weight"),
            ((row["dimension_code"], row["dimension_value"], row["weight"]) for row in side("weights")),
        )
    yield from _history(book, of)
    freezes = of("freezes")
    if freezes:
        yield f"### Freezes of {code}"
        yield ""
        yield from table(
            ("freeze", "entities", "from", "to", "policy", "reason", "decision", "effective", "why not"),
            (
                (
                    row["freeze_id"],
                    f"{row['entity_type'] or 'all types'}: {row['entity_code'] or 'all'}",
                    row["frozen_from_on"],
                    row["frozen_to_on"],
                    row["freeze_policy"],
                    row["reason"],
                    row["decision"],
                    row["is_effective"],
                    row["refusal_reasons"],
                )
                for row in freezes
            ),
        )


def _history(book: Handbook, of: Callable[[str], list[Row]]) -> Iterator[str]:
    requests = of("requests")
    if not requests:
        return
    votes = _of(book.votes, "change_request_id")
    approvals = _of(book.approvals, "register_code", "register_id")
    yield f"### Changes of {requests[0]['metric_code']}"
    yield ""
    yield from table(
        ("request", "version", "kind", "what", "requested", "notice", "proposed from", "outcome", "from", "why not"),
        (
            (
                row["change_request_id"],
                row["metric_version"],
                row["change_kind"],
                row["change_summary"],
                row["requested_on"],
                row["notice_on"],
                row["proposed_effective_from"],
                row["activation_status"],
                row["effective_from"],
                row["refusal_reasons"],
            )
            for row in requests
        ),
    )
    ids = [row["change_request_id"] for row in requests]
    yield from table(
        ("request", "function", "vote", "on", "counts", "why not"),
        (
            (row["change_request_id"], row["member_function"], row["vote"], row["voted_on"], row["is_counted"],
             row["refusal_reasons"])
            for request in ids
            for row in votes[(request,)]
        ),
    )  # fmt: skip
    yield from table(
        ("request", "sign-off", "decision", "on", "counts", "why not"),
        (
            (request, row["approval_type"], row["decision"], row["decided_on"], row["is_counted"],
             row["refusal_reasons"])
            for request in ids
            for row in approvals[("metric_change_request", request)]
        ),
    )  # fmt: skip


def _plan(book: Handbook, plan: Row) -> Iterator[str]:
    key = (plan["plan_code"], plan["plan_version"])

    def of(name: str, *names: str) -> list[Row]:
        return _of(getattr(book, name), *(names or ("plan_code", "plan_version")))[key]

    yield f"## {key[0]} version {key[1]}: {told(plan['plan_name'])}"
    yield ""
    yield (
        "A person's quarter pays, per component: target amount x days in the plan / days of the quarter x weight x "
        "share of the band the team's value lies in x what counter-metrics leave x what the conditions leave. Days of "
        "unpaid leave and the part of a day not worked are taken out of the days. A flat band pays its own share; an "
        "interpolated one what lies between its share and the next band's; stepped bands pay each part of the value at "
        "the rate of its band, each quarter from zero (individual) or along the running total of the team over the "
        "quarters the version pays for (cumulative). Nothing is paid below the threshold; from the accelerator on the "
        "share is multiplied by its factor."
    )
    yield ""
    yield from table(("parameter", "value"), plan.items())
    yield from table(
        ("country", "in force", "from", "to", "demanded", "signed", "why not"),
        (
            (
                row["country_code"] or "any other",
                row["is_activated"],
                row["effective_from"],
                row["effective_to"],
                row["demanded_approvals"],
                row["signed_approvals"],
                row["refusal_reasons"],
            )
            for row in of("plan_activations", "subject_code", "subject_version")
        ),
    )
    yield from table(
        (
            *("tier", "component", "metric", "weight", "band method", "role", "grain", "threshold"),
            *("accelerated from", "by factor"),
        ),
        (tuple(row[name] for name in COMPONENT_COLUMNS) for row in of("components")),
    )
    yield from table(
        ("component", "band", "from value", "pays share"),
        ((row["component_code"], row["band_number"], row["lower_bound"], row["payout_share"]) for row in of("bands")),
    )
    yield from table(
        ("held in check", "tier", "by", "least", "most", "keeps share", "why"),
        (
            (row["component_code"], row["tier"], row["counter_metric_code"], row["least_value"], row["most_value"],
             row["share_kept"], row["description"])
            for row in of("gates")
        ),
    )  # fmt: skip
    for name, column in (("conditions", "condition"), ("disqualifications", "disqualified by")):
        yield from table(
            (column, "keeps share", "from", "to", "told"),
            (
                (row["rule_code"], row["share_kept"], row["effective_from"], row["effective_to"], row["description"])
                for row in of(name)
            ),
        )
    yield from table(("clause", "text"), ((row["clause_code"], row["clause_text"]) for row in of("clauses")))
    yield from table(
        ("sign-off", "country", "decision", "on", "counts", "why not"),
        (
            (row["approval_type"], row["country_code"], row["decision"], row["decided_on"], row["is_counted"],
             row["refusal_reasons"])
            for row in _of(book.approvals, "register_code", "register_id", "subject_version")[("plan_approval", *key)]
        ),
    )  # fmt: skip
    yield from table(
        ("weights moved by", "tier", "component", "from", "to", "plan weight", "asked for", "in effect", "why not"),
        (
            (
                row["adjustment_id"],
                row["tier"],
                row["component_code"],
                row["starts_on"],
                row["ends_on"],
                row["plan_weight"],
                row["requested_weight"],
                row["effective_weight"] if row["is_effective"] else None,
                row["refusal_reasons"],
            )
            for row in of("weight_adjustments")
        ),
    )


def render(book: Handbook) -> str:
    """The handbook as Markdown."""
    lines = [
        "# Handbook of metrics and plans",
        "",
        f"As the warehouse computes at {told(book.as_of_at)} UTC. Written by `sltw handbook` from its own tables.",
        "",
        "# Metrics",
        "",
    ]
    grouped = {
        name: _of(getattr(book, name), "metric_code")
        for name in ("versions", "activations", "entity_types", "filters", "weights", "requests", "freezes")
    }
    codes = dict.fromkeys(row["metric_code"] for row in (*book.versions, *book.requests))
    for code in sorted(codes):

        def of(name: str, code: str = code) -> list[Row]:
            return grouped[name][(code,)]

        lines += _metric(book, code, of)
    lines += ["# Plans", ""]
    for plan in book.plans:
        lines += _plan(book, plan)
    return "\n".join(lines).rstrip() + "\n"
