"""One static page of what the gates found: own style, no script, nothing from another host.

`write_report` keeps each gate's last result as JSON beside the page and draws the page from all of them, so
that gates judged at different times stand on one page. A page may hold the keys of failing rows (persons'
numbers among them): it is for those who run the warehouse, and is not published.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

from expectations.outcomes import GateResult, Outcome

GATE_ORDER = ("raw", "staging", "marts")
GATE_PLACES = {
    "raw": "landing → staging",
    "staging": "staging → core",
    "marts": "marts → readers",
}
PAGE_NAME = "index.html"
SHOWN_EXAMPLES = 20

STYLE = """
:root { --ink: #1d2733; --soft: #5b6b7c; --line: #dde3ea; --page: #f4f6f9; --card: #fff; --good: #1b7f4d;
  --bad: #b3261e; --warn: #9a6400; --skip: #8593a3; --code: #eef2f6; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ebf1; --soft: #9fb0c0; --line: #2d3947; --page:
    #12181f;
  --card: #1a222c; --good: #4ec58a; --bad: #ff8a80; --warn: #f0b555; --skip: #7d8b9a; --code: #232d39; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 26px; margin: 0 0 4px; letter-spacing: -.01em; }
h2 { font-size: 19px; margin: 40px 0 12px; }
h3 { font-size: 15px; margin: 24px 0 8px; color: var(--soft); font-weight: 600; }
p { margin: 0 0 8px; } .soft { color: var(--soft); }
.gates { display: grid; grid-template-columns: repeat(auto-fit, minmax(260px, 1fr)); gap: 14px;
  margin-top: 22px; }
.gate { background: var(--card); border: 1px solid var(--line); border-top: 4px solid var(--good);
  border-radius: 10px; padding: 16px 18px; color: inherit; text-decoration: none; display: block; }
.gate.closed { border-top-color: var(--bad); } .gate.unknown { border-top-color: var(--skip); }
.gate strong { font-size: 18px; text-transform: capitalize; } .gate .state { float: right; font-weight: 600; }
.state.open { color: var(--good); } .state.closed { color: var(--bad); }
.bar { display: flex; height: 8px; border-radius: 4px; overflow: hidden; margin: 12px 0 8px;
  background: var(--line); }
.bar i { display: block; } .bar .pass { background: var(--good); } .bar .block { background: var(--bad); }
.bar .warn { background: var(--warn); } .bar .skip { background: var(--skip); opacity: .5; }
.failure { background: var(--card); border: 1px solid var(--line); border-left: 4px solid var(--bad);
  border-radius: 8px; padding: 14px 18px; margin: 12px 0; overflow-wrap: anywhere; }
.failure.warn { border-left-color: var(--warn); }
.failure h4 { margin: 0 0 2px; font-size: 15px; } .failure dl { margin: 10px 0 0; display: grid;
  grid-template-columns: max-content 1fr; gap: 2px 14px; } dt { color: var(--soft); } dd { margin: 0; }
.tag { font-size: 12px; font-weight: 600; border-radius: 999px; padding: 1px 9px;
  border: 1px solid currentColor; margin-left: 8px; white-space: nowrap; }
.tag.block { color: var(--bad); } .tag.warn { color: var(--warn); }
.tag.pass { color: var(--good); } .tag.skip { color: var(--skip); }
.scroll { overflow-x: auto; margin-top: 10px; }
table { border-collapse: collapse; width: 100%; font-size: 13px; }
th, td { text-align: left; padding: 5px 10px; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--soft); font-weight: 600; } td.figure { text-align: right;
  font-variant-numeric: tabular-nums; }
.examples td { font-family: ui-monospace, monospace; font-size: 12px; background: var(--code); }
code { font-family: ui-monospace, monospace; font-size: 13px; }
details { background: var(--card); border: 1px solid var(--line); border-radius: 8px; margin: 8px 0; }
summary { cursor: pointer; padding: 9px 16px; } summary .count { color: var(--soft); float: right; }
details > .scroll { margin: 0; padding: 0 8px 8px; }
"""


def write_report(results: Iterable[GateResult], folder: str | os.PathLike[str]) -> Path:
    """Keep the results and draw the page anew; returns the page's path.

    Each file is written beside its place and renamed over the old one. Raises OSError when the folder cannot
    be written.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for result in results:
        _replace(folder / f"gate_{result.gate}.json", result.to_json())
    kept = [
        (GateResult.from_json(path.read_text(encoding="utf-8")), path.stat().st_mtime)
        for gate in GATE_ORDER
        if (path := folder / f"gate_{gate}.json").exists()
    ]
    judged_at = {result.gate: datetime.fromtimestamp(at, UTC) for result, at in kept}
    page = folder / PAGE_NAME
    _replace(page, render_html([result for result, _ in kept], judged_at))
    return page


def _replace(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.name}.part")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


def render_html(results: Sequence[GateResult], judged_at: dict[str, datetime] | None = None) -> str:
    """The page as text; judged_at says when each gate was judged (aware, UTC)."""
    judged_at = judged_at or {}
    by_gate = {result.gate: result for result in results}
    parts = [
        "<!doctype html><html lang=en><head><meta charset=utf-8>",
        '<meta name=viewport content="width=device-width, initial-scale=1">',
        "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f"<title>Gates</title><style>{STYLE}</style></head><body><main>",
        "<h1>Gates of the warehouse</h1>",
        f"<p class=soft>{_summary(results)}</p>",
        "<div class=gates>",
        *(_card(gate, by_gate.get(gate), judged_at.get(gate)) for gate in GATE_ORDER),
        "</div>",
        *(section for gate in GATE_ORDER if gate in by_gate for section in _section(by_gate[gate])),
        "</main></body></html>",
    ]
    return "\n".join(parts)


def _summary(results: Sequence[GateResult]) -> str:
    outcomes = [outcome for result in results for outcome in result.outcomes]
    closed = [result.gate for result in results if not result.is_open]
    state = f"Closed: {', '.join(closed)}." if closed else "Every gate that was judged is open."
    return escape(
        f"{state} {len(outcomes):,} expectations, {sum(o.is_blocking for o in outcomes):,} failed, "
        f"{sum(not o.success and not o.is_blocking for o in outcomes):,} warned, "
        f"{sum(o.is_skipped for o in outcomes):,} skipped because their source is absent."
    )


def _card(gate: str, result: GateResult | None, at: datetime | None) -> str:
    place = GATE_PLACES[gate]
    if result is None:
        return (
            f'<div class="gate unknown"><span class=state>not judged</span><strong>{gate}</strong>'
            f"<p class=soft>{place}</p></div>"
        )
    counts = {
        "pass": len(result.passed),
        "block": len(result.blocking),
        "warn": len(result.warnings),
        "skip": len(result.skipped),
    }
    total = max(1, sum(counts.values()))
    bar = "".join(f'<i class={kind} style="width:{100 * count / total:.3f}%"></i>' for kind, count in counts.items())
    state = "open" if result.is_open else "closed"
    when = f"{at:%Y-%m-%d %H:%M} UTC, " if at else ""
    return (
        f'<a class="gate {state}" href="#{gate}"><span class="state {state}">{state}</span>'
        f"<strong>{gate}</strong><p class=soft>{place}</p><div class=bar>{bar}</div>"
        f"<p>{counts['pass']} passed, {counts['block']} failed, {counts['warn']} warned, "
        f"{counts['skip']} skipped</p><p class=soft>{when}{result.elapsed_seconds:.1f} s</p></a>"
    )


def _section(result: GateResult) -> Iterator[str]:
    yield f"<h2 id={result.gate}>Gate {result.gate}</h2>"
    for outcome in (*result.blocking, *result.warnings):
        yield _failure(outcome)
    if not result.blocking and not result.warnings:
        yield "<p>Everything that was judged holds.</p>"
    yield "<h3>All expectations by table</h3>"
    tables: dict[str, list[Outcome]] = {}
    for outcome in result.outcomes:
        tables.setdefault(outcome.table, []).append(outcome)
    for table, outcomes in tables.items():
        yield _table(table, outcomes)


def _failure(outcome: Outcome) -> str:
    if outcome.error:
        figure = f"not judged: {outcome.error}"
    elif outcome.unexpected_count is not None:
        of = f" of {outcome.element_count:,}" if outcome.element_count else ""
        figure = f"{outcome.unexpected_count:,}{of}"
    else:
        figure = _cell(outcome.observed)
    facts = [("expected", outcome.description), ("rows", figure), ("to mend", outcome.how_to_mend)]
    rows = "".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in facts)
    return (
        f'<article class="failure {outcome.severity}"><h4>{escape(outcome.check_name)}'
        f"<span class='tag {outcome.severity}'>{outcome.severity}</span></h4>"
        f"<p class=soft>{escape(outcome.expectation_type)} on <code>{escape(outcome.table)}</code></p>"
        f"<dl>{rows}</dl>{_examples(outcome.examples[:SHOWN_EXAMPLES])}</article>"
    )


def _examples(examples: Sequence[dict[str, Any]]) -> str:
    if not examples:
        return ""
    names = list(dict.fromkeys(name for example in examples for name in example))
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(_cell(example.get(name)))}</td>" for name in names) + "</tr>"
        for example in examples
    )
    rows = f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
    return f"<div class=scroll><table class=examples>{rows}</table></div>"


def _table(table: str, outcomes: Sequence[Outcome]) -> str:
    kinds = [_kind(outcome) for outcome in outcomes]
    counts = ", ".join(
        f"{kinds.count(kind)} {name}"
        for kind, name in (("block", "failed"), ("warn", "warned"), ("pass", "passed"), ("skip", "skipped"))
        if kind in kinds
    )
    rows = "".join(
        f"<tr><td><span class='tag {kind}'>{kind}</span></td><td>{escape(o.check_name)}</td>"
        f"<td>{escape(o.description)}</td><td class=figure>{escape(_cell(o.observed))}</td></tr>"
        for o, kind in zip(outcomes, kinds, strict=True)
    )
    return (
        f"<details><summary><code>{escape(table)}</code><span class=count>{counts}</span></summary>"
        f"<div class=scroll><table><tbody>{rows}</tbody></table></div></details>"
    )


def _kind(outcome: Outcome) -> str:
    if outcome.is_skipped:
        return "skip"
    return "pass" if outcome.success else outcome.severity


def _cell(value: Any) -> str:
    if value is None:
        return "∅"
    if isinstance(value, list):
        return ", ".join(map(_cell, value[:10])) + (" …" if len(value) > 10 else "")
    return str(value)
