{#- Values that engines build or read differently. -#}

{#- Whole-number division, cut towards zero; a divisor of 0 is null. -#}
{% macro int_div(a, b) -%}
    {{ adapter.dispatch('int_div', 'slt_warehouse')(a, b) }}
{%- endmacro %}
{% macro duckdb__int_div(a, b) -%}
    (({{ a }}) // nullif({{ b }}, 0))
{%- endmacro %}

{#- Aggregate: the values as text in the order given, joined by ', '. -#}
{% macro string_list(expr, order) -%}
    {{ adapter.dispatch('string_list', 'slt_warehouse')(expr, order) }}
{%- endmacro %}
{% macro duckdb__string_list(expr, order) -%}
    string_agg(cast({{ expr }} as varchar), ', ' order by {{ order }})
{%- endmacro %}

{#- md5 (hex) of a list of expressions: nulls and empty text differ, and parts cannot run into each other. -#}
{% macro md5_of(parts) -%}
    {{ adapter.dispatch('md5_of', 'slt_warehouse')(parts) }}
{%- endmacro %}
{% macro duckdb__md5_of(parts) -%}
    md5(
    {%- for part in parts -%}
        coalesce(cast({{ part }} as varchar), '~') {{ "|| '|' || " if not loop.last }}
    {%- endfor -%}
    )
{%- endmacro %}

{#- The same md5 as a number of 128 bits: half the room, for rows that are compared and not kept. -#}
{% macro md5_number_of(parts) -%}
    {{ adapter.dispatch('md5_number_of', 'slt_warehouse')(parts) }}
{%- endmacro %}
{% macro duckdb__md5_number_of(parts) -%}
    md5_number(concat_ws('|'
    {%- for part in parts %}, coalesce(cast({{ part }} as varchar), '~'){% endfor -%}
    ))
{%- endmacro %}

{#- Text at a JSON path ('$.a.b') of a JSON or text column; null when absent. -#}
{% macro json_text(col, path) -%}
    {{ adapter.dispatch('json_text', 'slt_warehouse')(col, path) }}
{%- endmacro %}
{% macro duckdb__json_text(col, path) -%}
    json_extract_string({{ col }}, '{{ path }}')
{%- endmacro %}

{#- Text of the member of a JSON object that a column names; null when absent. -#}
{% macro json_text_of(col, name) -%}
    {{ adapter.dispatch('json_text_of', 'slt_warehouse')(col, name) }}
{%- endmacro %}
{% macro duckdb__json_text_of(col, name) -%}
    json_extract_string({{ col }}, '$."' || {{ name }} || '"')
{%- endmacro %}

{#- What a field says: of an object that stands for a value (an option, a reference) its `value`, else the text. -#}
{% macro json_value_text(text) -%}
    case when left({{ text }}, 1) = '{' then {{ json_text(text, '$.value') }} else {{ text }} end
{%- endmacro %}

{#- For the select list: one row per element (text) of a JSON array column. -#}
{% macro json_elements(col) -%}
    {{ adapter.dispatch('json_elements', 'slt_warehouse')(col) }}
{%- endmacro %}
{% macro duckdb__json_elements(col) -%}
    unnest(from_json({{ col }}, '["VARCHAR"]'))
{%- endmacro %}

{#- First capture group of a regular expression, null when it does not match. -#}
{% macro regex_group(expr, pattern) -%}
    {{ adapter.dispatch('regex_group', 'slt_warehouse')(expr, pattern) }}
{%- endmacro %}
{% macro duckdb__regex_group(expr, pattern) -%}
    nullif(regexp_extract({{ expr }}, '{{ pattern }}', 1), '')
{%- endmacro %}

{#- Text without surrounding blanks, null when it is empty or the mark an export writes for "not known". -#}
{% macro known_text(column, missing_mark='?') -%}
    nullif(nullif(trim({{ column }}), ''), '{{ missing_mark }}')
{%- endmacro %}

{#- A whole number as BIGINT. -#}
{% macro exact_integer_64(number) -%}
    cast({{ number }} as bigint)
{%- endmacro %}

{#- Left join to the one row of `relation` with the same `equal` value and the greatest `at_or_before` that is not
    greater than `value`; null when there is none. -#}
{% macro asof_join(relation, alias, equal_left, equal_right, value, at_or_before) -%}
    {{ adapter.dispatch('asof_join', 'slt_warehouse')(relation, alias, equal_left, equal_right, value, at_or_before) }}
{%- endmacro %}
{% macro duckdb__asof_join(relation, alias, equal_left, equal_right, value, at_or_before) -%}
    asof left join {{ relation }} as {{ alias }}
        on {{ equal_left }} = {{ alias }}.{{ equal_right }} and {{ value }} >= {{ alias }}.{{ at_or_before }}
{%- endmacro %}

{#- Aggregate over all rows of a relation named by its alias: a number, as text, that does not depend on their order. -#}
{% macro rows_hash(alias) -%}
    {{ adapter.dispatch('rows_hash', 'slt_warehouse')(alias) }}
{%- endmacro %}
{% macro duckdb__rows_hash(alias) -%}
    cast(coalesce(sum(hash({{ alias }})), 0) as varchar)
{%- endmacro %}

{#- A number for a list of values, equal for equal lists: the engine's own hash, to be kept in no table. -#}
{% macro hash_number_of(values) -%}
    {{ adapter.dispatch('hash_number_of', 'slt_warehouse')(values) }}
{%- endmacro %}
{% macro duckdb__hash_number_of(values) -%}
    hash({{ values | join(', ') }})
{%- endmacro %}

{#- Ends the run with a message (SQL for a text) where it is evaluated. -#}
{% macro stop_run(message) -%}
    {{ adapter.dispatch('stop_run', 'slt_warehouse')(message) }}
{%- endmacro %}
{% macro duckdb__stop_run(message) -%}
    error({{ message }})
{%- endmacro %}

{#- Whether two rows have the same value in each of the columns; a null in either is no match. -#}
{% macro columns_agree(left_row, right_row, columns) -%}
    {%- for column in columns -%}
    {{ ' and ' if not loop.first }}{{ left_row }}.{{ column }} = {{ right_row }}.{{ column }}
    {%- endfor -%}
{%- endmacro %}

{#- A number for the values of a row: the engine's own hash, mixed twice. Once is not enough for a sum over rows: the
    hash of the last column is then merely put beside the others, and two rows that swap it add up to the same once in
    a hundred million times. Equal within one version of the engine only (engine_version). -#}
{% macro row_fingerprint(columns) -%}
    {{ adapter.dispatch('row_fingerprint', 'slt_warehouse')(columns) }}
{%- endmacro %}
{% macro duckdb__row_fingerprint(columns) -%}
    hash(hash({{ columns | join(', ') }}))
{%- endmacro %}

{#- Aggregate: the sum of fingerprints of rows (or of such sums), exact, so that it does not depend on the rows' order
    and no two rows cancel each other. -#}
{% macro fingerprint_sum(fingerprint) -%}
    {{ adapter.dispatch('fingerprint_sum', 'slt_warehouse')(fingerprint) }}
{%- endmacro %}
{% macro duckdb__fingerprint_sum(fingerprint) -%}
    cast(sum({{ fingerprint }}) as hugeint)
{%- endmacro %}

{#- Text that changes when the engine's own hash may. -#}
{% macro engine_version() -%}
    {{ adapter.dispatch('engine_version', 'slt_warehouse')() }}
{%- endmacro %}
{% macro duckdb__engine_version() -%}
    version()
{%- endmacro %}
