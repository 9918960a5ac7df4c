"""The `dglcell` command: a group that imports a command's module only when that command runs."""

def main() -> None:
    """Entry point."""
