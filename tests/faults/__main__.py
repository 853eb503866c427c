"""Runs with random faults from the command line: see tests.faults.random_faults."""

import sys

from tests.faults.random_faults import main

if __name__ == "__main__":
    sys.exit(main())
