"""Entry point of `python -m flowtriage.cli`."""

import sys

from flowtriage.cli import main

sys.exit(main())
