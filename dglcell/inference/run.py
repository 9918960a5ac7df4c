"""Load a trained model with the cell graph that it belongs to, and predict genotypes.

Loading checks that weights, configuration, scaler and graph belong to the same run.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from dglcell import schema
from dglcell.config import ModelConfig, TrainConfig, read_toml
from dglcell.engines.base import Engine
from dglcell.engines.choice import make_engine
from dglcell.engines.device import resolve
from dglcell.errors import DataError, FingerprintError, FormatError, UsageError, number_of, setting, warn
from dglcell.genotypes.gene_index import EncodedGenotypes, encode_genes, encode_screen
from dglcell.genotypes.scaler import Scaler
from dglcell.genotypes.table import GenotypeTable
from dglcell.graph.cell import CellGraph, require_gene_lists
from dglcell.io import cell_file, checkpoint
from dglcell.io.run_folder import RunFolder
from dglcell.nn.model import CellModel
from dglcell.nn.predictor import Predictor
from dglcell.readers.data_frames import genotypes_of_frame
from dglcell.readers.left_out import examples
from dglcell.readers.screens.screen_table import ScreenTable
from dglcell.training.state import TrainProgress
from dglcell.training.trainer import new_model

if TYPE_CHECKING:
    import pandas

COLUMNS = tuple(f"pred_{label}" for label in schema.LABELS)
UNKNOWN_GENES = ("skip", "error")
SD_COLUMNS = tuple(f"{column}_sd" for column in COLUMNS)

_INTERACTION = schema.LABELS.index(schema.INTERACTION)


@dataclasses.dataclass(frozen=True, repr=False)
class Run:
    """A trained run, ready to predict; made by `load_run`.

    Attributes
    ----------
    folder : RunFolder
    cell : CellGraph
        The graph that the run was trained on.
    config : TrainConfig
    scaler : Scaler
        Of the training labels.
    metadata : dict
        Further metadata of `model.safetensors`: fingerprints, split, screen, orders, versions, validation.
    models : tuple of CellModel
        The members of the ensemble, in evaluation mode; most runs have one.
    engine : Engine
    screen : GenotypeTable, optional
        The screen that the run was trained on, if it is in memory.
    """

    folder: RunFolder
    cell: CellGraph
    config: TrainConfig
    scaler: Scaler
    metadata: dict[str, Any]
    models: tuple[CellModel, ...]
    engine: Engine
    _predictor: Predictor
    screen: GenotypeTable | None = None

    def __repr__(self) -> str:
        models, split = len(self.models), self.metadata["split"]
        parameters = sum(p.numel() for p in self.models[0].parameters())
        validation = self.metadata.get("validation", {})
        scores = [(label, validation.get(label, {}).get("pearson")) for label in schema.LABELS]
        screens = [Path(file["path"]).name for file in self.metadata["screen"]["files"]]
        rows = {
            "cell": ", ".join(f"{n:,} {t}s" for t, n in self.cell.sizes.items()),
            "trained on": f"{split['rows']['train']:,} genotypes, split {split['kind']}",
            "screen": ", ".join(screens[:3]) + (f" and {len(screens) - 3} more" if len(screens) > 3 else ""),
            "best epoch": str(self.metadata["epoch"]),
            "validation": ", ".join(f"Pearson {label} {r:.3f}" for label, r in scores if r is not None),
            "computes on": f"{self.engine.device}, engine {self.engine.name}",
        }
        ensemble = f" x {models} (ensemble)" if models > 1 else ""
        title = f"Run {self.folder.path}: {self.config.variant} model, {parameters:,} parameters{ensemble}"
        return "\n".join([title, *(f"  {name:<12} {text}" for name, text in rows.items() if text)])

    def is_trained_on(self, screen: GenotypeTable) -> bool:
        """Whether a table is the screen that the run was trained on, row by row.

        Parameters
        ----------
        screen : GenotypeTable

        Returns
        -------
        bool
        """
        return bool(screen.fingerprint == self.metadata["screen"]["fingerprint"])

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of predictions: two, and for an ensemble their standard deviations."""
        return COLUMNS + (SD_COLUMNS if len(self.models) > 1 else ())

    def predict(
        self,
        genotypes: Iterable[Sequence[str]] | pandas.DataFrame | GenotypeTable | ScreenTable,
        batch_size: int = 1024,
        unknown_genes: str = "skip",
    ) -> pandas.DataFrame:
        """Fitness and gene interaction of genotypes.

        Parameters
        ----------
        genotypes : iterable of sequences of str, pandas.DataFrame, GenotypeTable or ScreenTable
            Each genotype is a list of deleted genes, by id, standard name or alias, in any sequence; the empty list is
            the wild type. A data frame names them in a column `genes` (joined by `;`, or a list in each row) or in
            columns `gene_1`, `gene_2`, ..
        batch_size : int
            Genotypes at a time; the result does not depend on it.
        unknown_genes : str
            What to do with a gene that the graph lacks: `skip` leaves the row's predictions NaN, with a warning,
            `error` stops.

        Returns
        -------
        pandas.DataFrame
            One row for each genotype, in the sequence of the input and with the index of a data frame: `genes` (ids
            joined by `;`, sorted), `pred_fitness` (in the unit of the training screen, usually with a wild type of 1),
            `pred_gene_interaction` (NaN below two deletions). An ensemble gives the mean of its members, and their
            standard deviation in `pred_fitness_sd` and `pred_gene_interaction_sd`. `attrs` holds `skipped`, the number
            of rows left out, and `unknown_genes`, name -> occurrences.

        Raises
        ------
        DataError
            An unknown gene under `error`, an unknown gene in every row, or an ambiguous name.
        TypeError
            A string where a list of genes belongs: write `run.predict([["YAL001C"], ["YAL001C", "YAL003W"]])`.

        Examples
        --------
        >>> import dglcell
        >>> run = dglcell.load_run("run")
        >>> run.predict([["b0008"], ["acnA", "acnB"]])["genes"].tolist()
        ['b0008', 'b0118;b1276']
        """
        import pandas

        if unknown_genes not in UNKNOWN_GENES:
            raise UsageError(f"{setting('unknown_genes')} {unknown_genes} - {' or '.join(UNKNOWN_GENES)} was expected")
        encoded, spellings, index, source = _encoded(self.cell, genotypes)
        if encoded.unknown:
            self._judge_unknown(encoded, source, unknown_genes)
        members = self.predict_members(encoded.genes, encoded.ptr, batch_size, encoded.incomplete)
        values = members.mean(axis=0)
        if len(members) > 1:
            values = np.concatenate([values, members.std(axis=0, ddof=1)], axis=1)
        ids = self.cell.ids[schema.GENE]
        names = [";".join(ids[g] for g in encoded.genes[a:b]) for a, b in itertools.pairwise(encoded.ptr)]
        for row in np.flatnonzero(encoded.incomplete).tolist():
            names[row] = ";".join(spellings[row])
        frame = pandas.DataFrame({"genes": names, **dict(zip(self.columns, values.T, strict=True))}, index=index)
        frame.attrs = {"skipped": int(encoded.incomplete.sum()), "unknown_genes": dict(encoded.unknown)}
        return frame

    def embeddings(self, node_type: str = schema.GENE, member: int = 1) -> pandas.DataFrame:
        """The hidden states of the wild type after the last layer: one vector for each node.

        Parameters
        ----------
        node_type : str
            `gene`, `reaction` or `metabolite`.
        member : int
            Which model of an ensemble, from 1. States of different models cannot be compared, so there is no mean.

        Returns
        -------
        pandas.DataFrame
            (nodes, hidden) float32; ids in the index, columns `h1`, `h2`, ..

        Raises
        ------
        UsageError
            No such type of node, or no such member.

        Examples
        --------
        >>> import dglcell
        >>> run = dglcell.load_run("run")
        >>> run.embeddings("metabolite").shape
        (72, 16)
        """
        import pandas

        if node_type not in schema.NODE_TYPES:
            raise UsageError(f"node_type {node_type!r} - one of {', '.join(schema.NODE_TYPES)} was expected")
        if not 1 <= member <= len(self.models):
            raise UsageError(f"member {member} - 1 to {len(self.models)} was expected")
        states = self._predictor.wild_types()[member - 1].states[node_type][:, 0].detach().float().cpu().numpy()
        index = pandas.Index(self.cell.ids[node_type], name=node_type, dtype=object)
        return pandas.DataFrame(states, index=index, columns=[f"h{k}" for k in range(1, states.shape[1] + 1)])

    def predict_rows(
        self,
        genes: NDArray[np.integer[Any]],
        ptr: NDArray[np.int64],
        batch_size: int = 1024,
        skip: NDArray[np.bool_] | None = None,
    ) -> NDArray[np.float32]:
        """The mean of `predict_members` over the members.

        Parameters
        ----------
        genes, ptr, batch_size, skip
            As in `predict_members`.

        Returns
        -------
        (n, 2) float32
        """
        mean: NDArray[np.float32] = self.predict_members(genes, ptr, batch_size, skip).mean(axis=0)
        return mean

    def predict_members(
        self,
        genes: NDArray[np.integer[Any]],
        ptr: NDArray[np.int64],
        batch_size: int = 1024,
        skip: NDArray[np.bool_] | None = None,
    ) -> NDArray[np.float32]:
        """Predictions of each member of the ensemble, for genotypes as gene rows instead of names.

        Parameters
        ----------
        genes : (K,) int
            Gene rows of `cell`, ascending and distinct within a genotype.
        ptr : (n + 1,) int64
            Genotype i deletes `genes[ptr[i]:ptr[i + 1]]`.
        batch_size : int
        skip : (n,) bool, optional
            Rows to leave NaN; they must have no genes.

        Returns
        -------
        (members, n, 2) float32
            Labels as `schema.LABELS`, on their original scale; NaN where undefined or never trained on.
        """
        TrainConfig.require(batch_size=batch_size)
        ptr = np.asarray(ptr, np.int64)
        orders = np.diff(ptr)
        rows = np.flatnonzero(~skip) if skip is not None else np.arange(len(orders))
        self._warn_of_new_orders(orders[rows])
        values = np.full((len(self.models), len(orders), len(schema.LABELS)), np.nan, np.float32)
        # A skipped row has no genes, so taking it out of the offsets leaves the genes as they are.
        offsets = np.concatenate([ptr[rows], ptr[-1:]])
        for member, standardized in enumerate(self._predictor(genes, offsets, batch_size)):
            values[member, rows] = self.scaler.inverse(standardized, orders[rows])
        values[:, orders < schema.MIN_ORDER[schema.INTERACTION], _INTERACTION] = np.nan
        return values

    def _judge_unknown(self, encoded: EncodedGenotypes, source: str, unknown_genes: str) -> None:
        """Refuse unknown genes under `error` or if all genotypes have one, else warn."""
        names = f"{encoded.describe_unknown()}; in the cell: {examples(self.cell.ids[schema.GENE])}"
        if unknown_genes == "error":
            advice = f"or leave the predictions of these rows empty with {setting('unknown_genes', 'skip')}"
            raise DataError(f"{source}: genes that the cell lacks: {names} - correct the names, {advice}")
        if encoded.incomplete.all():
            raise DataError(
                f"{source}: no genotype has only genes of the cell: {names} - name the genes as the cell does"
            )
        warn(f"{source}: genes that the cell lacks: {names}; these rows have empty predictions")

    def _warn_of_new_orders(self, orders: NDArray[np.int64]) -> None:
        trained = self.metadata["orders"]
        new = np.setdiff1d(orders, trained)
        if len(new):
            rows = int(np.isin(orders, new).sum())
            genotypes = number_of(rows, "genotype") + (" has" if rows == 1 else " have")
            warn(
                f"{genotypes} {_listed(new)} deletions, the run was trained on {_listed(trained)}: "
                "these predictions are extrapolations"
            )


def _encoded(
    cell: CellGraph, genotypes: Iterable[Sequence[str]] | pandas.DataFrame | GenotypeTable | ScreenTable
) -> tuple[EncodedGenotypes, Sequence[Sequence[str]], Any, str]:
    """Gene rows of genotypes, their names as the caller spells them, the index of a data frame, and the source."""
    if isinstance(genotypes, GenotypeTable):
        genotypes.require_cell(cell, "the genotypes")
        none = np.zeros(len(genotypes), dtype=np.bool_)
        genes, ptr = np.asarray(genotypes.genes).astype(np.int64), np.asarray(genotypes.ptr)
        return (
            EncodedGenotypes(genes, ptr, none, {}, 0, np.asarray(genotypes.alleles), np.asarray(genotypes.query)),
            (),
            None,
            "",
        )
    if isinstance(genotypes, ScreenTable):
        return encode_screen(cell, genotypes), genotypes.genotypes, None, genotypes.path
    if hasattr(genotypes, "columns"):
        frame: Any = genotypes
        screen = genotypes_of_frame(frame, labels=False, is_gene=cell.has_gene)
        return encode_screen(cell, screen), screen.genotypes, frame.index, screen.path
    gene_lists = require_gene_lists(genotypes)
    return encode_genes(cell, gene_lists), gene_lists, None, "genotypes"


def load_run(
    path: Path | str,
    device: str = "auto",
    engine: str = "auto",
    cell: CellGraph | None = None,
    chunk: int | str = "auto",
) -> Run:
    """Load a run folder for prediction.

    Parameters
    ----------
    path : Path
        A run folder.
    device, engine : str
        As in `TrainConfig`; they need not be those of the training.
    cell : CellGraph, optional
        The graph to use instead of the run's `cell.h5`; it must be the same one.
    chunk : int or "auto"
        Genotypes that are computed together, in variants that compute the graph for each genotype.

    Returns
    -------
    Run

    Raises
    ------
    DataError
        Not a run folder, or no epoch was finished.
    FormatError
        A file in it is damaged or of another version.
    FingerprintError
        The graph is not the one that the run was trained on: other ids, other edges or other features.
    UsageError
        The device or engine is not available.

    Examples
    --------
    >>> import dglcell
    >>> run = dglcell.load_run("run", device="cpu", engine="torch")
    >>> run.config.hidden, run.engine.name
    (16, 'torch')
    """
    folder = RunFolder(path)
    folder.require()
    tensors, metadata = checkpoint.read(folder.model, checkpoint.MODEL)
    target = resolve(device)
    if cell is None:
        cell = cell_file.load(folder.cell)
    elif folder.cell.is_file():
        cell_file.load(folder.cell).require_equal(cell, f"the graph given for the run {folder.path}")
    cell.require_same(metadata["fingerprints"], what=f"the run {folder.path}")
    config = TrainConfig.from_dict(metadata["config"], str(folder.model))
    precision = config.precision if target.type == "cuda" else "fp32"
    models = [_model(folder, cell, config, tensors)]
    for member in _further_members(folder):
        tensors, further = checkpoint.read(member.model, checkpoint.MODEL)
        _require_member(folder, member, metadata, further)
        models.append(_model(member, cell, config, tensors))
    computes = make_engine(engine, cell.dgl, target)
    models = [model.to(target).eval() for model in models]
    predictor = Predictor(models, computes, cell, precision, chunk)
    scaler = Scaler.from_dict(metadata["scaler"])
    return Run(folder, cell, config, scaler, metadata, tuple(models), computes, predictor)


def _model(folder: RunFolder, cell: CellGraph, config: TrainConfig, tensors: dict[str, Any]) -> CellModel:
    model = new_model(cell, config)
    try:
        model.load_state_dict({name: torch.from_numpy(array) for name, array in tensors.items()})
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise FormatError(
            f"{folder.model} does not fit this dglcell ({reason}) - use the version that wrote it"
        ) from error
    return model


def _further_members(folder: RunFolder) -> list[RunFolder]:
    """The trained members after the first, with a warning where the configuration asks for more than there are."""
    members = folder.members()
    config = (
        TrainConfig.from_dict(read_toml(folder.config), str(folder.config))
        if folder.config.is_file()
        else TrainConfig()
    )
    if len(members) < config.ensemble:
        warn(
            f"the run {folder.path} has only {len(members)} of the {config.ensemble} models of its ensemble, which "
            f"are used - train the others with {setting('resume', True)}"
        )
    if config.ensemble > 1:
        _warn_of_interrupted(members[: config.ensemble], config)
    return members[1 : config.ensemble]


def _warn_of_interrupted(members: Sequence[RunFolder], config: TrainConfig) -> None:
    """Warn of a member that was trained for a shorter time than the others: the mean counts it as one of them."""
    for member in members:
        history = member.read_metrics()
        if history and TrainProgress.after(history).stopped_by(config) is None:
            warn(
                f"model {member.member} of the run {member.path} was interrupted after epoch "
                f"{history[-1]['epoch']} of {config.epochs}: it is used as it is - finish its training with "
                f"{setting('resume', True)}"
            )


def _require_member(folder: RunFolder, member: RunFolder, first: dict[str, Any], further: dict[str, Any]) -> None:
    """Refuse weights that another training wrote (FingerprintError)."""
    architecture = {field.name for field in dataclasses.fields(ModelConfig)}
    for what, of in (
        ("graph", lambda m: m["fingerprints"]),
        ("screen", lambda m: m["screen"]["fingerprint"]),
        ("split", lambda m: m["split"]["hash"]),
        ("scaler", lambda m: m["scaler"]),
        ("architecture", lambda m: {k: v for k, v in m["config"].items() if k in architecture}),
    ):
        if of(first) != of(further):
            raise FingerprintError(
                f"{member.model} does not belong to the ensemble in {folder.path}: its {what} differs - train again"
            )


def _listed(orders: Sequence[int] | NDArray[np.int64]) -> str:
    return ", ".join(str(k) for k in orders)
