"""Gate marts, what was known when: the histories of results and definitions are whole, unaltered, and end with what the
warehouse says now. Each entry is hashed together with the one before it; the hashes are computed anew here.
"""

from __future__ import annotations

from collections.abc import Iterator

from expectations.checks import CheckSpec, On

RESULTS, RESULT_HISTORY = "metrics.fct_metric_result", "metrics.fct_metric_result_history"
PERIODS, DEFINITION_HISTORY = "core.int_metric_version_period", "metrics.dim_metric_definition_history"
SEALS = "core.int_metric_log_seal"
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
        *_seals(),
        *_instants(),
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


def _seals() -> Iterator[CheckSpec]:
    on = On(
        RESULT_HISTORY,
        "fct_metric_result_history",
        keys=("seal_number", "log_name", "run_id"),
        requirements=("OPS-4.6",),
    )
    yield on.no_rows(
        "sealed_entries_are_there",
        f"""
        with found as (
            select log_name, run_id, count(*) as entry_count,
                md5(string_agg(entry_hash, ', ' order by entry_hash)) as entries_hash
            from (
                select 'int_metric_result_log' as log_name, run_id, entry_hash from checked
                union all
                select 'int_metric_definition_log', run_id, entry_hash from {DEFINITION_HISTORY}
            ) as entry
            group by log_name, run_id
        ),
        sealed as (
            select * from {SEALS}
            qualify row_number() over (partition by log_name, run_id order by seal_number desc) = 1
        )
        select coalesce(sealed.seal_number, 0) as seal_number,
            coalesce(sealed.log_name, found.log_name) as log_name, coalesce(sealed.run_id, found.run_id) as run_id,
            sealed.entry_count as sealed_count, coalesce(found.entry_count, 0) as found_count
        from sealed
        full join found on found.log_name = sealed.log_name and found.run_id = sealed.run_id
        where sealed.run_id is null or coalesce(found.entry_count, 0) <> sealed.entry_count
        or (sealed.entry_count > 0 and found.entries_hash is distinct from sealed.entries_hash)
        """,
        "Every entry a run left in a log is still there: no result, no version and no tail of a log is gone.",
        REWRITTEN,
        reads=(SEALS, DEFINITION_HISTORY),
    )
    yield on.no_rows(
        "seals_are_chained",
        f"""
        with sealing as (
            select seal_number, min(seal_hash) as seal_hash, max(seal_hash) as other_hash,
                min(sealed_by_run_id) as run_id, min(log_name) as log_name,
                string_agg(
                    log_name || ' ' || run_id || ' ' || entry_count || ' ' || entries_hash, ', '
                    order by log_name, run_id
                ) as contents
            from {SEALS} group by seal_number
        ),
        chained as (
            select *, lag(seal_hash) over (order by seal_number) as earlier_hash,
                row_number() over (order by seal_number) as place
            from sealing
        )
        select seal_number, log_name, run_id from chained
        where seal_number <> place or seal_hash <> other_hash
        or seal_hash is distinct from {_md5(("earlier_hash", "contents", "run_id"))}
        """,
        "Seals are numbered without a gap, each hashed with what it seals and the one before.",
        REWRITTEN,
        reads=(SEALS,),
    )
    yield on.no_rows(
        "seals_of_judged_runs_are_there",
        f"""
        select 0 as seal_number, judged.gate as log_name, judged.run_id, min(judged.judged_at) as judged_at
        from landing.gate_outcome as judged
        inner join landing.run_context as run on run.run_id = judged.run_id
        where judged.check_name = 'fct_metric_result_history_seals_of_judged_runs_are_there'
        and judged.run_id not in (select sealed_by_run_id from {SEALS})
        group by judged.gate, judged.run_id
        """,
        "Each run whose gate saw its seals still has them: the last ones were not taken away with their entries.",
        REWRITTEN,
        reads=(SEALS, "landing.gate_outcome", "landing.run_context"),
    )


def _instants() -> Iterator[CheckSpec]:
    for table, key in ((RESULT_HISTORY, RESULT_KEY), (DEFINITION_HISTORY, DEFINITION_KEY)):
        yield _on(table, key).no_rows(
            "begins_before_its_run",
            f"""
            select {", ".join(f"checked.{name}" for name in key)}, checked.entry_number, checked.known_from_at,
                run.started_at, checked.run_id
            from checked
            inner join landing.run_context as run on run.run_id = checked.run_id
            where checked.known_from_at > run.started_at
            """,
            "Nothing was known before it could be: no run wrote under an instant that was still to come.",
            "until that instant every run looks back and writes nothing: put the log back from the backup before that "
            "run, and run again with AS_OF unset",
            reads=("landing.run_context",),
        )
