"""At least 200 runs with random faults from fixed seeds; each one ends as if nothing had happened.

A seed that fails is run again, and told in full, by

    python -m tests.faults --seed <seed>

and more seeds than these by `make faults N=<runs>` (FAULT_RUNS=<runs> for this test). A run killed at a moment depends
on the machine's pace: repeat it. How a run goes is told in `tests.faults.random_faults`.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.faults.random_faults import KINDS, Arena, folder_in_memory, plan_of, summary

RUNS = int(os.environ.get("FAULT_RUNS") or 208)


@pytest.mark.requirement("OPS-3.1")
@pytest.mark.requirement("LTI-7.5")
def test_every_run_ends_as_if_nothing_had_happened(capsys: pytest.CaptureFixture[str]) -> None:
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(dir=folder_in_memory()) as folder, Arena(Path(folder)) as arena:
        outcomes = [arena.run(seed) for seed in range(1, RUNS + 1)]
        told = summary(outcomes, arena.expected, time.monotonic() - begun)
        rejected = [dump for dump in arena.expected.values() if b"not_an_object" in dump or b"missing_key" in dump]
    with capsys.disabled():
        print(f"\n{told}")  # noqa: T201
    different = {outcome.plan.seed: outcome.differences for outcome in outcomes if outcome.differences}
    assert not different, different
    assert len(rejected) >= 3, "records that are malformed at the source for good belong to what is compared"
    endings = Counter(outcome.ending for outcome in outcomes)
    assert sum(outcome.struck_count > 0 for outcome in outcomes) > 0.9 * RUNS, "the faults must strike"
    assert not [ending for ending in endings if ending.startswith("ended with code")], endings
    if len(KINDS) * 10 <= RUNS:
        assert endings["killed"] >= 10 and endings["disk full, told"] >= 3, endings
        assert endings["failed with a clear error"] >= 3 and endings["finished"] >= 50, endings


def test_a_seed_always_means_the_same() -> None:
    entities = [("servicenow", "incident"), ("servicenow", "sys_audit"), ("servicenow", "change_request")]
    entities += [("servicenow", "sys_user"), ("bamboohr", "employee"), ("datadog", "slo")]
    plans = [plan_of(seed, entities) for seed in range(1, 201)]
    assert plans == [plan_of(seed, entities) for seed in range(1, 201)]
    assert len({repr((plan.rules, plan.entities)) for plan in plans}) > 180
    assert Counter(kind for plan in plans for kind in plan.kinds[:1]).keys() == set(KINDS)
