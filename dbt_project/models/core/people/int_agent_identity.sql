{%- set beginning = "timestamp '1900-01-01 00:00:00'" -%}
{%- set beginning_day = "date '1900-01-01'" -%}
{%- set open_end = "timestamp '9999-12-31 00:00:00'" -%}
{%- set open_day = "date '9999-12-31'" -%}
-- Whose account it was at which instant. A personal account is matched once, by the strongest tie there is; a
-- shared one belongs to whoever alone was on shift at it.
with users as (
    select * from {{ ref('stg_servicenow__users') }}
),

shared_account as (
    select * from {{ ref('shared_account') }}
    where source_system = 'servicenow'
),

shared_account_shift as (
    select * from {{ ref('shared_account_shift') }}
    where source_system = 'servicenow'
),

employment as (
    select * from {{ ref('int_employment') }}
    where is_primary
),

shifts as (
    select * from {{ ref('stg_bamboohr__shifts') }}
),

approved_leave as (
    select * from {{ ref('stg_bamboohr__time_off_requests') }}
    where request_status = 'approved'
),

account as (
    select
        users.user_id as account_code,
        users.user_id,
        users.user_name,
        users.employee_number,
        lower(users.email) as email,
        coalesce(shared_account.account_kind, 'personal') as account_kind
    from users
    left join shared_account on users.user_name = shared_account.user_name

    union all

    -- a program may write without being listed as a user
    select
        shared_account.user_name as account_code,
        cast(null as varchar) as user_id,
        shared_account.user_name,
        cast(null as varchar) as employee_number,
        cast(null as varchar) as email,
        shared_account.account_kind
    from shared_account
    left join users on shared_account.user_name = users.user_name
    where users.user_id is null
),

candidate as (
    select
        account.account_code,
        employment.person_key,
        1 as match_rank,
        'employee_number' as matched_by
    from account
    inner join employment on account.employee_number = employment.employee_number
    where account.account_kind = 'personal'

    union all

    select
        account.account_code,
        employment.person_key,
        2 as match_rank,
        'email' as matched_by
    from account
    inner join employment on account.email = employment.work_email
    where account.account_kind = 'personal'

    union all

    select
        account.account_code,
        employment.person_key,
        3 as match_rank,
        'user_name' as matched_by
    from account
    inner join employment on lower(account.user_name) = lower(employment.employee_number)
    where account.account_kind = 'personal'
),

strongest as (
    select *
    from candidate
    qualify rank() over (partition by account_code order by match_rank) = 1
),

matched as (
    select
        account_code,
        min(matched_by) as matched_by,
        min(person_key) as person_key,
        min(person_key) <> max(person_key) as is_ambiguous
    from strongest
    group by account_code
),

held as (
    select
        matched.account_code,
        matched.matched_by,
        employment.employment_key,
        employment.hris_system,
        employment.employee_id,
        employment.employee_number,
        employment.is_listed,
        coalesce(employment.employee_number = account.employee_number, false) as is_own_number,
        employment.employed_from_on,
        coalesce(employment.employed_to_on, {{ open_day }}) as employed_to_on
    from matched
    inner join account on matched.account_code = account.account_code
    inner join employment on matched.person_key = employment.person_key
    where not matched.is_ambiguous
),

-- the days on which any record of the person begins or ends: between two of them nothing changes
held_bound as (
    select
        account_code,
        {{ beginning_day }} as bound_on
    from held

    union

    select
        account_code,
        employed_from_on as bound_on
    from held

    union

    select
        account_code,
        employed_to_on as bound_on
    from held

    union

    select
        account_code,
        {{ open_day }} as bound_on
    from held
),

held_slice as (
    select
        account_code,
        bound_on as slice_from_on,
        lead(bound_on) over (partition by account_code order by bound_on) as slice_to_on
    from held_bound
),

-- the record a slice is named by: one employed then, else the one that ended last, else the one that begins first
named_slice as (
    select
        held_slice.account_code,
        held.matched_by,
        held.hris_system,
        held.employee_id,
        held.employee_number,
        case
            when held_slice.slice_from_on < held.employed_from_on then 'before_hire'
            when held_slice.slice_from_on >= held.employed_to_on then 'after_leaving'
        end as unattributed_reason,
        held_slice.slice_from_on
    from held_slice
    inner join held on held_slice.account_code = held.account_code
    where held_slice.slice_to_on is not null
    qualify row_number() over (
            partition by held_slice.account_code, held_slice.slice_from_on
            order by
                case
                    when held_slice.slice_from_on < held.employed_from_on then 2
                    when held_slice.slice_from_on >= held.employed_to_on then 1
                    else 0
                end asc,
                case when held_slice.slice_from_on >= held.employed_to_on then held.employed_to_on end desc nulls last,
                case when held_slice.slice_from_on < held.employed_from_on then held.employed_from_on end asc,
                case when held.is_own_number then 0 else 1 end asc,
                case when held.is_listed then 0 else 1 end asc,
                held.employed_from_on desc,
                held.employment_key asc
        ) = 1
),

slice_change as (
    select
        *,
        lag(employee_id) over account_history as previous_employee_id,
        lag(hris_system) over account_history as previous_hris_system,
        lag(unattributed_reason) over account_history as previous_reason
    from named_slice
    window account_history as (partition by account_code order by slice_from_on)
),

personal as (
    select
        account_code,
        matched_by,
        hris_system,
        employee_id,
        employee_number,
        unattributed_reason,
        cast(slice_from_on as timestamp) as valid_from_at,
        coalesce(
            cast(lead(slice_from_on) over (partition by account_code order by slice_from_on) as timestamp),
            {{ open_end }}
        ) as valid_to_at
    from slice_change
    where
        employee_id is distinct from previous_employee_id
        or hris_system is distinct from previous_hris_system
        or unattributed_reason is distinct from previous_reason
),

shift_at_account as (
    select
        account.account_code,
        employment.hris_system,
        employment.employee_id,
        employment.employee_number,
        shifts.starts_at,
        shifts.ends_at
    from shared_account_shift
    inner join account on shared_account_shift.user_name = account.user_name
    inner join shifts on shared_account_shift.shift_code = shifts.shift_code
    inner join employment
        on
            shifts.employee_id = employment.employee_id
            and employment.hris_system = 'bamboohr'
            and cast({{ utc_to_local('shifts.starts_at', 'shifts.time_zone') }} as date) >= employment.employed_from_on
            and cast({{ utc_to_local('shifts.starts_at', 'shifts.time_zone') }} as date)
            < coalesce(employment.employed_to_on, {{ open_day }})
    left join approved_leave
        on
            shifts.employee_id = approved_leave.employee_id
            and cast({{ utc_to_local('shifts.starts_at', 'shifts.time_zone') }} as date) >= approved_leave.first_on
            and cast({{ utc_to_local('shifts.starts_at', 'shifts.time_zone') }} as date) <= approved_leave.last_on
    where
        account.account_kind = 'shared'
        and approved_leave.time_off_request_id is null
        and shifts.starts_at < shifts.ends_at
        and cast({{ utc_to_local('shifts.starts_at', 'shifts.time_zone') }} as date)
        >= shared_account_shift.effective_from
        and cast({{ utc_to_local('shifts.starts_at', 'shifts.time_zone') }} as date)
        <= coalesce(shared_account_shift.effective_to, {{ open_day }})
),

boundary as (
    select
        account_code,
        {{ beginning }} as bound_at
    from account
    where account_kind = 'shared'

    union

    select
        account_code,
        starts_at as bound_at
    from shift_at_account

    union

    select
        account_code,
        ends_at as bound_at
    from shift_at_account
),

stretch as (
    select
        account_code,
        bound_at as valid_from_at,
        coalesce(lead(bound_at) over (partition by account_code order by bound_at), {{ open_end }}) as valid_to_at
    from boundary
),

staffed as (
    select
        stretch.account_code,
        stretch.valid_from_at,
        stretch.valid_to_at,
        max(shift_at_account.hris_system) as hris_system,
        max(shift_at_account.employee_id) as employee_id,
        max(shift_at_account.employee_number) as employee_number,
        count(distinct shift_at_account.employee_id) as person_count
    from stretch
    left join shift_at_account
        on
            stretch.account_code = shift_at_account.account_code
            and stretch.valid_from_at >= shift_at_account.starts_at
            and stretch.valid_from_at < shift_at_account.ends_at
    group by stretch.account_code, stretch.valid_from_at, stretch.valid_to_at
),

piece as (
    select
        account_code,
        matched_by,
        hris_system,
        employee_id,
        employee_number,
        unattributed_reason,
        valid_from_at,
        valid_to_at
    from personal

    union all

    select
        account_code,
        'shift_roster' as matched_by,
        case when person_count = 1 then hris_system end as hris_system,
        case when person_count = 1 then employee_id end as employee_id,
        case when person_count = 1 then employee_number end as employee_number,
        case
            when person_count = 0 then 'nobody_on_shift'
            when person_count > 1 then 'several_on_shift'
        end as unattributed_reason,
        valid_from_at,
        valid_to_at
    from staffed

    union all

    select
        account.account_code,
        cast(null as varchar) as matched_by,
        cast(null as varchar) as hris_system,
        cast(null as varchar) as employee_id,
        cast(null as varchar) as employee_number,
        case
            when account.account_kind = 'automation' then 'automation'
            when matched.is_ambiguous then 'ambiguous_employee'
            else 'no_employee'
        end as unattributed_reason,
        {{ beginning }} as valid_from_at,
        {{ open_end }} as valid_to_at
    from account
    left join matched on account.account_code = matched.account_code
    where
        account.account_kind = 'automation'
        or (account.account_kind = 'personal' and coalesce(matched.is_ambiguous, true))
),

final as (
    select
        {{ md5_of(["'servicenow'", 'account.account_code', 'piece.valid_from_at']) }} as agent_identity_key,
        'servicenow' as source_system,
        account.user_id,
        account.user_name,
        account.account_kind,
        piece.matched_by,
        piece.hris_system,
        piece.employee_id,
        piece.employee_number,
        piece.unattributed_reason is null as is_attributed,
        piece.unattributed_reason,
        piece.valid_from_at,
        piece.valid_to_at
    from piece
    inner join account on piece.account_code = account.account_code
    where piece.valid_from_at < piece.valid_to_at
)

select * from final
