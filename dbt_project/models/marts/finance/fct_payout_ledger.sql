{{ config(
    materialized='incremental', incremental_strategy='append', full_refresh=false, on_schema_change='fail'
) }}
-- Every movement of variable pay, appended and never changed. An item is what was calculated (an earning, a cap, a
-- clawback); its lines sum to its amount as last calculated. A line that is not yet paid is reversed and booked anew;
-- one that is paid or closed stands, and the difference goes into the next payment. A payment period that ended below
-- zero is carried into the next one. What a run that looks back (an as-of before the last line) calculates is not
-- written.
-- Nearly every item is one line that still says what is calculated. Those are told by a number each side makes of a row
-- (who, where, when, how much); whole rows are read of the rest alone. The ledger is read where it lies each time it is
-- asked something: kept in memory in between, it would be the largest thing there.
with earning_line as not materialized (
    select * from {{ ref('fct_earning_line') }}
),

cap_application as not materialized (
    select * from {{ ref('fct_cap_application') }}
),

clawback as not materialized (
    select * from {{ ref('fct_clawback') }}
    where clawback_amount <> 0
),

payment_moment as (
    select * from {{ ref('int_payment_moment') }}
),

closed_quarter as (
    select * from {{ ref('int_closed_quarter') }}
),

{% if is_incremental() -%}
recorded as not materialized (
    select * from {{ this }}
),
{%- else -%}
recorded as (
    select
        {% for column in ledger_content() + ['content_hash', 'entry_hash', 'run_id'] -%}
        cast(
            null as {{ {'line_number': 'bigint', 'amount': 'decimal(18, 2)'}.get(column, 'varchar') }}
        ) as {{ column }},
        {% endfor -%}
        cast(null as bigint) as entry_number,
        cast(null as bigint) as batch_number,
        cast(null as timestamp) as recorded_at
    from payment_moment
    where 1 = 0
),
{%- endif %}

calculated as not materialized (
    select
        'earning' as item_kind,
        'original' as line_type,
        earning_line_id as item_key,
        earning_kind,
        earning_line_id,
        'earned' as reason,
        employee_number,
        earned_quarter,
        team_code,
        country_code,
        cost_centre_code,
        currency_code,
        earned_amount as amount,
        payment_period
    from earning_line
    union all
    select
        'cap' as item_kind,
        'cap' as line_type,
        cap_application_key as item_key,
        earning_kind,
        earning_line_id,
        cap_kind as reason,
        employee_number,
        earned_quarter,
        team_code,
        country_code,
        cost_centre_code,
        currency_code,
        cap_amount as amount,
        payment_period
    from cap_application
    union all
    select
        'clawback' as item_kind,
        'clawback' as line_type,
        clawback_key as item_key,
        earning_kind,
        earning_line_id,
        reason,
        employee_number,
        earned_quarter,
        team_code,
        country_code,
        cost_centre_code,
        currency_code,
        clawback_amount as amount,
        payment_period
    from clawback
),

{% if is_incremental() -%}
calculated_mark as not materialized (
    select
        item_kind,
        item_key,
        earned_quarter,
        payment_period,
        {{ ledger_mark('calculated') }} as mark
    from calculated
),

-- of items with more than one line: the last, how many stand (each reversal takes one back), and whether the last does
-- alone
later_line as materialized (
    select
        item_kind,
        item_key,
        max(line_number) as line_number,
        1 + sum(case line_type when 'reversal' then -1 else 1 end) as standing_count,
        sum(case line_type when 'reversal' then -1 else 1 end) = 0
        and max(line_number) = max(case when line_type <> 'reversal' then line_number end) as is_alone
    from recorded
    where line_number > 1 and item_kind <> 'carry_forward'
    group by item_kind, item_key
),

recorded_mark as not materialized (
    select
        recorded.entry_number,
        recorded.payment_period,
        {{ ledger_mark('recorded') }} as mark
    from recorded
    left join later_line
        on
            recorded.item_kind = later_line.item_kind
            and recorded.item_key = later_line.item_key
    where
        recorded.item_kind <> 'carry_forward'
        and recorded.line_type <> 'reversal'
        and (later_line.item_key is null or (later_line.is_alone and recorded.line_number = later_line.line_number))
),

-- what one side alone has, and what is to be paid in another month and is not paid yet
differing as materialized (
    select
        calculated_mark.item_kind,
        calculated_mark.item_key,
        recorded_mark.entry_number
    from calculated_mark
    full outer join recorded_mark on calculated_mark.mark = recorded_mark.mark
    cross join payment_moment
    left join closed_quarter on calculated_mark.earned_quarter = closed_quarter.earned_quarter
    where
        calculated_mark.mark is null
        or recorded_mark.mark is null
        or (
            calculated_mark.payment_period <> recorded_mark.payment_period
            and calculated_mark.payment_period >= payment_moment.as_of_month
            and recorded_mark.payment_period >= payment_moment.as_of_month
            and closed_quarter.earned_quarter is null
        )
),

-- all other items are kept as they are
changed_item as materialized (
    select
        item_kind,
        item_key
    from differing
    where item_key is not null
    union
    select
        item_kind,
        item_key
    from recorded
    where
        entry_number in (
            select differing.entry_number
            from differing
            where differing.entry_number is not null
        )
    union
    select
        item_kind,
        item_key
    from later_line
    where standing_count > 0 and not is_alone
),

calculated_anew as materialized (
    select calculated.*
    from calculated
    inner join changed_item
        on
            calculated.item_kind = changed_item.item_kind
            and calculated.item_key = changed_item.item_key
),

-- beside the items that changed the earnings that a cap or a clawback among them takes from
wanted_item as materialized (
    select
        item_kind,
        item_key,
        bool_or(is_changed) as is_changed
    from (
        select
            item_kind,
            item_key,
            true as is_changed
        from changed_item
        union all
        select
            'earning' as item_kind,
            earning_line_id as item_key,
            false as is_changed
        from calculated_anew
        where item_kind <> 'earning'
    ) as wanted
    group by item_kind, item_key
),

recorded_line as materialized (
    select
        recorded.*,
        wanted_item.is_changed
    from recorded
    inner join wanted_item
        on
            recorded.item_kind = wanted_item.item_kind
            and recorded.item_key = wanted_item.item_key
),
{%- else -%}
calculated_anew as not materialized (
    select * from calculated
),

recorded_line as (
    select
        *,
        true as is_changed
    from recorded
),
{%- endif %}

found as not materialized (
    select
        calculated_anew.*,
        {{ md5_of([
            'calculated_anew.earning_kind', 'calculated_anew.employee_number', 'calculated_anew.earned_quarter',
            'calculated_anew.team_code', 'calculated_anew.country_code', 'calculated_anew.cost_centre_code',
            'calculated_anew.currency_code'
        ]) }} as attribution_hash,
        coalesce(
            calculated_anew.payment_period < payment_moment.as_of_month or closed_quarter.earned_quarter is not null,
            false
        ) as is_due_over
    from calculated_anew
    cross join payment_moment
    left join closed_quarter on calculated_anew.earned_quarter = closed_quarter.earned_quarter
),

-- when the ledger began, and which quarters and kinds of earning it knows: history that is loaded later stands in its
-- own month, of which int_payroll_go_live says by kind whether it was paid outside; an earning found late does not
beginning as (
    select {{ month_code('min(recorded_at)') }} as first_month
    from recorded
),

known_quarter as (
    select distinct earned_quarter
    from recorded
    where item_kind = 'earning'
),

known_kind as (
    select distinct earning_kind
    from recorded
    where item_kind = 'earning'
),

reversed as (
    select original_ledger_line_id
    from recorded_line
    where line_type = 'reversal'
),

-- lines of items that still count
standing as (
    select
        recorded_line.*,
        {{ md5_of([
            'recorded_line.earning_kind', 'recorded_line.employee_number', 'recorded_line.earned_quarter',
            'recorded_line.team_code', 'recorded_line.country_code', 'recorded_line.cost_centre_code',
            'recorded_line.currency_code'
        ]) }} as attribution_hash,
        coalesce(
            recorded_line.payment_period < payment_moment.as_of_month or closed_quarter.earned_quarter is not null,
            false
        ) as is_paid
    from recorded_line
    cross join payment_moment
    left join reversed on recorded_line.ledger_line_id = reversed.original_ledger_line_id
    left join closed_quarter on recorded_line.earned_quarter = closed_quarter.earned_quarter
    where
        recorded_line.line_type <> 'reversal'
        and reversed.original_ledger_line_id is null
),

item as (
    select
        item_kind,
        item_key,
        max(line_number) as line_number
    from recorded_line
    group by item_kind, item_key
),

item_state as (
    select
        item_kind,
        item_key,
        count(*) as line_count,
        sum(amount) as amount,
        bool_or(is_paid) as is_paid,
        min(attribution_hash) as attribution_hash,
        max(attribution_hash) as last_attribution_hash,
        max_by(payment_period, line_number) as payment_period,
        min_by(ledger_line_id, line_number) as ledger_line_id
    from standing
    group by item_kind, item_key
),

judged as not materialized (
    select
        found.*,
        coalesce(item.line_number, 0) as last_line_number,
        item_state.ledger_line_id as standing_line_id,
        item_state.line_count as standing_line_count,
        found.is_due_over or coalesce(item_state.is_paid, false) as is_locked,
        found.amount - coalesce(item_state.amount, 0) as difference_amount,
        -- the load the ledger begins with, or a quarter's or kind's: what was due before stands in its own month
        item.item_key is null
        and found.item_kind <> 'clawback'
        and (
            beginning.first_month is null
            or (
                (known_quarter.earned_quarter is null or known_kind.earning_kind is null)
                and found.payment_period < beginning.first_month
            )
        ) as is_opening,
        item_state.item_key is not null
        and (
            found.attribution_hash <> item_state.attribution_hash
            or found.attribution_hash <> item_state.last_attribution_hash
        ) as is_reattributed,
        item_state.item_key is not null and found.payment_period <> item_state.payment_period as is_moved
    from found
    cross join beginning
    left join item
        on
            found.item_kind = item.item_kind
            and found.item_key = item.item_key
    left join item_state
        on
            found.item_kind = item_state.item_kind
            and found.item_key = item_state.item_key
    left join known_quarter on found.earned_quarter = known_quarter.earned_quarter
    left join known_kind on found.earning_kind = known_kind.earning_kind
),

verdict as {{ 'materialized' if is_incremental() else 'not materialized' }} (
    select
        *,
        case
            when is_opening then 'open'
            when standing_line_id is null and not is_locked then 'book'
            when is_reattributed then 'rebook'
            when is_locked and difference_amount <> 0 then 'adjust'
            when not is_locked and (difference_amount <> 0 or is_moved) then 'rebook'
            else 'keep'
        end as action
    from judged
),

-- exact signed copies of what no longer holds
reversal_line as (
    select
        'reversal' as line_type,
        standing.item_kind,
        standing.item_key,
        item.line_number
        + row_number() over (
            partition by standing.item_kind, standing.item_key
            order by standing.line_number
        ) as line_number,
        standing.earning_kind,
        standing.earning_line_id,
        standing.ledger_line_id as original_ledger_line_id,
        case
            when verdict.item_key is null then 'no_longer_calculated'
            when verdict.is_reattributed then 'attributed_anew'
            when verdict.difference_amount <> 0 then 'recalculated'
            else 'payment_moved'
        end as reason,
        standing.employee_number,
        standing.earned_quarter,
        standing.team_code,
        standing.country_code,
        standing.cost_centre_code,
        standing.currency_code,
        -standing.amount as amount,
        case when standing.is_paid then payment_moment.next_payment_period else standing.payment_period end
            as payment_period
    from standing
    cross join payment_moment
    inner join item
        on
            standing.item_kind = item.item_kind
            and standing.item_key = item.item_key
    left join verdict
        on
            standing.item_kind = verdict.item_kind
            and standing.item_key = verdict.item_key
    where standing.is_changed and (verdict.item_key is null or verdict.action = 'rebook')
),

-- what is booked for the first time, anew (behind the reversals), or on top of what is paid
booked_line as not materialized (
    select
        case
            when verdict.item_kind = 'earning' and verdict.is_locked and verdict.action <> 'open' then 'adjustment'
            when verdict.action = 'adjust' and verdict.standing_line_id is not null then 'adjustment'
            else verdict.line_type
        end as line_type,
        verdict.item_kind,
        verdict.item_key,
        verdict.last_line_number
        + case when verdict.action = 'rebook' then coalesce(verdict.standing_line_count, 0) else 0 end
        + 1 as line_number,
        verdict.earning_kind,
        verdict.earning_line_id,
        case when verdict.action = 'adjust' then verdict.standing_line_id end as original_ledger_line_id,
        case
            when verdict.action = 'rebook' and verdict.is_reattributed then 'attributed_anew'
            when verdict.action = 'rebook' and verdict.difference_amount <> 0 then 'recalculated'
            when verdict.action = 'rebook' then 'payment_moved'
            when verdict.action = 'adjust' and verdict.standing_line_id is not null then 'recalculated'
            when verdict.action = 'adjust' and verdict.item_kind = 'earning' then 'earned_after_payment'
            else verdict.reason
        end as reason,
        verdict.employee_number,
        verdict.earned_quarter,
        verdict.team_code,
        verdict.country_code,
        verdict.cost_centre_code,
        verdict.currency_code,
        case when verdict.action = 'adjust' then verdict.difference_amount else verdict.amount end as amount,
        case
            when verdict.is_locked and verdict.action <> 'open' then payment_moment.next_payment_period
            else verdict.payment_period
        end as payment_period
    from verdict
    cross join payment_moment
    where verdict.action <> 'keep'
),

new_line as not materialized (
    select * from reversal_line
    union all
    select * from booked_line
),

identified as {{ 'materialized' if is_incremental() else 'not materialized' }} (
    select
        *,
        {{ md5_of(['item_kind', 'item_key', 'line_number']) }} as ledger_line_id
    from new_line
),

-- the line of the earning that a cap or a clawback takes from: the last that stands when the run is done
taken_from as (
    select distinct earning_line_id
    from booked_line
    where line_type in ('cap', 'clawback')
),

earning_anchor as (
    select
        earning_line_id,
        max_by(ledger_line_id, line_number) as ledger_line_id
    from (
        select
            standing.earning_line_id,
            standing.line_number,
            standing.ledger_line_id
        from standing
        left join reversal_line on standing.ledger_line_id = reversal_line.original_ledger_line_id
        where standing.item_kind = 'earning' and reversal_line.original_ledger_line_id is null
        union all
        select
            identified.earning_line_id,
            identified.line_number,
            identified.ledger_line_id
        from identified
        where identified.item_kind = 'earning' and identified.line_type <> 'reversal'
    ) as earning_booked
    where earning_line_id in (select taken_from.earning_line_id from taken_from)
    group by earning_line_id
),

item_line as not materialized (
    select
        identified.line_type,
        identified.item_kind,
        identified.item_key,
        identified.line_number,
        identified.ledger_line_id,
        identified.earning_kind,
        identified.earning_line_id,
        case
            when identified.line_type in ('cap', 'clawback') then earning_anchor.ledger_line_id
            else identified.original_ledger_line_id
        end as original_ledger_line_id,
        identified.reason,
        identified.employee_number,
        identified.earned_quarter,
        identified.team_code,
        identified.country_code,
        identified.cost_centre_code,
        identified.currency_code,
        identified.amount,
        identified.payment_period
    from identified
    left join earning_anchor on identified.earning_line_id = earning_anchor.earning_line_id
),

booked as (
    select
        employee_number,
        currency_code,
        payment_period,
        amount
    from recorded
    union all
    select
        employee_number,
        currency_code,
        payment_period,
        amount
    from item_line
),

-- what each payment period that is over comes to
period_balance as (
    select
        booked.employee_number,
        booked.currency_code,
        booked.payment_period,
        sum(booked.amount) as balance_amount
    from booked
    cross join payment_moment
    where booked.payment_period < payment_moment.as_of_month
    group by booked.employee_number, booked.currency_code, booked.payment_period
),

-- nothing is carried of who is never below zero
person_below as (
    select distinct
        employee_number,
        currency_code
    from period_balance
    where balance_amount < 0
),

cumulated as (
    select
        period_balance.*,
        sum(period_balance.balance_amount) over (
            partition by period_balance.employee_number, period_balance.currency_code
            order by period_balance.payment_period
            rows between unbounded preceding and current row
        ) as cumulated_amount,
        lead(period_balance.payment_period) over (
            partition by period_balance.employee_number, period_balance.currency_code
            order by period_balance.payment_period
        ) as following_period
    from period_balance
    inner join person_below
        on
            period_balance.employee_number = person_below.employee_number
            and period_balance.currency_code = person_below.currency_code
),

-- carried(k) = least(0, carried(k - 1) + balance(k)), which is the running sum less its highest value so far
carried as (
    select
        *,
        cumulated_amount - greatest(
            0,
            max(cumulated_amount) over (
                partition by employee_number, currency_code order by payment_period
                rows between unbounded preceding and current row
            )
        ) as carried_amount
    from cumulated
),

carry_item as (
    select
        {{ md5_of(['employee_number', 'currency_code', 'payment_period']) }} as item_key,
        *
    from carried
    where carried_amount < 0
),

carry_count as (
    select
        item_key,
        max(line_number) as line_number
    from recorded
    where item_kind = 'carry_forward'
    group by item_key
),

carry_side as (
    select 1 as side_number
    union all
    select 2 as side_number
),

carry_numbered as (
    select
        carry_item.*,
        carry_side.side_number,
        coalesce(carry_count.line_number, 0) + 1 as out_line_number,
        coalesce(carry_count.line_number, 0) + carry_side.side_number as line_number
    from carry_item
    cross join carry_side
    left join carry_count on carry_item.item_key = carry_count.item_key
),

carry_line as (
    select
        'carry_forward' as line_type,
        'carry_forward' as item_kind,
        carry_numbered.item_key,
        carry_numbered.line_number,
        {{ md5_of(["'carry_forward'", 'carry_numbered.item_key', 'carry_numbered.line_number']) }} as ledger_line_id,
        cast(null as varchar) as earning_kind,
        cast(null as varchar) as earning_line_id,
        case
            when carry_numbered.side_number = 2
                then {{ md5_of(["'carry_forward'", 'carry_numbered.item_key', 'carry_numbered.out_line_number']) }}
        end as original_ledger_line_id,
        case carry_numbered.side_number when 1 then 'carried_out' else 'carried_in' end as reason,
        carry_numbered.employee_number,
        cast(null as varchar) as earned_quarter,
        cast(null as varchar) as team_code,
        cast(null as varchar) as country_code,
        cast(null as varchar) as cost_centre_code,
        carry_numbered.currency_code,
        case carry_numbered.side_number
            when 1 then -carry_numbered.carried_amount
            else carry_numbered.carried_amount
        end as amount,
        case
            when carry_numbered.side_number = 1 then carry_numbered.payment_period
            else coalesce(carry_numbered.following_period, payment_moment.next_payment_period)
        end as payment_period
    from carry_numbered
    cross join payment_moment
),

appended as (
    select * from item_line
    union all
    select * from carry_line
),

tail as (
    select
        coalesce(max(entry_number), 0) as entry_number,
        coalesce(max(batch_number), 0) as batch_number,
        max(recorded_at) as recorded_at,
        max_by(entry_hash, entry_number) as entry_hash
    from recorded
),

typed as not materialized (
    select
        ledger_line_id,
        line_type,
        item_kind,
        case item_kind when 'earning' then 1 when 'cap' then 2 when 'clawback' then 3 else 4 end as kind_place,
        item_key,
        cast(line_number as bigint) as line_number,
        earning_kind,
        earning_line_id,
        original_ledger_line_id,
        reason,
        employee_number,
        earned_quarter,
        team_code,
        country_code,
        cost_centre_code,
        currency_code,
        cast(amount as decimal(18, 2)) as amount,
        payment_period
    from appended
),

-- lines are numbered person by person, which needs no sort of them all, behind those of the persons before
person_count as (
    select
        kind_place,
        employee_number,
        count(*) as line_count
    from typed
    group by kind_place, employee_number
),

person_start as (
    select
        kind_place,
        employee_number,
        sum(line_count) over (
            order by kind_place, employee_number
            rows between unbounded preceding and current row
        ) - line_count as lines_before
    from person_count
),

in_person as (
    select
        *,
        {{ md5_of(ledger_content()) }} as content_hash,
        row_number() over (
            partition by kind_place, employee_number
            order by payment_period, item_key, line_number
        ) as place_in_person
    from typed
),

hashed as (
    select
        in_person.*,
        cast(person_start.lines_before as bigint) + in_person.place_in_person as place
    from in_person
    inner join person_start
        on
            in_person.kind_place = person_start.kind_place
            and in_person.employee_number = person_start.employee_number
),

final as (
    select
        cast(hashed.ledger_line_id as varchar) as ledger_line_id,
        cast(tail.entry_number + hashed.place as bigint) as entry_number,
        cast(tail.batch_number + 1 as bigint) as batch_number,
        cast(hashed.line_type as varchar) as line_type,
        cast(hashed.item_kind as varchar) as item_kind,
        cast(hashed.item_key as varchar) as item_key,
        cast(hashed.line_number as bigint) as line_number,
        cast(hashed.earning_kind as varchar) as earning_kind,
        cast(hashed.earning_line_id as varchar) as earning_line_id,
        cast(hashed.original_ledger_line_id as varchar) as original_ledger_line_id,
        cast(hashed.reason as varchar) as reason,
        cast(hashed.employee_number as varchar) as employee_number,
        cast(hashed.earned_quarter as varchar) as earned_quarter,
        cast(hashed.team_code as varchar) as team_code,
        cast(hashed.country_code as varchar) as country_code,
        cast(hashed.cost_centre_code as varchar) as cost_centre_code,
        cast(hashed.currency_code as varchar) as currency_code,
        cast(hashed.amount as decimal(18, 2)) as amount,
        cast(hashed.payment_period as varchar) as payment_period,
        cast(payment_moment.as_of_at as timestamp) as recorded_at,
        cast(payment_moment.run_id as varchar) as run_id,
        cast(hashed.content_hash as varchar) as content_hash,
        cast({{ md5_of([
            'tail.entry_hash', 'hashed.content_hash', 'tail.entry_number + hashed.place', 'payment_moment.as_of_at',
            'payment_moment.run_id'
        ]) }} as varchar) as entry_hash
    from hashed
    cross join tail
    cross join payment_moment
    where tail.recorded_at is null or payment_moment.as_of_at >= tail.recorded_at
)

select * from final
