{#- What the clock was last computed from, kept in schema clock_memory, so that the next run can tell which
    tickets it has to compute anew. Written when a dbt command has built every clock table, and only then: after
    a run that failed half-way the next one computes what both have to. -#}
{% macro clock_memory_inputs() -%}
    {{ return({
        'history': 'select ticket_id, history_hash from core.int_ticket_history',
        'exclusion': 'select exclusion_scope_code, audience, exclusion_id, starts_at, ends_at from core.int_exclusion_scope',
        'calendar': 'select calendar_code, opens_at, closes_at from core.int_calendar_segment',
        'rules': 'select rules_fingerprint, as_of_at from core.int_slt_rules',
        'situation': 'select * from core.int_ticket_situation',
        'scope': 'select * from core.int_clock_scope',
    }) }}
{%- endmacro %}

{#- md5 of the code that turns events into results: the SQL of the models the clock stands on, the macros it reads
    the clock by, and the engine's variables. What the seeds hold stands beside it in int_slt_rules. -#}
{% macro clock_rules_fingerprint() -%}
    {%- set parts = [
        var('slt_slot_count') | string, var('slt_telescoping') | string,
        clock_reading('day', 'at_s', 'open'), clock_reading('day', 'at_s', 'active'),
        clock_slot_reading('slot', 'clock_s', 'open'), clock_slot_reading('slot', 'clock_s', 'excluded'),
        clock_slot_key('clock_s', 'scope_id', 'scope_count'), slt_condition_holds('situation', 'condition'),
        mark('clock_s', 'situation_id'), local_to_utc('local_at', 'zone')
    ] -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values() | sort(attribute='unique_id') -%}
            {%- if node.resource_type == 'model' and modules.re.search(
                    'models/(core/(slt|time|tickets|exclusions)/|marts/slt/fct_(ticket_slt|slt_clock_segment))',
                    node.original_file_path
                ) -%}
                {%- do parts.append(node.unique_id ~ ':' ~ node.checksum.checksum) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(local_md5(parts | join('|'))) }}
{%- endmacro %}

{#- The relation of one kind of memory; none before the first whole build. -#}
{% macro clock_memory(kind) -%}
    {{ return(adapter.get_relation(database=target.database, schema='clock_memory', identifier=kind) if execute else none) }}
{%- endmacro %}

{#- A core table as it stands now: for a model upstream of it, as the run before left it. None when there is none. -#}
{% macro earlier_build(model_name) -%}
    {{ return(adapter.get_relation(database=target.database, schema='core', identifier=model_name) if execute else none) }}
{%- endmacro %}

{#- on-run-end: remember, when this command has built all of the clock. -#}
{% macro remember_clock(results) -%}
    {%- set inputs = clock_memory_inputs() -%}
    {%- set built = [] -%}
    {%- for result in results if result.node.resource_type == 'model' and result.status == 'success' -%}
        {%- do built.append(result.node.name) -%}
    {%- endfor -%}
    {%- set wanted = ['int_slt_recompute'] -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.config.materialized == 'by_ticket' -%}
            {%- do wanted.append(node.name) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- if execute and wanted | reject('in', built) | list | length == 0 -%}
        create schema if not exists clock_memory;
        {%- for kind, sql in inputs.items() %}
        create or replace table clock_memory.{{ kind }} as {{ sql }};
        {%- endfor %}
        drop table if exists clock_memory.pending;
    {%- endif -%}
{%- endmacro %}

{#- Post-hook of int_slt_recompute: what is listed stays listed until a command has built all of the clock, so that a
    run that dies half-way is made good even when the input it saw is taken back before the next. -#}
{% macro keep_pending() -%}
    create schema if not exists clock_memory;
    create or replace table clock_memory.pending as select ticket_id from {{ this }}
{%- endmacro %}

{#- Query: rows of either relation that the other does not hold. columns: what makes a row. -#}
{% macro rows_that_differ(columns, left_relation, right_relation) -%}
    (
        select {{ columns | join(', ') }} from {{ left_relation }}
        except
        select {{ columns | join(', ') }} from {{ right_relation }}
    )
    union all
    (
        select {{ columns | join(', ') }} from {{ right_relation }}
        except
        select {{ columns | join(', ') }} from {{ left_relation }}
    )
{%- endmacro %}
