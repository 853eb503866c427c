"""Gate marts, what was known when: the histories of results and definitions are whole, unaltered, and end with what the
warehouse says now. Each entry is hashed together with the one before it; the hashes are computed anew here.
"""

from __future__ import annotations

from collections.abc import Iterator

from expectations.checks import CheckSpec, On

RESULTS, RESULT_HISTORY = "metrics.fct_metric_result", "metrics.fct_metric_result_history"
PERIODS, DEFINITION_HISTORY = "core.int_metric_version_period", "metrics.dim_metric_definition_history"
DEFINITIONS, RUN = "metrics.dim_metric_definition", "core.int_run_context"
RESULT_KEY = ("metric_code", "entity_type", "entity_code", "period_grain", "period_start_on")
DEFINITION_KEY = ("metric_code", "metric_version")
# In the order the log hashes them.
RESULT_CONTENT = (
    *RESULT_KEY, "period_end_on", "metric_version", "definition_hash", "numerator", "denominator", "sample_count",
    "raw_value", "metric_value", "result_status", "freeze_status", "freeze_id", "phase", "phase_share",
)  # fmt: skip
REWRITTEN = (
    "an entry was changed or taken away: put the log back from the last archive or backup; it is never written by hand"
)
DEFECT = "a defect of the model: nothing may be published from it; see the keys below"


def checks() -> list[CheckSpec]:
    """All checks of the histories."""
    return [
        *_history(RESULT_HISTORY, RESULT_KEY),
        *_history(DEFINITION_HISTORY, DEFINITION_KEY),
        *_results(),
        *_defined(),
    ]


def _on(table: str, key: tuple[str, ...]) -> On:
    keys = (*key, "entry_number")
    return On(table, table.partition(".")[2], keys=keys, requirements=("OPS-4.6",))


def _md5(columns: tuple[str, ...]) -> str:
    return "md5(" + " || '|' || ".join(f"coalesce(cast({column} as varchar), '~')" for column in columns) + ")"


def _history(table: str, key: tuple[str, ...]) -> Iterator[CheckSpec]:
    on, named = _on(table, key), ", ".join(key)
    yield on.unique((*key, "entry_number"), "An entry has one number.", DEFECT)
    yield on.no_rows(
        "entries_follow_each_other",
        f"""
        select {named}, entry_number, known_from_at, known_to_at, next_from_at from (
            select *,
                lead(known_from_at) over entries as next_from_at,
                row_number() over entries as place
            from checked window entries as (partition by {named} order by entry_number)
        ) as placed
        where entry_number <> place or known_from_at is null
        or known_to_at is distinct from next_from_at or known_to_at < known_from_at
        or is_current <> (next_from_at is null)
        """,
        "Entries are numbered without a gap, and each holds until the next begins.",
        REWRITTEN,
    )
    yield on.no_rows(
        "chain_is_unbroken",
        f"""
        select {named}, entry_number, entry_hash from (
            select *, lag(entry_hash) over (partition by {named} order by entry_number) as earlier_entry_hash
            from checked
        ) as chained
        where entry_hash is distinct from {_md5(("earlier_entry_hash", "content_hash", "known_from_at", "run_id"))}
        """,
        "Each entry's hash is that of its content, its instant, its run and the entry before.",
        REWRITTEN,
    )


def _results() -> Iterator[CheckSpec]:
    on = _on(RESULT_HISTORY, RESULT_KEY)
    yield on.no_rows(
        "content_is_what_was_hashed",
        f"""
        select {", ".join(RESULT_KEY)}, entry_number, metric_value, content_hash from checked
        where content_hash <> case when is_withdrawn then 'withdrawn' else {_md5(RESULT_CONTENT)} end
        """,
        "What an entry says is what was written.",
        REWRITTEN,
    )
    yield on.no_rows(
        "ends_with_what_is_known",
        f"""
        select coalesce(result.metric_code, known.metric_code) as metric_code,
            coalesce(result.entity_type, known.entity_type) as entity_type,
            coalesce(result.entity_code, known.entity_code) as entity_code,
            coalesce(result.period_grain, known.period_grain) as period_grain,
            coalesce(result.period_start_on, known.period_start_on) as period_start_on,
            known.entry_number, known.metric_value as known_value, result.metric_value
        from (select * from checked where is_current and not is_withdrawn) as known
        full join {RESULTS} as result
            on {" and ".join(f"result.{name} = known.{name}" for name in RESULT_KEY)}
        where (select as_of_at from {RUN}) >= (select max(known_from_at) from checked)
        and (
            result.metric_code is null or known.metric_code is null
            or {" or ".join(f"result.{name} is distinct from known.{name}" for name in RESULT_CONTENT[5:])}
            or result.metric_result_key is distinct from known.metric_result_key
        )
        """,
        "The last entry of each result is the result in force, unless the run looks back.",
        DEFECT,
        reads=(RESULTS, RUN),
    )


def _defined() -> Iterator[CheckSpec]:
    on = _on(DEFINITION_HISTORY, DEFINITION_KEY)
    yield on.no_rows(
        "ends_with_what_is_in_force",
        f"""
        select coalesce(defined.metric_code, known.metric_code) as metric_code,
            coalesce(defined.metric_version, known.metric_version) as metric_version, known.entry_number,
            known.definition_hash as known_hash, defined.definition_hash, known.effective_from as known_from,
            in_force.effective_from
        from (select * from checked where is_current and not is_withdrawn) as known
        full join {DEFINITIONS} as defined
            on defined.metric_code = known.metric_code and defined.metric_version = known.metric_version
        left join {PERIODS} as in_force
            on in_force.metric_code = known.metric_code and in_force.metric_version = known.metric_version
        where (select as_of_at from {RUN}) >= (select max(known_from_at) from checked)
        and (
            known.definition_hash is distinct from defined.definition_hash
            or known.is_activated is distinct from (in_force.metric_code is not null)
            or known.effective_from is distinct from in_force.effective_from
            or known.effective_to is distinct from in_force.effective_to
        )
        """,
        "The last entry of each version says what is in force now, unless the run looks back.",
        DEFECT,
        reads=(DEFINITIONS, PERIODS, RUN),
    )
    yield on.no_rows(
        "a_version_keeps_its_hash",
        """
        select metric_code, metric_version, max(entry_number) as entry_number, count(distinct definition_hash) as hashes
        from checked where not is_withdrawn
        group by metric_code, metric_version having count(distinct definition_hash) <> 1
        """,
        "No version was ever known by another content: what is archived can be computed again.",
        "put the definition back as it was and give the change a new version number; a hash that changed with the code "
        "of its kind needs a new version too",
    )
