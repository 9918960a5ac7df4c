"""`python -m dglcell.cli` is `dglcell`."""

from dglcell.cli.main import main

main()
