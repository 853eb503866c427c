"""Run a job in this process against the instance in DAGSTER_HOME, so that it is seen in the browser later."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from dagster_project.lib.instance import open_instance

RANGE_START_TAG = "dagster/asset_partition_range_start"
RANGE_END_TAG = "dagster/asset_partition_range_end"


@dataclass(frozen=True)
class JobRun:
    """How a run ended: `errors` as (step, message) of the steps that failed, in order; `skipped` step keys."""

    run_id: str
    success: bool
    errors: tuple[tuple[str, str], ...] = ()
    skipped: tuple[str, ...] = ()
    checks_passed: int = 0
    checks_failed: int = 0

    @classmethod
    def from_json(cls, text: str) -> JobRun:
        """The inverse of json.dumps(asdict(run))."""
        raw = json.loads(text)
        return cls(**{**raw, "errors": tuple(map(tuple, raw["errors"])), "skipped": tuple(raw["skipped"])})


def run_job(
    definitions: dg.Definitions,
    job_name: str,
    dagster_home: Path,
    tags: Mapping[str, str] | None = None,
    assets: Sequence[dg.AssetKey] | None = None,
) -> JobRun:
    """Run a job to its end. Does not raise for a failed step; a lock that is held is an error like any other."""
    with open_instance(dagster_home) as instance:
        result = definitions.resolve_job_def(job_name).execute_in_process(
            instance=instance, raise_on_error=False, tags=dict(tags or {}), asset_selection=assets
        )
        errors = []
        for event in result.all_events:
            if event.is_step_failure:
                errors.append((event.step_key or "", _step_error(event)))
            elif event.is_run_failure and event.job_failure_data and event.job_failure_data.error and not errors:
                errors.append((job_name, _innermost(event.job_failure_data.error)))
        evaluations = result.get_asset_check_evaluations()
        return JobRun(
            run_id=result.run_id,
            success=result.success,
            errors=tuple(errors),
            skipped=tuple(event.step_key or "" for event in result.all_events if event.is_step_skipped),
            checks_passed=sum(evaluation.passed for evaluation in evaluations),
            checks_failed=sum(not evaluation.passed for evaluation in evaluations),
        )


def _step_error(event: dg.DagsterEvent) -> str:
    data = event.step_failure_data
    if data.user_failure_data is not None and data.user_failure_data.description:
        return data.user_failure_data.description
    return _innermost(data.error) if data.error else (event.message or "no message")


def _innermost(error: object) -> str:
    """The message of the first cause: Dagster wraps what a step raised."""
    while getattr(error, "cause", None) is not None:
        error = error.cause  # type: ignore[attr-defined]
    return str(getattr(error, "message", error)).strip()
