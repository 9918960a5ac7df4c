"""Cells that identify an interactor -> its names, the preferred first, and its organism."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from dglcell.readers.network_layout import ACCESSIONS, PLAIN, PSI_MI, TAXON_PREFIX  # noqa: F401

_NO_NAME: Final = frozenset({"", "-", "--", "n/a", "null", "none"})
_TAXON = re.compile(r"(\d+)\.(?=\S)")
_PSI_MI_ITEM = re.compile(r'([^:|"]+):("(?:[^"\\]|\\.)*"|[^|(]*)(?:\(([^|]*)\))?')
_PSI_MI_TAXON = re.compile(r"taxid:(-?\d+)")
_ACCESSION_TAIL = re.compile(r"-(?:\d+|PRO_\d+)$")  # isoform, processed chain
_LOCUS: Final = ("locus name", "ordered locus name")
_LOCUS_RANK, _ENTREZ_NAME_RANK, _ACCESSION_RANK, _SYMBOL_RANK, _ID_RANK = range(5)
_SYMBOLS: Final = ("gene name", "display_short", "gene name synonym", "orf name")
_IDS: Final = ("entrez gene/locuslink", "ensembl", "refseq", "flybase", "wormbase", "ddbj/embl/genbank", "sgd", "cygd")
STRAINS: Final[Mapping[str, str]] = {  # taxon of a laboratory strain -> of its species; databases use both
    "559292": "4932",  # Saccharomyces cerevisiae S288C
    "511145": "562",  # Escherichia coli K-12 MG1655
    "83333": "562",  # Escherichia coli K-12
    "316407": "562",  # Escherichia coli K-12 W3110
    "284812": "4896",  # Schizosaccharomyces pombe 972h-
    "224308": "1423",  # Bacillus subtilis 168
    "83332": "1773",  # Mycobacterium tuberculosis H37Rv
    "237561": "5476",  # Candida albicans SC5314
    "36329": "5833",  # Plasmodium falciparum 3D7
    "39947": "4530",  # Oryza sativa japonica
}


def species_of(taxon: str) -> str:
    """The species of a laboratory strain; any other organism as it is."""
    return STRAINS.get(taxon, taxon)


def with_strains(taxon: str) -> str:
    """A species with the laboratory strains that count as it, for a message.

    Examples
    --------
    >>> with_strains("4932"), with_strains("10090")
    ('4932 (or strain 559292)', '10090')
    """
    strains = sorted(strain for strain, species in STRAINS.items() if species == taxon)
    return f"{taxon} (or strain {', '.join(strains)})" if strains else taxon


def names_of(cells: Sequence[str], ids: str) -> list[str]:
    """The names of an interactor, the preferred first.

    Parameters
    ----------
    cells : sequence of str
        The cells of its columns of names, the preferred first.
    ids : str
        What the cells hold; see `NetworkLayout.ids`.

    Examples
    --------
    >>> names_of(["-", "TP53"], PLAIN), names_of(["4932.YAL001C", "TFC3"], TAXON_PREFIX)
    (['TP53'], ['YAL001C', 'TFC3'])
    >>> names_of(["uniprotkb:P34111", "uniprotkb:TFC3(gene name)|uniprotkb:YAL001C(locus name)"], PSI_MI)
    ['YAL001C', 'P34111', 'TFC3']
    """
    if ids == PSI_MI:
        ranked = [item for cell in cells for item in _psi_mi_names(cell)]
        return list(dict.fromkeys(name for _, name in sorted(ranked, key=lambda item: item[0])))
    if ids == TAXON_PREFIX:
        cells = [_TAXON.sub("", cell, count=1) if _TAXON.match(cell) else cell for cell in cells]
    if ids == ACCESSIONS:
        cells = [part for cell in cells for part in cell.split("|")]
    return list(dict.fromkeys(cell for cell in cells if cell.lower() not in _NO_NAME))


def _psi_mi_names(cell: str) -> list[tuple[int, str]]:
    """Names of a cell `database:id(what it is)|..` with their ranks."""
    names: list[tuple[int, str]] = []
    for match in _PSI_MI_ITEM.finditer(cell):
        database, name, comment = match[1].strip().lower(), match[2].strip().strip('"'), (match[3] or "").lower()
        if not name or name == "-":
            continue
        if comment in _LOCUS:
            names.append((_LOCUS_RANK, name))
        elif comment in _SYMBOLS:
            names.append((_SYMBOL_RANK, name))
        elif database == "entrez gene/locuslink" and not name.isdigit() and not comment:
            # BioGRID puts the official symbol before the systematic name.
            names = [item for item in names if item[0] != _ENTREZ_NAME_RANK] + [
                (_ENTREZ_NAME_RANK, name),
                *((_SYMBOL_RANK, other) for rank, other in names if rank == _ENTREZ_NAME_RANK),
            ]
        elif database in ("uniprotkb", "uniprot/swiss-prot") and not comment:
            names.append((_ACCESSION_RANK, accession(name)))
        elif database in _IDS and not comment:
            names.append((_ID_RANK, name))
    return names


def accession(name: str) -> str:
    """A UniProt accession without the number of an isoform or chain.

    Examples
    --------
    >>> accession("P0CX35-PRO_0000030468"), accession("P12345-2"), accession("P12345")
    ('P0CX35', 'P12345', 'P12345')
    """
    return _ACCESSION_TAIL.sub("", name)


def taxon_of(cell: str, ids: str) -> str:
    """The organism of a cell: its taxon id, or its name in lower case; empty if it is not known.

    Examples
    --------
    >>> taxon_of("taxid:559292(yeast)|taxid:559292(S. cerevisiae)", PSI_MI), taxon_of("4932.YAL001C", TAXON_PREFIX)
    ('559292', '4932')
    """
    if ids in (TAXON_PREFIX, PSI_MI):
        match = (_TAXON if ids == TAXON_PREFIX else _PSI_MI_TAXON).match(cell)
        return match[1] if match else ""
    return "" if cell.lower() in _NO_NAME else cell.lower()
