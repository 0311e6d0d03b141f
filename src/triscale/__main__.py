"""`python -m triscale`."""

import sys

from triscale.cli import main

sys.exit(main())
