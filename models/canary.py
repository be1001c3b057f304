"""The canary: a vehicle that is none, whose fault goes the whole way to see if the way is open.

Real VINs hold no I, O or Q: nothing that drives can have this one, and nothing that drives can be
hidden behind it. Its tasks are at a desk that nobody belongs to and that no one's sight reaches
(`Actor.sees`, `dispatch/access/visibility.py`); what counts or teaches without asking for a desk
leaves its VIN out.
"""

from typing import Final

CANARY_VIN: Final = "QQQCANARYQPACCQQQ"
CANARY_DESK: Final = "canary"
