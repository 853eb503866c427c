{#- Of all landed versions of a record, the one to use. Bodies of a staging model's second CTE, over its imports
    `source` and, for current_batches, `extract_state`.

    latest_version: the newest by the source's own update stamp, then by extract, then by row. All batches count,
    since a day that was not extracted again still holds the newest version of what changed on it. A record whose newest
    version was found gone from its source (landing.deleted_record) is left out.
    current_batches: only rows of the batch that now stands for its partition (snapshots, monthly files, dropped
    files), so that a record which left the list is gone; one row per key.
    key: list of raw columns; stamp: SQL over raw columns. -#}
{% macro latest_version(key, stamp) -%}
    select newest.*
    from (
        select *
        from source
        qualify row_number() over (
            partition by {{ key | join(', ') }}
            order by {{ stamp }} desc nulls last, _extracted_at desc nulls last, _batch_id desc, _row_number desc
        ) = 1
    ) as newest
    where (newest._batch_id, concat_ws('|', {{ key | join(', ') }})) not in (
        select
            batch_id,
            record_key
        from {{ source('landing', 'deleted_record') }}
        qualify row_number() over (partition by batch_id, record_key order by found_at desc) = 1 and is_deleted
    )
{%- endmacro %}

{% macro current_batches(source_name, entity, key) -%}
    select *
    from source
    where _batch_id in (
        select extract_state.current_batch_id
        from extract_state
        where extract_state.source = '{{ source_name }}' and extract_state.entity = '{{ entity }}'
    )
    qualify row_number() over (
        partition by {{ key | join(', ') }}
        order by _extracted_at desc nulls last, _batch_id desc, _row_number desc
    ) = 1
{%- endmacro %}
