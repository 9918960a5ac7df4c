"""A synthetic metabolic model of the size of Human-GEM 1.x, as SBML with fbc, groups and annotations (about 45 MB).

`python -m tests.benchmarks.human_size human.xml.gz` writes it: 13,000 reactions, 8,400 metabolites, 2,900 genes; rules
and directions make about 31,000 reaction nodes. Stoichiometry is random; one reaction is the objective.
"""

from __future__ import annotations

import gzip
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

REACTIONS, METABOLITES, GENES, SUBSYSTEMS = 13_000, 8_400, 2_900, 140
COMPARTMENTS = "cemrglnxi"

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" xmlns:fbc="http://www.sbml.org/sbml/level3/version1/fbc/version2"
 xmlns:groups="http://www.sbml.org/sbml/level3/version1/groups/version1" level="3" version="1" fbc:required="false"
 groups:required="false">
<model id="HumanSize" name="A synthetic model of human size" fbc:strict="true">
"""
_RDF = """      <annotation>
        <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:bqbiol="http://biomodels.net/biology-qualifiers/">
          <rdf:Description rdf:about="#{meta}">
            <bqbiol:is>
              <rdf:Bag>
{items}
              </rdf:Bag>
            </bqbiol:is>
          </rdf:Description>
        </rdf:RDF>
      </annotation>
"""
_NOTES = '      <notes><body xmlns="http://www.w3.org/1999/xhtml">{}</body></notes>\n'


def _annotation(meta: str, links: list[str]) -> str:
    items = [f'                <rdf:li rdf:resource="https://identifiers.org/{link}"/>' for link in links]
    return _RDF.format(meta=meta, items="\n".join(items))


def _gene(row: int) -> str:
    return f"ENSG{100_000_000 + 37 * row:011d}"


def _clauses(rng: np.random.Generator) -> list[list[int]]:
    """Alternatives of a gene rule: mostly few single genes, sometimes complexes, rarely very many isozymes."""
    if rng.random() < 0.36:
        return []
    isozymes = min(int(rng.geometric(0.42)) + (int(rng.integers(4, 24)) if rng.random() < 0.02 else 0), 40)
    sizes = np.where(rng.random(isozymes) < 0.2, rng.integers(2, 7, isozymes), 1)
    return [sorted(set(rng.integers(0, GENES, size).tolist())) for size in sizes]


def _association(clauses: list[list[int]]) -> str:
    def refs(genes: list[int]) -> str:
        return "".join(f'<fbc:geneProductRef fbc:geneProduct="{_gene(gene)}"/>' for gene in genes)

    terms = [refs(genes) if len(genes) == 1 else f"<fbc:and>{refs(genes)}</fbc:and>" for genes in clauses]
    rule = terms[0] if len(terms) == 1 else f"<fbc:or>{''.join(terms)}</fbc:or>"
    return f"      <fbc:geneProductAssociation>{rule}</fbc:geneProductAssociation>\n"


def _species(row: int) -> str:
    compartment = COMPARTMENTS[row % 9]
    identifier = f"MAM{row // 2:05d}{compartment}"
    links = [f"bigg.metabolite/m{row}", f"chebi/CHEBI:{row}", f"hmdb/HMDB{row:07d}", f"kegg.compound/C{row:05d}"]
    links += [
        f"lipidmaps/LMFA{row:08d}",
        f"metanetx.chemical/MNXM{row}",
        f"pubchem.compound/{row}",
        f"vmhmetabolite/{row}",
    ]
    formula = f"C{row % 40}H{row % 70}N2O{row % 9}"
    inchi = f"inchi/InChI=1S/{formula}/c1-2-3-{row}(4)5-6-7(8)9-10/h1-2,5-6H,3-4H2,(H,8,9)/t7-/m0/s1"
    return (
        f'    <species metaid="{identifier}" sboTerm="SBO:0000247" id="{identifier}" name="3-oxo-octadecanoyl-compound '
        f'{row}" compartment="{compartment}" hasOnlySubstanceUnits="false" boundaryCondition="false" constant="false" '
        f'fbc:charge="{row % 7 - 4}" fbc:chemicalFormula="{formula}">\n'
        f"{_annotation(identifier, [*links, inchi])}    </species>\n"
    )


def _reaction(row: int, rng: np.random.Generator, species: list[str]) -> str:
    identifier = f"MAR{row:05d}"
    links = [f"bigg.reaction/r{row}", f"kegg.reaction/R{row:05d}", f"metanetx.reaction/MNXR{row}", f"rhea/{row}"]
    links += [
        f"reactome/R-HSA-{row}",
        f"vmhreaction/RCR{row}",
        f"pubmed/{20_000_000 + row}",
        f"ec-code/1.1.{row % 9}.{row}",
    ]
    reversible = rng.random() < 0.42
    names = rng.choice(len(species), int(rng.integers(2, 7)), replace=False)
    num_left = max(1, len(names) // 2)
    sides = []
    for side, members in (("Reactants", names[:num_left]), ("Products", names[num_left:])):
        refs = "".join(
            f'          <speciesReference species="{species[k]}" stoichiometry="{1 + k % 3}" constant="true"/>\n'
            for k in members
        )
        sides.append(f"        <listOf{side}>\n{refs}        </listOf{side}>\n")
    clauses = _clauses(rng)
    return (
        f'    <reaction metaid="{identifier}" sboTerm="SBO:0000176" id="{identifier}" name="acyl-CoA:carrier transfer '
        f'{row}" reversible="{str(bool(reversible)).lower()}" fast="false" '
        f'fbc:lowerFluxBound="{"low" if reversible else "zero"}" fbc:upperFluxBound="high">\n'
        + _NOTES.format(f"<p>Confidence Level: {row % 5}</p><p>AUTHORS: PMID:{row};PMID:{row + 7}</p>")
        + _annotation(identifier, links)
        + "".join(sides)
        + (_association(clauses) if clauses else "")
        + "    </reaction>\n"
    )


def _product(row: int) -> str:
    gene = _gene(row)
    links = [f"ensembl/{gene}", f"hgnc.symbol/GEN{row}", f"ncbigene/{row}", f"uniprot/P{row:05d}"]
    links += [f"ensembl/ENST{row:011d}", f"ensembl/ENSP{row:011d}"]
    return (
        f'    <fbc:geneProduct metaid="{gene}" sboTerm="SBO:0000243" fbc:id="{gene}" fbc:name="GEN{row}" '
        f'fbc:label="{gene}">\n{_annotation(gene, links)}    </fbc:geneProduct>\n'
    )


def lines(seed: int = 0) -> Iterator[str]:
    """The SBML text in pieces."""
    rng = np.random.default_rng(seed)
    species = [f"MAM{row // 2:05d}{COMPARTMENTS[row % 9]}" for row in range(METABOLITES)]
    yield _HEAD
    yield "".join(
        [
            "<listOfCompartments>",
            *(f'<compartment id="{c}" constant="true"/>' for c in COMPARTMENTS),
            "</listOfCompartments>\n",
        ]
    )
    yield "<listOfSpecies>\n"
    yield from map(_species, range(METABOLITES))
    yield "</listOfSpecies>\n<listOfParameters>"
    for name, value in (("low", -1000), ("zero", 0), ("high", 1000)):
        yield f'<parameter id="{name}" value="{value}" constant="true"/>'
    yield "</listOfParameters>\n<listOfReactions>\n"
    for row in range(REACTIONS):
        yield _reaction(row, rng, species)
    yield '</listOfReactions>\n<fbc:listOfObjectives fbc:activeObjective="growth"><fbc:objective fbc:id="growth" '
    yield 'fbc:type="maximize"><fbc:listOfFluxObjectives>'
    yield '<fbc:fluxObjective fbc:reaction="MAR00000" fbc:coefficient="1"/>'
    yield "</fbc:listOfFluxObjectives></fbc:objective></fbc:listOfObjectives>\n<fbc:listOfGeneProducts>\n"
    yield from map(_product, range(GENES))
    yield "</fbc:listOfGeneProducts>\n<groups:listOfGroups>\n"
    for group in range(SUBSYSTEMS):
        yield f'<groups:group groups:id="group{group}" groups:kind="partonomy" groups:name="Subsystem {group}">'
        yield "<groups:listOfMembers>"
        for row in range(group, REACTIONS, SUBSYSTEMS):
            yield f'<groups:member groups:idRef="MAR{row:05d}"/>\n'
        yield "</groups:listOfMembers></groups:group>\n"
    yield "</groups:listOfGroups>\n</model>\n</sbml>\n"


def write(path: Path) -> None:
    """Write the model, compressed if the name ends in `.gz`."""
    with gzip.open(path, "wt", compresslevel=6) if path.suffix == ".gz" else open(path, "w") as file:
        file.writelines(lines())


if __name__ == "__main__":
    write(Path(sys.argv[1]))
