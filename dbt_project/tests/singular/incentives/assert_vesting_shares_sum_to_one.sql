-- A schedule whose shares do not sum to 1 vests more or less than was granted.
select
    vesting_schedule_code,
    sum(vest_share) as vest_share
from {{ ref('vesting_schedule') }}
group by vesting_schedule_code
having sum(vest_share) <> 1
