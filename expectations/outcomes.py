"""What came of a gate: plain values that can be shown, logged or stored as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from expectations.checks import Severity

EXAMPLE_LIMIT = 20
EXAMPLES_IN_TEXT = 3


@dataclass(frozen=True)
class Outcome:
    """One check's result.

    success is False for what was found wrong and for a check that could not be judged (error says why); a
    skipped check is successful and says why it was skipped. element_count: rows judged; unexpected_count:
    rows that fail (None where the expectation is about the table as a whole). examples: key columns and
    value of failing rows, at most EXAMPLE_LIMIT. All values are plain JSON values; money is text.
    """

    check_name: str
    table: str
    expectation_type: str
    severity: Severity
    success: bool
    is_skipped: bool
    skip_reason: str | None
    observed: Any
    element_count: int | None
    unexpected_count: int | None
    examples: list[dict[str, Any]]
    description: str
    how_to_mend: str
    error: str | None = None
    requirements: tuple[str, ...] = ()

    @property
    def is_blocking(self) -> bool:
        """Whether this outcome closes the gate."""
        return not self.success and self.severity == "block"


@dataclass(frozen=True)
class GateResult:
    """A gate's outcomes in the order of its checks, and the wall time it took in seconds."""

    gate: str
    outcomes: list[Outcome] = field(default_factory=list)
    elapsed_seconds: float = 0.0

    @property
    def is_open(self) -> bool:
        """Whether what stands below the gate may be built."""
        return not self.blocking

    @property
    def blocking(self) -> list[Outcome]:
        """Failed checks that close the gate."""
        return [outcome for outcome in self.outcomes if outcome.is_blocking]

    @property
    def warnings(self) -> list[Outcome]:
        """Failed checks that do not."""
        return [o for o in self.outcomes if not o.success and o.severity == "warn"]

    @property
    def skipped(self) -> list[Outcome]:
        """Checks of sources that are absent."""
        return [outcome for outcome in self.outcomes if outcome.is_skipped]

    @property
    def passed(self) -> list[Outcome]:
        """Checks that were judged and hold."""
        return [outcome for outcome in self.outcomes if outcome.success and not outcome.is_skipped]

    def to_json(self) -> str:
        """The result as JSON text."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1)

    @classmethod
    def from_json(cls, text: str) -> GateResult:
        """The inverse of to_json."""
        raw = json.loads(text)
        outcomes = [Outcome(**{**o, "requirements": tuple(o["requirements"])}) for o in raw["outcomes"]]
        return cls(raw["gate"], outcomes, raw["elapsed_seconds"])


def plain(value: Any) -> Any:
    """A value as JSON knows it: decimals, instants and intervals as text, bytes as hex."""
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return plain(value.item()) if hasattr(value, "item") else str(value)


def headline(result: GateResult) -> str:
    """The gate in one line."""
    state = "open" if result.is_open else "CLOSED"
    return (
        f"gate {result.gate}: {state}; {len(result.passed)} passed, {len(result.blocking)} failed, "
        f"{len(result.warnings)} warned, {len(result.skipped)} skipped in {result.elapsed_seconds:.1f} s"
    )


def describe(outcome: Outcome) -> str:
    """A failed check in a few lines: expectation, table, how many rows, an example, how to mend."""
    lines = [f"{outcome.check_name}: {outcome.expectation_type} on {outcome.table} ({outcome.severity})"]
    lines.append(f"  expected: {outcome.description}")
    if outcome.error:
        lines.append(f"  not judged: {outcome.error}")
    elif outcome.unexpected_count is not None:
        of = f" of {outcome.element_count:,}" if outcome.element_count else ""
        lines.append(f"  rows: {outcome.unexpected_count:,}{of}")
    else:
        lines.append(f"  observed: {_text(outcome.observed)}")
    lines += [f"  example: {_text(example)}" for example in outcome.examples[:EXAMPLES_IN_TEXT]]
    lines.append(f"  to mend: {outcome.how_to_mend}")
    return "\n".join(lines)


def render(result: GateResult) -> str:
    """The gate as text: the headline, every failed check, and the reasons for what was skipped."""
    parts = [headline(result)]
    parts += [describe(outcome) for outcome in (*result.blocking, *result.warnings)]
    parts += [f"skipped {count} checks: {reason}" for reason, count in _reasons(result.skipped)]
    return "\n".join(parts)


def _reasons(skipped: Sequence[Outcome]) -> list[tuple[str, int]]:
    counts: dict[str, int] = {}
    for outcome in skipped:
        reason = outcome.skip_reason or "no reason recorded"
        counts[reason] = counts.get(reason, 0) + 1
    return list(counts.items())


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}={_text(item)}" for key, item in value.items())
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
