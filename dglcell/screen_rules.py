"""What is kept of a screen and how its rows are put together: the options that `preprocess` and `train` share.

Owns the choices and their checks alone; `genotypes.unite` carries them out.
"""

from __future__ import annotations

import dataclasses
from typing import Final

from dglcell.errors import ErrorCollector

CHOICES: Final = {"alleles": ("all", "deletion"), "replicates": ("keep", "mean")}


@dataclasses.dataclass(frozen=True)
class ScreenRules:
    """How screens become one genotype table.

    Attributes
    ----------
    alleles : str
        `all` keeps temperature-sensitive, DAmP and other alleles, and remembers which they are; `deletion` leaves rows
        with any of them out. All is the default: essential genes are screened by such alleles alone, so without them a
        screen loses a quarter of its rows and every essential gene.
    replicates : str
        `keep`, or `mean`: rows of one file with the same genes and kinds of allele (reciprocal pairs, repeated
        measurements) become one.
    max_p : float, optional
        Rows with a larger p-value are left out; those without one stay.
    clip_fitness : bool
        Set negative fitness, noise around lethal, to 0.
    derive_fitness : bool
        Fill in the missing one of a pair's fitness and interaction, `f_ij = eps_ij + f_i f_j`.
    raw_scores : bool
        Take scores of triples that are not adjusted for their pairs as interactions.
    """

    alleles: str = "all"
    replicates: str = "keep"
    max_p: float | None = None
    clip_fitness: bool = False
    derive_fitness: bool = False
    raw_scores: bool = False

    def check_rules(self, problems: ErrorCollector) -> None:
        """Add every value that cannot be used to `problems`."""
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                problems.add(f"--{name} {getattr(self, name)} - {' or '.join(allowed)} was expected")
        if self.max_p is not None and not 0 <= self.max_p <= 1:
            problems.add(f"--max-p {self.max_p} - a probability was expected")

    @property
    def needs_all_rows(self) -> bool:
        """Whether a row can depend on any other, so that all must be in memory at once."""
        return self.derive_fitness or self.replicates == "mean"

    def rules(self) -> dict[str, str | float | bool]:
        """The rules that are not the defaults, by name."""
        fields = dataclasses.fields(ScreenRules)
        return {f.name: getattr(self, f.name) for f in fields if getattr(self, f.name) != f.default}
