import dataclasses

import h5py
import numpy as np
import pytest

from dglcell import schema
from dglcell.errors import DataError, FingerprintError, FormatError, UsageError
from dglcell.genotypes.table import GenotypeTable
from dglcell.graph.build import build
from dglcell.io import cell_file, hdf5
from dglcell.io.cell_file import load, load_both, load_screen, save
from tests.cells import random_genotypes, reaction_to_genes, tiny_cell
from tests.records import edge_table, gene_list, toy_model

FLIPS = 600


def a_screen(cell, n=20):
    labels = np.random.default_rng(1).standard_normal((n, 4))
    return GenotypeTable.of(cell, *cell.indices(random_genotypes(cell, n)), labels, sources=[{"path": "s.tsv"}])


def everything(path):
    """Every value that a reader gets from the file, comparable."""
    cell, screen = load(path), load_screen(path)
    values = [cell.fingerprints, cell.aliases, cell.report, cell.features_mode, list(cell.relations), cell.group_names]
    return (
        repr(values) if screen is None else repr([values, screen.fingerprint, screen.sources, screen.source.tolist()])
    )


@pytest.mark.parametrize("options", [{}, {"features": 3}, {"metabolism": False}, {"regulatory": False}])
def test_round_trip(tmp_path, options):
    cell = tiny_cell(**options)
    save(cell, tmp_path / "cell.h5")
    again = load(tmp_path / "cell.h5")
    assert again.fingerprints == cell.fingerprints
    assert again.ids == cell.ids
    assert again.aliases == cell.aliases
    assert list(again.relations) == list(cell.relations)
    for name, relation in cell.relations.items():
        other = again.relations[name]
        assert (other.canonical, other.undirected) == (relation.canonical, relation.undirected)
        assert other.src.tolist() == relation.src.tolist()
        assert other.dst.tolist() == relation.dst.tolist()
        assert {k: v.tolist() for k, v in other.data.items()} == {k: v.tolist() for k, v in relation.data.items()}
        assert {k: v.dtype for k, v in other.data.items()} == {k: v.dtype for k, v in relation.data.items()}
    assert again.has_features.tolist() == cell.has_features.tolist()
    assert (again.features is None) == (cell.features is None)
    assert load_screen(tmp_path / "cell.h5") is None


def test_what_was_built_comes_back_with_its_report(tmp_path):
    cell = build(
        toy_model(),
        gene_list(8, {"ä name": ("g1",)}),
        regulatory=[edge_table([("g1", "g2")], [-1])],
        relations={"extra:directed": [edge_table([("g1", "g7")])]},
        features_mode="replace",
    )
    save(cell, tmp_path / "cell.h5")
    again = load(tmp_path / "cell.h5")
    assert again.report == cell.report
    assert again.features_mode == "replace"
    assert again.resolve("Ä NAME") == 0
    assert again.relations["extra"].undirected is False
    assert reaction_to_genes(again) == reaction_to_genes(cell)


def test_a_screen_comes_back_whole(tmp_path):
    cell = tiny_cell()
    screen = a_screen(cell)
    save(cell, tmp_path / "cell.h5", screen)
    again = load_screen(tmp_path / "cell.h5")
    assert again.fingerprint == screen.fingerprint
    assert again.sources == screen.sources
    for field in ("genes", "ptr", "labels", "source", "alleles", "interaction_std", "query"):
        assert getattr(again, field).dtype == getattr(screen, field).dtype
        assert np.array_equal(
            getattr(again, field), getattr(screen, field), equal_nan=field in ("labels", "interaction_std")
        )


def test_a_screen_of_another_cell_is_refused_before_writing(tmp_path):
    with pytest.raises(FingerprintError, match="first difference: gene 12"):
        save(tiny_cell(), tmp_path / "cell.h5", a_screen(tiny_cell(genes=13)))
    assert list(tmp_path.iterdir()) == []


def test_the_file_is_self_describing(tmp_path):
    save(tiny_cell(features=2), tmp_path / "cell.h5", a_screen(tiny_cell()))
    with h5py.File(tmp_path / "cell.h5") as file:
        assert file.attrs["format"] == schema.CELL_FORMAT
        assert file.attrs["format_version"] == schema.CELL_VERSION
        datasets = []
        file.visititems(lambda name, node: datasets.append(node) if isinstance(node, h5py.Dataset) else None)
        assert len(datasets) > 15
        for dataset in datasets:
            streamed = dataset.name.startswith("/screen/")  # read from disk row by row
            assert bool(dataset.chunks) is dataset.fletcher32 is not streamed, dataset.name
            assert not dataset.dtype.hasobject, dataset.name


def test_the_same_cell_twice_gives_the_same_bytes(tmp_path):
    save(tiny_cell(), tmp_path / "a.h5", a_screen(tiny_cell()))
    save(tiny_cell(), tmp_path / "b.h5", a_screen(tiny_cell()))
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()
    with h5py.File(tmp_path / "a.h5") as file:  # nor would they differ a second later
        properties = []
        file.visititems(lambda name, node: properties.append(node.id.get_create_plist()))
        assert len(properties) > 15
        assert not any(created.get_obj_track_times() for created in properties)


def test_any_flipped_bit_is_refused_or_harmless(tmp_path):
    cell = tiny_cell(features=2)
    save(cell, tmp_path / "cell.h5", a_screen(cell))
    content = (tmp_path / "cell.h5").read_bytes()
    whole = everything(tmp_path / "cell.h5")
    damaged = tmp_path / "damaged.h5"
    rng = np.random.default_rng(0)
    refused = 0
    for position in rng.choice(len(content) * 8, size=FLIPS, replace=False):
        flipped = bytearray(content)
        flipped[position // 8] ^= 1 << (position % 8)
        damaged.write_bytes(flipped)
        try:
            assert everything(damaged) == whole, f"bit {position}"
        except FormatError as error:
            assert str(damaged) in str(error)
            refused += 1
    assert refused > FLIPS * 0.9  # only the padding of the user block is free to change


def test_a_flipped_bit_in_the_user_block_is_refused_or_harmless(tmp_path):
    save(tiny_cell(), tmp_path / "cell.h5")
    content = (tmp_path / "cell.h5").read_bytes()
    whole = everything(tmp_path / "cell.h5")
    outcomes = set()
    for position in range(0, 512 * 8, 13):
        flipped = bytearray(content)
        flipped[position // 8] ^= 1 << (position % 8)
        (tmp_path / "damaged.h5").write_bytes(flipped)
        try:
            outcomes.add("same" if everything(tmp_path / "damaged.h5") == whole else "other")
        except FormatError:
            outcomes.add("refused")
    assert outcomes == {"same", "refused"}


@pytest.mark.parametrize("in_memory", [None, 0])
def test_one_reading_gives_the_cell_and_its_screen(tmp_path, monkeypatch, in_memory):
    if in_memory is not None:  # the rows of the screen stay on disk, the cell does not
        monkeypatch.setattr(cell_file, "IN_MEMORY", in_memory)
    path, cell = tmp_path / "cell.h5", tiny_cell(features=2)
    readings = []
    read = hdf5.read
    save(cell, path)
    assert load_both(path)[1] is None
    save(cell, path, a_screen(cell))
    monkeypatch.setattr(hdf5, "read", lambda *a, **k: readings.append(a) or read(*a, **k))
    found, screen = load_both(path)
    assert len(readings) == 1
    assert found.fingerprints == cell.fingerprints and found.ids == cell.ids
    assert all(isinstance(r.src, np.ndarray) for r in found.relations.values())
    assert type(screen.labels) is type(load_screen(path).labels) and screen.info() == load_screen(path).info()


@pytest.mark.parametrize("part", [0.0, 0.01, 0.5, 0.999])
def test_a_file_cut_short_is_refused(tmp_path, part):
    save(tiny_cell(), tmp_path / "cell.h5")
    content = (tmp_path / "cell.h5").read_bytes()
    (tmp_path / "cell.h5").write_bytes(content[: int(len(content) * part)])
    with pytest.raises(FormatError, match=r"cell\.h5 is"):
        load(tmp_path / "cell.h5")


def test_bytes_after_the_end_are_refused(tmp_path):
    save(tiny_cell(), tmp_path / "cell.h5")
    with open(tmp_path / "cell.h5", "ab") as file:
        file.write(b"x")
    with pytest.raises(FormatError, match="do not match"):
        load(tmp_path / "cell.h5")


def test_another_version_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(schema, "CELL_VERSION", 99)
    save(tiny_cell(), tmp_path / "cell.h5")
    monkeypatch.undo()
    with pytest.raises(FormatError, match="format version 99; this dglcell reads 2 - update dglcell"):
        load(tmp_path / "cell.h5")
    monkeypatch.setattr(schema, "CELL_VERSION", 1)
    save(tiny_cell(), tmp_path / "cell.h5")
    monkeypatch.undo()
    with pytest.raises(FormatError, match="format version 1, from an older dglcell"):
        load(tmp_path / "cell.h5")


def test_foreign_files_are_refused(tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = np.arange(3)
    with pytest.raises(FormatError, match="was not made by dglcell"):
        load(tmp_path / "other.h5")
    (tmp_path / "text.h5").write_text("hello")
    with pytest.raises(FormatError, match="is not an HDF5 file"):
        load(tmp_path / "text.h5")
    hdf5.write(tmp_path / "kind.h5", "dglcell-other", 1, {"a": np.arange(3)}, {})
    with pytest.raises(FormatError, match="a cell graph from `dglcell preprocess` was expected"):
        load(tmp_path / "kind.h5")
    with pytest.raises(DataError, match="no such file"):
        load(tmp_path / "absent.h5")


def test_a_file_with_parts_missing_is_refused(tmp_path):
    save(tiny_cell(), tmp_path / "cell.h5", a_screen(tiny_cell()))
    arrays, meta = hdf5.read(tmp_path / "cell.h5", schema.CELL_FORMAT, schema.CELL_VERSION)
    part = tmp_path / "part.h5"

    def write(changed):
        hdf5.write(part, schema.CELL_FORMAT, schema.CELL_VERSION, changed, meta)

    for gone in ("relations/in/data/stoichiometry", "ids/gene", "reaction_group"):
        write({k: v for k, v in arrays.items() if k != gone})
        with pytest.raises(FormatError, match="holds an incomplete cell graph"):
            load(part)
    write(arrays | {"reaction_group": arrays["reaction_group"] * 0})
    with pytest.raises(FormatError, match="its `content` fingerprint is"):
        load(part)
    for gone in ("screen/ptr", "screen/query"):
        write({k: v for k, v in arrays.items() if k != gone})
        with pytest.raises(FormatError, match=f"no dataset {gone}"):
            load_screen(part)
    for name in ("labels", "genes", "source", "alleles", "interaction_std", "query"):
        write(arrays | {f"screen/{name}": arrays[f"screen/{name}"][1:]})
        with pytest.raises(FormatError, match="do not fit together"):
            load_screen(part)


def test_an_existing_file_stays_without_overwrite(tmp_path):
    (tmp_path / "cell.h5").write_text("precious")
    with pytest.raises(UsageError, match="exists"):
        save(tiny_cell(), tmp_path / "cell.h5", overwrite=False)
    assert (tmp_path / "cell.h5").read_text() == "precious"
    save(tiny_cell(), tmp_path / "cell.h5")
    assert load(tmp_path / "cell.h5").num_nodes("gene") == 12


def test_nothing_is_left_behind_when_writing_fails(tmp_path):
    cell = tiny_cell()
    broken = dataclasses.replace(a_screen(cell), labels=np.array([object()]))
    with pytest.raises(TypeError, match="holds objects"):
        save(cell, tmp_path / "cell.h5", broken)
    assert list(tmp_path.iterdir()) == []
