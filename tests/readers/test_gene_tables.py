"""Gene lists as tables: which column is the id, what is left out, and what is no gene list."""

from __future__ import annotations

import datetime

import openpyxl
import pytest

import dglcell
from dglcell.errors import DataError, DglcellWarning
from dglcell.readers.genes import read_genes
from dglcell.readers.tables.column_map import ColumnMap

SWAPPED = ("YAL001C YAL002W YAL008W", {"tfc3": "YAL001C", "vps8": "YAL002W", "fun14": "YAL008W"})
VERSIONS = ("ENSG00000000419", dict.fromkeys(("ensg00000000419.14", "dpm1"), "ENSG00000000419"))
GENE_INFO = "#tax_id\tGeneID\tSymbol\tLocusTag\tSynonyms\tdbXrefs\tdescription\ttype_of_gene\n"


def names_of(genes):
    """Each name with the ids that it may stand for, joined by spaces."""
    return {name: " ".join(ids) for name, ids in genes.aliases.items()}


@pytest.mark.parametrize(
    ("text", "ids", "names"),
    [
        ("Standard name,ORF\nTFC3,YAL001C\n,YAL002W\n", "YAL001C YAL002W", {"tfc3": "YAL001C"}),
        ("Gene > Systematic Name\tGene > Symbol\nYAL001C\tTFC3\n", "YAL001C", {"tfc3": "YAL001C"}),
        ("gene;name;synonyms\nb0002;thrA;thrA1, thrA2\n", "b0002", dict.fromkeys(("thra", "thra1", "thra2"), "b0002")),
        ("locus_tag aliases\nb0002 thrA|thrD\n", "b0002", {"thra": "b0002", "thrd": "b0002"}),
        ('"","gene_id","symbol"\n"1","A-1","ADE5,7"\n', "A-1", {"ade5,7": "A-1"}),  # as R writes it
        ("Gene stable ID version,Gene stable ID,Gene name\nENSG00000000419.14,ENSG00000000419,DPM1\n", *VERSIONS),
        ("Genes of the lab\n\n# 2024\nGene\tAlias\nA\tx\nB\t-\n", "A B", {"x": "A"}),
        ("TFC3\tYAL001C\nVPS8\tYAL002W\nFUN14\tYAL008W\n", *SWAPPED),
        ("YAL001C;TFC3\nYAL002W;VPS8\n", "YAL001C YAL002W", {"tfc3": "YAL001C", "vps8": "YAL002W"}),
        ("YAL001C TFC3\nYAL002W VPS8\nYAL037W\n", "YAL001C YAL002W YAL037W", {"tfc3": "YAL001C", "vps8": "YAL002W"}),
        ("ORF;Gene;Description\nYAL001C;TFC3;x\n", "YAL001C", {"tfc3": "YAL001C"}),
        ("gene,symbol\nb0002,thrA\n", "b0002", {"thra": "b0002"}),
        (
            "JW_id,ECK number,Gene,b number\nJW1,ECK2,thrA,b0002\n",
            "b0002",
            dict.fromkeys(("jw1", "eck2", "thra"), "b0002"),
        ),
        ("ORF\tSymbol\tGene name\nYAL001C\tTFC3\tTranscription factor C\n", "YAL001C", {"tfc3": "YAL001C"}),
        ("fig|1219067.16.peg.12\nfig|1219067.16.peg.13\n", "fig|1219067.16.peg.12 fig|1219067.16.peg.13", {}),
        ("gene_id\tname\tsynonyms\nA\tx\tfig|9.1.peg.1|y\n", "A", {"x": "A", "fig|9.1.peg.1": "A", "y": "A"}),
        ("# gene list made by hand\nA\nB\n", "A B", {}),
    ],
)
def test_the_column_of_ids(write, text, ids, names):
    genes = read_genes(write(text))
    assert " ".join(genes.ids) == ids
    assert names_of(genes) == names


def test_columns_that_the_user_names(write):
    path = write("strain\tcode\tother\tnote\nx1\tA\ta1;a2\tfirst\nx2\tB\t\tsecond\n")
    with pytest.raises(DataError, match=r"'strain', 'code', 'other', 'note'\) .*for example columns=\"gene="):
        read_genes(path)
    genes = read_genes(path, maps=[ColumnMap.parse("gene=code,name=1,aliases=other,description=note")])
    assert genes.ids == ("A", "B")
    assert names_of(genes) == {"x1": "A", "a1": "A", "a2": "A", "x2": "B"}
    assert genes.descriptions == {"A": "first", "B": "second"}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("gene\tessential\nYAL001C\tyes\nYAL002W\tno\n", "genes.txt:1: 'gene', 'essential' - .*columns=\"gene=gene\""),
        (
            "yorf\n" + "".join(f"YAL0{k}C\n" for k in range(10, 20)),
            ":1: 'yorf' - genes were expected, not names",
        ),
    ],
)
def test_an_unknown_header_is_no_gene(write, text, what):
    with pytest.raises(DataError, match=what):
        read_genes(write(text))
    name = text.split()[0]
    assert name not in read_genes(write(text), maps=[ColumnMap.parse(f"gene={name}")]).ids
    assert "HO" in read_genes(write("HO\nADE1\nADE2\n")).ids


def test_what_is_not_read_is_in_the_report(write):
    text = "Systematic name\tName\tEssential\nA\tx\tyes\nA\ty\tyes\nB\tz\tno\n"
    with pytest.warns(DglcellWarning, match="1 of 4 rows have no gene id and are left out"):
        genes = read_genes(write(text + "\tw\tno\n"))
    assert names_of(genes) == {"x": "A", "y": "A", "z": "B"}
    assert genes.report == {
        "layout of genes.txt": "gene table, systematic names (ids: Systematic name)",
        "columns of genes.txt that are not read": "Essential",
        "further rows of a gene, merged": 1,
        "rows without a gene id, left out": 1,
        "genes": 2,
        "names and aliases": 3,
    }


@pytest.mark.parametrize(
    ("kind", "rest"),
    [
        ("gtf", 'gene_id "b0002"; gene_name "thrA"; db_xref "UniProtKB/Swiss-Prot:P00561"; db_xref "GeneID:945803";'),
        ("gff", "ID=cds-1;locus_tag=b0002;gene=thrA;Dbxref=UniProtKB/Swiss-Prot:P00561,GeneID:945803,InterPro:IPR1"),
    ],
)
def test_genes_of_an_annotation_without_rows_of_genes(write, kind, rest):
    rows = f"U00096\tx\tCDS\t337\t1000\t.\t+\t0\t{rest}\nU00096\tx\tCDS\t1100\t2799\t.\t+\t0\t{rest}\n"
    genes = read_genes(write(rows, f"genes.{kind}"))
    assert names_of(genes) == dict.fromkeys(("thra", "p00561", "945803"), "b0002")
    assert genes.intervals == {"b0002": [("U00096", 337, 2799)]}
    assert genes.report["genes of features other than gene"] == 1


def test_versions_and_prefixes_of_ensembl(write):
    text = (
        'chr1\tH\tgene\t1\t9\t.\t+\t.\tgene_id "ENSG00000000419.14"; gene_name "DPM1";\n'
        'chr1\tH\tgene\t21\t29\t.\t+\t.\tgene_id "ENSG00000182378.15_PAR_Y"; gene_name "PLCXD1";\n'
    )
    genes = read_genes(write(text))
    assert genes.ids == ("ENSG00000000419", "ENSG00000182378")
    assert genes.resolve("ENSG00000000419.13") == "ENSG00000000419"


DATES = ("1-Sep", "01-Mar", "MAR-01", "Oct-01", "1. Okt", "Sep-2009", "2024-09-01", "9/1/2024")
NUMBERS = ("2.31E+13", "2,31E+13", "1E+05", "23100090000000000000")


@pytest.mark.parametrize("damaged", [*DATES, *NUMBERS])
def test_ids_that_a_spreadsheet_changed_are_refused(write, damaged):
    kind = "a date" if damaged in DATES else "a number"
    with pytest.raises(DataError) as caught:
        read_genes(write(f"gene\tname\nSEPT9\tx\n{damaged}\ty\n"))
    assert f"genes.txt:3: '{damaged}' is {kind}: a spreadsheet program has changed names" in str(caught.value)
    assert "restore the original names" in str(caught.value)


def test_dates_of_a_workbook_are_refused(tmp_path):
    book = openpyxl.Workbook()
    for cell in ("gene", "SEPT9", datetime.datetime(2024, 9, 1), 2.31e13):
        book.active.append([cell])
    book.save(tmp_path / "genes.xlsx")
    with pytest.raises(DataError, match=r"genes.xlsx:3: '2024-09-01 00:00:00' is a date; 4: '\S+' is a number"):
        read_genes(tmp_path / "genes.xlsx")


def test_real_ids_are_no_dates(write):
    ids = [
        "MAR1",
        "SEPT9",
        "DEC-1",
        "sep-1",
        "dec-11",
        "OCT4",
        "1E4",
        "12-2",
        "8639.1",
        "b0001",
        "APR3",
        "JUN",
        "Mar-5a",
    ]
    assert read_genes(write("\n".join(ids))).ids == tuple(sorted(ids))


def test_other_names_that_a_spreadsheet_changed_are_left_out(write):
    with pytest.warns(DglcellWarning, match=r":3: '01-Oct' is a date: .* left out; restore the original names"):
        genes = read_genes(write("Systematic_name\tStandard_name\nYAL001C\tTFC3\nYAR003W\t01-Oct\n"))
    assert (genes.ids, names_of(genes)) == (("YAL001C", "YAR003W"), {"tfc3": "YAL001C"})
    assert genes.report["names that a spreadsheet program has changed, left out"] == 1


def test_one_organism_of_several(write):
    rows = "9606\t1\tA1BG\t-\t-\t-\tx\tprotein-coding\n9606\t2\tA2M\t-\t-\t-\tx\tprotein-coding\n"
    path = write(GENE_INFO + rows + "10090\t11287\tPzp\t-\tA2m\tMGI:MGI:87854\tx\tprotein-coding\n")
    with pytest.warns(DglcellWarning, match="2 organisms: 2 rows of 3 are of 9606 and are read .* .10090"):
        genes = read_genes(path)
    assert (genes.ids, genes.report["rows of organisms other than 9606, left out"]) == (("1", "2"), 1)
    assert read_genes(path, "10090").ids == ("11287",)
    assert names_of(read_genes(path, "10090")) == {"pzp": "11287", "a2m": "11287", "mgi:87854": "11287"}
    with pytest.raises(DataError, match='has no genes of taxon="4932" - it has those of 10090, 9606'):
        read_genes(path, "4932")
    with pytest.raises(DataError, match=r"genes of 3 organisms \(9606, 10090, 7227\) - give one of them as taxon"):
        read_genes(write(path.read_text() + "7227\t5\tw\t-\t-\t-\tx\tother\n"))


def test_a_laboratory_strain_is_its_species(write):
    path = write(GENE_INFO + "559292\t1\tTFC3\tYAL001C\t-\t-\tx\tprotein-coding\n9606\t2\tA2M\t-\t-\t-\tx\tother\n")
    genes = read_genes(path, "4932")
    assert (genes.ids, genes.report["rows of organisms other than 4932, left out"]) == (("YAL001C",), 1)


def test_regions_of_gene_info_are_no_genes(write):
    rows = "9606\t1\tA1BG\t-\t-\t-\tx\tprotein-coding\n9606\t2\tLOC2\t-\t-\t-\tx\tbiological-region\n"
    genes = read_genes(write(GENE_INFO + rows))
    assert (genes.ids, genes.report["biological regions and new entries, left out"]) == (("1",), 1)


def test_cross_references_name_the_genes_of_other_files(write):
    features = "S1\tORF\tVerified\tYDL220C\tCDC13\tEST4\nS2\tORF\tVerified\tYDR082W\tSTN1\t\n"
    references = (
        "P32797\tEBI\tUniProt/Swiss-Prot ID\tYDL220C\tS000002379\tCDC13\n"
        "851306\tNCBI\tGene ID\tYDL220C\tS000002379\tCDC13\n"
        "31833\tBioGRID\tGene ID\tYDL220C\tS000002379\tCDC13\n"
        "P38960\tEBI\tUniProt/Swiss-Prot ID\tYDR082W\tS000002489\tSTN1\n"
    )
    paths = [write(references, "dbxref.tab"), write(features, "SGD_features.tab")]
    genes = read_genes(paths)
    assert genes.ids == ("YDL220C", "YDR082W")
    assert {name: genes.resolve(name) for name in ("P32797", "851306", "P38960", "EST4")} == {
        **{"P32797": "YDL220C", "851306": "YDL220C", "P38960": "YDR082W", "EST4": "YDL220C"}
    }
    assert genes.resolve("31833") is None
    assert genes.report["cross-references of other kinds, left out"] == 1
    with pytest.raises(DataError, match="names of genes that another file lists - give both files as genes"):
        read_genes(paths[:1])
    with pytest.raises(DataError, match=r"names no gene of the gene list \(in the file: YDL220C, .*gene list: A, B"):
        read_genes([paths[0], write("A\nB\n", "ids")])
    for files in (paths, list(map(str, paths))):
        cell = dglcell.build_cell(genes=files)
        assert (cell.ids["gene"], cell.resolve("P32797")) == (("YDL220C", "YDR082W"), 0)


def test_cross_references_that_only_other_rows_explain(write):
    references = "P34111\tGene_Name\tTFC3\nP34111\tGeneID\t851262\nP34111\tGene_OrderedLocusName\tYAL001C\n"
    genes = read_genes([write("YAL001C\n", "ids"), write(references)])
    assert names_of(genes) == dict.fromkeys(("tfc3", "851262", "p34111"), "YAL001C")


def test_a_uniprot_table_beside_a_gene_list_adds_no_genes(write):
    table = "Entry\tGene Names\nP34111\tTFC3 FUN24 YAL001C\nP00001\tXYZ1\n"
    with pytest.warns(DglcellWarning, match="1 of 2 rows is left out"):
        genes = read_genes([write(table), write("YAL001C\n", "ids")])
    assert genes.ids == ("YAL001C",)
    assert names_of(genes) == dict.fromkeys(("tfc3", "fun24", "p34111"), "YAL001C")
    assert read_genes(write(table)).ids == ("P00001", "P34111")


def test_members_of_complexes_are_found_by_their_accessions(write):
    """From cross-references to the edges of a relation."""
    features = "".join(f"S{k}\tORF\tVerified\t{g}\t\t\n" for k, g in enumerate(("YDL220C", "YDR082W", "YLR010C")))
    references = "".join(
        f"{name}\tEBI\tUniProt/Swiss-Prot ID\t{gene}\tS1\t\n"
        for name, gene in (("P32797", "YDL220C"), ("P38960", "YDR082W"), ("Q07921", "YLR010C"))
    )
    complexes = (
        "#Complex ac\tRecommended name\tTaxonomy identifier\tIdentifiers (and stoichiometry) of molecules in complex\t"
        "Expanded participant list\n"
        "CPX-15\tCST complex\t559292\tP32797(0)|P38960(0)|Q07921(0)\tP32797(0)|P38960(0)|Q07921(0)\n"
    )
    files = [write(features, "SGD_features.tab"), write(references, "dbxref.tab")]
    cell = dglcell.build_cell(genes=files, networks={"complexes": write(complexes, "559292.tsv")})
    assert cell.info()["pairs"]["complexes"] == 3


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("YAL001C\tYBR002W\nYBR002W\tYAL003C\n", r"a network \(YAL001C, YBR002W\) .*physical or regulatory.*columns="),
        ("b0001 b0002\nb0003 b0004\n", "a network"),
        ("TF1 G1\nTF1 ABC2\nTF1 XY3\nTF1 K44\nTF1 ZZZ\nTF1 b\n", "a network"),
        ("protein1 protein2 combined_score\n4932.A 4932.B 900\n", "a network .* give it as physical"),
        ("YAL001C pp YBR002W\nYAL001C pd YBR003W\n", "a network"),
        ("genes\tfitness\nA;B\t0.5\n", "a screen .* give it as screen"),
        ("A\ta\tB\tb\t-0.1\t0.02\t1e-5\nC\tc\tD\td\t0.2\t0.1\t0.1\n", "a screen"),
        ("A\t0.5\t0.25\nB\t1.5\t2\n", "a table of numbers .* give it as features"),
        (">YAL001C TFC3\nMVLTIYPDELV\n", r"sequences \(FASTA\) - a gene list was expected"),
        (">s\n" + "MVLTIYPDELV\n" * 9, r"sequences \(FASTA\)"),
        ("LOCUS       NC_000913\nDEFINITION  Escherichia\n", "a GenBank record"),
    ],
)
def test_what_is_no_gene_list_is_named(write, text, kind):
    with pytest.raises(DataError, match=f"genes.txt looks like {kind}") as caught:
        read_genes(write(text))
    assert "\n" not in str(caught.value)


def test_a_metabolic_model_is_named(write):
    with pytest.raises(DataError, match="is a metabolic model in SBML - a table was expected; give it as model"):
        read_genes(write("<?xml version='1.0' encoding='UTF-8'?>\n<sbml xmlns='x' level='3'>\n</sbml>\n"))
