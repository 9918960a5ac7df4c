"""The layouts of gene lists: annotations, name tables, exports of databases, cross-references.

A layout says which column holds the id of a gene, its names and its description; `genes` reads them. Columns of a
header are compared by their letters and digits (`tables.layout.normalize`).

Roles: `gene` or `gene_*` the id, `name` or `name_*` the standard name, `aliases` or `aliases_*` other names,
`description`, `type`, `taxon`, `chromosome`, `first`, `last`, and `attributes` of GFF3 and GTF.
"""

from __future__ import annotations

from typing import Final

from dglcell.errors import setting
from dglcell.readers.gene_cells import UNIPROT
from dglcell.readers.gene_layout import GeneLayout
from dglcell.readers.tables.layout import NUMBER, TEXT

_SYSTEMATIC: Final = (
    r"((?:gene)?(?:systematic(?:gene)?(?:names?|ids?)?|secondaryidentifier|(?:ordered)?locus(?:tags?|names?|ids?)?|"
    r"orfs?(?:names?|ids?)?|oln|sysname|bnum(?:ber)?s?|blattner(?:number|id)?|agi(?:code|locuscode)?))"
)
_ENSEMBL: Final = r"((?:gene)?stableid|genestableid|ensembl(?:gene)?(?:ids?)?|(?:gene)?ensgs?(?:id)?|geneensemblid)"
_GENE: Final = (
    r"(genes?|(?:ncbi|entrez)*(?:gene)?ids?|gene(?:primary)?identifier|primaryidentifier|gene|featureid|featurename)"
)
_SYMBOL: Final = (
    r"((?:(?:hgnc|mgi|official|approved)?(?:gene)?symbols?)|(?:gene)?(?:standard|common|preferred|primary)(?:gene)?names?|"
    r"genenames?(?:primary)?|(?:gene)?names?|genes?|uniprotkbgenenamesymbol)"
)
_NOT_A_NAME: Final = r"(?!.*(?:description|length|status|score|type|date|url|source|count))"
_ALIASES: Final = (
    _NOT_A_NAME + r"((?:gene)?alias(?:es|symbols?)?|(?:gene)?synonyms?|genenames?(?:synonyms?|orf)|"
    r"other(?:gene)?(?:names?|symbols?|ids?)?|prev(?:ious)?(?:gene)?symbols?|old(?:locustags?|names?|ids?)|dbxrefs?|jwid|eck(?:number|id)?|"
    r"(?:gene|transcript|protein|peptide)stableid(?:version)?|(?:gene)?(?:primaryidentifier|primarydbid)|entry|"
    r"(?:primary)?accessions?(?:number)?|(?:protein|transcript)ids?|geneids?|symbolfromnomenclatureauthority|"
    r".*(?:uniprot|swissprot|trembl|entrez|ncbigene|ensembl|ensg|ensp|enst|refseq|sgdid|hgncid|mgiid|ecocyc|ecogene).*)"
)
_DESCRIPTION: Final = (
    r"(?:gene|short|brief|concise|name|product)?(?:descriptions?|summary|desc)|(?:gene)?products?|proteinnames?|"
    r"approvedname|(?:gene)?fullnames?|genetitle|headline|annotation"
)
_COORDINATES: Final = {
    "chromosome": r"chromosome(?:scaffoldname|name|id)?|chrom?|chromosomeid",
    "first": r"(?:gene)?start(?:bp|position|coordinate)?",
    "last": r"(?:gene)?(?:end|stop)(?:bp|position|coordinate)?",
}
_TAXON: Final = r"taxid|ncbitaxonid|taxon(?:id|identifier)?|organismid"
_NAMES: Final = {
    "name_*": _SYMBOL,
    "aliases_*": _ALIASES,
    "description": _DESCRIPTION,
    **_COORDINATES,
    "taxon": _TAXON,
}
_OPTIONAL: Final = tuple(_NAMES)
_NO_FIGURE: Final = r"(?![+-]?\d*\.?\d+(?:[eE][+-]?\d+)?$)[^\t]*|\d{3,9}"  # no measured value; an Entrez id is a name


SGD: Final = GeneLayout(
    name="SGD_features.tab",
    reads="rows of type ORF: systematic name (4), standard name (5), aliases (6), position (9 to 11), description (16)",
    example="S000000057\tORF\tVerified\tYAL001C\tTFC3\tFUN24|TSV115\tchromosome 1\tL000000641|L000002287\t1\t151166\t"
    "147594\tC\t-1.0\t2000-05-19\t1996-07-31\tSubunit of RNA polymerase III transcription initiation factor complex\n"
    "S000030735\tCDS\t\t\t\t\tYAL001C\t\t1\t151166\t151097\tC\t\t2000-05-19\t1996-07-31\t\n"
    "S000000037\tORF\tUncharacterized\tYAL037W\t\t\tchromosome 1\t\t1\t74020\t74823\tW\t\t1996-07-31\t1996-07-31\t"
    "Putative protein of unknown function\n",
    positions={
        **{"sgdid": 0, "type": 1, "gene": 3, "name": 4, "aliases": 5},
        **{"chromosome": 8, "first": 9, "last": 10, "description": 15},
    },
    cells={"sgdid": r"[SL]\d*", "type": r"[A-Za-z]\w*(?: .*)?"},
    widths=range(6, 17),
    pads=True,
    kept={"type": "ORF"},
    others="features other than ORF, left out",
    separators="|",
    once=True,
    content="rows of type ORF",
    source="downloads.yeastgenome.org",
)
_GFF_POSITIONS: Final = {"chromosome": 0, "type": 2, "first": 3, "last": 4, "strand": 6, "attributes": 8}
_GFF_CELLS: Final = {"first": r"\d+", "last": r"\d+", "strand": "[-+.?]"}
GFF3: Final = GeneLayout(
    name="GFF3",
    reads="rows of type gene, or of other types if there are none: id (locus_tag, gene_id, ID), names (gene, Name, "
    "Alias, gene_synonym, Dbxref), position, description (description, product, Note, display)",
    example="##gff-version 3\n"
    "chrI\tSGD\tgene\t147594\t151166\t.\t-\t.\tID=YAL001C;Name=YAL001C;gene=TFC3;Alias=TFC3,FUN24;"
    "Note=Subunit%20of%20TFIIIC;dbxref=SGD:S000000001\n"
    "chrI\tSGD\tCDS\t147594\t151006\t.\t-\t1\tParent=YAL001C_mRNA;Name=YAL001C_CDS;protein_id=UniProtKB:P34111\n"
    "chrI\tSGD\tmRNA\t147594\t151166\t.\t-\t.\tID=YAL001C_mRNA;Parent=YAL001C\n",
    positions=_GFF_POSITIONS,
    cells=_GFF_CELLS,
    widths=(9,),
    end="##FASTA|>",
    others="features other than gene, left out",
    content="rows of type gene with an ID",
    source="github.com/The-Sequence-Ontology/Specifications",
)
GTF: Final = GeneLayout(
    name="GTF",
    reads="rows of type gene, or the genes of other rows if there are none: gene_id, gene_name, other names, position",
    example="#!genome-build R64-1-1\n"
    'I\tsgd\tgene\t147594\t151166\t.\t-\t.\tgene_id "YAL001C"; gene_name "TFC3"; gene_source "sgd";\n'
    'I\tsgd\texon\t147594\t151006\t.\t-\t.\tgene_id "YAL001C"; transcript_id "YAL001C_mRNA"; exon_number "1";\n',
    positions=_GFF_POSITIONS,
    cells={**_GFF_CELLS, "attributes": r'\w+ "[^"]*".*|(?:gene_id|transcript_id) .*'},
    widths=(9,),
    others="features other than gene, left out",
    content="rows with a gene_id",
    source="ensembl.org/info/website/upload/gff.html",
)
ANNOTATIONS: Final = (SGD, GTF, GFF3)

TABLES: Final = (
    GeneLayout(
        name="NCBI gene_info",
        reads="id: LocusTag, or GeneID where there is none; names: Symbol, GeneID, Synonyms, accessions of dbXrefs; "
        f"rows of one organism ({setting('taxon')})",
        example="#tax_id\tGeneID\tSymbol\tLocusTag\tSynonyms\tdbXrefs\tchromosome\tmap_location\tdescription\t"
        "type_of_gene\n"
        "559292\t851262\tTFC3\tYAL001C\tFUN24|TSV115\tSGD:S000000001\tI\t-\ttranscription factor TFIIIC subunit\t"
        "protein-coding\n"
        "559292\t851256\tMIR1\t-\t-\tMIM:138670\tI\t-\tno locus tag\tncRNA\n",
        columns={
            "taxon": "taxid",
            "gene_*": "(geneid|locustag)",
            "name_*": "(symbol)",
            "aliases_*": "(synonyms|dbxrefs|symbolfromnomenclatureauthority)",
            "description": "description",
            "type": "typeofgene",
        },
        optional=("aliases_*", "description", "type"),
        ids=("gene_locustag", "gene_geneid"),
        kept={"type": "(?!biological-region).*", "name_symbol": "(?!NEWENTRY).*"},
        others="biological regions and new entries, left out",
        source="ftp.ncbi.nlm.nih.gov/gene/DATA/GENE_INFO",
    ),
    GeneLayout(
        name="HGNC complete set",
        reads="id: symbol; names: hgnc_id, alias_symbol, prev_symbol, entrez_id, ensembl_gene_id, uniprot_ids; "
        "description: name",
        example="hgnc_id\tsymbol\tname\talias_symbol\tprev_symbol\tentrez_id\tensembl_gene_id\tuniprot_ids\n"
        'HGNC:3005\tDPM1\tdolichyl-phosphate mannosyltransferase subunit 1, catalytic\t"MPDS|CDGIE"\t\t8813\t'
        "ENSG00000000419\tO60762\n",
        columns={
            "gene_*": "(symbol|approvedsymbol)",
            "aliases_*": "(hgncid|(?:alias|prev|previous)symbols?|(?:ncbi|entrez).*id|(?:ensembl|uniprot).*)",
            "aliases_1": "hgncid",
            "description": "(?:approved)?name",
        },
        optional=("aliases_*", "description"),
        source="genenames.org/download",
    ),
    GeneLayout(
        name="Human-GEM genes.tsv",
        reads="id: genes; names: symbols, aliases, UniProt, Entrez and Ensembl ids; description: geneNames",
        example="genes\tgeneENSTID\tgeneENSPID\tgeneUniProtID\tgeneSymbols\tgeneEntrezID\tgeneNames\tgeneAliases\n"
        '"ENSG00000000419"\t"ENST00000466152;ENST00000371582"\t"ENSP00000507119"\t"O60762"\t"DPM1"\t"8813"\t'
        '"dolichyl-phosphate mannosyltransferase subunit 1, catalytic"\t"CDGIE;MPDS"\n',
        columns={
            "gene_*": "(genes)",
            "name_*": "(genesymbols)",
            "aliases_*": "(gene(?:enst|ensp|ensg|uniprot|entrez|aliases|.*id).*)",
            "description": "genenames",
        },
        optional=("aliases_*", "description"),
        source="github.com/SysBioChalmers/Human-GEM, model/genes.tsv",
    ),
    GeneLayout(
        name="identifiers, from and to",
        reads="names of genes in other files: to, of the gene in the column from",
        example="From\tEntry\tGene Names\nYAL001C\tP34111\tTFC3 FUN24\n",
        columns={"gene_*": "(from)", "aliases_*": "(to|entry|genenames?(?:primary)?)"},
        separators=" ;",
        refers=True,
        source="uniprot.org, ID mapping",
    ),
    GeneLayout(
        name="UniProt",
        reads="id: ordered locus name, or accession where there is none; names: gene names, accession. Beside a gene "
        "list: names of its genes",
        example="Entry\tReviewed\tEntry Name\tProtein names\tGene Names\tGene Names (ordered locus)\tOrganism (ID)\n"
        "P34111\treviewed\tTFC3_YEAST\tTranscription factor tau 138 kDa subunit\tTFC3 FUN24 TSV115 YAL001C\tYAL001C\t"
        "559292\n"
        "P39109\treviewed\tYCFI_YEAST\tMetal resistance protein YCF1\tYCF1\t\t559292\n",
        columns={
            "gene_*": "(genenames?orderedlocus|entry)",
            "name_*": "(genenames?(?:primary)?)",
            "aliases_*": "(genenames?(?:synonyms?|orf)|entryname|geneid)",
            "description": "proteinnames",
            "taxon": _TAXON,
            "accession": "entry",
        },
        optional=("name_*", "aliases_*", "description", "taxon"),
        ids=("gene_genenamesorderedlocus", "gene_genenameorderedlocus", "gene_entry"),
        separators=" ;/",
        refers=True,
        alone=True,
        source="uniprot.org, customized TSV",
    ),
    GeneLayout(
        name="STRING proteins",
        reads="id: protein without its taxon; names: preferred_name, alias; description: annotation",
        example="#string_protein_id\tpreferred_name\tprotein_size\tannotation\n"
        "4932.YAL001C\tTFC3\t1160\tTranscription factor tau 138 kDa subunit\n",
        columns={
            "gene_*": "(stringproteinid|proteinexternalid)",
            "name_*": "(preferredname)",
            "aliases_*": "(alias)",
            "description": "annotation",
        },
        optional=("name_*", "aliases_*", "description"),
        separators="",
        prefix=r"\d+\.(?=[A-Za-z])",
        source="string-db.org, protein.info and protein.aliases",
    ),
    GeneLayout(
        name="gene table, systematic names",
        reads="id: systematic name, locus tag or ORF; names, aliases and accessions; description",
        example="Systematic_name\tStandard_name\tAliases\nYAL001C\tTFC3\tFUN24|TSV115\nYAL037W\t\t\n",
        columns={"gene_*": _SYSTEMATIC, **_NAMES},
        optional=_OPTIONAL,
        source="SGD, Alliance and PomBase exports, YeastMine, yeast-GEM",
    ),
    GeneLayout(
        name="gene table, Ensembl ids",
        reads="id: Ensembl gene; names, synonyms and accessions; description; position",
        example="Gene stable ID\tGene name\tGene Synonym\tUniProtKB/Swiss-Prot ID\tNCBI gene (formerly Entrezgene) ID\n"
        "ENSG00000000419\tDPM1\tMPDS\tO60762\t8813\nENSG00000000419\tDPM1\tCDGIE\tO60762\t8813\n",
        columns={"gene_*": _ENSEMBL, **_NAMES},
        optional=_OPTIONAL,
        source="ensembl.org/biomart",
    ),
    GeneLayout(
        name="gene table",
        reads="id: gene or gene id; names, aliases and accessions; description",
        example='gene_id,symbol,aliases\nb0002,thrA,"thrA1, thrA2"\nb0003,thrB,\n',
        columns={"gene_*": _GENE, **_NAMES},
        optional=_OPTIONAL,
    ),
    GeneLayout(
        name="gene table, symbols",
        reads="id: symbol or gene name; aliases and accessions; description",
        example="Gene symbol;Synonyms\nDPM1;MPDS|CDGIE\n",
        columns={"gene_*": _SYMBOL, **{role: _NAMES[role] for role in _OPTIONAL if role != "name_*"}},
        optional=_OPTIONAL,
    ),
)
SGD_CROSS_REFERENCES: Final = GeneLayout(
    name="SGD dbxref.tab",
    reads="names of genes in other files: UniProt accessions, NCBI gene ids and RefSeq proteins",
    example="P34111\tEBI\tUniProt/Swiss-Prot ID\tYAL001C\tS000000001\tTFC3\n"
    "851262\tNCBI\tGene ID\tYAL001C\tS000000001\tTFC3\n"
    "2.7.11.1\tIUBMB\tEC number\tYAL017W\tS000000015\tPSK1\n",
    positions={"aliases": 0, "database": 1, "type": 2, "gene_1": 3, "sgdid": 4, "gene_2": 5},
    cells={"database": TEXT, "type": TEXT, "sgdid": r"[SL]\d+"},
    widths=(5, 6),
    pads=True,
    kept={"database": r"EBI|NCBI|RefSeq|.*UniProt.*", "type": r".*UniProt.*|Gene ID|RefSeq protein.*"},
    others="cross-references of other kinds, left out",
    separators="",
    refers=True,
    source="downloads.yeastgenome.org, curation/chromosomal_feature",
)
TWO_COLUMNS: Final = GeneLayout(
    name="two columns, id and name",
    reads="id and standard name, which may be blank; no header",
    example="YAL001C\tTFC3\nYAL002W\tVPS8\nYAL037W\t\n",
    positions={"gene": 0, "name": 1},
    cells={"gene": r"[^\s;]+", "name": _NO_FIGURE},
    widths=(2,),
    pads=True,
)
ONE_ID: Final = GeneLayout(
    name="one id per line",
    reads="gene ids, with or without a header",
    example="gene_id\nYAL001C\nYAL002W\n",
    columns={"gene_*": f"({_SYSTEMATIC}|{_ENSEMBL}|{_GENE}|{_SYMBOL})"},
    positions={"gene": 0},
    cells={"gene": r"[^\s;,>{<]+(?:,\d+\w?)?"},  # ADE5,7 is one name
    widths=(1,),
    once=True,
    content="gene ids",
)
PLAIN: Final = (
    SGD_CROSS_REFERENCES,
    GeneLayout(
        name="UniProt idmapping",
        reads="names of genes in other files: the UniProt accession of a locus, gene name or gene id",
        example="P34111\tGene_Name\tTFC3\nP34111\tGene_OrderedLocusName\tYAL001C\nP34111\tGeneID\t851262\n",
        positions={"aliases": 0, "type": 1, "gene": 2},
        cells={"aliases": UNIPROT + r"(?:-\d+)?", "type": r"[A-Za-z][\w-]*"},
        widths=(3,),
        kept={"type": "Gene_.*|GeneID|Ensembl.*|SGD|PomBase|CGD|HGNC|MGI"},
        others="cross-references of other kinds, left out",
        separators="",
        refers=True,
        source="ftp.uniprot.org, knowledgebase/idmapping",
    ),
    GeneLayout(
        name="KEGG list, two columns",
        reads="id without the code of the organism, names, description",
        example="eco:b0001\tthrL; thr operon leader peptide\neco:b0002\tthrA, thrA1; fused aspartate kinase\n",
        positions={"gene": 0, "name": 1},
        cells={"gene": r"[a-z]{3,4}:\S+", "name": TEXT},
        widths=(2,),
        prefix="[a-z]{3,4}:",
        separators=";,",
        source="rest.kegg.jp/list",
    ),
    GeneLayout(
        name="KEGG list",
        reads="id without the code of the organism, names, description",
        example="eco:b0001\tCDS\t190..255\tthrL; thr operon leader peptide\n"
        "eco:b0002\tCDS\t337..2799\tthrA, thrA1; fused aspartate kinase\n",
        positions={"gene": 0, "type": 1, "name": 3},
        cells={"gene": r"[a-z]{3,4}:\S+", "type": r"[A-Za-z]\w*"},
        widths=(4,),
        prefix="[a-z]{3,4}:",
        separators=";,",
        source="rest.kegg.jp/list",
    ),
    ONE_ID,
    TWO_COLUMNS,
)
LAYOUTS: Final = (*TABLES, *ANNOTATIONS, *PLAIN)
HEADER_NAME: Final = f"{_SYSTEMATIC}|{_ENSEMBL}|{_GENE}|{_SYMBOL}"
CUSTOM: Final = GeneLayout(
    name="columns as given",
    reads="the columns that are named",
    example="",
    columns=dict.fromkeys(("gene", "name", "aliases", "aliases_*", "description", "taxon"), ""),
    optional=("name", "aliases", "aliases_*", "description", "taxon"),
)
OTHERS: Final = (  # what else may be given by mistake
    GeneLayout(
        name="a screen",
        reads="",
        example="genes\tfitness\n",
        columns={"label_*": "(.*fitness.*|geneinteraction|geneticinteractionscore.*|[sd]mf|querystrainid|epsilon)"},
        option="screen",
    ),
    GeneLayout(
        name="a network",
        reads="",
        example="protein1 protein2 combined_score\n",
        columns={
            "first_*": "(protein1|itemida|.*interactora|source|genea|gene1|node1|tf|regulator|complexac)",
            "second_*": "(protein2|itemidb|.*interactorb|target|geneb|gene2|node2|identifiersandstoichiometry.*)",
        },
        option="physical",
    ),
    GeneLayout(
        name="a network",
        reads="",
        example="YAL001C pp YBR123C\n",
        positions={"first": 0, "kind": 1, "second": 2},
        cells={"first": TEXT, "kind": "[a-z]{2}|[a-z]+-[a-z]+", "second": TEXT},
        widths=(3,),
        option="physical",
    ),
    GeneLayout(
        name="a screen",
        reads="",
        example="YAL001C\tTFC3\tYAL002W\tVPS8\t-0.1\t0.02\t1e-5\n",
        positions={"gene": 0, "second": 2, "label": 4, "sd": 5},
        cells={"gene": TEXT, "second": TEXT, "label": NUMBER, "sd": NUMBER},
        widths=range(7, 14),
        option="screen",
    ),
    GeneLayout(
        name="a table of numbers",
        reads="",
        example="YAL001C\t1\t2\n",
        positions={"gene": 0, "value": 1},
        cells={"gene": TEXT, "value": r"[+-]?\d+[.,]?\d*(?:[eE][+-]?\d+)?"},
        widths=range(2, 100_000),
        option="features",
    ),
)
