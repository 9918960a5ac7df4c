"""Names of genes that a spreadsheet program has turned into dates or numbers, collected over a file."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from dglcell.errors import DataError, warn
from dglcell.readers import gene_cells
from dglcell.readers.gene_records import GeneRecords

_SHOWN: Final = 10


class ChangedNames:
    """Names that a spreadsheet program has changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._shown: list[str] = []
        self._count = 0

    def found(self, line: int, name: str) -> bool:
        """Whether a name is a date or a number in the notation of a spreadsheet; then it is counted."""
        kind = gene_cells.spreadsheet_damage(name)
        if kind:
            self._count += 1
            if len(self._shown) < _SHOWN:
                self._shown.append(f"{line}: '{name}' is {kind}")
        return bool(kind)

    def refuse(self) -> None:
        """Raise DataError if there are any, among ids."""
        if self._count:
            raise DataError(f"{self._message()} - restore the original names, and import the column as text")

    def leave_out(self, records: GeneRecords) -> None:
        """Count and report those among other names of genes."""
        if self._count:
            records.count("names that a spreadsheet program has changed, left out", self._count)
            warn(f"{self._message()} - they are left out; restore the original names")

    def _message(self) -> str:
        more = f"; and {self._count - len(self._shown):,} more" if self._count > len(self._shown) else ""
        return (
            f"{self._path}:{'; '.join(self._shown)}{more}: a spreadsheet program has changed names of genes (SEPT1 to "
            "1-Sep, 2310009E13 to 2.31E+13)"
        )
