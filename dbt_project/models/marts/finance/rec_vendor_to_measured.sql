-- What a vendor claims, what its own raw data says, and what we measured: vendor x service x measure x month, for
-- all that came and all that was owed.
with run_context as (
    select * from {{ ref('int_run_context') }}
),

int_reporting_period as (
    select * from {{ ref('int_reporting_period') }}
    where period_grain = 'month' and is_complete
),

vendor_reporting_duty as (
    select * from {{ ref('vendor_reporting_duty') }}
),

received_summary as (
    select * from {{ ref('int_vendor_claim') }}
),

received_record as (
    select * from {{ ref('int_vendor_claim_record') }}
),

fct_availability as (
    select * from {{ ref('fct_availability') }}
    where service_code is not null
),

-- a vendor's record says counted against target, so here ours does too: what a tolerance forgave is over target
fct_ticket_slt as (
    select * from {{ ref('fct_ticket_slt') }}
    where
        phase = 'resolution'
        and service_code is not null
        and slt_status in ('met', 'within_tolerance', 'breached')
),

-- what no data-sharing agreement covers is not looked at
summary as (
    select * from received_summary
    where is_covered
),

record as (
    select
        vendor_code,
        service_code,
        case record_kind when 'outage' then 'availability' when 'resolution' then 'attainment' end as measure,
        {{ month_start("case when record_kind = 'outage' then started_at else coalesce(ended_at, started_at) end") }}
            as period_month,
        started_at,
        ended_at,
        {{ integer_units('affected_share', 6) }} as affected_units,
        case when counted_seconds <= target_seconds then 1 else 0 end as is_good_count,
        batch_id
    from received_record
    where is_covered
),

refused as (
    select distinct
        vendor_code,
        service_code,
        measure,
        period_month
    from received_summary
    where not is_covered
),

-- before the first report came, nothing was owed
first_report as (
    select min(period_month) as first_month
    from summary
),

owed as (
    select
        vendor_reporting_duty.vendor_code,
        vendor_reporting_duty.service_code,
        vendor_reporting_duty.measure,
        int_reporting_period.period_start_on as period_month
    from vendor_reporting_duty
    inner join int_reporting_period
        on
            int_reporting_period.period_start_on >= vendor_reporting_duty.effective_from
            and int_reporting_period.period_start_on <= coalesce(vendor_reporting_duty.effective_to, date '9999-12-31')
    cross join first_report
    where int_reporting_period.period_start_on >= first_report.first_month
),

spine as (
    select
        vendor_code,
        service_code,
        measure,
        period_month
    from owed

    union

    select
        vendor_code,
        service_code,
        measure,
        period_month
    from summary

    union

    select
        vendor_code,
        service_code,
        measure,
        period_month
    from record

    union

    select
        vendor_code,
        service_code,
        measure,
        period_month
    from refused
),

month_bounds as (
    select
        *,
        cast(period_month as timestamp) as from_at,
        cast({{ add_months('period_month', 1) }} as timestamp) as to_at
    from spine
),

-- an outage counts in every month it lasted into, its record in the month whose file it stands in
outage as (
    select
        month_bounds.vendor_code,
        month_bounds.service_code,
        month_bounds.measure,
        month_bounds.period_month,
        sum(
            {{ seconds_between(
                'greatest(record.started_at, month_bounds.from_at)',
                'least(coalesce(record.ended_at, month_bounds.to_at), month_bounds.to_at)'
            ) }} * record.affected_units
        ) as down_units
    from month_bounds
    inner join record
        on
            month_bounds.vendor_code = record.vendor_code
            and month_bounds.service_code = record.service_code
            and month_bounds.measure = record.measure
            and record.started_at < month_bounds.to_at
            and coalesce(record.ended_at, month_bounds.to_at) > month_bounds.from_at
    where month_bounds.measure = 'availability'
    group by
        month_bounds.vendor_code, month_bounds.service_code, month_bounds.measure, month_bounds.period_month
),

handed_over as (
    select
        vendor_code,
        service_code,
        measure,
        period_month,
        count(*) as record_count,
        sum(is_good_count) as good_count,
        max(batch_id) as batch_id
    from record
    group by vendor_code, service_code, measure, period_month
),

measured as (
    select
        service_code,
        'availability' as measure,
        period_month,
        sum(up_seconds) as good_count,
        sum(up_seconds + down_seconds) as total_count
    from fct_availability
    group by service_code, period_month

    union all

    select
        service_code,
        'attainment' as measure,
        {{ month_start('stop_at') }} as period_month,
        sum(case when not is_breached_adjusted then 1 else 0 end) as good_count,
        count(*) as total_count
    from fct_ticket_slt
    group by service_code, {{ month_start('stop_at') }}
),

compared as (
    select
        month_bounds.vendor_code,
        month_bounds.service_code,
        month_bounds.measure,
        month_bounds.period_month,
        month_bounds.to_at,
        summary.claimed_share,
        summary.claimed_record_count,
        coalesce(handed_over.record_count, 0) as raw_record_count,
        case
            when coalesce(handed_over.record_count, 0) < coalesce(summary.claimed_record_count, 0) then null
            when summary.vendor_code is null and handed_over.record_count is null then null
            when month_bounds.measure = 'attainment'
                then {{ round_half_up_ratio('handed_over.good_count', 'handed_over.record_count', 6) }}
            else
                {{ round_half_up_ratio(
                    seconds_between('month_bounds.from_at', 'month_bounds.to_at')
                    ~ ' * 1000000 - coalesce(outage.down_units, 0)',
                    seconds_between('month_bounds.from_at', 'month_bounds.to_at') ~ ' * 1000000',
                    6
                ) }}
        end as raw_share,
        {{ round_half_up_ratio('measured.good_count', 'measured.total_count', 6) }} as measured_share,
        coalesce(measured.total_count, 0) as measured_count,
        coalesce(vendor_reporting_duty.summary_tolerance_share, 0) as summary_tolerance_share,
        coalesce(vendor_reporting_duty.measured_tolerance_share, 0) as measured_tolerance_share,
        coalesce(summary.batch_id, handed_over.batch_id) as batch_id
    from month_bounds
    left join summary
        on
            month_bounds.vendor_code = summary.vendor_code
            and month_bounds.service_code = summary.service_code
            and month_bounds.measure = summary.measure
            and month_bounds.period_month = summary.period_month
    left join handed_over
        on
            month_bounds.vendor_code = handed_over.vendor_code
            and month_bounds.service_code = handed_over.service_code
            and month_bounds.measure = handed_over.measure
            and month_bounds.period_month = handed_over.period_month
    left join outage
        on
            month_bounds.vendor_code = outage.vendor_code
            and month_bounds.service_code = outage.service_code
            and month_bounds.measure = outage.measure
            and month_bounds.period_month = outage.period_month
    left join measured
        on
            month_bounds.service_code = measured.service_code
            and month_bounds.measure = measured.measure
            and month_bounds.period_month = measured.period_month
    left join vendor_reporting_duty
        on
            month_bounds.vendor_code = vendor_reporting_duty.vendor_code
            and month_bounds.service_code = vendor_reporting_duty.service_code
            and month_bounds.measure = vendor_reporting_duty.measure
            and month_bounds.period_month >= vendor_reporting_duty.effective_from
            and month_bounds.period_month <= coalesce(vendor_reporting_duty.effective_to, date '9999-12-31')
),

judged as (
    select
        *,
        claimed_share - raw_share as claimed_difference_share,
        raw_share - measured_share as measured_difference_share,
        case
            when claimed_share is null and raw_record_count = 0 then 'missing_report'
            when measured_share is null then 'missing_measured'
            when claimed_share is null then 'missing_summary'
            when raw_record_count < claimed_record_count or raw_share is null then 'missing_raw'
            when
                abs(claimed_share - raw_share) > summary_tolerance_share
                or raw_record_count > coalesce(claimed_record_count, raw_record_count)
                then 'summary_differs_from_raw'
            when abs(raw_share - measured_share) > measured_tolerance_share then 'raw_differs_from_measured'
            else 'matched'
        end as status
    from compared
),

explained as (
    select
        judged.*,
        case judged.status
            when 'matched' then 0
            else greatest(0, {{ day_count('judged.to_at', 'run_context.as_of_at') }})
        end as age_days,
        'claimed ' || coalesce(cast(judged.claimed_share as varchar), 'nothing')
        || ', raw data ' || coalesce(cast(judged.raw_share as varchar), 'incomplete')
        || ' from ' || cast(judged.raw_record_count as varchar) || ' records'
        || ', measured ' || coalesce(cast(cast(judged.measured_share as decimal(18, 6)) as varchar), 'nothing')
            as figures,
        refused.vendor_code is not null as is_refused
    from judged
    cross join run_context
    left join refused
        on
            judged.vendor_code = refused.vendor_code
            and judged.service_code = refused.service_code
            and judged.measure = refused.measure
            and judged.period_month = refused.period_month
),

final as (
    select
        cast({{ md5_of(['vendor_code', 'service_code', 'measure', 'period_month']) }} as varchar) as rec_key,
        cast(vendor_code as varchar) as vendor_code,
        cast(service_code as varchar) as service_code,
        cast(measure as varchar) as measure,
        cast(period_month as date) as period_month,
        cast(claimed_share as decimal(18, 6)) as claimed_share,
        cast(raw_share as decimal(18, 6)) as raw_share,
        cast(measured_share as decimal(18, 6)) as measured_share,
        cast(claimed_difference_share as decimal(18, 6)) as claimed_difference_share,
        cast(measured_difference_share as decimal(18, 6)) as measured_difference_share,
        cast(summary_tolerance_share as decimal(18, 6)) as summary_tolerance_share,
        cast(measured_tolerance_share as decimal(18, 6)) as measured_tolerance_share,
        cast(claimed_record_count as bigint) as claimed_record_count,
        cast(raw_record_count as bigint) as raw_record_count,
        cast(measured_count as bigint) as measured_count,
        cast(status as varchar) as status,
        cast(age_days as integer) as age_days,
        cast(
            case status
                when 'matched' then 'Agrees: '
                when 'missing_report'
                    then
                        case
                            when is_refused
                                then 'Handed over without a data-sharing agreement in force, and so not counted: '
                            else 'Owed and not handed over: '
                        end
                when 'missing_measured' then 'Nothing of ours to hold it against: '
                when 'missing_summary' then 'Raw data without a claim: '
                when 'missing_raw'
                    then
                        'Claims to rest on ' || coalesce(cast(claimed_record_count as varchar), 'unstated')
                        || ' records and handed over fewer: '
                when 'summary_differs_from_raw' then 'The claim does not follow from the vendor''s own records: '
                when 'raw_differs_from_measured' then 'The records do not show what we measured: '
            end || figures || '.' as varchar
        ) as explanation,
        cast(batch_id as varchar) as batch_id
    from explained
)

select * from final
