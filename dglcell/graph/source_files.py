"""Source files -> a checked cell graph: which reader reads which file, and in what order.

Owns the order of the steps alone; the readers are `dglcell.readers`, the graph is made by `graph.build`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path

from dglcell.config import BuildConfig
from dglcell.errors import ErrorCollector, UsageError
from dglcell.graph.build import DIRECTED, build
from dglcell.graph.cell import CellGraph
from dglcell.readers.features import read_features
from dglcell.readers.genes import read_genes
from dglcell.readers.networks import read_network
from dglcell.readers.sbml import read_model

Say = Callable[[str], None]


@dataclasses.dataclass(frozen=True)
class SourceFiles:
    """The files of one cell, as `dglcell preprocess` is given them.

    Attributes
    ----------
    sbml : Path, optional
        Metabolic model; without one the cell has genes only.
    genes : Path, optional
        Gene list; without one, the model's genes.
    physical, regulatory : tuple of Path
        Networks, united by kind.
    relations : dict of str to tuple of Path
        Further gene-gene relations by name; `NAME:directed` is directed. Of STRING actions the mode NAME is read,
        of an annotation the overlaps of genes if NAME is `overlap`, else their descriptions.
    features : Path, optional
        Gene features, or an annotation whose descriptions become features.
    screens : tuple of Path
        Measured genotypes.
    """

    sbml: Path | None = None
    genes: Path | None = None
    physical: tuple[Path, ...] = ()
    regulatory: tuple[Path, ...] = ()
    relations: Mapping[str, tuple[Path, ...]] = dataclasses.field(default_factory=dict)
    features: Path | None = None
    screens: tuple[Path, ...] = ()

    def check(self) -> None:
        """Refuse before any work when nothing is given or a file is not there; all missing ones are named."""
        if self.sbml is None and self.genes is None:
            raise UsageError("neither --sbml nor --genes is given - a cell graph needs at least one of them")
        extra = [path for paths in self.relations.values() for path in paths]
        given = [self.sbml, self.genes, *self.physical, *self.regulatory, *extra, self.features, *self.screens]
        problems = ErrorCollector()
        for path in given:
            if path is not None and not path.exists():
                problems.add(f"{path}: no such file")
        problems.check()


def build_from_files(
    files: SourceFiles, config: BuildConfig | None = None, say: Say = lambda message: None
) -> CellGraph:
    """Read the files and build the graph.

    Raises
    ------
    DglcellError
        A file is missing, unreadable, of an unknown layout or contradicts another.
    """
    files.check()
    model = None
    if files.sbml is not None:
        say(f"reading the metabolic model {files.sbml}")
        model = read_model(files.sbml)
    genes = None
    if files.genes is not None:
        say(f"reading the genes {files.genes}")
        genes = read_genes(files.genes)
    if files.physical or files.regulatory or files.relations:
        say("reading the networks")
    physical = [read_network(path, "physical") for path in files.physical]
    regulatory = [read_network(path, "regulatory") for path in files.regulatory]
    relations = {
        name: [read_network(path, "relation", mode=name.removesuffix(DIRECTED)) for path in paths]
        for name, paths in files.relations.items()
    }
    features = read_features(files.features) if files.features is not None else None
    say("building the graph")
    return build(
        model,
        genes,
        physical,
        regulatory,
        relations,
        features,
        **(config or BuildConfig()).validate().to_dict(),
    )
