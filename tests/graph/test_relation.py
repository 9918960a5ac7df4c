import numpy as np
import pytest

from dglcell.graph.relation import Relation


def test_edges_are_sorted_by_dst_then_src_and_data_follows():
    r = Relation.of("r", "gene", "gene", [3, 0, 2, 1], [1, 2, 1, 0], {"w": [30.0, 2.0, 20.0, 10.0]})
    assert r.src.tolist() == [1, 2, 3, 0]
    assert r.dst.tolist() == [0, 1, 1, 2]
    assert r.data["w"].tolist() == [10.0, 20.0, 30.0, 2.0]


def test_the_reverse_keeps_edge_order():
    r = Relation.of("r", "gene", "reaction", [3, 0, 2], [1, 2, 1])
    back = r.reversed("back")
    assert back.canonical == ("reaction", "back", "gene")
    assert back.src.tolist() == r.dst.tolist()
    assert back.dst.tolist() == r.src.tolist()


@pytest.mark.parametrize(("undirected", "pairs"), [(True, 1), (False, 2)])
def test_pairs_leave_out_loops_and_count_both_ways_once(undirected, pairs):
    r = Relation.of("r", "gene", "gene", [0, 1, 0, 1], [1, 0, 0, 1], undirected=undirected)
    assert r.num_edges == 4
    assert r.num_pairs == pairs


def test_an_edge_given_twice_or_ends_of_unequal_length_are_refused():
    with pytest.raises(ValueError, match="twice"):
        Relation.of("r", "gene", "gene", [0, 0], [1, 1])
    with pytest.raises(ValueError, match="differ in shape"):
        Relation.of("r", "gene", "gene", [0, 0], [1])


def test_edges_at_a_node():
    r = Relation.of("r", "gene", "gene", [3, 0, 2, 2], [1, 2, 1, 0])
    edges, counts = r.edges_at("src", np.array([2, 1, 3]))
    assert counts.tolist() == [2, 0, 1]
    assert r.src[edges].tolist() == [2, 2, 3]
    edges, counts = r.edges_at("dst", np.array([1, 0]))
    assert counts.tolist() == [2, 1]
    assert r.dst[edges].tolist() == [1, 1, 0]
