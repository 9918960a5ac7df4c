"""Cells of gene lists: names, references to databases, and what a spreadsheet program makes of names."""

from __future__ import annotations

import re
from typing import Final

from dglcell.readers import text_files

UNIPROT: Final = r"(?:[OPQ]\d[A-Z0-9]{3}\d|[A-NR-Z]\d(?:[A-Z][A-Z0-9]{2}\d){1,2})"  # uniprot.org/help/accession_numbers
_BLANK: Final = frozenset({"-", "--", ".", "?"})
_BAR: Final = r"(?<!\bfig)(?<!\bgi)(?<!\bref)(?<!\bgb)(?<!\blcl)(?<!\bgnl)\|"  # not that in fig|1219067.16.peg.12
_LIST: Final = re.compile(rf"\s*(?:{_BAR}|;)\s*")
_COMMAS: Final = re.compile(r"\s*,\s+|\s+,\s*|(?<!\d),|,(?!\d)")  # not that in ADE5,7
_NAME_WORD: Final = re.compile(r"(?=\S*[\dA-Z])[\w.()'/:,-]+")
_PREFIX: Final = re.compile(r"(?:gene|GeneID|locus)[:-]", re.IGNORECASE)
_VERSION: Final = re.compile(r"(ENS[A-Z]*G\d{11})\.\d+(?:_PAR_Y)?")
_GENE_DATABASE: Final = re.compile(
    r"uniprot.*|swiss-?prot|(?:sp_)?trembl|.*geneid|ncbi[ _]?gene|entrez.*|ensembl.*|sgd|cgd|pombase|hgnc|mgi|rgd|"
    r"flybase|wormbase|wb|zfin|xenbase|tair|araport|ecocyc|ecogene|asap|refseq|alliancegenome|kegg",
    re.IGNORECASE,
)
_ENTREZ: Final = re.compile(r".*geneid|ncbi[ _]?gene|entrez.*", re.IGNORECASE)
_MONTHS: Final = "Jan Feb Mar Mrz Apr May Mai Jun Jul Aug Sep Sept Oct Okt Nov Dec Dez"
_MONTH: Final = f"(?:{_MONTHS}|{_MONTHS.upper()})".replace(" ", "|")
_DATE: Final = re.compile(
    rf"\d{{1,2}}(?:[-. ]|\. ){_MONTH}\.?(?:[-. ](?:\d\d|\d{{4}}))?|"  # 1-Sep, 1. Sep, 01-MAR-2024
    rf"{_MONTH}[-. ](?:0\d|1\d|2\d|\d{{4}})|"  # MAR-01, Oct-01; DEC-1 and SEP-53 are names
    r"(?:19|20)\d\d-[01]\d-[0-3]\d(?:[ T][\d:.]+)?|"  # a date in a workbook
    r"\d{1,2}(?:/\d{1,2}/(?:\d\d|\d{4})|\.\d{1,2}\.(?:19|20)\d\d)"
)
_FIGURE: Final = re.compile(r"\d[.,]?\d*[Ee]\+\d+|(?=\d{12})\d+0{6}(?:\.0)?")  # 2310009E13 becomes 2.31E+13


def is_blank(cell: str) -> bool:
    """Whether a cell holds no name."""
    return text_files.is_missing(cell) or cell in _BLANK


def split_names(cell: str, separators: str | None = None) -> list[str]:
    """The names in a cell, without blank ones.

    Parameters
    ----------
    cell : str
    separators : str, optional
        Characters between names; by default bars and semicolons or, if there are none, commas or, if there are none
        and all words look like names of genes, spaces.

    Examples
    --------
    >>> split_names("FUN24|TSV115"), split_names("ADE5,7, ADE8"), split_names("thrA thrA1 b0002")
    (['FUN24', 'TSV115'], ['ADE5,7', 'ADE8'], ['thrA', 'thrA1', 'b0002'])
    >>> split_names("ribosomal protein S14"), split_names("fig|83333.1.peg.2"), split_names("8813,1595")
    (['ribosomal protein S14'], ['fig|83333.1.peg.2'], ['8813', '1595'])
    """
    if separators is not None:
        parts = re.split(f"[{re.escape(separators)}]", cell) if separators else [cell]
    else:
        parts = _LIST.split(cell)
        if len(parts) == 1:
            is_list_of_numbers = re.fullmatch(r"\d+(?:,\d+)+", cell)
            parts = cell.split(",") if is_list_of_numbers else _COMMAS.split(cell)
        if len(parts) == 1 and all(map(_NAME_WORD.fullmatch, words := cell.split())):
            parts = words
    return [name for part in parts if not is_blank(name := part.strip())]


def gene_id(cell: str) -> str:
    """The id of a gene without a prefix (`gene:`) and the version of Ensembl.

    Examples
    --------
    >>> gene_id("gene:YAL001C"), gene_id("ENSG00000000419.14"), gene_id("8639.1")
    ('YAL001C', 'ENSG00000000419', '8639.1')
    """
    return _VERSION.sub(r"\1", _PREFIX.sub("", cell, count=1))


def accession(reference: str) -> str:
    """The name of a gene or its protein in a reference to a database, `DATABASE:ACCESSION`; empty for other references.

    Numbers are read from references to NCBI Gene alone, because numbers of several databases cannot be told apart.

    Examples
    --------
    >>> accession("UniProtKB/Swiss-Prot:P0AD86"), accession("GeneID:944742"), accession("MIM:138670")
    ('P0AD86', '944742', '')
    >>> accession("HGNC:HGNC:3005"), accession("AllianceGenome:SGD:S000000001"), accession("InterPro:IPR000001")
    ('HGNC:3005', 'S000000001', '')
    """
    database, colon, name = reference.strip().partition(":")
    if not colon:
        return database if re.fullmatch(UNIPROT, database) else ""
    if not _GENE_DATABASE.fullmatch(database):
        return ""
    if name.isdigit():
        return name if _ENTREZ.fullmatch(database) else ""
    inner, colon, rest = name.partition(":")
    if colon and not rest.isdigit() and _GENE_DATABASE.fullmatch(inner):
        return rest
    return "" if " " in name else name


def spreadsheet_damage(cell: str) -> str:
    """What a spreadsheet program has made of a name, `a date` or `a number`; empty if nothing.

    Examples
    --------
    >>> spreadsheet_damage("1-Sep"), spreadsheet_damage("MAR-01"), spreadsheet_damage("2.31E+13")
    ('a date', 'a date', 'a number')
    >>> [spreadsheet_damage(name) for name in ("SEPT9", "MAR1", "sep-1", "DEC-1", "b0002", "8813", "1E4")]
    ['', '', '', '', '', '', '']
    """
    if _DATE.fullmatch(cell):
        return "a date"
    return "a number" if _FIGURE.fullmatch(cell) else ""
