"""The dropout that a step shares."""

import torch

from dglcell.config import ModelConfig
from dglcell.engines.choice import make_engine
from dglcell.engines.operators import of_rows
from dglcell.nn.dropout import StepDropout
from dglcell.nn.model import CellModel
from dglcell.nn.states import GraphSizes
from tests.cells import tiny_cell


def dropped(drop, key, x, num_nodes, rows=None):
    return x * of_rows(drop.mask(key, x, num_nodes), rows)


def test_one_mask_for_all_genotypes_whoever_asks_first():
    torch.manual_seed(0)
    drop = StepDropout(0.25)
    many = dropped(drop, "a", torch.ones(50, 7, 40), 50)
    assert torch.equal(many, many[:, :1].expand(-1, 7, -1))
    assert torch.equal(dropped(drop, "a", torch.ones(50, 1, 40), 50), many[:, :1])
    assert not torch.equal(dropped(drop, "b", torch.ones(50, 1, 40), 50), many[:, :1])


def test_packed_rows_get_the_mask_of_their_node():
    torch.manual_seed(0)
    drop = StepDropout(0.25)
    wild = dropped(drop, "a", torch.ones(50, 1, 40), 50)
    rows = torch.tensor([*range(50), 3, 3, 49])
    assert torch.equal(dropped(drop, "a", torch.ones(53, 1, 40), 50, rows), wild[rows])


def test_kept_features_are_scaled_to_the_same_mean():
    torch.manual_seed(0)
    x = dropped(StepDropout(0.25), "a", torch.ones(200, 1, 200), 200)
    assert set(x.unique().tolist()) == {0.0, torch.tensor(1 / 0.75).item()}
    assert abs(x.mean().item() - 1) < 0.02


def test_features_are_dropped_apart_from_each_other():
    """Also those that come from one random word, at any place in it."""
    torch.manual_seed(0)
    lost = (StepDropout(0.1).mask("a", torch.ones(1, 1, 4), 100_000)[:, 0] == 0).double()
    assert ((lost.mean(0) - 0.1).abs() < 0.004).all()
    assert (torch.corrcoef(lost.T) - torch.eye(4)).abs().max() < 0.015
    for nodes in (7, 0):
        assert StepDropout(0.5).mask("a", torch.ones(1, 1, 3), nodes).shape == (nodes, 1, 3)


def test_nearly_everything_may_be_dropped():
    assert (StepDropout(1 - 1e-9).mask("a", torch.ones(1, 1, 4), 100) == 0).float().mean() > 0.9


def test_no_dropout_draws_nothing():
    state = torch.get_rng_state()
    assert StepDropout(0.0).mask("a", torch.ones(3, 2, 4), 3) is None
    assert torch.equal(torch.get_rng_state(), state)


def test_every_block_of_every_layer_has_its_own_mask():
    cell = tiny_cell()
    model = CellModel(ModelConfig(fm_rank=0, layers=2, hidden=8), GraphSizes.of(cell)).train()
    asked = []

    class Recorder(StepDropout):
        def mask(self, key, like, num_nodes):
            asked.append(key)
            return super().mask(key, like, num_nodes)

    model.wild_type(make_engine("torch", cell.dgl, "cpu"), Recorder(0.1))
    # First layer: gpr, in, of, physical, regulatory, catalysed_by. The last has no second stoichiometric step.
    assert len(asked) == len(set(asked)) == 6 + 5
