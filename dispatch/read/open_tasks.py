"""Which tasks are open, awake, asleep or late: predicates spelled as the partial indexes are.

Only so does PostgreSQL use them.
"""

from typing import Final

import sqlalchemy as sa

from models import tables as t

_K = t.task.c
OPEN: Final = t.OPEN_TASK
AWAKE: Final = sa.and_(OPEN, _K.paused_at.is_(None), _K.held_zh.is_(None))
# put off by a person, or held back by a silence or a fleet issue
ASLEEP: Final = sa.and_(OPEN, sa.or_(_K.paused_at.is_not(None), _K.held_zh.is_not(None)))
# a promise was missed and is still not kept
MISSED: Final = sa.and_(
    OPEN,
    sa.or_(
        sa.and_(_K.claim_missed_at.is_not(None), _K.claimed_at.is_(None)),
        sa.and_(_K.contact_missed_at.is_not(None), _K.contacted_at.is_(None)),
    ),
)
