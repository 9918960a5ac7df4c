import json
import warnings

import numpy as np
import pytest

from dglcell.genotypes.scaler import Scaler
from dglcell.genotypes.table import GenotypeTable
from tests.cells import tiny_cell

NAN = float("nan")


def a_table(n=200, seed=0):
    cell = tiny_cell()
    rng = np.random.default_rng(seed)
    genotypes = [rng.choice(12, size=k, replace=False).tolist() for k in rng.integers(0, 4, size=n)]
    labels = rng.standard_normal((n, 4)) * [0.3, 1, 0.05, 1] + [0.9, 0, 0.01, 0]
    labels[rng.random((n, 4)) < 0.2] = NAN
    return GenotypeTable.of(cell, *cell.indices(genotypes), labels)


def test_training_rows_become_standard_per_label_and_order():
    table = a_table()
    rows = np.arange(0, 150)
    scaler = Scaler.fit(table, rows)
    z = scaler.transform(table.targets.astype(np.float64)[rows], table.orders[rows])
    fitness = z[:, 0][np.isfinite(z[:, 0])]
    assert fitness.mean() == pytest.approx(0, abs=1e-9)
    assert fitness.std() == pytest.approx(1)
    for order in (2, 3):
        values = z[table.orders[rows] == order, 1]
        values = values[np.isfinite(values)]
        assert values.mean() == pytest.approx(0, abs=1e-9)
        assert values.std() == pytest.approx(1)


def test_only_the_rows_given_count():
    table = a_table()
    assert Scaler.fit(table, np.arange(100)) != Scaler.fit(table, np.arange(200))
    changed = GenotypeTable.of(
        tiny_cell(), table.genes, table.ptr, np.where(np.arange(200)[:, None] < 100, table.labels, 99)
    )
    assert Scaler.fit(table, np.arange(100)) == Scaler.fit(changed, np.arange(100))


def test_inverse_undoes_transform_and_keeps_missing_values_and_dtype():
    table = a_table()
    scaler = Scaler.fit(table, np.arange(200))
    z = scaler.transform(table.targets, table.orders)
    assert z.dtype == np.float32
    back = scaler.inverse(z, table.orders)
    assert np.array_equal(np.isnan(back), np.isnan(table.targets))
    assert np.allclose(back, table.targets, atol=1e-6, equal_nan=True)


def test_an_order_that_training_never_saw_uses_all_orders_together():
    """Orders 2 and 4 are trained on; their scores differ in scale, so neither has the moments of the two together."""
    cell, rng = tiny_cell(), np.random.default_rng(0)
    orders = np.repeat([2, 4, 3], [60, 30, 10])
    scores = {2: rng.normal(0.05, 0.1, 60), 4: rng.normal(-0.4, 0.5, 30), 3: rng.normal(9, 9, 10)}
    genotypes = [rng.choice(12, size=k, replace=False).tolist() for k in orders]
    labels = np.full((100, 4), NAN)
    labels[:, 2] = np.concatenate([scores[k] for k in (2, 4, 3)])
    table = GenotypeTable.of(cell, *cell.indices(genotypes), labels)
    scaler = Scaler.fit(table, np.flatnonzero(orders != 3))
    together = np.concatenate([scores[2], scores[4]])
    expected = [(v.mean(), v.std()) for v in (scores[2], together, scores[4], together)]
    mean, sd = scaler.moments([2, 3, 4, 5])
    np.testing.assert_allclose(np.stack([mean[:, 1], sd[:, 1]], 1), expected, rtol=1e-5)
    one = np.array([[NAN, 1.0]])
    assert scaler.inverse(one, [3])[0, 1] == pytest.approx(together.mean() + together.std(), rel=1e-5)
    assert scaler.transform(scaler.inverse(one, [3]), [3])[0, 1] == pytest.approx(1)


def test_equal_labels_are_not_scaled_and_warned_about():
    cell = tiny_cell()
    table = GenotypeTable.of(cell, *cell.indices([[0], [1], [2]]), [[0.7, NAN, NAN, NAN]] * 3)
    with pytest.warns(UserWarning, match=r"fitness: all 3 training values are 0\.7"):
        scaler = Scaler.fit(table, [0, 1, 2])
    assert scaler.pooled["fitness"].sd == 1
    assert np.allclose(scaler.transform(table.targets, table.orders)[:, 0], 0)


def test_a_label_without_training_rows_stays_missing():
    cell = tiny_cell()
    table = GenotypeTable.of(cell, *cell.indices([[0], [1]]), [[0.7, NAN, NAN, NAN], [0.8, NAN, NAN, NAN]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scaler = Scaler.fit(table, [0, 1])
        assert np.isnan(scaler.inverse(np.zeros((1, 2)), [2])[0, 1])
    assert scaler.to_dict()["pooled"]["gene_interaction"] == {"mean": None, "sd": None, "n": 0}
    assert scaler.by_order == {}


def test_json_round_trip():
    table = a_table()
    for rows in (np.arange(200), np.flatnonzero(table.orders < 2)):
        scaler = Scaler.fit(table, rows)
        text = json.dumps(scaler.to_dict(), allow_nan=False)
        again = Scaler.from_dict(json.loads(text))
        assert again.to_dict() == scaler.to_dict()
        z = np.random.default_rng(0).standard_normal((200, 2))
        assert np.array_equal(again.inverse(z, table.orders), scaler.inverse(z, table.orders), equal_nan=True)
