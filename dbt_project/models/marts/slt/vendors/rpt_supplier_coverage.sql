-- End-to-end targets laid over the supplier contracts below them: what no contract covers, what two cover, and what
-- the promises come to together.
with recursive
int_run_context as (
    select * from {{ ref('int_run_context') }}
),

service_target as (
    select * from {{ ref('service_target') }}
    where measure = 'availability'
),

service_component as (
    select * from {{ ref('service_component') }}
    where measure = 'availability'
),

supplier_contract as (
    select * from {{ ref('supplier_contract') }}
    where measure <> 'ticket_attainment' and component_code is not null
),

int_calendar_segment as (
    select * from {{ ref('int_calendar_segment') }}
),

int_component_month as (
    select * from {{ ref('int_component_month') }}
    where
        measure = 'availability'
        and period_on = (select max(months.period_on) from {{ ref('int_component_month') }} as months)
),

-- coverage is asked for a year beyond the run's instant: long enough to negotiate
asked as (
    select
        cast(as_of_at as date) as as_of_on,
        {{ add_days('cast(as_of_at as date)', 365) }} as horizon_on
    from int_run_context
),

-- every way from a service down, with the days it holds (second one exclusive)
descent as (
    select
        parent_code as service_code,
        component_code,
        owner_code,
        structure = 'series' as is_serial,
        effective_from as from_on,
        {{ add_days("coalesce(effective_to, date '9999-12-30')", 1) }} as to_on,
        1 as height
    from service_component

    union all

    select
        descent.service_code,
        service_component.component_code,
        service_component.owner_code,
        descent.is_serial and service_component.structure = 'series' as is_serial,
        greatest(descent.from_on, service_component.effective_from) as from_on,
        least(
            descent.to_on,
            {{ add_days("coalesce(service_component.effective_to, date '9999-12-30')", 1) }}
        ) as to_on,
        descent.height + 1 as height
    from descent
    inner join service_component
        on
            descent.component_code = service_component.parent_code
            and descent.to_on > service_component.effective_from
            and descent.from_on <= coalesce(service_component.effective_to, date '9999-12-30')
    where descent.height < {{ composite_height_limit() }}
),

-- components bought from outside that are not composed themselves: what contracts have to cover
bought as (
    select
        descent.service_code,
        descent.component_code,
        max_by(descent.owner_code, descent.from_on) as owner_code,
        bool_and(descent.is_serial) as is_serial,
        min(descent.from_on) as from_on,
        max(descent.to_on) as to_on
    from descent
    left join service_component on descent.component_code = service_component.parent_code
    where service_component.parent_code is null and descent.owner_code <> 'internal'
    group by descent.service_code, descent.component_code
),

need as (
    select
        service_target.service_code,
        service_target.contract_code,
        service_target.target_share,
        service_target.calendar_code,
        service_target.effective_from as target_from_on,
        bought.component_code,
        bought.owner_code,
        bought.is_serial,
        asked.as_of_on,
        greatest(service_target.effective_from, bought.from_on) as need_from_on,
        least(
            asked.horizon_on,
            bought.to_on,
            {{ add_days("coalesce(service_target.effective_to, date '9999-12-30')", 1) }}
        ) as need_to_on
    from service_target
    inner join bought on service_target.service_code = bought.service_code
    cross join asked
    where
        service_target.effective_from < asked.horizon_on
        and coalesce(service_target.effective_to, date '9999-12-30') >= bought.from_on
),

-- contracts as far as they reach into the need
offer as (
    select
        need.service_code,
        need.contract_code,
        need.target_from_on,
        need.target_share,
        need.calendar_code,
        need.component_code,
        need.is_serial,
        need.need_from_on,
        need.need_to_on,
        supplier_contract.supplier_contract_code,
        supplier_contract.promised_share,
        supplier_contract.calendar_code as supplier_calendar_code,
        greatest(supplier_contract.effective_from, need.need_from_on) as offer_from_on,
        least({{ add_days('supplier_contract.effective_to', 1) }}, need.need_to_on) as offer_to_on
    from need
    inner join supplier_contract
        on
            need.component_code = supplier_contract.component_code
            and need.need_to_on > supplier_contract.effective_from
            and need.need_from_on <= supplier_contract.effective_to
),

ordered_offer as (
    select
        *,
        coalesce(
            max(offer_to_on) over (
                partition by service_code, contract_code, target_from_on, component_code
                order by offer_from_on, supplier_contract_code
                rows between unbounded preceding and 1 preceding
            ),
            need_from_on
        ) as covered_to_on,
        max(offer_to_on) over (
            partition by service_code, contract_code, target_from_on, component_code
        ) as last_covered_on,
        row_number() over (
            partition by service_code, contract_code, target_from_on, component_code
            order by offer_to_on desc, supplier_contract_code asc
        ) as from_last_number
    from offer
),

offer_pair as (
    select
        earlier.service_code,
        earlier.contract_code,
        earlier.target_from_on,
        earlier.component_code,
        earlier.supplier_contract_code,
        later.supplier_contract_code as other_supplier_contract_code,
        earlier.supplier_calendar_code,
        later.supplier_calendar_code as other_calendar_code,
        greatest(earlier.offer_from_on, later.offer_from_on) as from_on,
        least(earlier.offer_to_on, later.offer_to_on) as to_on
    from offer as earlier
    inner join offer as later
        on
            earlier.service_code = later.service_code
            and coalesce(earlier.contract_code, '') = coalesce(later.contract_code, '')
            and earlier.target_from_on = later.target_from_on
            and earlier.component_code = later.component_code
            and earlier.supplier_contract_code < later.supplier_contract_code
            and earlier.offer_from_on < later.offer_to_on
            and later.offer_from_on < earlier.offer_to_on
),

-- hours are compared on the year before the run, holidays and changes of clocks included
calendar_pair as (
    select distinct
        calendar_code as wanted_code,
        supplier_calendar_code as given_code
    from offer

    union

    select distinct
        supplier_calendar_code as wanted_code,
        other_calendar_code as given_code
    from offer_pair
),

year_segment as (
    select
        int_calendar_segment.calendar_code,
        int_calendar_segment.opens_at,
        int_calendar_segment.closes_at
    from int_calendar_segment
    cross join asked
    where
        int_calendar_segment.local_on < asked.as_of_on
        and int_calendar_segment.local_on >= {{ add_days('asked.as_of_on', -365) }}
),

open_time as (
    select
        calendar_code,
        sum({{ seconds_between('opens_at', 'closes_at') }}) as open_seconds
    from year_segment
    group by calendar_code
),

common_time as (
    select
        calendar_pair.wanted_code,
        calendar_pair.given_code,
        sum({{ seconds_between(
            'greatest(wanted.opens_at, given.opens_at)', 'least(wanted.closes_at, given.closes_at)'
        ) }}) as common_seconds
    from calendar_pair
    inner join year_segment as wanted on calendar_pair.wanted_code = wanted.calendar_code
    inner join year_segment as given
        on
            calendar_pair.given_code = given.calendar_code
            and wanted.opens_at < given.closes_at
            and given.opens_at < wanted.closes_at
    group by calendar_pair.wanted_code, calendar_pair.given_code
),

hours as (
    select
        calendar_pair.wanted_code,
        calendar_pair.given_code,
        open_time.open_seconds,
        coalesce(common_time.common_seconds, 0) as common_seconds
    from calendar_pair
    inner join open_time on calendar_pair.wanted_code = open_time.calendar_code
    left join common_time
        on
            calendar_pair.wanted_code = common_time.wanted_code
            and calendar_pair.given_code = common_time.given_code
),

parent_node as (
    select distinct
        period_on,
        measure,
        parent_code
    from int_component_month
),

tree_period as (
    select distinct
        period_on,
        measure
    from int_component_month
),

-- what is promised today: the contract of a component (the least, where several), the target of an own service
leaf as (
    select
        tree_period.period_on,
        tree_period.measure,
        supplier_contract.component_code as node_code,
        min({{ share_units('supplier_contract.promised_share') }} * 1000) as promised_units
    from tree_period
    cross join asked
    inner join supplier_contract
        on
            asked.as_of_on >= supplier_contract.effective_from
            and asked.as_of_on <= supplier_contract.effective_to
    left join parent_node on supplier_contract.component_code = parent_node.parent_code
    where parent_node.parent_code is null
    group by tree_period.period_on, tree_period.measure, supplier_contract.component_code

    union all

    select
        tree_period.period_on,
        tree_period.measure,
        service_target.service_code as node_code,
        {{ share_units('service_target.target_share') }} * 1000 as promised_units
    from tree_period
    cross join asked
    inner join service_target
        on
            asked.as_of_on >= service_target.effective_from
            and asked.as_of_on <= coalesce(service_target.effective_to, date '9999-12-31')
    left join parent_node on service_target.service_code = parent_node.parent_code
    where parent_node.parent_code is null and service_target.contract_code is null
),

{{ composite_levels('int_component_month', 'leaf', ['promised_units']) }},

finding as (
    select
        need.service_code,
        need.contract_code,
        need.target_share,
        need.component_code,
        cast(null as varchar) as supplier_contract_code,
        cast(null as varchar) as other_supplier_contract_code,
        'gap_component' as finding,
        need.need_from_on as from_on,
        need.need_to_on as to_on,
        cast(null as decimal(18, 9)) as promised_share,
        cast(null as decimal(18, 6)) as uncovered_hours_share,
        'no supplier contract covers ' || need.component_code || ', which ' || need.owner_code || ' answers for'
            as reason
    from need
    left join offer
        on
            need.service_code = offer.service_code
            and coalesce(need.contract_code, '') = coalesce(offer.contract_code, '')
            and need.target_from_on = offer.target_from_on
            and need.component_code = offer.component_code
    where offer.supplier_contract_code is null

    union all

    select
        service_code,
        contract_code,
        target_share,
        component_code,
        supplier_contract_code,
        cast(null as varchar) as other_supplier_contract_code,
        'gap_period' as finding,
        covered_to_on as from_on,
        offer_from_on as to_on,
        cast(null as decimal(18, 9)) as promised_share,
        cast(null as decimal(18, 6)) as uncovered_hours_share,
        'nothing is promised for ' || component_code || ' before ' || supplier_contract_code || ' begins' as reason
    from ordered_offer
    where offer_from_on > covered_to_on

    union all

    select
        service_code,
        contract_code,
        target_share,
        component_code,
        supplier_contract_code,
        cast(null as varchar) as other_supplier_contract_code,
        'gap_period' as finding,
        last_covered_on as from_on,
        need_to_on as to_on,
        cast(null as decimal(18, 9)) as promised_share,
        cast(null as decimal(18, 6)) as uncovered_hours_share,
        'nothing is promised for ' || component_code || ' after ' || supplier_contract_code || ' ends' as reason
    from ordered_offer
    where from_last_number = 1 and last_covered_on < need_to_on

    union all

    select
        offer.service_code,
        offer.contract_code,
        offer.target_share,
        offer.component_code,
        offer.supplier_contract_code,
        cast(null as varchar) as other_supplier_contract_code,
        'gap_hours' as finding,
        offer.offer_from_on as from_on,
        offer.offer_to_on as to_on,
        cast(null as decimal(18, 9)) as promised_share,
        {{ round_half_up_ratio('hours.open_seconds - hours.common_seconds', 'hours.open_seconds', 6) }}
            as uncovered_hours_share,
        offer.supplier_contract_code || ' holds in ' || offer.supplier_calendar_code || ', the target in '
        || offer.calendar_code as reason
    from offer
    inner join hours
        on
            offer.calendar_code = hours.wanted_code
            and offer.supplier_calendar_code = hours.given_code
    where hours.common_seconds < hours.open_seconds

    union all

    select
        service_code,
        contract_code,
        target_share,
        component_code,
        supplier_contract_code,
        cast(null as varchar) as other_supplier_contract_code,
        'gap_strictness' as finding,
        offer_from_on as from_on,
        offer_to_on as to_on,
        cast(promised_share as decimal(18, 9)) as promised_share,
        cast(null as decimal(18, 6)) as uncovered_hours_share,
        supplier_contract_code || ' promises less for one component than the target asks of all in series' as reason
    from offer
    where is_serial and promised_share < target_share

    union all

    select
        offer_pair.service_code,
        offer_pair.contract_code,
        offer.target_share,
        offer_pair.component_code,
        offer_pair.supplier_contract_code,
        offer_pair.other_supplier_contract_code,
        'overlap' as finding,
        offer_pair.from_on,
        offer_pair.to_on,
        cast(null as decimal(18, 9)) as promised_share,
        cast(null as decimal(18, 6)) as uncovered_hours_share,
        offer_pair.supplier_contract_code || ' and ' || offer_pair.other_supplier_contract_code
        || ' cover the same component and hours' as reason
    from offer_pair
    inner join offer
        on
            offer_pair.service_code = offer.service_code
            and coalesce(offer_pair.contract_code, '') = coalesce(offer.contract_code, '')
            and offer_pair.target_from_on = offer.target_from_on
            and offer_pair.component_code = offer.component_code
            and offer_pair.supplier_contract_code = offer.supplier_contract_code
    inner join hours
        on
            offer_pair.supplier_calendar_code = hours.wanted_code
            and offer_pair.other_calendar_code = hours.given_code
    where hours.common_seconds > 0

    union all

    select
        service_target.service_code,
        service_target.contract_code,
        service_target.target_share,
        cast(null as varchar) as component_code,
        cast(null as varchar) as supplier_contract_code,
        cast(null as varchar) as other_supplier_contract_code,
        case
            when promise.promised_units is null then 'promise_unknown'
            when promise.promised_units < {{ share_units('service_target.target_share') }} * 1000 then 'gap_product'
            else 'promises_cover'
        end as finding,
        asked.as_of_on as from_on,
        {{ add_days('asked.as_of_on', 1) }} as to_on,
        {{ share_of_units('promise.promised_units') }} as promised_share,
        cast(null as decimal(18, 6)) as uncovered_hours_share,
        case
            when promise.promised_units is null then 'a part of the service is promised by nobody today'
            else 'what its parts promise today, combined over the service tree'
        end as reason
    from service_target
    cross join asked
    inner join known_{{ composite_height_limit() }} as promise on service_target.service_code = promise.node_code
    inner join parent_node on service_target.service_code = parent_node.parent_code
    where
        asked.as_of_on >= service_target.effective_from
        and asked.as_of_on <= coalesce(service_target.effective_to, date '9999-12-31')
),

-- a component without a finding is listed too: what is not listed was not looked at
listed as (
    select * from finding

    union all

    select
        need.service_code,
        need.contract_code,
        need.target_share,
        need.component_code,
        cast(null as varchar) as supplier_contract_code,
        cast(null as varchar) as other_supplier_contract_code,
        'covered' as finding,
        need.need_from_on as from_on,
        need.need_to_on as to_on,
        cast(null as decimal(18, 9)) as promised_share,
        cast(null as decimal(18, 6)) as uncovered_hours_share,
        'contracts cover it without a gap or an overlap' as reason
    from need
    left join finding
        on
            need.service_code = finding.service_code
            and coalesce(need.contract_code, '') = coalesce(finding.contract_code, '')
            and need.component_code = finding.component_code
    where finding.finding is null
),

final as (
    select
        {{ md5_of([
            'listed.service_code', 'listed.contract_code', 'listed.component_code', 'listed.supplier_contract_code',
            'listed.other_supplier_contract_code', 'listed.finding', 'listed.from_on', 'listed.target_share'
        ]) }} as coverage_key,
        cast(listed.service_code as varchar) as service_code,
        cast(listed.contract_code as varchar) as contract_code,
        cast(listed.target_share as decimal(18, 9)) as target_share,
        cast(listed.component_code as varchar) as component_code,
        cast(listed.supplier_contract_code as varchar) as supplier_contract_code,
        cast(listed.other_supplier_contract_code as varchar) as other_supplier_contract_code,
        cast(supplier_contract.vendor_code as varchar) as vendor_code,
        cast(listed.finding as varchar) as finding,
        cast(listed.from_on as date) as from_on,
        cast(listed.to_on as date) as to_on,
        cast({{ day_count('listed.from_on', 'listed.to_on') }} as bigint) as finding_days,
        cast(listed.promised_share as decimal(18, 9)) as promised_share,
        cast(
            case
                when listed.promised_share is not null then greatest(listed.target_share - listed.promised_share, 0)
            end as decimal(18, 9)
        ) as missing_share,
        cast(listed.uncovered_hours_share as decimal(18, 6)) as uncovered_hours_share,
        cast(listed.reason as varchar) as reason
    from listed
    left join supplier_contract on listed.supplier_contract_code = supplier_contract.supplier_contract_code
)

select * from final
