"""`python -m flowtriage.cli` is the command line, too."""

import sys

from flowtriage.cli import main

sys.exit(main())
