"""Cells of a screen -> genes and kinds of allele: strain ids, lists of genes, controls.

`_dma*`, `_sn*` deletion; `_tsa*`, `_tsq*` temperature-sensitive; `_damp*` reduced expression; `_S*` suppressor;
`YAL015C+YOL043C_tm72` a double-mutant query, in which YDL227C (HO) is the neutral control locus, not a deletion
(Kuzmin et al. 2018, doi:10.1126/science.aao1729). `ctrl`, `WT` and the like stand for no deletion.

A gene id may hold what elsewhere separates genes (`ADE5,7`, `fig|1219067.16.peg.12`) or looks like the suffix of a
strain. A name that the cell graph knows is therefore one gene, unless its parts are genes, too; without a cell graph,
cautious rules apply.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from dglcell import schema

Gene = tuple[str, int]  # name, kind of allele
IsGene = Callable[[str], bool]

CONTROL: Final = "YDL227C"
SEPARATOR: Final = ";"  # of genes in a cell; it is part of no id
_JOINT: Final = "+"  # of the genes of one strain
_SEPARATORS: Final = ("|", _JOINT, ",", " ")
_KNOWN_SEPARATORS: Final = ("/", "&", ":")  # only between names that are all known
_UNDERSCORE: Final = "_"  # likewise, and only if the whole is unknown
_CONTROLS: Final = frozenset({"ctrl", "control", "wt", "wildtype", "nontargeting"})
HO_NOTE: Final = "control locus YDL227C (HO) in double-mutant strains, no deletion"
CONTROL_NOTE: Final = "controls (ctrl, WT, ..), no deletion"

_SUFFIX = re.compile(r"_(?:(dma|sn|tsa|tsq|damp|tm)\d*|(s)\d+)$", re.IGNORECASE)
_DELETION, _TS, _DAMP, _OTHER = range(len(schema.ALLELES))
_KIND = {"tsa": _TS, "tsq": _TS, "damp": _DAMP, "s": _OTHER}  # any other suffix, or none, is a deletion
_DOUBLE: Final = "tm"

_DATABASE = re.compile(r"[a-z]{2,4}\|")
_PLAIN = re.compile(r"[^\s|+,/&:_]*")
_MONTH = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_DATE = re.compile(
    rf"\d{{1,2}}[-/ .]{_MONTH}(?:[-/ .]\d{{2,4}})?|{_MONTH}[-/ .]\d{{1,4}}|\d{{4}}-\d\d-\d\d(?: 00:00:00)?",
    re.IGNORECASE,
)


class Strain(NamedTuple):
    """What a strain id or a cell of genes stands for.

    Attributes
    ----------
    genes : tuple of (str, int)
        Name and index into `schema.ALLELES`; empty for a control. A name is empty if that part of the text is.
    notes : tuple of str
        What was removed, for the report.
    """

    genes: tuple[Gene, ...]
    notes: tuple[str, ...] = ()


def strip_strain(strain: str) -> tuple[str, str]:
    """Split a strain id into systematic name and kind of suffix (empty if there is none).

    Examples
    --------
    >>> strip_strain("YAL041W_tsq532")
    ('YAL041W', 'tsq')
    """
    match = _SUFFIX.search(strain)
    return (strain[: match.start()], (match.group(1) or match.group(2)).lower()) if match else (strain, "")


def is_control(name: str) -> bool:
    """Whether a name stands for a strain or guide without a deletion.

    Examples
    --------
    >>> is_control("ctrl"), is_control("Wild type"), is_control("HO")
    (True, True, False)
    """
    return re.sub(r"[-_ ]", "", name).lower() in _CONTROLS


def is_date(name: str) -> bool:
    """Whether a name is one that a spreadsheet program turned into a date, such as `1-Sep` or `2024-03-01 00:00:00`."""
    return bool(_DATE.fullmatch(name))


def parse_strain(
    strain: str, allele: str = "", query: bool = False, in_list: bool = False, is_gene: IsGene | None = None
) -> Strain:
    """Genes of a strain with their kind of allele.

    The id of a double-mutant strain does not tell its kinds of allele. They are deletions, unless the name of the
    allele (in `allele`, names joined by `+`) is that of a point mutation such as `tfc3-g349e`, which is of kind
    `other`.

    Parameters
    ----------
    strain : str
    allele : str
        Names of the alleles.
    query : bool
        Whether the strain is one gene of a double-mutant query with its genes in separate columns.
    in_list : bool
        Whether the strain stands in a list of genes; HO is then the control locus only in the id of a query strain.
    is_gene : callable, optional
        Whether the cell graph knows a name.

    Examples
    --------
    >>> parse_strain("YAL015C+YOL043C_tm72").genes
    (('YAL015C', 0), ('YOL043C', 0))
    >>> parse_strain("YAL015C+YDL227C_tm72").genes  # with the neutral control locus
    (('YAL015C', 0),)
    """
    if _PLAIN.fullmatch(strain) and not query and not is_control(strain):
        return Strain(((strain, _DELETION),))
    parts = [part.strip() for part in strain.split(_JOINT)]
    are_known = len(parts) > 1 and is_gene is not None and all(_is_known(part, is_gene) for part in parts)
    if is_gene is not None and not query and not are_known and is_gene(strain):
        return Strain(((strain, _DELETION),))
    is_double = query or len(parts) > 1
    has_control = is_double and (not in_list or strip_strain(parts[-1])[1] == _DOUBLE)
    alleles = [name.strip() for name in allele.lower().split(_JOINT)] if is_double else []
    genes: list[Gene] = []
    notes: list[str] = []
    for k, part in enumerate(parts):
        is_known = is_gene is not None and (len(parts) > 1 or query) and is_gene(part)
        name, suffix = (part, "") if is_known else strip_strain(part)
        if suffix:
            notes.append(f"strain suffixes _{suffix} removed")
        if has_control and name.upper() == CONTROL:
            notes.append(HO_NOTE)
        elif is_control(name) and not is_known:
            notes.append(CONTROL_NOTE)
        elif len(alleles) == len(parts):
            is_mutation = "-" in alleles[k] and alleles[k] != name.lower()
            genes.append((name, _OTHER if is_mutation else _DELETION))
        else:
            genes.append((name, _KIND.get(suffix, _DELETION)))
    return Strain(tuple(genes), tuple(notes))


def parse_genes(cell: str, is_gene: IsGene | None = None) -> Strain:
    """The genes of a cell that may list several of them.

    Parameters
    ----------
    cell : str
        Names or strain ids, joined by `;`, or by a vertical bar, `+`, a comma or white space if there is no `;`.
    is_gene : callable, optional
        Whether the cell graph knows a name.

    Examples
    --------
    >>> [name for name, _ in parse_genes("ADE5,7;TFC3").genes], [name for name, _ in parse_genes("TFC1, TFC3").genes]
    (['ADE5,7', 'TFC3'], ['TFC1', 'TFC3'])
    >>> parse_genes("TFC3+ctrl").genes, parse_genes("fig|83333.1.peg.4").genes
    ((('TFC3', 0),), (('fig|83333.1.peg.4', 0),))
    """
    strains = [
        parse_strain(part, in_list=True, is_gene=is_gene) for part in map(str.strip, _split(cell, is_gene)) if part
    ]
    genes = tuple(gene for strain in strains for gene in strain.genes if gene[0])
    return Strain(genes, tuple(note for strain in strains for note in strain.notes))


def _split(cell: str, is_gene: IsGene | None) -> Sequence[str]:
    """The parts of a cell at the separator that separates genes; those of `+` stay together, see `parse_strain`."""
    if SEPARATOR in cell:
        return cell.split(SEPARATOR)
    if _PLAIN.fullmatch(cell) or is_control(cell):
        return [cell]
    separators = [s for s in _SEPARATORS if _may_split(cell, s)]
    best = separators[0] if separators else ""
    if is_gene is not None:
        whole = is_gene(cell)
        more = [s for s in (*_KNOWN_SEPARATORS, *([] if whole else [_UNDERSCORE])) if _may_split(cell, s)]
        shares = {s: _known_share(cell, s, is_gene) for s in (*separators, *more)}
        complete = [s for s, share in shares.items() if share == 1]
        if complete or whole:
            best = complete[0] if complete else ""
        else:
            best = max(separators, key=lambda s: shares[s], default="")
    return [cell] if best in ("", _JOINT) else _parts(cell, best)


def _parts(cell: str, separator: str) -> list[str]:
    return [part.strip() for part in (cell.split() if separator == " " else cell.split(separator))]


def _may_split(cell: str, separator: str) -> bool:
    """Whether a separator that occurs in a cell may separate genes."""
    parts = _parts(cell, separator)
    are_numbers = [part.replace(".", "").isdigit() for part in parts]
    return (
        len(parts) > 1
        and all(are_numbers) == any(are_numbers)  # the comma in ADE5,7 belongs to the name
        and not (separator == "|" and _DATABASE.match(cell))
        and not (separator == " " and any(part[0] in "([" for part in parts))
    )


def _known_share(cell: str, separator: str, is_gene: IsGene) -> float:
    parts = _parts(cell, separator)
    return sum(_is_known(part, is_gene) for part in parts) / len(parts)


def _is_known(part: str, is_gene: IsGene) -> bool:
    return bool(part) and (is_control(part) or is_gene(part) or is_gene(strip_strain(part)[0]))
