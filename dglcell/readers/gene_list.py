"""GeneList: the genes of a cell with their names, descriptions and coordinates."""

from __future__ import annotations

import dataclasses
import functools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from dglcell.readers import gene_names
from dglcell.readers.gene_records import GenomicInterval


@dataclass(frozen=True, repr=False)
class GeneList:
    """Genes and their names.

    Attributes
    ----------
    ids : tuple of str
        Systematic ids, sorted and distinct.
    aliases : dict
        Case-folded name to the sorted ids it may stand for. A standard name takes precedence over an alias of another
        gene; a name that is also a systematic id is not listed.
    report : dict
        Counts of what was read and left out.
    descriptions : dict
        Id to the description of the gene; genes without one are not listed.
    intervals : dict
        Id to the position of the gene on its chromosome, one interval per piece; genes without coordinates are not
        listed.

    Examples
    --------
    >>> genes = GeneList(("YAL041W", "YDL227C"), {"cdc24": ("YAL041W",)})
    >>> genes.resolve("Cdc24")
    'YAL041W'
    """

    ids: tuple[str, ...]
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    report: Mapping[str, int | str] = field(default_factory=dict)
    descriptions: Mapping[str, str] = field(default_factory=dict)
    intervals: Mapping[str, Sequence[GenomicInterval]] = field(default_factory=dict)

    def __repr__(self) -> str:
        shown = ", ".join(self.ids[:3]) + (", .." if len(self.ids) > 3 else "")
        return f"GeneList: {len(self.ids):,} genes ({shown}), {len(self.aliases):,} names and aliases"

    @functools.cached_property
    def _by_fold(self) -> dict[str, tuple[str, ...]]:
        ids: dict[str, list[str]] = defaultdict(list)
        for gene in self.ids:
            ids[gene.casefold()].append(gene)
        return {name: tuple(genes) for name, genes in ids.items()}

    @functools.cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.ids)

    def candidates(self, name: str) -> tuple[str, ...]:
        """The genes that a systematic id, standard name or alias may stand for, in upper or lower case."""
        key = name.casefold()
        return self._by_fold.get(key) or self.aliases.get(key, ())

    def resolve(self, name: str) -> str | None:
        """The gene that a systematic id, standard name or alias stands for, in upper or lower case; None if unknown.

        If the name is unknown, its further spellings are tried (`gene_names.variants`): `Rad51p`, `rad51Δ`.

        Raises
        ------
        DataError
            The name is ambiguous; the message names the candidates.
        """
        return name if name in self._known else gene_names.resolve(name, self.candidates)

    def with_added(self, ids: Iterable[str]) -> GeneList:
        """The gene list with further systematic ids, which have no other names."""
        union = tuple(sorted({*self.ids, *ids}))
        return dataclasses.replace(self, ids=union)
