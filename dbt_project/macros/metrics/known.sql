{#- Asking what was known when. known_from_at (inclusive) to known_to_at (exclusive) are the as-of instants of the runs that
    first and no longer said so; an instant is SQL for a timestamp in UTC, a day SQL for a date. -#}

{#- From item: the entries of a history as the warehouse knew them at an instant. What had been withdrawn by then is
    not there, nor is anything before the first run. -#}
{% macro as_known(relation, known_at) -%}
    (
        select *
        from {{ relation }}
        where
            known_from_at <= {{ known_at }}
            and (known_to_at is null or known_to_at > {{ known_at }})
            and not is_withdrawn
    )
{%- endmacro %}

{#- From item: the results of the periods that hold a business day, as they were known at an instant. -#}
{% macro metric_as_known(relation, business_on, known_at) -%}
    (
        select *
        from {{ as_known(relation, known_at) }} as known_entry
        where period_start_on <= {{ business_on }} and period_end_on > {{ business_on }}
    )
{%- endmacro %}

{#- From item: the versions believed, at an instant, to be in force on a business day. -#}
{% macro metric_definition_as_known(relation, business_on, known_at) -%}
    (
        select *
        from {{ as_known(relation, known_at) }} as known_entry
        where
            is_activated
            and effective_from <= {{ business_on }}
            and (effective_to is null or effective_to >= {{ business_on }})
    )
{%- endmacro %}

{#- The body of an append-only log: an entry where what is found differs from the last entry of its key, and one
    that says it is gone. Runs that look back (an as-of before the last entry of the log) add nothing: what was known then
    has been written down then. `found` is a CTE of key and content columns and content_hash; the model's config is
    incremental append, never refreshed in full. -#}
{% macro appended_entries(found, key, content, withdrawn_hash, is_appending, log) -%}
{%- if is_appending -%}
recorded as (
    select * from {{ log }}
),

last_entry as (
    select *
    from recorded
    qualify row_number() over (partition by {{ key | join(', ') }} order by entry_number desc) = 1
),

last_moment as (
    select max(known_from_at) as known_from_at
    from recorded
),

entry as (
    select
        {% for column in key + content -%}
        {{ found }}.{{ column }},
        {% endfor -%}
        false as is_withdrawn,
        {{ found }}.content_hash,
        coalesce(last_entry.entry_number, 0) + 1 as entry_number,
        last_entry.entry_hash as earlier_entry_hash
    from {{ found }}
    left join last_entry
        on
            {% for column in key -%}
            {{ 'and ' if not loop.first }}{{ found }}.{{ column }} = last_entry.{{ column }}
            {% endfor %}
    where last_entry.content_hash is null or last_entry.content_hash <> {{ found }}.content_hash
    union all
    select
        {% for column in key -%}
        last_entry.{{ column }},
        {% endfor -%}
        {% for column in content -%}
        null as {{ column }},
        {% endfor -%}
        true as is_withdrawn,
        '{{ withdrawn_hash }}' as content_hash,
        last_entry.entry_number + 1 as entry_number,
        last_entry.entry_hash as earlier_entry_hash
    from last_entry
    left join {{ found }}
        on
            {% for column in key -%}
            {{ 'and ' if not loop.first }}last_entry.{{ column }} = {{ found }}.{{ column }}
            {% endfor %}
    where {{ found }}.{{ key[0] }} is null and not last_entry.is_withdrawn
),
{%- else -%}
last_moment as (
    select cast(null as timestamp) as known_from_at
),

entry as (
    select
        {% for column in key + content -%}
        {{ column }},
        {% endfor -%}
        false as is_withdrawn,
        content_hash,
        1 as entry_number,
        cast(null as varchar) as earlier_entry_hash
    from {{ found }}
),
{%- endif %}

latest_batch as (
    select max_by(batch_id, finished_at) as batch_id
    from extract_batch
),

final as (
    select
        {% for column in key + content -%}
        entry.{{ column }},
        {% endfor -%}
        entry.is_withdrawn,
        cast(entry.entry_number as bigint) as entry_number,
        run_context.as_of_at as known_from_at,
        run_context.run_id,
        latest_batch.batch_id as latest_batch_id,
        entry.content_hash,
        {{ md5_of(['entry.earlier_entry_hash', 'entry.content_hash', 'run_context.as_of_at', 'run_context.run_id']) }}
            as entry_hash
    from entry
    cross join run_context
    cross join latest_batch
    cross join last_moment
    where last_moment.known_from_at is null or run_context.as_of_at >= last_moment.known_from_at
)
{%- endmacro %}

{#- What makes an entry of a result: a change of any of these is a new entry. -#}
{% macro result_log_key() -%}
    {{ return(['metric_code', 'entity_type', 'entity_code', 'period_grain', 'period_start_on']) }}
{%- endmacro %}
{% macro result_log_content() -%}
    {{ return([
        'period_end_on', 'metric_version', 'definition_hash', 'numerator', 'denominator', 'sample_count', 'raw_value',
        'metric_value', 'result_status', 'freeze_status', 'freeze_id', 'phase', 'phase_share',
    ]) }}
{%- endmacro %}

{% macro definition_log_key() -%}
    {{ return(['metric_code', 'metric_version']) }}
{%- endmacro %}
{% macro definition_log_content() -%}
    {{ return([
        'definition_hash', 'metric_name', 'aggregation_kind', 'observation_kind', 'numerator_measure',
        'denominator_kind', 'denominator_measure', 'entity_types', 'filter_text', 'exclusion_policy', 'weighting',
        'weight_text', 'standardised_by', 'sample_dimension', 'value_basis', 'value_multiplier', 'value_divisor',
        'seasonality_policy', 'shrinkage_policy', 'prior_sample_count', 'confidence_level', 'min_sample_count',
        'baseline_days', 'phase_in_days', 'unit', 'direction', 'indicator_type', 'business_outcome_code', 'owner',
        'co_owner', 'review_cycle_months', 'proposed_from', 'is_activated', 'effective_from', 'effective_to',
        'refusal_reasons',
    ]) }}
{%- endmacro %}
