"""What a proposed metric version would do, for those who vote on it: as a table, a CSV and a picture.

Everything comes from governance.rpt_metric_change_impact; nothing is computed here but totals per currency.

Delivers: OPS-4.5
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from xml.sax.saxutils import escape

import duckdb

TABLE = "governance.rpt_metric_change_impact"
PLOT_WIDTH, LEFT, RIGHT, TOP, ROW = 960, 170, 190, 92, 20
TICKS = 5


class ImpactError(ValueError):
    """There is nothing to show: the message says why, and what there is instead."""


@dataclass(frozen=True)
class Effect:
    """One team, quarter and currency: value and pay by the version in force and by the proposed one."""

    team_code: str
    period_start_on: date
    currency_code: str
    unit: str
    direction: str
    current_version: int | None
    current_value: Decimal | None
    current_status: str | None
    proposed_value: Decimal | None
    proposed_status: str
    difference_value: Decimal | None
    employee_count: int
    adjustment_count: int
    paid_amount: Decimal
    measured_payout_amount: Decimal
    proposed_payout_amount: Decimal
    difference_amount: Decimal

    @property
    def quarter(self) -> str:
        """The quarter as pay names it, such as 2025-Q1."""
        return f"{self.period_start_on.year}-Q{(self.period_start_on.month + 2) // 3}"


@dataclass(frozen=True)
class Impact:
    """A proposal with its effects; columns and rows are the mart's own, for the CSV."""

    metric_code: str
    version: int
    refusal_reasons: str | None
    proposed_from: date | None
    plan_components: tuple[str, ...]
    downstream_models: tuple[str, ...]
    effects: tuple[Effect, ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]

    def totals(self) -> dict[str, tuple[Decimal, Decimal, Decimal]]:
        """Per currency: by the value in force, by the proposed one, the difference."""
        found: dict[str, tuple[Decimal, Decimal, Decimal]] = {}
        for effect in self.effects:
            if effect.currency_code:
                now, then, more = found.get(effect.currency_code, (Decimal(0), Decimal(0), Decimal(0)))
                found[effect.currency_code] = (
                    now + effect.measured_payout_amount,
                    then + effect.proposed_payout_amount,
                    more + effect.difference_amount,
                )
        return dict(sorted(found.items()))


def read_impact(connection: duckdb.DuckDBPyConnection, metric_code: str, version: int) -> Impact:
    """The effect of a proposed version. ImpactError where the warehouse has none to compare."""
    answer = connection.execute(
        f"select * from {TABLE} where metric_code = ? and proposed_version = ? "
        "order by team_code, period_start_on, currency_code",
        [metric_code, version],
    )
    columns = tuple(column[0] for column in answer.description or ())
    rows = tuple(answer.fetchall())
    if not rows:
        raise ImpactError(_why_nothing(connection, metric_code, version))
    named = [dict(zip(columns, row, strict=True)) for row in rows]
    first = named[0]
    return Impact(
        metric_code=metric_code,
        version=version,
        refusal_reasons=first["refusal_reasons"],
        proposed_from=first["proposed_effective_from"],
        plan_components=_parts(first["plan_components"]),
        downstream_models=_parts(first["downstream_models"]),
        effects=tuple(Effect(**{name: row[name] for name in Effect.__dataclass_fields__}) for row in named),
        columns=columns,
        rows=rows,
    )


def _parts(text: str | None) -> tuple[str, ...]:
    return tuple(text.split(", ")) if text else ()


def _why_nothing(connection: duckdb.DuckDBPyConnection, metric_code: str, version: int) -> str:
    """Why a version has no effect to show."""
    versions = {
        number: (start, is_activated)
        for number, start, is_activated in connection.execute(
            "select metric_version, effective_from, is_activated from core.int_metric_activation "
            "where metric_code = ? order by metric_version",
            [metric_code],
        ).fetchall()
    }
    if not versions:
        known = [row[0] for row in connection.execute(
            "select distinct metric_code from core.int_metric_activation order by 1"
        ).fetchall()]  # fmt: skip
        return f"no metric {metric_code!r}; there are {', '.join(known) or 'none'}"
    proposed = [
        f"{code} {number}"
        for code, number in connection.execute(
            f"select distinct metric_code, proposed_version from {TABLE} order by all"
        ).fetchall()
    ]
    instead = f"proposals to compare: {', '.join(proposed) or 'none'}"
    if version not in versions:
        return (
            f"{metric_code} has no version {version}; there are {', '.join(map(str, versions))}. A proposal is written "
            f"into seeds/metrics and built before it can be compared; {instead}"
        )
    start, is_activated = versions[version]
    if is_activated:
        return f"nothing to compare: {metric_code} version {version} is no proposal, it holds from {start}; {instead}"
    return (
        f"nothing to compare: {metric_code} version {version} measures no team, or no quarter has ended that is looked "
        f"back on; {instead}"
    )


def write_csv(impact: Impact, path: Path) -> None:
    """Every column of the mart for the proposal."""
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines, lineterminator="\n")
        writer.writerow(impact.columns)
        writer.writerows(impact.rows)


def draw(impact: Impact) -> str:
    """The effect as an SVG: per team and quarter a ring (in force), a disc (proposed), and what pay would change by."""
    values = [
        float(value)
        for effect in impact.effects
        for value in (effect.current_value, effect.proposed_value)
        if value is not None
    ]
    lowest, highest = (min(values), max(values)) if values else (0.0, 1.0)
    margin = (highest - lowest) * 0.05 or 0.5
    lowest, highest = lowest - margin, highest + margin
    height = TOP + ROW * len(impact.effects) + 30

    def across(value: float) -> float:
        return LEFT + (value - lowest) / (highest - lowest) * (PLOT_WIDTH - LEFT - RIGHT)

    unit = impact.effects[0].unit
    title = f"{impact.metric_code} version {impact.version}: {unit} now and proposed"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{PLOT_WIDTH}" height="{height}" '
        f'viewBox="0 0 {PLOT_WIDTH} {height}" font-family="sans-serif" font-size="12" role="img">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{PLOT_WIDTH}" height="{height}" fill="white"/>',
        f'<text x="10" y="24" font-size="16">{escape(title)}</text>',
        '<circle cx="16" cy="44" r="4" fill="white" stroke="#555555"/><text x="26" y="48">in force</text>',
        '<circle cx="106" cy="44" r="4" fill="#1f5fa8"/><text x="116" y="48">proposed</text>',
        f'<text x="{PLOT_WIDTH - 10}" y="{TOP - 16}" text-anchor="end">pay, proposed less now</text>',
    ]
    for number in range(TICKS):
        value = lowest + (highest - lowest) * number / (TICKS - 1)
        x = across(value)
        parts.append(
            f'<line x1="{x:.1f}" y1="{TOP - 8}" x2="{x:.1f}" y2="{height - 26}" stroke="#dddddd"/>'
            f'<text x="{x:.1f}" y="{height - 10}" text-anchor="middle">{value:.3f}</text>'
        )
    for number, effect in enumerate(impact.effects):
        y = TOP + ROW * number + 6
        label = escape(f"{effect.team_code} {effect.quarter}")
        parts.append(f'<text x="{LEFT - 12}" y="{y + 4}" text-anchor="end">{label}</text>')
        if effect.current_value is not None and effect.proposed_value is not None:
            parts.append(
                f'<line x1="{across(float(effect.current_value)):.1f}" y1="{y}" '
                f'x2="{across(float(effect.proposed_value)):.1f}" y2="{y}" stroke="#1f5fa8" stroke-width="2"/>'
            )
        if effect.proposed_value is not None:
            x = across(float(effect.proposed_value))
            parts.append(f'<circle cx="{x:.1f}" cy="{y}" r="4" fill="#1f5fa8"/>')
        else:
            parts.append(
                f'<text x="{PLOT_WIDTH - RIGHT}" y="{y + 4}" text-anchor="end" fill="#a03020">'
                f"{escape(effect.proposed_status)}</text>"
            )
        if effect.current_value is not None:
            x = across(float(effect.current_value))
            parts.append(f'<circle cx="{x:.1f}" cy="{y}" r="4" fill="white" fill-opacity="0.6" stroke="#555555"/>')
        if effect.currency_code:
            amount = escape(f"{effect.difference_amount:+,.2f} {effect.currency_code}")
            parts.append(f'<text x="{PLOT_WIDTH - 10}" y="{y + 4}" text-anchor="end">{amount}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def shown(value: Decimal | None, status: str | None) -> str:
    """A value for a person: the number, or why there is none."""
    if value is None:
        return status or "no version"
    return f"{value:.4f}" + ("" if status in (None, "ok") else f" ({status})")


def table_rows(effects: Sequence[Effect]) -> list[tuple[str, ...]]:
    """Rows of the table: whose, which quarter, value now and proposed, people, and pay now and proposed."""
    return [
        (
            effect.team_code,
            effect.quarter,
            "" if effect.current_version is None else str(effect.current_version),
            shown(effect.current_value, effect.current_status),
            shown(effect.proposed_value, effect.proposed_status),
            "" if effect.difference_value is None else f"{effect.difference_value:+.4f}",
            str(effect.employee_count),
            effect.currency_code,
            *(
                (
                    f"{effect.measured_payout_amount:,.2f}",
                    f"{effect.proposed_payout_amount:,.2f}",
                    f"{effect.difference_amount:+,.2f}",
                )
                if effect.currency_code
                else ("", "", "")
            ),
        )
        for effect in effects
    ]
