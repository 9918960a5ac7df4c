"""CellGraph: the wild-type cell as a heterograph of genes, reaction nodes and metabolites.

Ids, relations and features are NumPy arrays. The DGL heterograph is built on first use, so that a graph can be read and
described without torch and DGL.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dglcell import schema
from dglcell.errors import DataError, ErrorCollector
from dglcell.graph import fingerprints as fp
from dglcell.graph import heterograph
from dglcell.graph.knockouts import KnockoutRules, Mask, Masks, Perturbation, masks
from dglcell.graph.relation import Relation
from dglcell.graph.structural_lethality import StructuralLethality
from dglcell.readers import gene_names

Genotype = Sequence[str | int]
_Genes = TypeVar("_Genes")
_SHOWN = 6  # relations in a `repr`


class CellGraph:
    """A cell: genes, reaction nodes (one per isozyme alternative and direction), metabolites, and their relations.

    Parameters
    ----------
    ids : mapping
        Ids by node type, sorted and distinct; the row of a node is its position.
    relations : iterable of Relation
        Forward relations. If `gpr` or `in` is missing, an empty one is added; reverse relations are always added.
    reaction_group : (N_r,) int
        Row in `group_names` of the reaction to which each node belongs; all alternatives and directions of a reaction
        are one group.
    group_names : sequence of str
        Ids of the reactions.
    features : (N_g, d) float32, optional
        Gene features; 0 for genes without features.
    has_features : (N_g,) bool, optional
        Genes with features.
    features_mode : str
        `concat` or `replace`: how a model uses the features by default, beside or instead of its embeddings.
    aliases : mapping
        Case-folded name to the gene ids it may stand for.
    report : mapping
        What was read, used and left out when the graph was built.
    growth : sequence of str
        Ids of growth reactions; empty unless the cell has all reactions of the metabolic model.

    Raises
    ------
    ValueError
        The arrays do not match.
    """

    def __init__(
        self,
        ids: Mapping[str, Sequence[str]],
        relations: Iterable[Relation],
        reaction_group: ArrayLike = (),
        group_names: Sequence[str] = (),
        features: NDArray[np.float32] | None = None,
        has_features: NDArray[np.bool_] | None = None,
        features_mode: str = "concat",
        aliases: Mapping[str, Sequence[str]] | None = None,
        report: Mapping[str, Any] | None = None,
        growth: Sequence[str] = (),
    ) -> None:
        self.ids: dict[str, tuple[str, ...]] = {t: tuple(ids.get(t, ())) for t in schema.NODE_TYPES}
        self.reaction_group = np.asarray(reaction_group, dtype=np.int64)
        self.group_names = tuple(group_names)
        self.relations = _with_reverses(relations)
        self.features = features
        all_or_none = np.full(self.num_nodes(schema.GENE), features is not None)
        self.has_features: NDArray[np.bool_] = all_or_none if has_features is None else has_features
        self.features_mode = features_mode
        self.aliases = {name: tuple(candidates) for name, candidates in (aliases or {}).items()}
        self.report = dict(report or {})
        self.growth = tuple(growth)
        self._check()

    def __repr__(self) -> str:
        genes, reactions, metabolites = (self.num_nodes(t) for t in schema.NODE_TYPES)
        title = f"CellGraph: {genes:,} genes, {reactions:,} reaction nodes, {metabolites:,} metabolites"
        rows = [(r.name, r.describe()) for r in self.forward if r.num_edges or r.name not in schema.ENDS]
        num_further = len(rows) - _SHOWN
        rows = rows[:_SHOWN]
        if num_further > 0:
            rows.append(("and", f"{num_further} further relation" + "s" * (num_further > 1)))
        if self.features is not None:
            num_genes = int(self.has_features.sum())
            rows.append(("gene features", f"{self.features.shape[1]:,} columns for {num_genes:,} genes"))
        if self.growth:
            rows.append(("growth", ", ".join(self.growth[:2]) + ", .." * (len(self.growth) > 2)))
        width = max(len(name) for name, _ in rows)
        return "\n".join([title, *(f"  {name:<{width}}  {text}" for name, text in rows)])

    @functools.cached_property
    def sizes(self) -> dict[str, int]:
        """Number of nodes by type."""
        return {node_type: len(ids) for node_type, ids in self.ids.items()}

    def num_nodes(self, node_type: str) -> int:
        """Number of nodes of a type.

        Parameters
        ----------
        node_type : str
            `gene`, `reaction` or `metabolite`.

        Returns
        -------
        int
        """
        return len(self.ids[node_type])

    @property
    def forward(self) -> list[Relation]:
        """All relations but the reverse ones."""
        return [r for name, r in self.relations.items() if name not in schema.REVERSE]

    @functools.cached_property
    def fingerprints(self) -> dict[str, str]:
        """Fingerprints `ids` and `content`, SHA-256; see `dglcell.graph.fingerprints`."""
        content = fp.content_fingerprint(
            self.forward, self.reaction_group, self.group_names, self.features, self.has_features, self.growth
        )
        return {fp.IDS: fp.ids_fingerprint(self.ids), fp.CONTENT: content}

    def require_same(
        self, fingerprints: Mapping[str, str], ids: Mapping[str, Sequence[str]] | None = None, what: str = "the file"
    ) -> None:
        """Raise FingerprintError if a file was written for another cell; see `fingerprints.require_same`.

        Parameters
        ----------
        fingerprints : mapping
            Fingerprints in the file, `ids` and perhaps `content`.
        ids : mapping, optional
            Ids in the file by node type, so that the message can name the first difference.
        what : str
            Name of the file in the message.
        """
        fp.require_same(self.fingerprints, fingerprints, self.ids, ids, what)

    def require_equal(self, other: CellGraph, what: str = "the file") -> None:
        """Raise FingerprintError if `other` differs from this cell; the message names the first different id or edge.

        Parameters
        ----------
        other : CellGraph
        what : str
            Name of the other cell in the message.
        """
        same_ids = self.fingerprints[fp.IDS] == other.fingerprints[fp.IDS]
        detail = fp.first_edge_difference(self.relations, other.relations, self.ids) if same_ids else ""
        fp.require_same(self.fingerprints, other.fingerprints, self.ids, other.ids, what, detail)

    def info(self) -> dict[str, Any]:
        """Counts and fingerprints, as `dglcell info --json` prints them.

        Returns
        -------
        dict
            `nodes` by type, `edges` by relation, `pairs` of the gene-gene relations, and `fingerprints`.
        """
        return {
            "nodes": dict(self.sizes),
            "edges": {name: r.num_edges for name, r in self.relations.items()},
            "pairs": {r.name: r.num_pairs for r in self.forward if r.src_type == r.dst_type},
            "fingerprints": dict(self.fingerprints),
        }

    @functools.cached_property
    def _gene_rows(self) -> dict[str, int]:
        return {gene: row for row, gene in enumerate(self.ids[schema.GENE])}

    @functools.cached_property
    def _folded_ids(self) -> dict[str, list[str]]:
        ids: dict[str, list[str]] = {}
        for gene in self.ids[schema.GENE]:
            ids.setdefault(gene.casefold(), []).append(gene)
        return ids

    def resolve(self, name: str) -> int | None:
        """The row of a gene, by name.

        Parameters
        ----------
        name : str
            A systematic id, standard name or alias, in upper or lower case; or one written as a protein (`Rad51p`), a
            deletion (`rad51Δ`), with a taxon or a version, ..: see `readers.gene_names.variants`.

        Returns
        -------
        int or None
            Position in `ids["gene"]`; None if the name is unknown.

        Raises
        ------
        DataError
            The name is ambiguous; the message names the candidates.

        Examples
        --------
        >>> import dglcell
        >>> cell = dglcell.build_cell(model="textbook")
        >>> cell.ids["gene"][cell.resolve("acnA")]
        'b1276'
        """
        row = self._gene_rows.get(name)
        if row is not None:
            return row
        if not isinstance(name, str):
            raise TypeError(f"{name!r} is not a gene name - a string such as 'YAL001C' was expected")
        gene = gene_names.resolve(name, self._candidates)
        return None if gene is None else self._gene_rows[gene]

    def has_gene(self, name: str) -> bool:
        """Whether a name stands for a gene of the cell, or for several of them.

        Parameters
        ----------
        name : str
            As for `resolve`.

        Returns
        -------
        bool
        """
        try:
            return self.resolve(name) is not None
        except DataError:
            return True

    def _candidates(self, name: str) -> Sequence[str]:
        """The genes that a systematic id, standard name or alias may stand for, in upper or lower case."""
        key = name.casefold()
        return self._folded_ids.get(key) or self.aliases.get(key, ())

    def indices(self, genotypes: Iterable[Genotype]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Genotypes as gene rows.

        Parameters
        ----------
        genotypes : iterable of sequences
            Each genotype is a list of genes, by name or row; repeated genes count once, and an empty list is the wild
            type.

        Returns
        -------
        genes : (K,) int64
            Ascending and distinct within a genotype.
        ptr : (B + 1,) int64

        Raises
        ------
        DataError
            A gene is not in the graph, or its name is ambiguous.
        TypeError
            `genotypes` is a string or a list of strings instead of a list of lists of genes.

        Examples
        --------
        >>> import dglcell
        >>> cell = dglcell.build_cell(genes=["YAL001C", "YAL002W", "YAL003W"])
        >>> genes, ptr = cell.indices([["YAL003W", "YAL001C"], [], ["YAL002W"]])
        >>> genes.tolist(), ptr.tolist()
        ([0, 2, 1], [0, 2, 2, 3])
        """
        problems = ErrorCollector(DataError)
        rows: list[int] = []
        ptr = [0]
        for genotype in require_gene_lists(genotypes):
            rows += sorted({r for gene in genotype if (r := self._row(gene, problems)) is not None})
            ptr.append(len(rows))
        problems.check()
        return np.array(rows, dtype=np.int64), np.array(ptr, dtype=np.int64)

    def _row(self, gene: str | int, problems: ErrorCollector) -> int | None:
        if isinstance(gene, str):
            row = self.resolve(gene)
        elif isinstance(gene, (int, np.integer)):
            row = int(gene) if 0 <= gene < self.num_nodes(schema.GENE) else None
        else:
            raise TypeError(f"{gene!r} is not a gene - the name or row of a gene was expected")
        if row is None:
            problems.add(f"gene {gene!r} is not in the graph ({self.num_nodes(schema.GENE)} genes)")
        return row

    @functools.cached_property
    def _rules(self) -> KnockoutRules:
        return KnockoutRules(self.relations[schema.GPR], self.relations[schema.IN], self.reaction_group, self.sizes)

    def knock_out(self, genes: ArrayLike, ptr: ArrayLike) -> Perturbation:
        """The nodes that genotypes lose.

        Parameters
        ----------
        genes : (K,) int
            Gene rows, ascending and distinct within a genotype, as from `indices`.
        ptr : (B + 1,) int
            Genotype b deletes `genes[ptr[b]:ptr[b + 1]]`.

        Returns
        -------
        Perturbation

        Raises
        ------
        TypeError
            `genes` are names instead of rows.

        Examples
        --------
        >>> import dglcell
        >>> cell = dglcell.build_cell(model="textbook")
        >>> cell.knock_out(*cell.indices([["b0008"], ["b0114", "b0115"]]))
        Perturbation of 2 genotypes: 3 genes, 3 reactions, 0 metabolites lost in total
        """
        if np.asarray(genes).dtype.kind in "UO":
            raise TypeError(
                "gene rows were expected, not names - write cell.knock_out(*cell.indices([[name, ..], ..]))"
            )
        return self._rules.knock_out(np.asarray(genes, dtype=np.int64), np.asarray(ptr, dtype=np.int64))

    @functools.cached_property
    def _lethality(self) -> StructuralLethality:
        growth = [self.group_names.index(name) for name in self.growth]
        return StructuralLethality(
            self.relations[schema.IN], self.reaction_group, self.num_nodes(schema.METABOLITE), growth
        )

    @property
    def can_grow(self) -> bool:
        """Whether the cell has a growth reaction that can run when nothing is deleted."""
        return bool(self.growth) and not self.structurally_lethal(self.knock_out([], [0, 0])).any()

    def structurally_lethal(self, perturbation: Perturbation) -> Mask:
        """Genotypes whose remaining metabolic network rules out growth; see `structural_lethality`.

        Parameters
        ----------
        perturbation : Perturbation
            The nodes that B genotypes lose, from `knock_out`.

        Returns
        -------
        (B,) bool

        Raises
        ------
        ValueError
            The cell has no growth reaction.
        """
        if not self.growth:
            raise ValueError("the cell has no growth reaction - build it from a model, with keep_unassigned=True")
        return self._lethality(perturbation)

    def masks(self, genotypes: Iterable[Genotype]) -> Masks:
        """Genotypes as masks over the wild-type graph, True = removed.

        Parameters
        ----------
        genotypes : iterable of sequences
            As in `indices`.

        Returns
        -------
        Masks

        Examples
        --------
        >>> import dglcell
        >>> cell = dglcell.build_cell(genes=["YAL001C", "YAL002W", "YAL003W"])
        >>> cell.masks([["YAL002W"]]).nodes["gene"].tolist()
        [[False, True, False]]
        """
        return masks(self.knock_out(*self.indices(genotypes)), self.sizes, self.relations.values())

    def perturb(self, genes: Genotype, labels: ArrayLike | None = None) -> Any:
        """The DGL graph that remains when `genes` are deleted; it has the same nodes and edges as `masks` leaves.

        Parameters
        ----------
        genes : sequence of str or int
            One genotype, such as `["YAL001C", "YAL003W"]`.
        labels : (4,) floats, optional
            Values of `schema.LABEL_COLUMNS`, NaN where missing.

        Returns
        -------
        dgl.DGLGraph
            See `heterograph.subgraph` for its node types and data.

        Raises
        ------
        TypeError
            `genes` is a string instead of a list.
        DataError
            A gene is not in the graph, or its name is ambiguous.

        Examples
        --------
        >>> import dglcell
        >>> cell = dglcell.build_cell(model="textbook")
        >>> cell.perturb(["b0008"]).num_nodes("gene")
        136
        """
        if isinstance(genes, (str, bytes)):
            raise TypeError(f"{genes!r} is a string, a list of genes was expected - write {_as_list(genes)}")
        perturbation = self.knock_out(*self.indices([genes]))
        removed = {node_type: perturbation.removed(node_type, n)[0] for node_type, n in self.sizes.items()}
        values = np.full(len(schema.LABEL_COLUMNS), np.nan) if labels is None else np.asarray(labels)
        return heterograph.subgraph(self.relations.values(), removed, self._node_data(), values.astype(np.float32))

    @functools.cached_property
    def dgl(self) -> Any:
        """The DGL heterograph of the wild type with all relations; edge ids are the positions in `relations`."""
        return heterograph.heterograph(self.sizes, self.relations.values(), self._node_data())

    def _node_data(self) -> dict[str, dict[str, NDArray[Any]]]:
        if self.features is None:
            return {}
        return {schema.GENE: {schema.FEATURES: self.features, schema.HAS_FEATURES: self.has_features}}

    def _check(self) -> None:
        for node_type, ids in self.ids.items():
            if any(a >= b for a, b in itertools.pairwise(ids)):
                raise ValueError(f"ids of {node_type} are not sorted and distinct")
        for relation in self.relations.values():
            for rows, node_type in ((relation.src, relation.src_type), (relation.dst, relation.dst_type)):
                if len(rows) and not 0 <= rows.min() <= rows.max() < self.num_nodes(node_type):
                    raise ValueError(f"relation {relation.name} has an end outside {node_type}")
        if self.reaction_group.shape != (self.num_nodes(schema.REACTION),):
            raise ValueError(f"reaction_group has shape {self.reaction_group.shape}")
        if len(self.reaction_group) and not 0 <= self.reaction_group.min() <= self.reaction_group.max() < len(
            self.group_names
        ):
            raise ValueError("reaction_group points outside group_names")
        n = self.num_nodes(schema.GENE)
        if self.has_features.shape != (n,) or (self.features is not None and self.features.shape[:1] != (n,)):
            raise ValueError("features do not have one row per gene")


def require_gene_lists(genotypes: Iterable[_Genes]) -> list[_Genes]:
    """The genotypes as a list; TypeError if one of them is a string or a row instead of a list of genes."""
    if isinstance(genotypes, (str, bytes)):
        raise TypeError(f"{genotypes!r} is a string, a list of genotypes was expected - write [{_as_list(genotypes)}]")
    if not isinstance(genotypes, Iterable):
        what = type(genotypes).__name__
        raise TypeError(f"genotypes are {what} - a list of genotypes was expected, as [['YAL001C'], ..]")
    genotype_list = list(genotypes)
    for genotype in genotype_list:
        if isinstance(genotype, (str, bytes)):
            raise TypeError(
                f"genotype {genotype!r} is a string, a list of genes was expected - write [{_as_list(genotype)}, ..]"
            )
        if not isinstance(genotype, Iterable):
            raise TypeError(f"genotype {genotype!r} is not a list of genes - write [[{genotype!r}], ..]")
    return genotype_list


def _as_list(genes: str | bytes) -> str:
    """`YAL001C;YAL003W` written as a list."""
    return repr([name.strip() for name in str(genes).split(";")] if isinstance(genes, str) else [genes])


def _with_reverses(relations: Iterable[Relation]) -> dict[str, Relation]:
    """Relations by name: the gene-gene ones, then the metabolic ones, each followed by its reverse."""
    by_name = {r.name: r for r in relations}
    ordered = {name: r for name, r in by_name.items() if name not in schema.ENDS}
    for reverse, name in schema.REVERSE.items():
        forward = by_name.get(name) or Relation.of(name, *schema.ENDS[name], data=_no_data(name))
        ordered[name] = forward
        ordered[reverse] = forward.reversed(reverse)
    return ordered


def _no_data(name: str) -> dict[str, NDArray[np.float32]]:
    return {schema.STOICHIOMETRY: np.zeros(0, dtype=np.float32)} if name == schema.IN else {}
