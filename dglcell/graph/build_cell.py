"""`build_cell`: files, records or data frames -> a checked cell graph."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from dglcell.config import BuildConfig
from dglcell.errors import DataError, ErrorCollector, UsageError, setting
from dglcell.graph.build import DIRECTED, build
from dglcell.graph.cell import CellGraph
from dglcell.readers.annotation_networks import read_descriptions, read_overlaps
from dglcell.readers.edge_table import PHYSICAL, REGULATORY, RELATION, EdgeTable
from dglcell.readers.features import FeatureTable, read_features
from dglcell.readers.gene_list import GeneList
from dglcell.readers.gene_records import same_gene_message
from dglcell.readers.genes import read_genes
from dglcell.readers.metabolic_model import MetabolicModel
from dglcell.readers.models import locate, read_model
from dglcell.readers.networks import read_network
from dglcell.readers.tables.column_map import ColumnMap, check_used, parse_maps

if TYPE_CHECKING:
    from pandas import DataFrame

    Network: TypeAlias = Path | str | EdgeTable | DataFrame

DESCRIPTION: Final = "description"
OVERLAP: Final = "overlap"
_OF_NETWORKS: Final = ("string_mode", "taxon", "matrix_rows", "columns")  # settings with which their files are read


def build_cell(
    model: Path | str | MetabolicModel | None = None,
    genes: Path | str | GeneList | Iterable[Path | str] | None = None,
    networks: Mapping[str, Network | Sequence[Network]] | None = None,
    description: Path | str | None = None,
    overlap: Path | str | None = None,
    features: Path | str | FeatureTable | DataFrame | None = None,
    say: Callable[[str], None] = lambda message: None,
    **settings: Any,
) -> CellGraph:
    """Build a cell graph from a metabolic model, a gene list, networks and gene features.

    Parameters
    ----------
    model : path or MetabolicModel, optional
        A file in SBML, JSON, YAML or MATLAB's format, plain or compressed, or `"textbook"` for the E. coli core model
        (137 genes). Without it, the cell has genes only.
    genes : path, list of paths, GeneList or list of str, optional
        Gene lists and tables with further names of their genes: annotations, exports of databases, one id per line, ..;
        or the ids themselves. Strings in a list are paths if all of them are files. Default: the genes of the model.
    networks : mapping, optional
        Gene-gene networks by name. Every cell has `"physical"` and `"regulatory"` (transcription factor to target),
        which may be empty; any other name adds a relation, undirected unless the name is written `NAME:directed`. A
        network is a file (STRING, BioGRID, two columns, a matrix, ..), a data frame with two columns, or a list of
        these to be merged.
    description, overlap : path, optional
        Gene annotations (SGD_features.tab or GFF3) that add the relations of these names: `description` joins genes
        with similar descriptions, `overlap` joins genes that overlap on the chromosome.
    features : path, FeatureTable or DataFrame, optional
        Gene features: HDF5 with `ids` and `x`, a table, an annotation, or a data frame with genes in its index.
    say : callable
        Called with a line of text for each file that is read.
    **settings
        Fields of `BuildConfig`: `string_mode`, `taxon`, `matrix_rows`, `degrees`, `features_mode`, `keep_unassigned`,
        `max_alternatives`, `self_loops`, `allow_empty`, `columns`.

    Returns
    -------
    CellGraph
        Its `report` says what was read, used and left out.

    Raises
    ------
    UsageError
        There is neither a model nor a gene list, a setting is unknown, or a network name is already in use.
    DataError
        A file is missing, unreadable, has an unknown layout, or contradicts another.

    Examples
    --------
    >>> import dglcell
    >>> import pandas as pd
    >>> cell = dglcell.build_cell(
    ...     genes=["YAL001C", "YAL002W", "YAL003W"],
    ...     networks={"physical": pd.DataFrame({"a": ["YAL001C"], "b": ["YAL003W"]})},
    ... )
    >>> cell
    CellGraph: 3 genes, 0 reaction nodes, 0 metabolites
      physical_interaction    1 pair of genes
      regulatory_interaction  0 directed edges
    """
    config = BuildConfig.from_dict(settings, "build_cell").validate()
    if model is None and genes is None:
        names = f"neither {setting('model')} nor {setting('genes')} is given"
        raise UsageError(f"{names} - a cell graph needs at least one of them")
    if networks is not None and not isinstance(networks, Mapping):
        named = f'{{"physical": "{networks}"}}' if isinstance(networks, (str, Path)) else '{"physical": ..}'
        raise TypeError(f"networks is a {type(networks).__name__} - networks by name were expected: {named}")
    sources_by_name = {name: _listed(network) for name, network in (networks or {}).items()}
    if genes is not None and not isinstance(genes, (str, Path, GeneList)):
        genes = list(genes)
    gene_files = _gene_files(genes)
    require_files(model, [*gene_files, description, overlap, features, *_all(sources_by_name)])
    maps = parse_maps(config.columns)
    gene_list = _genes(genes, gene_files, config.taxon, maps, say)
    records: dict[str, Any] = {"model": _model(model, say), "genes": gene_list, "relations": {}}
    for name, sources in sources_by_name.items():
        kind = name if name in (PHYSICAL, REGULATORY) else RELATION
        if sources:
            say(f"reading the network {name.removesuffix(DIRECTED)}")
        tables = [_edges(source, kind, name, config, maps) for source in sources]
        (records if kind != RELATION else records["relations"])[name] = tables
    for name, path, read in ((DESCRIPTION, description, read_descriptions), (OVERLAP, overlap, read_overlaps)):
        if path is not None:
            if name in {other.removesuffix(DIRECTED) for other in sources_by_name}:
                raise UsageError(f"network {name}: the name is already in use by {setting(name)} - choose another")
            say(f"reading the network {name}")
            records["relations"][name] = [read(Path(path))]
    check_used(maps)
    say("building the graph")
    options = {name: value for name, value in config.to_dict().items() if name not in _OF_NETWORKS}
    return build(**records, features=_features(features), **options)


def _listed(network: Any) -> list[Any]:
    return list(network) if isinstance(network, (list, tuple)) else [network]


def _all(networks: Mapping[str, Sequence[Any]]) -> list[Any]:
    return [source for sources in networks.values() for source in sources]


def require_files(model: Any, sources: Iterable[Any]) -> None:
    """Raise DataError if the model or any path among `sources` does not exist; the message lists all of them."""
    problems = ErrorCollector()
    if isinstance(model, (str, Path)):
        try:
            locate(model)
        except DataError as error:
            problems.add(error.template)
    for source in sources:
        if isinstance(source, (str, Path)) and not Path(source).exists():
            problems.add(f"{source}: no such file - check the path")
    problems.check()


def _model(model: Path | str | MetabolicModel | None, say: Callable[[str], None]) -> MetabolicModel | None:
    if model is None or isinstance(model, MetabolicModel):
        return model
    say(f"reading the metabolic model {model}")
    return read_model(model)


def _gene_files(genes: Any) -> list[Path]:
    """The files among what may be given as genes."""
    if isinstance(genes, (str, Path)):
        return [Path(genes)]
    if not isinstance(genes, list) or not genes:
        return []
    are_files = all(isinstance(item, Path) or (isinstance(item, str) and Path(item).is_file()) for item in genes)
    return [Path(item) for item in genes] if are_files else []


def _genes(
    genes: Any, files: Sequence[Path], taxon: str | None, maps: Sequence[ColumnMap], say: Callable[[str], None]
) -> GeneList | None:
    if genes is None or isinstance(genes, GeneList):
        return genes
    if files:
        say(f"reading the genes {', '.join(map(str, files))}")
        return read_genes(files, taxon, maps)
    ids = genes
    problems = ErrorCollector(UsageError)
    first: dict[str, tuple[str, str]] = {}  # by case-folded id: the id and its place
    for number, gene in enumerate(ids, start=1):
        place = f"genes:{number}"
        if not isinstance(gene, str) or not gene.strip():
            problems.add(f"{place}: {gene!r} - a gene id was expected")
            continue
        spelling, first_place = first.setdefault(gene.strip().casefold(), (gene.strip(), place))
        if spelling != gene.strip():
            problems.add(same_gene_message(place, gene.strip(), spelling, first_place))
    problems.check()
    return GeneList(tuple(sorted(spelling for spelling, _ in first.values())), report={"layout": "a list of ids"})


def _edges(source: Any, kind: str, name: str, config: BuildConfig, maps: Sequence[ColumnMap]) -> EdgeTable:
    if isinstance(source, EdgeTable):
        return source
    if isinstance(source, (str, Path)):
        return read_network(source, kind, config.string_mode, config.taxon or "", config.matrix_rows, maps)
    if hasattr(source, "iloc"):
        from dglcell.readers.data_frames import edges_of_frame

        return edges_of_frame(source, kind)
    raise UsageError(f"networks {name}: {type(source).__name__} - a path, a data frame or a list of them was expected")


def _features(features: Any) -> FeatureTable | None:
    if features is None or isinstance(features, FeatureTable):
        return features
    if isinstance(features, (str, Path)):
        return read_features(features)
    from dglcell.readers.data_frames import features_of_frame

    return features_of_frame(features)
