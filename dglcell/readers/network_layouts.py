"""All layouts of networks, in their sequence; defined here are those of no database: lists of edges, SIF, matrices."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from dglcell.errors import setting
from dglcell.readers import text_files
from dglcell.readers.edge_table import KINDS, REGULATORY
from dglcell.readers.interaction_databases import INTERACTIONS
from dglcell.readers.network_layout import MATRIX, NAMES, PAIRS, SIF, NetworkLayout
from dglcell.readers.network_values import sign_of
from dglcell.readers.regulation_databases import REGULATION
from dglcell.readers.tables.layout import ANY, normalize

_WORD = (  # of the name of a column of ids
    r"(?:genes?|proteins?|ids?|identifiers?|systematic(?:name)?|orfs?(?:name)?|nodes?|interactors?|locus|tags?|entity|"
    r"item|participants?|molecules?|partner|prot|ensembl)"
)
_SYMBOL = r"(?:(?:gene|protein|official|preferred|standard|common)?(?:symbols?|names?))"
_ACCESSION = r"(?:uniprot(?:kb)?|swissprot)(?:ids?|accessions?|ac)?"
_FIRST, _SECOND = r"(?:a|1|i|x)", r"(?:b|2|j|y)"
_LABEL = re.compile(r".*fitness.*|smf|dmf|eps(ilon)?|gene(tic)?interaction(score|pvalue|std)?.*|e?score.*ε.*")
_CONFIDENCE = (
    r"(?:edge)?weights?|score|confidence(?:score)?|combinedscore|probability|strength|importance|correlation|"
    r"similarity|jaccard|pcc|pint|counts?|value"
)
_SIGN = r"sign|effect|regulatoryeffect|mor|modeofregulation|direction|regulation(?:type)?|mode|regulatoryfunction"
_TYPE = r"interaction(?:type)?|(?:edge)?type|relation(?:ship)?|sharedinteraction"
_HEADER_WORD = (
    r"(?:genes?|proteins?|ids?|names?|systematic|standard|orfs?|source|targets?|from|to|nodes?|interactors?|tfs?|"
    r"regulators?|regulated|transcription|factors?|symbol|locus|tag|query|array|entity|item|left|right|partner|bait|prey)"
)
_HEADER_NAME = re.compile(rf"{_HEADER_WORD}+[abxyij12]?{_HEADER_WORD}*")  # gene_a, systematic_name_a, gene_1_id
_TARGET_WORD = re.compile(r"target|regulated|downstream|controlled")
_FACTOR_WORD = re.compile(r"(?<![a-z])tf|tfs?(?![a-z])|regulator|factor|source|from|upstream|controlling")
_GENE_WORD = re.compile(r"(?<![a-z])(?:genes?|orfs?)(?![a-z])")
_SIGNED_UNITS: Final = {"0", "1", "-1", "0.0", "1.0", "-1.0", "+1", ""}
_MOST: Final = 0.75  # share of the first rows, or of the first cells of a matrix
SIF_TYPES: Final = (
    r"(?i:p[pdrm]|rc|cr|gl|m[pr]|xx|interacts?(?:[ -_]?with)?|interaction|physical\w*|genetic\w*|regulat\w*|activat\w*|"
    r"inhibit\w*|represse?\w*|binds?|binding|->|-\||--|neighbor\w*|in-complex-with|controls-\S+|used-to-produce)"
)
_ALL_NAMES: Final = tuple(f"{name}_{end}" for end in (1, 2) for name in NAMES)


@dataclass(frozen=True, kw_only=True)
class _NamedColumns(NetworkLayout):
    """A list of edges with a header; a table of measured genotypes is none, nor is a row with a number."""

    def match_header(self, header: Sequence[str]) -> dict[str, int] | None:
        """See `NetworkLayout.match_header`."""
        if label_of(header) or any(text_files.is_number(name) for name in header if name.strip()):
            return None
        return super().match_header(header)


@dataclass(frozen=True, kw_only=True)
class _SifLayout(NetworkLayout):
    """Lines of a source, a type, and any number of targets."""

    def match_rows(self, rows: Sequence[Sequence[str]]) -> dict[str, int] | None:
        """See `NetworkLayout.match_rows`. The types are usual words, or a single word that is none of the genes.

        Signs or weights in the third column belong to a list of edges, of which all have the same second gene.
        """
        full = [row for row in rows if len([cell for cell in row if cell.strip()]) >= 3]
        single = sum(len([cell for cell in row if cell.strip()]) == 1 for row in rows)
        if not full or len(full) + single < _MOST * len(rows):
            return None
        types = {row[1].strip() for row in full}
        if all(re.fullmatch(SIF_TYPES, word) for word in types):
            return dict(self.positions)
        genes = {cell for row in full for cell in (row[0], *row[2:])}
        is_word = len(types) == 1 and not any(map(text_files.is_number, types)) and types.isdisjoint(genes)
        has_three = len(full) > 2 and all(len(row) == 3 for row in full)
        has_values = all(text_files.is_number(row[2]) or sign_of(row[2]) is not None for row in full)
        return dict(self.positions) if is_word and has_three and not has_values else None


@dataclass(frozen=True, kw_only=True)
class _MatrixLayout(NetworkLayout):
    """A first row of names, then rows of a name and numbers."""

    def match_rows(self, rows: Sequence[Sequence[str]]) -> dict[str, int] | None:
        """See `NetworkLayout.match_rows`."""
        if len(rows) < 2 or len(rows[1]) < 2:
            return None
        header, body = [cell.strip() for cell in rows[0]], rows[1:]
        width = Counter(map(len, body)).most_common(1)[0][0]
        if len(header) not in (width, width - 1) or not all(row[0].strip() for row in body):
            return None
        names = header[len(header) - width + 1 :]
        cells = [cell.replace(",", ".") for row in body for cell in row[1:]]
        if sum(map(text_files.is_number, names)) * 2 > len(names) or not any(c.strip() for c in cells):
            return None
        if width == 2 and not {cell.strip() for cell in cells} <= _SIGNED_UNITS:
            return None  # of one factor it has 0 and 1, lest it be a list of numbered genes
        if sum(map(text_files.is_number, cells)) <= _MOST * len(cells):
            return None
        return dict(self.positions)


_LISTS: Final = (
    NetworkLayout(
        name="Cytoscape edge table",
        reads="the genes in the shared name `A (interacts with) B`",
        example="SUID,interaction,name,selected,shared interaction,shared name\n"
        "101,pp,YAL001C (pp) YBR123C,false,pp,YAL001C (pp) YBR123C\n",
        columns={"pair": "sharedname", "suid": "suid"},
        rows=PAIRS,
        kinds=KINDS,
        source="cytoscape.org, File > Export > Table to File",
    ),
    _NamedColumns(
        name="regulation with named columns",
        reads="transcription factor and target by the names of their columns, in any order, with sign or weight",
        example="tf,target,weight\nABF1,YAL054C,-2\nABF1,YGL234W,1\n",
        columns={
            "gene_1": rf"(?:tf|regulators?|transcriptionfactors?|factors?|source|from){_WORD}*",
            "gene_2": rf"(?:targets?|regulated|to|tg){_WORD}*|(?:genes?|orfs?){_WORD}*",
            "symbol_1": rf"(?:tf|regulators?|transcriptionfactors?|factors?|source){_SYMBOL}",
            "symbol_2": rf"(?:targets?(?:gene)?|regulated(?:gene)?|tg){_SYMBOL}|{_SYMBOL}",
            "type": _TYPE,
            "sign": _SIGN,
            "confidence": _CONFIDENCE,
        },
        optional=(*_ALL_NAMES, "type", "sign", "confidence"),
        kinds=(REGULATORY,),
        is_general=True,
        source="CollecTRI, GRNBoost2, own tables",
    ),
    _NamedColumns(
        name="edges with named columns",
        reads="the two genes of an edge by the names of their columns, with weight or, in regulation, sign",
        example="gene1,gene2,weight\nYAL001C,YBR123C,0.9\nYER095W,YGL163C,0.5\n",
        columns={
            "gene_1": rf"{_WORD}+{_FIRST}{_WORD}*|(?:source|from|bait|left){_WORD}*",
            "gene_2": rf"{_WORD}+{_SECOND}{_WORD}*|(?:target|to|prey|right){_WORD}*",
            "symbol_1": rf"{_WORD}*{_FIRST}{_SYMBOL}|{_WORD}*{_SYMBOL}{_FIRST}|(?:source|from|bait){_SYMBOL}",
            "symbol_2": rf"{_WORD}*{_SECOND}{_SYMBOL}|{_WORD}*{_SYMBOL}{_SECOND}|(?:target|to|prey){_SYMBOL}",
            "accession_1": rf"{_ACCESSION}{_FIRST}|{_WORD}*{_FIRST}{_ACCESSION}",
            "accession_2": rf"{_ACCESSION}{_SECOND}|{_WORD}*{_SECOND}{_ACCESSION}",
            "type": _TYPE,
            "sign": _SIGN,
            "confidence": _CONFIDENCE,
        },
        optional=(*_ALL_NAMES, "type", "sign", "confidence"),
        kinds=KINDS,
        is_general=True,
        source="Cytoscape, GeneMANIA, BioPlex, own tables",
    ),
    _MatrixLayout(
        name="matrix",
        reads="non-zero cells as edges, other than 1 and -1 as weights; in regulation, factors in columns or in rows "
        f"({setting('matrix_rows')}); in other networks, genes in both",
        example="SystematicName\tSTE12\tTEC1\nSTE12\t0\t1\nTEC1\t1\t1\nFUS1\t1\t0\nFLO11\t0\t1\n",
        positions={"row": 0},
        kinds=KINDS,
        is_general=True,
        rows=MATRIX,
        source="YEASTRACT, inferelator",
    ),
    _SifLayout(
        name="SIF",
        reads="a gene, the type of interaction, and one or more genes; rows of a single gene are left out",
        example="YAL001C pp YBR123C YDR362C\nYER095W pp YGL163C\nYAL002W\n",
        positions={"gene_1": 0, "type": 1, "gene_2": 2},
        kinds=KINDS,
        is_general=True,
        rows=SIF,
        source="Cytoscape",
    ),
    NetworkLayout(
        name="two columns",
        reads="the genes of an edge or, in regulation, transcription factor and target; a third column is a weight or, "
        "in regulation, a sign. In regulation, a third column of 0 and 1 says whether there is an edge",
        example="YAL001C\tYBR123C\nYER095W\tYGL163C\n",
        positions={"gene_1": 0, "gene_2": 1, "value": 2},
        cells={"gene_1": ANY, "gene_2": ANY},
        widths=(2, 3),
        kinds=KINDS,
        is_general=True,
        source="own tables, YEASTRACT, YeastNet",
    ),
)
LAYOUTS: Final = (*INTERACTIONS, *REGULATION, *_LISTS)
CUSTOM: Final = NetworkLayout(
    name="named columns",
    reads="the columns that are named",
    example="ORF_A\tORF_B\tr\nYAL001C\tYBR123C\t0.4\n",
    columns=dict.fromkeys(("gene_1", "gene_2", "sign", "confidence"), ""),
    kinds=KINDS,
)


def label_of(header: Sequence[str]) -> str:
    """The name of a column of measurements, which a table of genotypes has and a network has not; empty if none."""
    return next((name for name in header if _LABEL.fullmatch(normalize(name))), "")


def is_header(first: Sequence[str], rows: Sequence[Sequence[str]], kind: str) -> bool:
    """Whether the first row of two columns names them: with usual words, which do not occur as genes below."""
    if len(first) < 2:
        return False
    has_usual_words = all(_HEADER_NAME.fullmatch(normalize(name)) for name in first[:2])
    if not has_usual_words and not (kind == REGULATORY and is_target_first(first) is not None):
        return False
    return {cell.strip() for row in rows for cell in row[:2]}.isdisjoint(cell.strip() for cell in first[:2])


def is_target_first(names: Sequence[str]) -> bool | None:
    """Whether the names of two columns say that the target comes before its transcription factor; None if they do not.

    Examples
    --------
    >>> is_target_first(["Downstream gene", "TF"]), is_target_first(["TF", "gene"]), is_target_first(["A", "target"])
    (True, False, None)
    """
    roles = [_role_of(name.lower()) for name in names[:2]]
    return roles[0] == "target" if {*roles} == {"factor", "target"} else None


def _role_of(name: str) -> str:
    if _TARGET_WORD.search(name):
        return "target"
    if _FACTOR_WORD.search(name):
        return "factor"
    return "target" if _GENE_WORD.search(name) else ""
