{#- What the clock was last computed from, kept in schema clock_memory, so that the next run can tell which
    tickets it has to compute anew. Written when a dbt command has built every clock table, and only then: after
    a run that failed half-way the next one computes what both have to.

    Tickets are remembered in a hash tree of two levels: a fingerprint a ticket (history), and one a block of
    tickets (block), which is the sum of its tickets'. A run sums up its events by block, and looks at the tickets
    of those blocks alone whose sum is another one. -#}

{#- What is remembered: per kind the columns and, of the small kinds that are written whole, the table they are taken
    from. history and block are written by difference. -#}
{% macro clock_memory_kinds() -%}
    {{ return({
        'history': (['ticket_id', 'fingerprint'], none),
        'block': (['block_id', 'fingerprint'], none),
        'exclusion': (
            ['exclusion_scope_code', 'audience', 'exclusion_id', 'starts_at', 'ends_at'], 'core.int_exclusion_scope'
        ),
        'window': (['exclusion_scope_code', 'audience', 'starts_at', 'ends_at'], 'core.int_exclusion_window'),
        'calendar': (['calendar_code', 'opens_at', 'closes_at'], 'core.int_calendar_segment'),
        'horizon': (['from_on', 'to_on'], 'core.int_clock_horizon'),
        'rules': (['rules_fingerprint', 'as_of_at'], 'core.int_slt_rules'),
        'situation': (
            ['situation_id', 'source_system', 'ticket_state', 'priority', 'service_code', 'team_code', 'contract_code',
            'exclusion_scope_code'], 'core.int_ticket_situation'
        ),
        'scope': (['scope_id', 'calendar_code', 'exclusion_scope_code', 'audience'], 'core.int_clock_scope'),
        'terms': (
            ['slot_terms_id', 'slot_terms_key', 'scope_id', 'target_seconds', 'from_s', 'to_s'],
            'core.int_slt_slot_terms'
        ),
    }) }}
{%- endmacro %}

{#- Columns of a kind, as a list of a query. -#}
{% macro clock_memory_columns(kind) -%} {{ clock_memory_kinds()[kind][0] | join(', ') }} {%- endmacro %}

{#- Tickets in a block of the hash tree. -#}
{% macro ticket_block_size() -%} 1024 {%- endmacro %}

{% macro ticket_block(ticket_id) -%}
    {{ int_div(ticket_id, ticket_block_size()) }}
{%- endmacro %}

{#- Fingerprints of a ticket's events, and of its own record: all that its clocks depend on (source system and
    number are the two halves of the key), and nothing else. -#}
{% macro ticket_event_fingerprint() -%}
    {{ row_fingerprint([
        'ticket_id', 'event_at', 'event_sequence', 'ticket_state', 'is_state_carried', 'is_inferred', 'priority',
        'service_code', 'team_code', 'contract_code', 'exclusion_scope_code', 'batch_id'
    ]) }}
{%- endmacro %}

{% macro ticket_record_fingerprint() -%}
    {{ row_fingerprint([
        'ticket_id', 'ticket_key', 'opened_at', 'has_history_contradiction', 'batch_id'
    ]) }}
{%- endmacro %}

{#- Whether this run can tell what changed: it may go by difference (var slt_incremental), is no full refresh, and
    everything the difference is taken to is there, in the columns this code remembers (a warehouse that another version
    ran on has others). Asked by every model of the detection, before any of what is looked for is built. -#}
{% macro clock_has_memory() -%}
    {%- if not execute or model.resource_type == 'unit_test' or not var('slt_incremental') or flags.FULL_REFRESH -%}
        {{ return(false) }}
    {%- endif -%}
    {%- for kind, kept in clock_memory_kinds().items() -%}
        {%- set memory = clock_memory(kind) -%}
        {%- if memory is none -%} {{ return(false) }} {%- endif -%}
        {%- set found = adapter.get_columns_in_relation(memory) | map(attribute='name') | list -%}
        {%- if found | sort != kept[0] | sort -%} {{ return(false) }} {%- endif -%}
    {%- endfor -%}
    {%- for model_name in ['int_slt_result', 'int_slt_outline', 'int_slt_interval'] -%}
        {%- if earlier_build(model_name) is none -%} {{ return(false) }} {%- endif -%}
    {%- endfor -%}
    {{ return(true) }}
{%- endmacro %}

{#- md5 of the code that turns events into results: the SQL of the models the clock stands on, the macros it reads
    the clock by, and the engine's variables. What the seeds hold stands beside it in int_slt_rules. -#}
{% macro clock_rules_fingerprint() -%}
    {%- set parts = [
        var('slt_slot_count') | string, var('slt_telescoping') | string,
        clock_reading('day', 'at_s', 'open'), clock_reading('day', 'at_s', 'active'),
        clock_slot_reading('slot', 'clock_s', 'open'), clock_slot_reading('slot', 'clock_s', 'excluded'),
        clock_slot_key('clock_s', 'scope_id', 'scope_count'), clock_key('ticket_id', 'slot_number'), slt_condition_holds('situation', 'condition'),
        mark('clock_s', 'situation_id'), mark_second('mark'), mark_situation('mark'), local_to_utc('local_at', 'zone'),
        clock_instant('clock_s'), clock_seconds('at'), clock_date('clock_s'), day_number('at'), seconds_between('a', 'b'),
        date_spine('from_on', 'to_on'), opening_segments(), join_target_candidates('clock', 'situation_id'),
        start_hour_fits('clock'), best_target_first(), asof_join('a', 'b', 'c', 'd', 'e', 'f'), distinct_list('a'),
        round_half_up_ratio('a', 'b', 6)
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

{#- Names of the models that must be built in one command for it to be remembered: the detection, every table that is
    kept by difference, and what those are computed from between the events and the marts. -#}
{% macro clock_models() -%}
    {%- set reached = [] -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' -%}
        {%- if node.config.materialized in ['by_ticket', 'by_day'] or node.name in ['int_ticket_block', 'int_ticket_history'] -%}
            {%- do reached.append(node.unique_id) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- for unique_id in reached -%}
        {%- for parent in graph.nodes[unique_id].depends_on.nodes if parent in graph.nodes and parent not in reached -%}
            {%- set node = graph.nodes[parent] -%}
            {%- if node.resource_type == 'model' and (
                modules.re.search('models/core/(slt|time)/', node.original_file_path) or node.name == 'int_ticket_situation'
            ) and node.name != 'int_run_context' -%}
                {%- do reached.append(parent) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- set names = [] -%}
    {%- for unique_id in reached -%} {%- do names.append(graph.nodes[unique_id].name) -%} {%- endfor -%}
    {{ return(names) }}
{%- endmacro %}

{#- on-run-end: remember, when this command has built all of the clock. One transaction: what is remembered is of one
    run, whatever happens in between. A command that built some of the clock without asking what changed leaves tables
    nobody can tell the input of: the next one computes everything. -#}
{% macro remember_clock(results) -%}
    {%- set built = [] -%}
    {%- set kept = [] -%}
    {%- for result in results if result.node.resource_type == 'model' and result.status == 'success' -%}
        {%- do built.append(result.node.name) -%}
        {%- if result.node.config.materialized in ['by_ticket', 'by_day'] -%} {%- do kept.append(result.node.name) -%} {%- endif -%}
    {%- endfor -%}
    {%- if execute and clock_models() | reject('in', built) | list | length == 0 -%}
        {#- as the detection went about it: what was missing then is there now -#}
        {%- set by_difference = run_query(
            "select count(*) from core.int_slt_recompute where reasons in ('nothing_remembered', 'always_whole')"
        )[0][0] | int == 0 -%}
        begin transaction;
        create schema if not exists clock_memory;
        {%- if by_difference %}
        {%- set ranges = ticket_ranges('core.int_ticket_history') %}
        delete from clock_memory.history
        where ticket_id in (select ticket_id from core.int_ticket_history) and {{ in_ranges('ticket_id', ranges) }};
        insert into clock_memory.history
        select ticket_id, fingerprint from core.int_ticket_history
        where fingerprint is not null
        order by ticket_id;
        delete from clock_memory.block where block_id in (select block_id from core.int_ticket_block);
        insert into clock_memory.block
        select block_id, fingerprint from core.int_ticket_block
        where fingerprint is not null;
        {%- else %}
        create or replace table clock_memory.history as
        select ticket_id, fingerprint from core.int_ticket_history
        order by ticket_id;
        create or replace table clock_memory.block as
        select {{ ticket_block('ticket_id') }} as block_id, {{ fingerprint_sum('fingerprint') }} as fingerprint
        from clock_memory.history
        group by 1;
        {%- endif %}
        {%- for kind, memory in clock_memory_kinds().items() if memory[1] is not none %}
        create or replace table clock_memory.{{ kind }} as select {{ memory[0] | join(', ') }} from {{ memory[1] }};
        {%- endfor %}
        drop table if exists clock_memory.pending;
        drop table if exists clock_memory.pending_day;
        commit;
    {%- elif execute and kept and not ('int_slt_recompute' in built and 'int_clock_change' in built) -%}
        create schema if not exists clock_memory;
        create or replace table clock_memory.pending as select 0 as ticket_id;
        create or replace table clock_memory.pending_day as select cast(null as date) as from_on;
    {%- endif -%}
{%- endmacro %}

{#- Post-hook of int_slt_recompute: what is listed stays listed until a command has built all of the clock, so that a
    run that dies half-way is made good even when the input it saw is taken back before the next. -#}
{% macro keep_pending() -%}
    create schema if not exists clock_memory;
    create or replace table clock_memory.pending as select ticket_id from {{ this }}
{%- endmacro %}

{#- Post-hook of int_clock_change: the same for the days of the clock's own tables. Before the first memory there is no
    schema for it, and nothing is kept that it could be needed for. -#}
{% macro keep_pending_day() -%}
    {%- if clock_memory('rules') is none -%}
    select 1
    {%- else -%}
    create or replace table clock_memory.pending_day as select from_on from {{ this }}
    {%- endif -%}
{%- endmacro %}

{#- First day a model of materialization by_day builds anew, as SQL text of the date; none when it builds all. -#}
{% macro clock_first_day() -%}
    {%- if not clock_has_memory() or load_relation(this) is none -%} {{ return(none) }} {%- endif -%}
    {%- set found = run_query('select from_on from ' ~ earlier_build('int_clock_change')) -%}
    {{ return(found[0][0]) }}
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

{#- Ranges of ticket ids, at most 24, that hold all of a relation's: of its ticket ids, or of its blocks when `of` is
    block_id. What lies between two ranges are the widest gaps. Tables lie in the order of tickets, near enough, and an
    engine that knows the least and greatest value of each part of a table skips the parts that no range reaches; it
    does not from `in (select ...)`. -#}
{% macro ticket_ranges(relation, of='ticket_id') -%}
    {%- set width = ticket_block_size() | int if of == 'block_id' else 1 -%}
    {%- set ranges = [] -%}
    {%- if execute -%}
        {%- set found = run_query(
            'with held as (select distinct ' ~ of ~ ' * ' ~ width ~ ' as first_id from ' ~ relation ~ '),'
            ~ ' following as (select first_id, lag(first_id) over (order by first_id) + ' ~ (width - 1) ~ ' as earlier_id from held),'
            ~ ' gaps as (select first_id, earlier_id, row_number() over (order by first_id - earlier_id desc, first_id) as place'
            ~ ' from following where first_id - earlier_id > 5000),'
            ~ ' beginnings as (select min(first_id) as begins_at from held union all select first_id from gaps where place < 24),'
            ~ ' ends as (select max(first_id) + ' ~ (width - 1) ~ ' as ends_at from held'
            ~ ' union all select earlier_id from gaps where place < 24)'
            ~ ' select begins_at, (select min(ends_at) from ends where ends_at >= begins_at) as ends_at'
            ~ ' from beginnings where begins_at is not null order by begins_at'
        ) -%}
        {%- for row in found.rows -%}
            {%- do ranges.append((row[0] | int, row[1] | int)) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(ranges) }}
{%- endmacro %}

{#- The condition that a column lies in one of the ranges. -#}
{% macro in_ranges(column, ranges) -%}
    {%- if ranges -%}
    (
    {%- for first, last in ranges -%}
        {{ column }} between {{ first }} and {{ last }}{{ ' or ' if not loop.last }}
    {%- endfor -%}
    )
    {%- else -%} {{ column }} is null {%- endif -%}
{%- endmacro %}

{#- Query: a scope's seconds before a day in a table that holds running totals; without a day there are none. -#}
{% macro clock_kept(relation, first_day) -%}
    {%- if first_day -%}
    select
        scope_id,
        max(open_before_seconds + open_seconds) as open_seconds,
        max(active_before_seconds + active_seconds) as active_seconds
    from {{ relation }}
    where day_number < {{ day_number("date '" ~ first_day ~ "'") }}
    group by scope_id
    {%- else -%}
    select
        scope_id,
        0 as open_seconds,
        0 as active_seconds
    from scopes
    {%- endif -%}
{%- endmacro %}
