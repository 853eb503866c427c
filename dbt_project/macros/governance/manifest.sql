{#- What the project says about itself, read from dbt's graph while a model is compiled, as queries of one row each: a
    register is held against what exists, not against a list somebody keeps. Without a graph (linting) each gives no
    row. -#}

{#- Text as a SQL literal. -#}
{% macro text_literal(text) -%}
    '{{ (text | string).replace("'", "''") }}'
{%- endmacro %}

{#- Query: rows (lists of text) under names, as text; of no rows when there are none. -#}
{% macro text_rows(names, rows) -%}
    {%- if rows %}
    select
        {%- for name in names %}
        cast({{ name }} as varchar) as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from (
        values
        {%- for row in rows %}
        ({% for value in row %}{{ text_literal(value) }}{{ ', ' if not loop.last }}{% endfor %}){{ ',' if not loop.last }}
        {%- endfor %}
    ) as manifest_rows ({{ names | join(', ') }})
    {%- else %}
    select
        {%- for name in names %}
        cast('' as varchar) as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    where 1 = 0
    {%- endif %}
{%- endmacro %}

{#- meta of a node or column, wherever dbt keeps it. -#}
{% macro meta_of(entry) -%}
    {%- set found = {} -%}
    {%- do found.update(entry.get('meta') or {}) -%}
    {%- do found.update((entry.get('config') or {}).get('meta') or {}) -%}
    {{ return(found) }}
{%- endmacro %}

{#- Query: every model, seed and source table (node_name, node_type, schema_name, layer). -#}
{% macro manifest_nodes() -%}
    {%- set rows = [] -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values() | sort(attribute='unique_id') if node.resource_type in ('model', 'seed') -%}
            {%- set layers = [] -%}
            {%- for layer in ('reference', 'staging', 'core', 'marts') if layer in node.tags -%}
                {%- do layers.append(layer) -%}
            {%- endfor -%}
            {%- do rows.append([node.name, node.resource_type, node.schema, layers | first | default('')]) -%}
        {%- endfor -%}
        {%- for node in graph.sources.values() | sort(attribute='unique_id') -%}
            {%- do rows.append([node.name, 'source', node.schema, 'landing']) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ text_rows(['node_name', 'node_type', 'schema_name', 'layer'], rows) }}
{%- endmacro %}

{#- Query: every data test (test_name, judged_name: the model, seed or source it stands on, severity). -#}
{% macro manifest_tests() -%}
    {%- set rows = [] -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values() | sort(attribute='unique_id') if node.resource_type == 'test' -%}
            {%- set named = ((meta_of(node).get('dagster') or {}).get('ref') or {}).get('name') -%}
            {%- set judged = named or (node.get('attached_node') or node.depends_on.nodes | first | default('')) -%}
            {%- do rows.append([node.name, judged.split('.') | last, (node.config.severity or 'error') | lower]) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ text_rows(['test_name', 'judged_name', 'severity'], rows) }}
{%- endmacro %}

{#- Query: every column whose classification is not public (schema_name, model_name, column_name, classification). -#}
{% macro manifest_private_columns() -%}
    {%- set rows = [] -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values() | sort(attribute='unique_id') if node.resource_type in ('model', 'seed') -%}
            {%- for column in node.columns.values() -%}
                {%- set classification = meta_of(column).get('classification') -%}
                {%- if classification and classification != 'public' -%}
                    {%- do rows.append([node.schema, node.name, column.name, classification]) -%}
                {%- endif -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
    {{ text_rows(['schema_name', 'model_name', 'column_name', 'classification'], rows) }}
{%- endmacro %}

{#- Query: every source system but the landing's own audit, with its meta.owner (source_name, declared_owner). -#}
{% macro manifest_source_owners() -%}
    {%- set owners = {} -%}
    {%- if execute -%}
        {%- for node in graph.sources.values() if node.source_name != 'landing' -%}
            {%- set owner = (node.source_meta or {}).get('owner') or meta_of(node).get('owner') or '' -%}
            {%- do owners.update({node.source_name: owner}) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- set rows = [] -%}
    {%- for name in owners | sort -%}
        {%- do rows.append([name, owners[name]]) -%}
    {%- endfor -%}
    {{ text_rows(['source_name', 'declared_owner'], rows) }}
{%- endmacro %}

{#- Query: every seed and staging model a model is built from, directly or not (input_name, input_type). -#}
{% macro manifest_inputs_of(model_name) -%}
    {%- set rows = [] -%}
    {%- if execute -%}
        {%- set reached = [] -%}
        {%- set ahead = [] -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.name == model_name -%}
            {%- do ahead.append(node.unique_id) -%}
        {%- endfor -%}
        {#- a list that grows while it is walked: each node is looked at once -#}
        {%- for unique_id in ahead if unique_id in graph.nodes and unique_id not in reached -%}
            {%- do reached.append(unique_id) -%}
            {%- for parent in graph.nodes[unique_id].depends_on.nodes if parent not in ahead -%}
                {%- do ahead.append(parent) -%}
            {%- endfor -%}
        {%- endfor -%}
        {%- for unique_id in reached | sort -%}
            {%- set node = graph.nodes[unique_id] -%}
            {%- if node.resource_type == 'seed' -%}
                {%- do rows.append([node.name, 'seed']) -%}
            {%- elif 'staging' in node.tags -%}
                {%- do rows.append([node.name, 'staging']) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {{ text_rows(['input_name', 'input_type'], rows) }}
{%- endmacro %}

{#- Query: every model that is built from a model, directly or not, with the schema its table stands in (output_name,
    schema_name). -#}
{% macro manifest_outputs_of(model_name) -%}
    {%- set rows = [] -%}
    {%- if execute -%}
        {%- set children = {} -%}
        {%- set ahead = [] -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' -%}
            {%- if node.name == model_name -%}
                {%- do ahead.append(node.unique_id) -%}
            {%- endif -%}
            {%- for parent in node.depends_on.nodes -%}
                {%- do children.setdefault(parent, []).append(node.unique_id) -%}
            {%- endfor -%}
        {%- endfor -%}
        {%- set reached = [] -%}
        {#- a list that grows while it is walked: each node is looked at once -#}
        {%- for unique_id in ahead -%}
            {%- for child in children.get(unique_id, []) if child not in ahead -%}
                {%- do ahead.append(child) -%}
                {%- do reached.append(child) -%}
            {%- endfor -%}
        {%- endfor -%}
        {%- for unique_id in reached | sort -%}
            {%- do rows.append([graph.nodes[unique_id].name, graph.nodes[unique_id].schema]) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ text_rows(['output_name', 'schema_name'], rows) }}
{%- endmacro %}

{#- Whether a name fits a pattern: the name itself, or with one * at its beginning or its end. -#}
{% macro name_fits(name, pattern) -%}
    (
        {{ name }} = {{ pattern }}
        or {{ pattern }} = '*'
        or (
            right({{ pattern }}, 1) = '*'
            and left({{ name }}, length({{ pattern }}) - 1) = left({{ pattern }}, length({{ pattern }}) - 1)
        )
        or (
            left({{ pattern }}, 1) = '*'
            and right({{ name }}, length({{ pattern }}) - 1) = right({{ pattern }}, length({{ pattern }}) - 1)
        )
    )
{%- endmacro %}

{#- on-run-end: append what came of each data test of this command. It looks nothing up: a question to the adapter would
    open a transaction here, which dbt takes back when it ends. -#}
{% macro remember_tests(results) -%}
    {%- set words = {'pass': 'passed', 'fail': 'failed', 'warn': 'warned', 'skipped': 'skipped'} -%}
    {%- set judged = [] -%}
    {%- if execute -%}
        {%- for result in results if result.node.resource_type == 'test' -%}
            {%- do judged.append(
                '(' ~ text_literal(invocation_id) ~ ', ' ~ text_literal(result.node.name) ~ ", timestamp '"
                ~ run_started_at.strftime('%Y-%m-%d %H:%M:%S') ~ "', "
                ~ text_literal(words.get(result.status | string, 'not_judged')) ~ ', '
                ~ (result.failures if result.failures is not none else 'null') ~ ')'
            ) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- if judged -%}
        create schema if not exists landing;
        create table if not exists landing.dbt_test_outcome (
            invocation_id varchar not null, test_name varchar not null, judged_at timestamp not null,
            outcome varchar not null, failing_row_count bigint
        );
        insert into landing.dbt_test_outcome values {{ judged | join(', ') }}
    {%- endif -%}
{%- endmacro %}
