{#- The condition by which a model of materialization by_ticket is cut: true in a compiled model and in unit
    tests; while it is built either a range of ticket ids (a whole build goes through them in turn, so that
    memory is bounded) or the tickets that int_slt_recompute lists. Name it wherever the model reads tickets. -#}
{% macro for_tickets(ticket_id) -%}
    (/*tickets*/ {{ ticket_id }} /*tickets*/ is not null)
{%- endmacro %}

{#- SQL of a by_ticket model cut to ranges of ticket ids and, where one is given, to the tickets a relation lists. -#}
{% macro cut_by_ticket(sql, ranges, listed=none) -%}
    {%- set pieces = modules.re.split('\\(/\\*tickets\\*/ (.*?) /\\*tickets\\*/ is not null\\)', sql) -%}
    {%- for piece in pieces -%}
        {%- if loop.index0 % 2 -%} {{ of_tickets(piece, ranges, listed) }} {%- else -%} {{ piece }} {%- endif -%}
    {%- endfor -%}
{%- endmacro %}

{% macro of_tickets(ticket_id, ranges, listed) -%}
    (
        {{ in_ranges(ticket_id, ranges) }}
        {%- if listed is not none %} and {{ ticket_id }} in (select ticket_id from {{ listed }}){% endif -%}
    )
{%- endmacro %}

{#- A table of rows that each belong to one ticket. Built whole, in ranges of tickets, when it is new, on
    --full-refresh, or when int_slt_recompute says everything; otherwise only the rows of the tickets listed
    there are replaced, and only the parts of a table are read that such tickets lie in. Either way one
    transaction: a run that dies leaves the table as it was.
    What a model sets by hooks (optimizer, thresholds) holds for the whole process while it is built, so a model beside it
    may gain or lose time by it, never rows.
    config ticket_column: the column of this table that holds the ticket's number, if not ticket_id.
    var slt_chunk_ticket_count: tickets in a range. -#}
{% materialization by_ticket, adapter='duckdb' %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set existing = load_cached_relation(this) -%}
    {%- set listed = earlier_build('int_slt_recompute') -%}
    {%- set ids = earlier_build('int_ticket_id') -%}
    {%- set is_whole = existing is none or should_full_refresh() or listed is none
        or (run_query('select count(*) from ' ~ listed ~ ' where ticket_id = 0')[0][0] | int) > 0 -%}
    {%- set building = make_intermediate_relation(target_relation) -%}
    {{ drop_relation_if_exists(load_cached_relation(building)) }}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- if is_whole -%}
        {%- set size = var('slt_chunk_ticket_count') | int -%}
        {%- set last = 0 if ids is none else run_query('select coalesce(max(ticket_id), 0) from ' ~ ids)[0][0] | int -%}
        {%- for number in range(0, [1, (last + size - 1) // size] | max) -%}
            {%- set chunk_sql = cut_by_ticket(sql, [(number * size + 1, (number + 1) * size)]) -%}
            {%- call statement('main' if loop.first else 'chunk_' ~ number) -%}
                {%- if loop.first -%}
                {{ create_table_as(False, building, chunk_sql) }}
                {%- else -%}
                insert into {{ building }} by name {{ chunk_sql }}
                {%- endif -%}
            {%- endcall -%}
        {%- endfor -%}
        {%- if existing is not none -%}
            {{ drop_relation_if_exists(existing) }}
        {%- endif -%}
        {{ adapter.rename_relation(building, target_relation) }}
    {%- else -%}
        {%- set ranges = ticket_ranges(listed) -%}
        {%- call statement('replace_tickets') -%}
            delete from {{ target_relation }}
            where {{ of_tickets(config.get('ticket_column', 'ticket_id'), ranges, listed) }}
        {%- endcall -%}
        {%- call statement('main') -%}
            insert into {{ target_relation }} by name
            {{ cut_by_ticket(sql, ranges, listed) }}
        {%- endcall -%}
    {%- endif -%}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do persist_docs(target_relation, model) %}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

{#- A table of rows that each belong to one UTC day and depend on no later one. The rows of the days before
    clock_first_day are kept; the model says only those from it on, and carries on what it kept. Otherwise whole. The table has a
    column day_number. -#}
{% materialization by_day, adapter='duckdb' %}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set existing = load_cached_relation(this) -%}
    {%- set first_day = clock_first_day() -%}
    {%- set building = make_intermediate_relation(target_relation) -%}
    {{ drop_relation_if_exists(load_cached_relation(building)) }}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- if first_day is none -%}
        {%- call statement('main') -%}
            {{ create_table_as(False, building, sql) }}
        {%- endcall -%}
        {%- if existing is not none -%}
            {{ drop_relation_if_exists(existing) }}
        {%- endif -%}
        {{ adapter.rename_relation(building, target_relation) }}
    {%- else -%}
        {%- call statement('forget_days') -%}
            delete from {{ target_relation }}
            where day_number >= {{ day_number("date '" ~ first_day ~ "'") }}
        {%- endcall -%}
        {%- call statement('main') -%}
            insert into {{ target_relation }} by name {{ sql }}
        {%- endcall -%}
    {%- endif -%}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do persist_docs(target_relation, model) %}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}
