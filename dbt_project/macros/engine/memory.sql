{#- What the clock was last computed from, kept in schema clock_memory, so that the next run can tell which
    tickets it has to compute anew. Written when a dbt command has built every clock table, and only then: after
    a run that failed half-way the next one computes what both have to. -#}
{% macro clock_memory_inputs() -%}
    {{ return({
        'batch': 'select batch_id from core.int_extract_batch',
        'exclusion': 'select exclusion_scope_code, audience, exclusion_id, starts_at, ends_at from core.int_exclusion_scope',
        'calendar': 'select calendar_code, opens_at, closes_at from core.int_calendar_segment',
        'rules': 'select rules_fingerprint, as_of_at from core.int_slt_rules',
    }) }}
{%- endmacro %}

{#- md5 of what turns events into results, save the data: the SQL of the models the clock stands on and the seeds
    it reads. Macros are not part of it: after changing one, run with --full-refresh. -#}
{% macro clock_rules_fingerprint() -%}
    {%- set parts = [var('slt_slot_count') | string] -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values() | sort(attribute='unique_id') -%}
            {%- set path = node.original_file_path -%}
            {%- if (
                    node.resource_type == 'model'
                    and modules.re.search('models/(staging/servicenow|core/(slt|time|tickets|exclusions)/|marts/slt/fct_(ticket_slt|slt_clock_segment))', path)
                ) or (
                    node.resource_type == 'seed'
                    and modules.re.search('seeds/(slt/(slt_|ticket_state|exclusion_)|services/(service|team|vendor|contract|configuration_item)[.]|calendars/calendar[.])', path)
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

{#- A core table as the run before left it, for a model upstream of it; none when there is none. -#}
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
    {%- set wanted = ['int_slt_recompute', 'int_slt_telescoped', 'int_slt_interval', 'int_slt_result', 'fct_ticket_slt', 'fct_slt_clock_segment'] -%}
    {%- if execute and wanted | reject('in', built) | list | length == 0 -%}
        create schema if not exists clock_memory;
        {%- for kind, sql in inputs.items() %}
        create or replace table clock_memory.{{ kind }} as {{ sql }};
        {%- endfor %}
    {%- endif -%}
{%- endmacro %}
