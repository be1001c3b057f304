"""Makes `python -m tests.soak` the soak."""

import sys

from tests.soak.run import main

sys.exit(main())
