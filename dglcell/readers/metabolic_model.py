"""Plain records of a metabolic model: reactions with bounds, stoichiometry and gene rules.

They are the same for every file format; ids are those of cobra.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from dglcell.readers import gpr


@dataclass(frozen=True)
class ReactionRecord:
    """One reaction of a metabolic model.

    Attributes
    ----------
    id, name : str
        Id as in cobra, without SBML prefix, and name.
    lower, upper : float
        Flux bounds, mmol / gDW / h; their signs give the directions in which the reaction can run.
    stoichiometry : dict
        Metabolite id to coefficient: negative for substrates, positive for products.
    rule : gpr.Node or None
        Gene rule as a tree; None if the reaction has none.
    """

    id: str
    name: str
    lower: float
    upper: float
    stoichiometry: dict[str, float]
    rule: gpr.Node | None


@dataclass(frozen=True, repr=False)
class MetabolicModel:
    """A metabolic model as records; reactions, metabolites and genes come as in the file.

    Attributes
    ----------
    reactions : tuple of ReactionRecord
    metabolites, genes : tuple of str
        Ids; the genes that the file lists come first, then those that occur only in rules.
    gene_names : dict
        Gene id to the name in the file, where it differs from the id.
    report : dict
        Counts of what was read.
    path : str
        The file.
    growth : tuple of str
        Ids of the reactions that the objective of the model maximizes.
    """

    reactions: tuple[ReactionRecord, ...]
    metabolites: tuple[str, ...]
    genes: tuple[str, ...]
    gene_names: dict[str, str] = field(default_factory=dict)
    report: dict[str, int | str] = field(default_factory=dict)
    path: str = ""
    growth: tuple[str, ...] = ()

    def __repr__(self) -> str:
        counts = (f"{len(self.reactions):,} reactions", f"{len(self.metabolites):,} metabolites")
        growth = f"\n  growth: {', '.join(self.growth[:3])}" if self.growth else ""
        source = f"\n  from {Path(self.path).name}" if self.path else ""
        return f"MetabolicModel: {', '.join(counts)}, {len(self.genes):,} genes{growth}{source}"
