"""`python -m dglcell.cli` is `dglcell`."""

from dglcell.cli.main import main

if __name__ == "__main__":
    main()
