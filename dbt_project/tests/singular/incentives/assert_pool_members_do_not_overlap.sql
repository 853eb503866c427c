-- A team that is twice a member of a pool on one day lays claim on it twice.
select
    member.pool_code,
    member.team_code,
    member.effective_from,
    later.effective_from as later_effective_from
from {{ ref('incentive_pool_member') }} as member
inner join {{ ref('incentive_pool_member') }} as later
    on
        member.pool_code = later.pool_code
        and member.team_code = later.team_code
        and member.effective_from < later.effective_from
        and later.effective_from <= coalesce(member.effective_to, date '9999-12-31')
