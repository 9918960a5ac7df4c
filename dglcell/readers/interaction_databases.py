"""The layouts of databases of interactions and complexes, part of `network_layouts.LAYOUTS`."""

from __future__ import annotations

from typing import Final

from dglcell.errors import setting
from dglcell.readers.network_layout import (
    ACCESSIONS,
    MEMBERS,
    OTHER_NAMES,
    PSI_MI,
    TAXON_PREFIX,
    Keep,
    NetworkLayout,
)
from dglcell.readers.tables.layout import ANY

_GENETIC_SYSTEMS: Final = (
    "dosage growth defect|dosage lethality|dosage rescue|negative genetic|phenotypic enhancement|"
    "phenotypic suppression|positive genetic|synthetic growth defect|synthetic haploinsufficiency|"
    "synthetic lethality|synthetic rescue"
)
_BIOGRID = "BioGRID Interaction ID\tEntrez Gene Interactor A\tEntrez Gene Interactor B\t"
_PHYSICAL: Final = Keep("physical", r"physical.*")
_MITAB_COLUMNS: Final = {
    "negative": "negative",
    "gene_1": r"(unique)?ids?(entifiers?)?(for)?interactora|uida",
    "gene_2": r"(unique)?ids?(entifiers?)?(for)?interactorb|uidb",
    "symbol_1": r"alt(ernative)?(ids?)?(entifiers?)?(for)?interactora|alta",
    "symbol_2": r"alt(ernative)?(ids?)?(entifiers?)?(for)?interactorb|altb",
    "accession_1": r"alias(es)?(for)?(interactora|a)",
    "accession_2": r"alias(es)?(for)?(interactorb|b)",
    "taxon_1": r"(ncbi)?tax(id|onomyidentifier)?(interactor)?a",
    "taxon_2": r"(ncbi)?tax(id|onomyidentifier)?(interactor)?b",
    "type": r"interactiontypes?",
    "miscore": r"confidence(values?|scores?)?",
}
_MITAB_READS = (
    "interactions that are not genetic (and no colocalizations); of the identifiers, the locus name if there is one; "
    "intact-miscore as confidence"
)
_MITAB_KEEP = Keep("physical", r"(?!.*(genetic|suppress|synthetic|epistasis|enhance|phenotyp|colocal)).*")
_OBSERVED = Keep("false", r"false|-|")  # an interaction that was tested and not seen is `true`
_MITAB_ID = r"(?i:[a-z][\w /.()-]*:\S.*|-)"
_MITAB_EXAMPLE = (
    "entrez gene/locuslink:851262\tentrez gene/locuslink:852421\tbiogrid:31719|entrez gene/locuslink:TFC3|entrez "
    "gene/locuslink:YAL001C\tbiogrid:32824|entrez gene/locuslink:TFC1|entrez gene/locuslink:YBR123C\t-\t-\t"
    'psi-mi:"MI:0018"(two hybrid)\tA (1997)\tpubmed:9006895\ttaxid:559292\ttaxid:559292\tpsi-mi:"MI:0407"(direct '
    'interaction)\tpsi-mi:"MI:0463"(biogrid)\tbiogrid:1\t-\n'
)

INTERACTIONS: Final = (
    NetworkLayout(
        name="STRING actions",
        reads=f"rows of one mode ({setting('string_mode')}); score / 1000 as confidence",
        example="item_id_a\titem_id_b\tmode\taction\tis_directional\ta_is_acting\tscore\n"
        "4932.Q0045\t4932.Q0050\tbinding\t\tf\tf\t900\n4932.Q0045\t4932.Q0060\treaction\t\tt\tt\t540\n",
        columns={"gene_1": "itemida", "gene_2": "itemidb", "mode": "mode", "score": "score"},
        optional=("score",),
        ids=TAXON_PREFIX,
        scale=1000.0,
        source="string-db.org, protein.actions",
    ),
    NetworkLayout(
        name="STRING links",
        reads="all rows, without the taxon prefix; combined_score / 1000 as confidence",
        example="protein1 protein2 homology experiments database textmining combined_score\n"
        "4932.Q0010 4932.YMR210W 0 0 0 190 190\n4932.Q0010 4932.YOR228C 0 0 0 204 204\n",
        columns={"gene_1": "protein1", "gene_2": "protein2", "score": "combinedscore"},
        ids=TAXON_PREFIX,
        scale=1000.0,
        source="string-db.org, protein.links and protein.physical.links, also .detailed and .full",
    ),
    NetworkLayout(
        name="STRING links without scores",
        reads="all rows, without the taxon prefix",
        example="protein1 protein2\n4932.Q0010 4932.YMR210W\n4932.Q0010 4932.YOR228C\n",
        columns={"gene_1": "protein1", "gene_2": "protein2"},
        widths=(2,),
        ids=TAXON_PREFIX,
        is_general=True,
        source="cut from protein.links",
    ),
    NetworkLayout(
        name="STRING website export",
        reads="all rows, by STRING id without the taxon prefix; combined_score as confidence",
        example="#node1\tnode2\tnode1_string_id\tnode2_string_id\tcoexpression\tcombined_score\n"
        "TFC3\tTFC1\t4932.YAL001C\t4932.YBR123C\t0.083\t0.519\n",
        columns={
            "gene_1": "node1(string|external)id",
            "gene_2": "node2(string|external)id",
            "symbol_1": "node1",
            "symbol_2": "node2",
            "score": "combinedscore",
        },
        ids=TAXON_PREFIX,
        source="string-db.org, Exports: as tabular text",
    ),
    NetworkLayout(
        name="STRING interface",
        reads="all rows, by STRING id without the taxon prefix; score as confidence",
        example="stringId_A\tstringId_B\tpreferredName_A\tpreferredName_B\tncbiTaxonId\tscore\tnscore\n"
        "4932.YAL001C\t4932.YBR123C\tTFC3\tTFC1\t4932\t0.519\t0\n",
        columns={
            "gene_1": "stringida",
            "gene_2": "stringidb",
            "symbol_1": "preferrednamea",
            "symbol_2": "preferrednameb",
            "score": "score",
        },
        ids=TAXON_PREFIX,
        source="string-db.org/api/tsv/network",
    ),
    NetworkLayout(
        name="BioGRID tab2 or tab3",
        reads="rows of type physical; the systematic name or, where it is `-`, the official symbol",
        example=_BIOGRID + "Systematic Name Interactor A\tSystematic Name Interactor B\tOfficial Symbol Interactor A\t"
        "Official Symbol Interactor B\tExperimental System Type\tOrganism ID Interactor A\tOrganism ID Interactor B\n"
        "1\t851262\t852421\tYAL001C\tYBR123C\tTFC3\tTFC1\tphysical\t559292\t559292\n"
        "2\t851262\t852421\tYAL001C\tYBR123C\tTFC3\tTFC1\tgenetic\t559292\t559292\n"
        "3\t851262\t6416\tYAL001C\t-\tTFC3\tMAP2K4\tphysical\t559292\t9606\n",
        columns={
            "gene_1": "systematicnameinteractora",
            "gene_2": "systematicnameinteractorb",
            "symbol_1": "officialsymbolinteractora",
            "symbol_2": "officialsymbolinteractorb",
            "accession_1": "swissprotaccessionsinteractora",
            "accession_2": "swissprotaccessionsinteractorb",
            "entrez_1": "entrezgeneinteractora",
            "entrez_2": "entrezgeneinteractorb",
            "type": "experimentalsystemtype",
            "taxon_1": "organism(id)?interactora",
            "taxon_2": "organism(id)?interactorb",
        },
        optional=(*OTHER_NAMES, "taxon_1", "taxon_2"),
        ids=ACCESSIONS,
        keep={"type": _PHYSICAL},
        source="thebiogrid.org, BIOGRID-*.tab2 and .tab3",
    ),
    NetworkLayout(
        name="BioGRID tab1",
        reads="rows whose experimental system is not a genetic one",
        example="INTERACTOR_A\tINTERACTOR_B\tOFFICIAL_SYMBOL_A\tOFFICIAL_SYMBOL_B\tALIASES_FOR_A\tALIASES_FOR_B\t"
        "EXPERIMENTAL_SYSTEM\tSOURCE\tPUBMED_ID\tORGANISM_A_ID\tORGANISM_B_ID\n"
        "YAL001C\tYBR123C\tTFC3\tTFC1\tN/A\tN/A\tTwo-hybrid\tA\t9006895\t4932\t4932\n"
        "YAL001C\tYBR124W\tTFC3\tN/A\tN/A\tN/A\tSynthetic Lethality\tA\t9006895\t4932\t4932\n",
        columns={
            "gene_1": "interactora",
            "gene_2": "interactorb",
            "symbol_1": "officialsymbol(for)?a",
            "symbol_2": "officialsymbol(for)?b",
            "type": "experimentalsystem",
            "taxon_1": "organismaid",
            "taxon_2": "organismbid",
        },
        keep={"type": Keep("physical", rf"(?!{_GENETIC_SYSTEMS}).*")},
        source="thebiogrid.org, BIOGRID-*.tab",
    ),
    NetworkLayout(
        name="PSI-MITAB",
        reads=_MITAB_READS,
        example="#ID Interactor A\tID Interactor B\tAlt IDs Interactor A\tAlt IDs Interactor B\tAliases Interactor A\t"
        "Aliases Interactor B\tInteraction Detection Method\tPublication 1st Author\tPublication Identifiers\tTaxid "
        "Interactor A\tTaxid Interactor B\tInteraction Types\tSource Database\tInteraction Identifiers\tConfidence "
        "Values\n" + _MITAB_EXAMPLE,
        columns=_MITAB_COLUMNS,
        optional=(*OTHER_NAMES, "taxon_1", "taxon_2", "miscore", "negative"),
        ids=PSI_MI,
        keep={"type": _MITAB_KEEP, "negative": _OBSERVED},
        source="IntAct, BioGRID, MINT, DIP, iRefIndex: PSI-MI TAB 2.5 to 2.8",
    ),
    NetworkLayout(
        name="PSI-MITAB without a header",
        reads=_MITAB_READS,
        example=_MITAB_EXAMPLE,
        positions={
            **{"gene_1": 0, "gene_2": 1, "symbol_1": 2, "symbol_2": 3, "accession_1": 4, "accession_2": 5},
            **{"taxon_1": 9, "taxon_2": 10, "type": 11, "miscore": 14, "negative": 35},
        },
        cells={"gene_1": _MITAB_ID, "gene_2": _MITAB_ID, "taxon_1": r"taxid:.*|-", "taxon_2": r"taxid:.*|-"},
        widths=tuple(range(15, 50)),
        ids=PSI_MI,
        keep={"type": _MITAB_KEEP, "negative": _OBSERVED},
        source="the same",
    ),
    NetworkLayout(
        name="SGD interaction data",
        reads="rows of type `physical interactions`",
        example="YAL001C\tTFC3\tYBR123C\tTFC1\tAffinity Capture-MS\tphysical interactions\tBioGRID\tmanually "
        "curated\t\t\tSGD_REF:S000086172|PMID:16429126\t\n"
        "YAL002W\tVPS8\tYER095W\tRAD51\tSynthetic Growth Defect\tgenetic interactions\tBioGRID\thigh-throughput\t\t\t"
        "SGD_REF:S1|PMID:2\t\n",
        positions={"gene_1": 0, "symbol_1": 1, "gene_2": 2, "symbol_2": 3, "type": 5},
        cells={"gene_1": ANY, "type": r"(?i:(physical|genetic) interactions?)"},
        widths=(11, 12, 13),
        keep={"type": _PHYSICAL},
        source="yeastgenome.org, interaction_data.tab",
    ),
    NetworkLayout(
        name="Complex Portal",
        reads="all pairs of proteins of one complex, by UniProt accession; nested complexes expanded",
        example="#Complex ac\tRecommended name\tTaxonomy identifier\tIdentifiers (and stoichiometry) of molecules in "
        "complex\tExpanded participant list\n"
        "CPX-15\tCST complex\t559292\tP32797(0)|P38960(0)|URS000012D749_559292(1)\t-\n"
        "CPX-99\tnested\t559292\tCPX-15(1)|Q07921(0)\tP32797(0)|P38960(0)|Q07921(0)\n",
        columns={
            "members": "identifiersandstoichiometryofmoleculesincomplex",
            "expanded": "expandedparticipantlist",
            "taxon": "taxonomyidentifier",
        },
        optional=("expanded", "taxon"),
        rows=MEMBERS,
        source="ebi.ac.uk/complexportal, complextab",
    ),
    NetworkLayout(
        name="CORUM",
        reads="all pairs of proteins of one complex, by UniProt accession or gene name",
        example="ComplexID\tComplexName\tOrganism\tsubunits(UniProt IDs)\tsubunits(Gene name)\n"
        "1\tBCL6-HDAC4 complex\tHuman\tP41182;P56524\tBCL6;HDAC4\n",
        columns={
            "members": "subunitsuniprotids?",
            "symbols": "subunitsgenenames?",
            "taxon": "organism",
        },
        optional=("symbols", "taxon"),
        rows=MEMBERS,
        source="mips.helmholtz-muenchen.de/corum",
    ),
    NetworkLayout(
        name="hu.MAP",
        reads="all pairs of proteins of one complex, by UniProt accession or gene name; the confidence is not read",
        example="HuMAP2_ID,Confidence,Uniprot_ACCs,genenames\nHuMAP2_00000,3,O95789 P0C869,ZMYM6 PLA2G4B\n",
        columns={"members": "uniprotaccs", "symbols": "genenames"},
        optional=("symbols",),
        rows=MEMBERS,
        source="humap2.proteincomplexes.org",
    ),
)
