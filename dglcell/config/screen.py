"""The settings with which screens are read into one genotype table, shared by `preprocess` and `train`."""

from __future__ import annotations

import dataclasses
from typing import Any

from dglcell.config.settings import DATA, Settings, declare
from dglcell.errors import ErrorCollector, setting


def declare_columns() -> Any:
    """The setting with which a user names the columns of tables."""
    return declare(
        (),
        "Columns of a table in no known layout, by name or by number from 1: ROLE=COLUMN,.. or, for one of several "
        "files, FILE:ROLE=COLUMN,.. Roles of a screen are genes (all in one cell), gene_1, gene_2, .., fitness, "
        "fitness_std, gene_interaction, gene_interaction_p_value and gene_interaction_std; of a network gene_1, "
        "gene_2, sign and confidence; of a gene list gene, name, aliases and description; of a split file also split.",
        DATA,
        several=True,
        unset="none",
        example="gene_1=ORF_A,gene_2=ORF_B,gene_interaction=eps",
    )


@dataclasses.dataclass(frozen=True, repr=False)
class ScreenRules(Settings):
    """How screens are read into one genotype table."""

    # `all` is the default because essential genes are screened through such alleles alone: without them a screen loses
    # a quarter of its rows and every essential gene.
    alleles: str = declare(
        "all",
        "Alleles to read. all: deletions, temperature-sensitive, DAmP and other alleles. deletion: only rows in which "
        "every allele is a deletion.",
        DATA,
        choices=("all", "deletion"),
    )
    replicates: str = declare(
        "keep",
        "Rows of one file with the same genes and kinds of allele (reciprocal pairs, repeats). keep: keep each row. "
        "mean: average them with weights 1/sd^2.",
        DATA,
        choices=("keep", "mean"),
    )
    max_p: float | None = declare(
        None,
        "Leave out rows with a larger p-value; rows without a p-value are kept.",
        DATA,
        min=0,
        max=1,
        unset="no limit",
    )
    clip_fitness: bool = declare(False, "Set negative fitness to 0.", DATA)
    derive_fitness: bool = declare(
        False,
        "Where the fitness or the interaction of a pair is missing, compute it from the other one: "
        "f_ij = eps_ij + f_i f_j.",
        DATA,
    )
    raw_scores: bool = declare(
        False, "Use raw trigenic scores, which are not adjusted for the interactions of their pairs.", DATA
    )
    matrix: str = declare(
        "auto",
        "What a screen holds that is a matrix, with names in its first row and column. pairs: both axes have genes, a "
        "number is the interaction of two of them. samples: one axis has genes, the other samples, of which "
        f"{setting('condition')} names one; a number is the fitness of a deletion. auto: pairs, if names are genes.",
        DATA,
        choices=("auto", "pairs", "samples"),
    )
    condition: str | None = declare(
        None,
        "Sample to read from a matrix of samples and genes: its name, or a part that no other name has.",
        DATA,
        unset="none",
    )
    columns: tuple[str, ...] = declare_columns()
    unknown_genes: str = declare(
        "few",
        "What to do with rows that name a gene which the cell graph lacks. few: leave them out and count them, but "
        "stop if they are a tenth of a file or more. skip: leave them out in any case. error: stop at the first.",
        DATA,
        choices=("few", "skip", "error"),
    )

    def check_together(self, problems: ErrorCollector) -> None:
        """Add combinations of values that contradict each other."""
        super().check_together(problems)
        if self.condition is not None and self.matrix != "samples":
            problems.add(f"{setting('condition', self.condition)} names a sample - add {setting('matrix', 'samples')}")

    @property
    def needs_all_rows(self) -> bool:
        """Whether a row can depend on any other, so that all must be in memory at once."""
        return self.derive_fitness or self.replicates == "mean"

    def rules(self) -> dict[str, str | float | bool]:
        """The rules that differ from the defaults.

        Returns
        -------
        dict
            By name.
        """
        fields = dataclasses.fields(ScreenRules)
        values = {f.name: getattr(self, f.name) for f in fields if getattr(self, f.name) != f.default}
        return {name: "; ".join(value) if isinstance(value, tuple) else value for name, value in values.items()}
