"""Whatever is done to a file, a reader reads it or says in one line what is wrong."""

from __future__ import annotations

import gzip
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dglcell.errors import DataError
from dglcell.readers import features, genes, networks
from dglcell.readers.screens import read

TABLES = {
    "genes": "gene_id\nA\nB\nC-1\n",
    "sgd": "S1\tORF\tVerified\tA\tNAME\tx|y\tc\nS2\tCDS\t\t\t\t\tA\n",
    "gff": "##gff-version 3\nI\ts\tgene\t1\t9\t.\t+\t.\tID=A;Name=NAME;Alias=x,y\n",
    "edges": "gene_a\tgene_b\nA\tB\nB\tC\n",
    "signs": "tf,target,sign\nA,B,+\nB,C,-1\n",
    "links": "protein1 protein2 combined_score\n1.A 1.B 190\n",
    "actions": "item_id_a\titem_id_b\tmode\tscore\n1.A\t1.B\tbinding\t9\n1.A\t1.C\tptmod\t9\n",
    "matrix": "t\tF\tG\nA\t0\t1\nB\t1\t0\n",
    "genotypes": 'genes,fitness,note\nA;B,0.5,"x, y"\n,1,\n',
    "columns": "gene_1\tgene_2\tgene_interaction\nA\tB\t0.1\nA\t\t\n",
    "costanzo": "A\ta\tB\tb\t-0.1\t0.02\t1e-5\nC_tsq1\tc\tD_damp\td\t0.2\tNaN\t0.1\n",
    "features": "id\tf1\tf2\nA\t1\t2\nB\t3\t4\n",
}
READERS = {
    "genes": genes.read_genes,
    **{kind: partial(networks.read_network, kind=kind) for kind in networks.KINDS},
    "screen": read.read_screen,
    "genotypes": read.read_rows,
    "features": features.read_features,
}
pieces = st.sampled_from(
    ["", "\t", ",", "\n", "\n\n", " ", '"', "#", "x", "0", "-1", "nan", "1e999", "\0", ";", "é", "<"]
)


@pytest.mark.parametrize("name", READERS)
@given(data=st.data())
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
def test_any_damage_is_read_or_named(tmp_path, name, data):
    text = TABLES[data.draw(st.sampled_from(sorted(TABLES)))]
    for _ in range(data.draw(st.integers(0, 4))):
        start = data.draw(st.integers(0, len(text)))
        text = text[:start] + data.draw(pieces) + text[start + data.draw(st.integers(0, 6)) :]
    content = text.encode()
    if data.draw(st.booleans()):
        content = gzip.compress(content)
        content = content[: len(content) - data.draw(st.integers(0, 12))]
    path = tmp_path / "file"
    path.write_bytes(content)
    outcomes = []
    for _ in range(2):  # and both times the same
        try:
            outcomes.append(repr(READERS[name](path)))
        except DataError as error:
            assert "\n" not in str(error)
            assert str(path) in str(error)
            outcomes.append(str(error))
    assert outcomes[0] == outcomes[1]
