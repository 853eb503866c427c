-- A row may be called matched only when nothing differs, and a difference must be called something else.
select
    rec_key,
    status,
    difference_amount,
    age_days,
    explanation
from {{ ref('rec_payout_to_payroll') }}
where
    (status = 'matched' and difference_amount <> 0)
    or (status = 'amount_differs' and difference_amount = 0)
    or explanation is null
    or explanation = ''
    or age_days < 0
