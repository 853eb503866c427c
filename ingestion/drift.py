"""Every batch against its entity's own history: a profile of each new batch, and what has drifted.

A profile is taken once, in SQL over the batch's rows, and kept; what it is compared with are the profiles before it.
A slice is what is compared: the window of a batch, a list taken whole, or a month of an exported file. Slices are
compared with earlier ones of the same kind only, a day of the working week with such days, so that a Sunday or a
catch-up of 31 days is no drift. Medians and median absolute deviations, since one bad night must not become the rule.

Delivers: SLT-3.2, LTI-7.1
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ingestion import landing
from ingestion.contracts import Entity
from ingestion.landing import quoted
from ingestion.settings import Settings
from ingestion.sources import SOURCES

SEEDS_PATH = Path(__file__).resolve().parent.parent / "seeds" / "drift"
# Earlier slices a slice is compared with.
HISTORY_COUNT = 12
# A finding holds the gate for as long as the longest window and a little: by then it has been mended or accepted.
GATING_DAYS = 35
# A window read later than so many days after its end was read in arrears.
ARREARS_DAYS = 7
# A column is one of categories when a slice has at most so many values, each of five rows on average.
MAX_CATEGORIES = 50
# Categories recur: so much of the history must be of values that more than one slice has.
RECURRING_SHARE = 0.8
# What stands for "no value" beside an empty text.
MISSING_MARKS = {"servicenow_event_log": "?"}
WHOLE = "*"

MEND = {
    "volume": "ask the owner whether so many are right; if not, have it mended and extract the window again",
    "null_share": "ask the owner whether the field is filled differently now; extract again when it is mended",
    "column_emptied": "ask the owner whether access to the field or its name changed; extract the window again",
    "column_lost": "ask the owner whether the column was renamed; change contract and staging together",
    "column_new": "add it to the contract, or to the known_fields of the entity",
    "category_new": "see that staging and the seeds know the value",
    "category_lost": "ask the owner whether the value was renamed or filtered out; extract the window again",
    "category_share": "ask the owner what changed in the process; results by this column are not comparable",
    "duration": "ask the owner what changed; look at stamps and zones before believing it",
}
MEASURES = tuple(MEND)
ACCEPT = "to accept it, add a row to seeds/drift/drift_threshold.csv with its reason"


@dataclass(frozen=True)
class Default:
    """The thresholds of a measure that no more exact row overrules, as text (empty where the measure has none)."""

    min_history_count: str
    min_row_count: str
    robust_factor: str
    min_change_share: str
    index_limit: str


def read_defaults(path: Path = SEEDS_PATH) -> dict[str, Default]:
    """By measure, from the seed."""
    with (path / "drift_threshold.csv").open(newline="", encoding="utf-8") as lines:
        return {
            row["measure"]: Default(**{name: row[name] for name in Default.__dataclass_fields__})
            for row in csv.DictReader(lines)
            if row["source_name"] == WHOLE
        }


# --- profiles ---


def profile_new_batches(settings: Settings, seeds: Path = SEEDS_PATH) -> int:
    """Profile each batch that has none yet; returns how many. One transaction."""
    quantities: dict[tuple[str, str], list[tuple[str, str, str]]] = {}
    with (seeds / "drift_quantity.csv").open(newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            quantities.setdefault((row["source_name"], row["entity_name"]), []).append(
                (row["quantity_name"], row["from_column"], row["to_column"])
            )
    with landing.connect(settings) as connection:
        new = connection.execute(
            """
            select b.source, b.entity, list(b.batch_id order by b.batch_id)
            from landing.extract_batch as b
            where not exists (select 1 from landing.batch_profile as p where p.batch_id = b.batch_id)
            group by b.source, b.entity
            """
        ).fetchall()
        connection.execute("begin transaction")
        for source, entity, batch_ids in new:
            contract = SOURCES[source].entities.get(entity) if source in SOURCES else None
            if contract is not None:
                _profile(connection, contract, batch_ids, quantities.get((source, entity), []))
        connection.execute("commit")
    return sum(len(batch_ids) for _, _, batch_ids in new)


def _profile(
    connection: duckdb.DuckDBPyConnection,
    entity: Entity,
    batch_ids: list[str],
    quantities: list[tuple[str, str, str]],
) -> None:
    mark = MISSING_MARKS.get(entity.source)
    cell = "nullif({}, '')" if mark is None else f"nullif(nullif(trim({{}}), ''), '{mark}')"
    cells = {column: cell.format(f"r.{quoted(column)}") for column in entity.columns}
    # an exported log is compared month by month; a file without stamps as it came, with the files before it
    in_file = entity.partitioning == "file" and entity.stamp is not None
    formats = ", ".join(f"'{text}'" for text in entity.stamp_formats)
    month = f"date_trunc('month', try_strptime(r.{quoted(entity.stamp or '')}, [{formats}]))::timestamp"
    begins = month if in_file else "b.window_start_at"
    ends = f"{month} + interval 1 month" if in_file else "b.window_end_at"
    rows = f"""
        select r._batch_id as batch_id, {begins} as slice_from_at, {ends} as slice_to_at,
            {", ".join(f"{text} as c{n}" for n, text in enumerate(cells.values()))}
            {"".join(f", {text} as q{n}" for n, (_, text) in enumerate(_quantities(cells, quantities)))}
        from {entity.table} as r inner join landing.extract_batch as b on b.batch_id = r._batch_id
        where r._batch_id in (select unnest($batch_ids))
    """
    identity = f"'{entity.source}' as source, '{entity.name}' as entity"
    figures = ", ".join(
        f"count(c{n}) as k{n}, approx_count_distinct(c{n}) as d{n}, left(min(c{n}), 60) as lo{n}, "
        f"left(max(c{n}), 60) as hi{n}"
        for n in range(len(cells))
    ) + "".join(f", count(q{n}) as m{n}, quantile_cont(q{n}, [0.1, 0.5, 0.9]) as s{n}" for n in range(len(quantities)))
    packed = [
        f"{{'column_name': '{column}', 'null_count': row_count - k{n}, 'distinct_count': d{n}, 'least_text': lo{n}, "
        f"'greatest_text': hi{n}, 'low_value': null::double, 'middle_value': null::double, 'high_value': null::double}}"
        for n, column in enumerate(cells)
    ] + [
        f"{{'column_name': '{name}', 'null_count': row_count - m{n}, 'distinct_count': null, 'least_text': null, "
        f"'greatest_text': null, 'low_value': s{n}[1], 'middle_value': s{n}[2], 'high_value': s{n}[3]}}"
        for n, (name, _, _) in enumerate(quantities)
    ]
    connection.execute(
        f"""
        insert into landing.batch_profile by name
        with batch_rows as ({rows}),
        wide as (
            select batch_id, slice_from_at, slice_to_at, count(*) as row_count, {figures}
            from batch_rows group by batch_id, slice_from_at, slice_to_at
        )
        select batch_id, {identity}, slice_from_at, slice_to_at, row_count,
            unnest([{", ".join(packed)}], recursive := true)
        from wide {"where slice_from_at is not null" if in_file else ""}
        """,
        {"batch_ids": batch_ids},
    )
    # the slice as a whole; a batch without a row has nothing but this
    connection.execute(
        f"""
        insert into landing.batch_profile by name
        select b.batch_id, {identity}, {"p.slice_from_at" if in_file else "b.window_start_at"} as slice_from_at,
            {"p.slice_to_at" if in_file else "b.window_end_at"} as slice_to_at,
            {"coalesce(p.row_count, 0)" if in_file else "b.row_count"} as row_count,
            '{WHOLE}' as column_name, 0 as null_count
        from landing.extract_batch as b
        left join (
            select distinct batch_id, slice_from_at, slice_to_at, row_count from landing.batch_profile
            where list_contains($batch_ids, batch_id)
        ) as p on p.batch_id = b.batch_id and {"true" if in_file else "false"}
        where list_contains($batch_ids, b.batch_id)
        """,
        {"batch_ids": batch_ids},
    )
    few = [
        row[0]
        for row in connection.execute(
            """
            select column_name from landing.batch_profile
            where list_contains($batch_ids, batch_id) and distinct_count between 1 and $limit
                and distinct_count * 5 <= row_count - null_count
            group by column_name
            """,
            {"batch_ids": batch_ids, "limit": MAX_CATEGORIES},
        ).fetchall()
    ]
    numbers = {column: n for n, column in enumerate(cells) if column in few and column not in entity.key}
    if not numbers:
        return
    counted = " union all ".join(
        f"select batch_id, slice_from_at, '{column}' as column_name, left(c{n}, 80) as category, count(*) as row_count "
        f"from batch_rows where c{n} is not null group by all"
        for column, n in numbers.items()
    )
    connection.execute(
        f"""
        insert into landing.batch_category by name
        with batch_rows as materialized ({rows}), counted as ({counted})
        select c.batch_id, {identity}, c.slice_from_at, c.column_name, c.category, c.row_count
        from counted as c
        inner join landing.batch_profile as p
            on p.batch_id = c.batch_id and p.column_name = c.column_name
            and p.slice_from_at is not distinct from c.slice_from_at
        where p.distinct_count <= {MAX_CATEGORIES} and p.distinct_count * 5 <= p.row_count - p.null_count
        """,
        {"batch_ids": batch_ids},
    )


def _quantities(cells: dict[str, str], quantities: list[tuple[str, str, str]]) -> Iterator[tuple[str, str]]:
    """(name, SQL of its value as a double) of each quantity."""
    stamp = (
        "coalesce(try_strptime({0}, ['%Y-%m-%d %H:%M:%S', '%d/%m/%Y %H:%M']), "
        "try_cast({0} as timestamptz) at time zone 'UTC')"
    )
    for name, first, second in quantities:
        if second:
            begins, ends = stamp.format(cells[first]), stamp.format(cells[second])
            yield name, f"(epoch({ends}) - epoch({begins}))::double"
        else:
            yield name, f"try_cast({cells[first]} as double)"


# --- judgement ---


def hold_against_history(settings: Settings) -> tuple[int, int]:
    """Profile what has landed since, then judge it: (batches profiled, findings there are now)."""
    return profile_new_batches(settings), judge_drift(settings)


def judge_drift(settings: Settings, seeds: Path = SEEDS_PATH) -> int:
    """Replace landing.drift_finding by what the profiles and the thresholds say now; returns how many findings."""
    path = str(seeds / "drift_threshold.csv").replace("'", "''")
    mend = " ".join(f"when '{measure}' then '{text}; {ACCEPT}'" for measure, text in MEND.items())
    with landing.connect(settings) as connection:
        connection.execute("begin transaction")
        connection.execute("delete from landing.drift_finding")
        connection.execute(JUDGEMENT.replace("{thresholds}", path).replace("{mend}", f"case f.measure {mend} end"))
        count = connection.execute("select count(*) from landing.drift_finding").fetchone()[0]
        connection.execute("commit")
    return count


JUDGEMENT = f"""
insert into landing.drift_finding by name
with run as (
    select as_of_at, started_at from landing.run_context
    qualify row_number() over (order by started_at desc, run_id desc) = 1
),
moment as (
    select coalesce((select as_of_at from run), now()::timestamp) as as_of_at,
        coalesce((select epoch(as_of_at) - epoch(started_at) from run), 0) as shift_seconds
),
threshold as (
    select * from read_csv('{{thresholds}}', header = true, columns = {{
        'measure': 'varchar', 'source_name': 'varchar', 'entity_name': 'varchar', 'column_name': 'varchar',
        'min_history_count': 'integer', 'min_row_count': 'integer', 'robust_factor': 'double',
        'min_change_share': 'double', 'index_limit': 'double', 'severity': 'varchar', 'effective_from': 'date',
        'effective_to': 'date', 'reason': 'varchar'}})
    where (select as_of_at::date from moment) between effective_from and coalesce(effective_to, date '9999-12-31')
),
-- lists keep their superseded batches as history; of a window or a file only the batch that stands for it counts
batch as (
    select b.*, e.partitioning, s.current_batch_id is not null as is_current
    from landing.extract_batch as b
    inner join landing.source_entity as e on e.source = b.source and e.entity = b.entity
    left join landing.extract_state as s on s.current_batch_id = b.batch_id
    where s.current_batch_id is not null or e.partitioning = 'snapshot'
),
slice as (
    select
        p.*, b.partitioning, b.is_current, b.partition_key, b.started_at,
        coalesce(p.slice_from_at, b.started_at) as ordered_at,
        greatest(epoch(p.slice_to_at) - epoch(p.slice_from_at), 86400) / 86400 as day_count,
        case
            -- a record read long after its window has moved on: what is read in arrears compares with its like
            when b.partitioning = 'daily' and epoch(b.finished_at) + m.shift_seconds
                > epoch(p.slice_to_at) + 86400 * {ARREARS_DAYS} then 'arrears'
            when b.partitioning <> 'daily' then b.partitioning
            when epoch(p.slice_to_at) - epoch(p.slice_from_at) > 86400 * 20 then 'weeks'
            when epoch(p.slice_to_at) - epoch(p.slice_from_at) > 86400 then 'days'
            when isodow(p.slice_from_at) >= 6 then 'weekend'
            else 'weekday'
        end as kind,
        -- the first and the last month of an export are parts of months
        coalesce(b.partitioning = 'file' and (
            p.slice_from_at = min(p.slice_from_at) over (partition by p.batch_id)
            or p.slice_from_at = max(p.slice_from_at) over (partition by p.batch_id)
        ), false) as is_part,
        (p.null_count / nullif(p.row_count, 0))::double as null_share,
        dense_rank() over (
            partition by p.source, p.entity, kind order by ordered_at, b.started_at, p.batch_id
        ) as slice_number,
        -- a column of many values does not become one of categories in a quiet month
        max(p.distinct_count) over (
            partition by p.source, p.entity, kind, p.column_name order by ordered_at, b.started_at, p.batch_id
            rows between {HISTORY_COUNT} preceding and current row
        ) as most_distinct
    from landing.batch_profile as p inner join batch as b on b.batch_id = p.batch_id
    cross join moment as m
),
rule as (
    select s.source, s.entity, s.column_name, t.*
        exclude (source_name, entity_name, column_name, effective_from, effective_to, reason)
    from (select distinct source, entity, column_name from slice) as s
    inner join threshold as t
        on t.source_name in (s.source, '*') and t.entity_name in (s.entity, '*')
        and t.column_name in (s.column_name, '*')
    qualify row_number() over (
        partition by s.source, s.entity, s.column_name, t.measure
        order by t.column_name = '*', t.entity_name = '*', t.source_name = '*', t.effective_from desc
    ) = 1
),
-- rows a day, so that windows of 28 and of 31 days compare
counted as (
    select *, case when partitioning in ('daily', 'file') then day_count else 1 end as scale,
        ln(greatest(row_count, 0.5) / scale) as log_rate
    from slice where column_name = '*' and not is_part
),
volume as (
    select
        c.*, median(h.log_rate) as middle, mad(h.log_rate) as spread, count(*) as history_count,
        greatest(any_value(r.robust_factor) * 1.4826 * spread, ln(1 + any_value(r.min_change_share))) as slack,
        any_value(r.severity) as severity
    from counted as c
    inner join rule as r on r.source = c.source and r.entity = c.entity and r.column_name = '*' and r.measure = 'volume'
    inner join counted as h on h.source = c.source and h.entity = c.entity and h.kind = c.kind
        and h.slice_number between c.slice_number - {HISTORY_COUNT} and c.slice_number - 1
    where c.is_current
    group by all
    having count(*) >= any_value(r.min_history_count)
),
emptiness as (
    select
        c.*, median(h.null_share) as middle, mad(h.null_share) as spread, max(h.null_share) as most,
        count(*) as history_count
    from slice as c
    inner join slice as h on h.source = c.source and h.entity = c.entity and h.column_name = c.column_name
        and h.kind = c.kind and h.slice_number between c.slice_number - {HISTORY_COUNT} and c.slice_number - 1
    where c.is_current and c.column_name <> '*' and c.distinct_count is not null and h.row_count > 0 and c.row_count > 0
    group by all
),
quantity as (
    select *, unnest([
        {{'part': 'median', 'observed': middle_value}}, {{'part': '90th percentile', 'observed': high_value}}
    ], recursive := true)
    from slice where distinct_count is null and column_name <> '*'
),
duration as (
    select
        c.*, median(ln(h.observed)) as middle, mad(ln(h.observed)) as spread, count(*) as history_count,
        greatest(
            any_value(r.robust_factor) * 1.4826 * spread, ln(1 + any_value(r.min_change_share))
        ) as slack,
        any_value(r.severity) as severity
    from quantity as c
    inner join rule as r on r.source = c.source and r.entity = c.entity and r.column_name = c.column_name
        and r.measure = 'duration'
    inner join quantity as h on h.source = c.source and h.entity = c.entity and h.column_name = c.column_name
        and h.part = c.part and h.kind = c.kind
        and h.slice_number between c.slice_number - {HISTORY_COUNT} and c.slice_number - 1
        and h.row_count - h.null_count >= coalesce(r.min_row_count, 0) and h.observed > 0
    where c.is_current and c.row_count - c.null_count >= coalesce(r.min_row_count, 0)
    group by all
    having count(*) >= any_value(r.min_history_count)
),
-- columns whose slices are counted by category, and the earlier ones of the same kind that are
categorical as (
    select s.*, s.row_count - s.null_count as known_count
    from slice as s
    where s.distinct_count between 1 and {MAX_CATEGORIES} and s.distinct_count * 5 <= s.row_count - s.null_count
        and s.most_distinct <= {MAX_CATEGORIES}
        and exists (
            select 1 from landing.batch_category as k
            where k.batch_id = s.batch_id and k.column_name = s.column_name
                and k.slice_from_at is not distinct from s.slice_from_at
        )
),
pair as (
    select
        c.batch_id, c.slice_from_at, c.source, c.entity, c.column_name, c.known_count, h.batch_id as earlier_batch_id,
        h.slice_from_at as earlier_from_at, h.known_count as earlier_count, h.ordered_at as earlier_at,
        count(*) over (partition by c.batch_id, c.slice_from_at, c.column_name) as history_count
    from categorical as c
    inner join categorical as h on h.source = c.source and h.entity = c.entity and h.column_name = c.column_name
        and h.kind = c.kind and h.slice_number between c.slice_number - {HISTORY_COUNT} and c.slice_number - 1
    where c.is_current
),
before as (
    select
        p.batch_id, p.slice_from_at, p.source, p.entity, p.column_name, k.category, p.known_count,
        any_value(p.history_count) as history_count, count(*) as present_count, sum(k.row_count) as earlier_rows,
        median(k.row_count / p.earlier_count) as usual_share
    from pair as p
    inner join landing.batch_category as k on k.batch_id = p.earlier_batch_id and k.column_name = p.column_name
        and k.slice_from_at is not distinct from p.earlier_from_at
    group by p.batch_id, p.slice_from_at, p.source, p.entity, p.column_name, k.category, p.known_count
),
pooled as (
    select p.*, seen.once_count, seen.recurring_share
    from (
        select batch_id, slice_from_at, column_name, source, entity, known_count, history_count,
            sum(earlier_count) as earlier_total
        from pair group by all
    ) as p
    inner join (
        select batch_id, slice_from_at, column_name, count(*) filter (where earlier_rows = 1) as once_count,
            sum(earlier_rows) filter (where present_count > 1) / sum(earlier_rows) as recurring_share
        from before group by all
    ) as seen on seen.batch_id = p.batch_id and seen.column_name = p.column_name
        and seen.slice_from_at is not distinct from p.slice_from_at
    -- a column whose values come once and never again (a month, a day of payment) holds no categories
    where seen.recurring_share >= {RECURRING_SHARE}
),
-- the categories of a slice beside those before it
beside as (
    select
        p.*, coalesce(n.category, b.category) as category, coalesce(n.row_count, 0) as row_count,
        coalesce(b.earlier_rows, 0) as earlier_rows, coalesce(b.present_count, 0) as present_count, b.usual_share
    from pooled as p
    inner join (
        select batch_id, slice_from_at, column_name, category, row_count from landing.batch_category
        union all by name
        select batch_id, slice_from_at, column_name, category, 0 as row_count from before
    ) as n on n.batch_id = p.batch_id and n.column_name = p.column_name
        and n.slice_from_at is not distinct from p.slice_from_at
    left join before as b on b.batch_id = p.batch_id and b.column_name = p.column_name and b.category = n.category
        and b.slice_from_at is not distinct from p.slice_from_at
    qualify row_number() over (
        partition by p.batch_id, p.slice_from_at, p.column_name, n.category order by n.row_count desc
    ) = 1
),
first_seen as (
    select k.source, k.entity, k.column_name, k.category, min(coalesce(k.slice_from_at, b.started_at)) as first_at
    from landing.batch_category as k inner join batch as b on b.batch_id = k.batch_id
    group by all
),
stability as (
    select
        batch_id, slice_from_at, column_name, source, entity, known_count, history_count, earlier_total,
        count(*) as category_count,
        sum(
            ((row_count + 0.5) / known_count - (earlier_rows + 0.5) / earlier_total)
            * ln(((row_count + 0.5) / known_count) / ((earlier_rows + 0.5) / earlier_total))
        ) as index_value,
        max_by(category, abs(row_count / known_count - earlier_rows / earlier_total)) as most_moved,
        max_by(row_count / known_count, abs(row_count / known_count - earlier_rows / earlier_total)) as moved_to,
        max_by(earlier_rows / earlier_total, abs(row_count / known_count - earlier_rows / earlier_total)) as moved_from
    from beside group by all
),
missing as (
    select b.*, unnest(from_json(b.missing_columns, '["varchar"]')) as column_name from batch as b
),
unknown as (
    select b.source, b.entity, b.batch_id, b.started_at, b.is_current,
        unnest(from_json(b.unknown_columns, '["varchar"]')) as column_name
    from batch as b
),
finding as (
    select 'volume' as measure, severity, source, entity, column_name, batch_id, slice_from_at, null as category,
        exp(middle - slack) * scale as expected_low, exp(middle + slack) * scale as expected_high,
        row_count::double as found_value, history_count,
        format('{{:.0f}} to {{:.0f}} rows', expected_low, expected_high) as expected_text,
        row_count || ' rows' as found_text, null as first_batch_id
    from volume
    -- in whole rows: less than one expected and none there is no departure
    where row_count not between floor(exp(middle - slack) * scale) and ceil(exp(middle + slack) * scale)
    union all by name
    select 'column_emptied' as measure, r.severity, e.source, e.entity, e.column_name, e.batch_id, e.slice_from_at,
        null as category, 0 as expected_low, e.most as expected_high, 1 as found_value, e.history_count,
        format('at most {{:.1f}} % empty', e.most * 100) as expected_text,
        'all ' || e.row_count || ' rows empty' as found_text
    from emptiness as e inner join rule as r on r.source = e.source and r.entity = e.entity
        and r.column_name = e.column_name and r.measure = 'column_emptied'
    where e.null_share = 1 and e.most < 1 and e.middle < 0.5 and e.row_count >= coalesce(r.min_row_count, 0)
        and e.history_count >= r.min_history_count
    union all by name
    select 'null_share' as measure, r.severity, e.source, e.entity, e.column_name, e.batch_id, e.slice_from_at,
        null as category, greatest(e.middle - slack, 0) as expected_low, least(e.middle + slack, 1) as expected_high,
        e.null_share as found_value, e.history_count,
        format('{{:.1f}} to {{:.1f}} % empty', expected_low * 100, expected_high * 100) as expected_text,
        format('{{:.1f}} % of {{}} rows', e.null_share * 100, e.row_count) as found_text
    from (
        select e.*, r.severity as null_severity, r.min_history_count, r.min_row_count,
            greatest(r.robust_factor * 1.4826 * e.spread, r.min_change_share) as slack
        from emptiness as e inner join rule as r on r.source = e.source and r.entity = e.entity
            and r.column_name = e.column_name and r.measure = 'null_share'
    ) as e inner join rule as r on r.source = e.source and r.entity = e.entity
        and r.column_name = e.column_name and r.measure = 'null_share'
    where abs(e.null_share - e.middle) > e.slack and e.row_count >= coalesce(e.min_row_count, 0)
        and e.history_count >= e.min_history_count and not (e.null_share = 1 and e.most < 1 and e.middle < 0.5)
    union all by name
    select 'duration' as measure, severity, source, entity, column_name, batch_id, slice_from_at, part as category,
        exp(middle - slack) as expected_low, exp(middle + slack) as expected_high, observed as found_value,
        history_count, format('{{}} of {{:.0f}} to {{:.0f}}', part, expected_low, expected_high) as expected_text,
        format('{{:.0f}}', observed) as found_text
    from duration where observed is not null and (observed <= 0 or abs(ln(observed) - middle) > slack)
    union all by name
    -- the chance that a row is of a value never seen is the share of values seen once (Good and Turing)
    select 'category_new' as measure, r.severity, n.source, n.entity, n.column_name, n.batch_id, n.slice_from_at,
        n.category, 0 as expected_low, n.known_count * n.once_count / n.earlier_total as expected_high,
        n.row_count as found_value, n.history_count, 'none of it in any earlier window' as expected_text,
        n.row_count || ' rows of ' || n.category as found_text,
        n.batch_id as first_batch_id
    from beside as n
    inner join rule as r on r.source = n.source and r.entity = n.entity and r.column_name = n.column_name
        and r.measure = 'category_new'
    inner join batch as b on b.batch_id = n.batch_id
    inner join first_seen as f on f.source = n.source and f.entity = n.entity and f.column_name = n.column_name
        and f.category = n.category and f.first_at = coalesce(n.slice_from_at, b.started_at)
    where n.row_count > expected_high + 3 * sqrt(expected_high) and n.earlier_rows = 0
        and n.history_count >= r.min_history_count
        and n.known_count >= coalesce(r.min_row_count, 0)
    union all by name
    select 'category_lost' as measure, r.severity, n.source, n.entity, n.column_name, n.batch_id, n.slice_from_at,
        n.category, 1 as expected_low, n.usual_share * n.known_count as expected_high, 0 as found_value,
        n.history_count,
        format('about {{:.0f}} rows of {{}}', n.usual_share * n.known_count, n.category) as expected_text,
        'none of ' || n.known_count as found_text
    from beside as n inner join rule as r on r.source = n.source and r.entity = n.entity
        and r.column_name = n.column_name and r.measure = 'category_lost'
    where n.row_count = 0 and n.present_count = n.history_count and n.history_count >= r.min_history_count
        and n.usual_share * n.known_count >= coalesce(r.min_row_count, 0)
    union all by name
    -- the index of two samples of one population is (categories - 1) x (1/n + 1/m) on average
    select 'category_share' as measure, r.severity, s.source, s.entity, s.column_name, s.batch_id, s.slice_from_at,
        s.most_moved as category, 0 as expected_low, r.index_limit as expected_high, s.index_value as found_value,
        s.history_count, format('a stability index of at most {{:.2f}}', r.index_limit) as expected_text,
        format('{{:.2f}}, most of it {{}}: {{:.1f}} % instead of {{:.1f}} %', s.index_value, s.most_moved,
            s.moved_to * 100, s.moved_from * 100) as found_text
    from stability as s inner join rule as r on r.source = s.source and r.entity = s.entity
        and r.column_name = s.column_name and r.measure = 'category_share'
    where s.index_value > greatest(
            r.index_limit, 3 * (s.category_count - 1) * (1 / s.known_count + 1 / s.earlier_total)
        ) and s.known_count >= coalesce(r.min_row_count, 0) and s.history_count >= r.min_history_count
    union all by name
    select 'column_lost' as measure, r.severity, m.source, m.entity, m.column_name, m.batch_id,
        m.window_start_at as slice_from_at, null as category, null as expected_low, null as expected_high,
        null as found_value, count(h.batch_id) as history_count,
        'the column in every extract, as before' as expected_text, 'no record has it' as found_text
    from missing as m
    inner join rule as r on r.source = m.source and r.entity = m.entity and r.column_name = m.column_name
        and r.measure = 'column_lost'
    inner join batch as h on h.source = m.source and h.entity = m.entity and h.started_at < m.started_at
        and h.row_count > 0 and not list_contains(from_json(h.missing_columns, '["varchar"]'), m.column_name)
    where m.is_current
    group by all
    having count(h.batch_id) >= any_value(r.min_history_count)
    union all by name
    select 'column_new' as measure, t.severity, u.source, u.entity, u.column_name, u.batch_id, null as slice_from_at,
        null as category, null as expected_low, null as expected_high, null as found_value,
        count(h.batch_id) as history_count, 'the columns of earlier extracts' as expected_text,
        'a column nobody has seen' as found_text, u.batch_id as first_batch_id
    from (
        select * from unknown
        qualify row_number() over (partition by source, entity, column_name order by started_at, batch_id) = 1
    ) as u
    inner join batch as h on h.source = u.source and h.entity = u.entity and h.started_at < u.started_at
    inner join lateral (
        select t.* from threshold as t
        where t.measure = 'column_new' and t.source_name in (u.source, '*') and t.entity_name in (u.entity, '*')
            and t.column_name in (u.column_name, '*')
        order by t.column_name = '*', t.entity_name = '*', t.source_name = '*', t.effective_from desc limit 1
    ) as t on true
    where u.is_current
    group by all
    having count(h.batch_id) >= any_value(t.min_history_count)
)
select
    f.source, f.entity, f.column_name, f.measure, f.severity, f.batch_id, b.partition_key,
    coalesce(f.slice_from_at, b.window_start_at) as slice_from_at,
    coalesce(s.slice_to_at, b.window_end_at) as slice_to_at, f.category, f.expected_low, f.expected_high, f.found_value,
    f.history_count, f.expected_text, f.found_text, f.first_batch_id, {{mend}} as how_to_mend,
    f.severity <> 'ignore' and coalesce(
        s.slice_to_at, b.window_end_at, b.started_at + to_seconds((select shift_seconds from moment)::bigint)
    ) >= (select as_of_at from moment) - interval {GATING_DAYS} day as is_gating
from finding as f
inner join batch as b on b.batch_id = f.batch_id
left join slice as s on s.batch_id = f.batch_id and s.column_name = '*'
    and s.slice_from_at is not distinct from f.slice_from_at
"""
