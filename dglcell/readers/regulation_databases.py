"""The layouts of databases of regulation, part of `network_layouts.LAYOUTS`."""

from __future__ import annotations

from typing import Final

from dglcell.readers.edge_table import REGULATORY
from dglcell.readers.network_layout import OTHER_NAMES, Keep, NetworkLayout
from dglcell.readers.tables.layout import ANY

_SIGN_CELL: Final = (
    r"(?i:[+-]|\+-|-\+|\?|activat\w*|repress\w*|inhibit\w*|dual|unknown|positive|negative)"  # not a number
)
REGULATION: Final = (
    NetworkLayout(
        name="RegulonDB, release 11 or later",
        reads="transcription factor, target and sign",
        example="1)regulatorId\t2)regulatorName\t3)RegulatorGeneName\t4)regulatedId\t5)regulatedName\t6)function\t"
        "7)confidenceLevel\nRDBECOLIPDC00328\tAcrR\tacrR\tRDBECOLIGNC00012\tacrA\t-\tS\n",
        columns={
            "gene_1": r"\d*(regulatorgenename|tfgenename)",
            "gene_2": r"\d*(regulated(gene)?name|genename|targetgenename)",
            "symbol_1": r"\d*(regulatorname|tfname)",
            "accession_1": r"\d*(regulatorid|tfid)",
            "accession_2": r"\d*(regulatedid|geneid)",
            "sign": r"\d*(function|effect|rifunction)",
        },
        optional=("gene_1", *OTHER_NAMES),
        kinds=(REGULATORY,),
        source="regulondb.ccg.unam.mx, NetworkRegulatorGene, NetworkTFGene",
    ),
    NetworkLayout(
        name="RegulonDB",
        reads="transcription factor, target and sign",
        example="# (1) Transcription Factor (TF) name\n# (2) Gene regulated\n# (3) Regulatory effect\n"
        "AcrR\tacrA\t-\t[BPP, GEA, HIBSCS]\tWeak\nArcA\taceE\t+-\t[GEA]\tWeak\n",
        positions={"gene_1": 0, "gene_2": 1, "sign": 2},
        cells={"gene_1": ANY, "sign": _SIGN_CELL},
        widths=(4, 5, 6, 7),
        kinds=(REGULATORY,),
        source="regulondb.ccg.unam.mx, network_tf_gene.txt; TRRUST",
    ),
    NetworkLayout(
        name="RegulonDB with ids",
        reads="transcription factor, target and sign",
        example="# (1) TF id\n# (2) TF name\n# (3) gene id\n# (4) gene name\n# (5) effect\n"
        "ECK120011190\tAcrR\tECK120001685\tacrA\t-\t[BPP]\tWeak\nECK120011190\tAcrR\tECK120001686\tacrB\t+\t[BPP]\tWeak\n",
        positions={"accession_1": 0, "gene_1": 1, "accession_2": 2, "gene_2": 3, "sign": 4},
        cells={"accession_1": r"ECK\w+|RDB\w+", "accession_2": r"ECK\w+|RDB\w+", "sign": _SIGN_CELL},
        widths=(5, 6, 7, 8),
        kinds=(REGULATORY,),
        source="regulondb.ccg.unam.mx",
    ),
    NetworkLayout(
        name="SGD regulation",
        reads="regulator, target and direction",
        example="Regulator\tRegulator Systematic Name\tTarget\tTarget Systematic Name\tDirection\tEvidence\n"
        "ABF1\tYKL112W\tACS1\tYAL054C\tpositive regulation\tChIP\n",
        columns={
            **{"gene_1": "regulatorsystematicname", "gene_2": "targetsystematicname"},
            **{"symbol_1": "regulator(gene)?", "symbol_2": "target(gene)?", "sign": "direction"},
        },
        optional=(*OTHER_NAMES, "sign"),
        kinds=(REGULATORY,),
        source="yeastgenome.org, Regulation",
    ),
    NetworkLayout(
        name="YeastMine regulators",
        reads="regulator, target and direction",
        example="Regulators.primaryIdentifier\tGene.secondaryIdentifier\tDirection\n"
        "YKL112W\tYAL054C\tpositive\nYKL112W\tYGL234W\tnegative\n",
        columns={
            "gene_1": r"(gene)?(regulators?|factor)(gene)?(secondaryidentifier|systematicname)",
            "gene_2": r"(genes?|target(gene)?s?)(secondaryidentifier|systematicname)",
            "symbol_1": r"(gene)?(regulators?|factor)(gene)?(symbol|standardname)",
            "symbol_2": r"(genes?|target(gene)?s?)(symbol|standardname)",
            "accession_1": r"(gene)?(regulators?|factor)(gene)?(primaryidentifier|primarydbid)",
            "accession_2": r"(genes?|target(gene)?s?)(primaryidentifier|primarydbid)",
            "sign": r"(regulat(ors?|ion|orysummary))?(regulation)?direction",
        },
        optional=("gene_1", "gene_2", *OTHER_NAMES, "sign"),
        kinds=(REGULATORY,),
        source="yeastmine.yeastgenome.org",
    ),
    NetworkLayout(
        name="SIGNOR",
        reads="rows whose mechanism is transcriptional regulation; the effect as sign",
        example="ENTITYA\tTYPEA\tIDA\tENTITYB\tTYPEB\tIDB\tEFFECT\tMECHANISM\tTAX_ID\n"
        "TP53\tprotein\tP04637\tCDKN1A\tprotein\tP38936\tup-regulates quantity by expression\t"
        "transcriptional regulation\t9606\n"
        "CDK1\tprotein\tP06493\tTP53\tprotein\tP04637\tup-regulates activity\tphosphorylation\t9606\n",
        columns={
            **{"gene_1": "entitya", "gene_2": "entityb", "accession_1": "ida", "accession_2": "idb"},
            **{"sign": "effect", "type": "mechanism", "taxon": "taxid"},
        },
        optional=(*OTHER_NAMES, "taxon"),
        keep={"type": Keep("transcriptional regulation", r"transcription.*")},
        kinds=(REGULATORY,),
        source="signor.uniroma2.it",
    ),
    NetworkLayout(
        name="DoRothEA",
        reads="transcription factor, target and mode of regulation (mor); the levels A to E are not read",
        example="tf,confidence,target,mor\nADNP,D,ATF7IP,1\nADNP,D,DYRK1A,-1\n",
        columns={"gene_1": "tf|source", "gene_2": "target", "level": "confidence", "sign": "mor|weight"},
        kinds=(REGULATORY,),
        source="saezlab.github.io/dorothea",
    ),
)
