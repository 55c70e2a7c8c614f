"""`python -m dlspec` is `dlspec`."""

from dlspec.cli import main

main()
