"""The documents do what they say: every command is run as it stands, and names, options and links exist."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

import dglcell
from dglcell import demo
from dglcell.cli.main import group
from tests.docs import layouts_page, settings_page
from tests.docs.pages import MARKS, PAGES, ROOT, Block, block, blocks, commands, run_block
from tests.test_import_order import FLOORS

README = ROOT / "README.md"
YEAST = ROOT / "docs" / "yeast.md"
NEEDS_YEAST = ("yeast.md", "results.md")
# Blocks of another page that a page builds on.
BEFORE = {
    "results.md": (YEAST, "cell graph"),
    "engines.md": (ROOT / "docs" / "quickstart.md", "screen and cell graph"),
}
ids = {"ids": lambda value: str(value.relative_to(ROOT)) if isinstance(value, Path) else str(value)}


def with_marks(*marks: str) -> list[Path]:
    return [page for page in PAGES if any(b.mark in marks for b in blocks(page))]


def prepare(page: Path, folder: Path, request: pytest.FixtureRequest) -> None:
    """The files that the page says to have: the public ones under their own names, or for the README ones like them."""
    if page.name in NEEDS_YEAST:
        for file in request.getfixturevalue("yeast").iterdir():
            (folder / file.name).symlink_to(file)
    if page == README:
        from dglcell.readers.models import textbook_path

        shutil.copy(textbook_path(), folder / "model.xml")  # compressed: its name does not matter
        (folder / "network.tsv").write_text("b0721\tb0722\nb0723\tb0724\n")
        (folder / "genotypes.tsv").write_text("genes\nb0118;b1276\n")
        screen = Block(page, 0, "run", "", "bash", "dglcell simulate --model textbook --sample 500 --out screen.tsv")
        run_block(screen, folder)


def run_page(page: Path, marks: tuple[str, ...], folder: Path, request: pytest.FixtureRequest) -> dict[str, str]:
    """Run the blocks with these marks in their order; what each printed, by its note."""
    prepare(page, folder, request)
    if page.name in BEFORE and marks != ("run",):
        other, note = BEFORE[page.name]
        run_block(block(other, "run", note), folder)
    printed = {}
    for each in blocks(page):
        if each.mark in (*marks, "file", "session", "script"):
            printed[each.note] = run_block(each, folder).stdout
    for each in blocks(page):
        if each.mark == "excerpt":
            assert (folder / each.note).read_text().splitlines()[0] == each.text.splitlines()[0], each.where
    return printed


@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", [page for page in with_marks("run") if page.name not in NEEDS_YEAST], **ids)
def test_commands_run(page: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    run_page(page, ("run",), tmp_path, request)
    if page.name == "quickstart.md":
        formats = (ROOT / "docs" / "formats.md").read_text()
        for name in {*os.listdir(tmp_path / "run")} - {"plots", "evaluation"}:
            assert f"`{name}`" in formats, name
        header = (tmp_path / "run" / "evaluation" / "test.tsv").read_text().splitlines()[0]
        assert all(f"`{column}`" in formats for column in header.split("\t"))


@pytest.mark.yeast
@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", [page for page in with_marks("run") if page.name in NEEDS_YEAST], **ids)
def test_commands_run_on_yeast(page: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    printed = run_page(page, ("run",), tmp_path, request)
    if page == YEAST:
        counts = re.search(r"For these files: (.*?) `dglcell info`", page.read_text(), re.S)
        assert counts is not None and len(re.findall(r"[\d,]+\d", counts[1])) == 8
        for count in re.findall(r"[\d,]+\d", counts[1]):
            assert count in printed["cell graph"], count
        assert "gene-ridge" in printed["evaluate the quick look"]
        header, *rows = (tmp_path / "quick.tsv").read_text().splitlines()
        assert header.split("\t")[-2:] == ["pred_fitness", "pred_gene_interaction"]
        assert len(rows) == 2 and all(row.split("\t")[-1] for row in rows)


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("page", with_marks("slow"), **ids)
def test_slow_commands_run(page: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    run_page(page, ("run", "slow"), tmp_path, request)


@pytest.mark.gpu
@pytest.mark.parametrize("page", with_marks("gpu"), **ids)
def test_commands_for_a_gpu_run(page: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    run_page(page, ("gpu",), tmp_path, request)


@pytest.mark.parametrize("page", PAGES, **ids)
def test_every_block_is_marked(page: Path) -> None:
    """A command without a mark would be run by no test."""
    for each in blocks(page):
        assert each.mark in MARKS, f"{each.where} has no mark"


@pytest.mark.parametrize("page", PAGES, **ids)
def test_every_command_parses(page: Path) -> None:
    """Those too that are too slow to run here: command, options and their values exist."""
    for each in blocks(page):
        for name, *arguments in commands(each):
            command = group.get_command(None, name)  # type: ignore[arg-type]
            assert command is not None, f"{each.where}: {name}"
            command.make_context(name, list(arguments))


@pytest.mark.parametrize("page", PAGES, **ids)
def test_every_option_exists(page: Path) -> None:
    """Options named in the text, outside of blocks."""
    known = {"--help", "--version"}
    for name in group.list_commands(None):  # type: ignore[arg-type]
        command = group.get_command(None, name)  # type: ignore[arg-type]
        assert command is not None
        for parameter in command.params:
            known |= {*parameter.opts, *parameter.secondary_opts}
    text = page.read_text()
    for each in blocks(page):
        text = text.replace(each.text, "")
    named = {option for code in re.findall(r"`[^`\n]*`", text) for option in re.findall(r"--[a-z][a-z0-9-]*", code)}
    assert named <= known | OTHER_PROGRAMS, named - known - OTHER_PROGRAMS


OTHER_PROGRAMS = {"--strict"}  # of mkdocs


def test_every_public_name_stands_in_the_api() -> None:
    """And so do the members that the page lists: mkdocs passes over one that is not there."""
    entries = re.split(r"^::: dglcell\.", (ROOT / "docs" / "api.md").read_text(), flags=re.M)[1:]
    names = [entry.split()[0] for entry in entries]
    assert sorted(names) == sorted(set(dglcell.__all__) - {"__version__"})
    for name, entry in zip(names, entries, strict=True):
        members = re.search(r"members: \[(.*)\]", entry)
        for member in members[1].split(", ") if members else ():
            assert hasattr(getattr(dglcell, name), member), f"{name}.{member}"


def test_the_tables_of_settings_are_current() -> None:
    """`python -m tests.docs.settings_page` renews them."""
    text = settings_page.PAGE.read_text()
    assert settings_page.renewed(text) == text


def test_the_tables_of_layouts_are_current() -> None:
    """`python -m tests.docs.layouts_page` renews them."""
    text = layouts_page.PAGE.read_text()
    assert layouts_page.renewed(text) == text


def test_every_option_stands_in_the_documents() -> None:
    pages = "".join(page.read_text() for page in PAGES)
    for name in group.list_commands(None):  # type: ignore[arg-type]
        command = group.get_command(None, name)  # type: ignore[arg-type]
        assert command is not None
        for parameter in command.params:
            long = [option for option in parameter.opts if option.startswith("--")]
            if long and not any(option in pages for option in (*long, *parameter.secondary_opts)):
                pytest.fail(f"{long[0]} of dglcell {name} stands on no page")


@pytest.mark.parametrize("page", PAGES, **ids)
def test_links_and_pictures_exist(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        linked = page if not path else (page.parent / path)
        assert linked.is_file(), f"{page.name} links to {target}"
        if anchor and not anchor.startswith("dglcell."):  # those of the API are made by mkdocs, which checks them
            assert anchor in anchors(linked), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", PAGES, **ids)
def test_paths_of_the_repository_exist(page: Path) -> None:
    for path in re.findall(r"`((?:dglcell|cli|tests|data|docs)/[\w./]*)`", page.read_text()):
        assert (ROOT / path).exists(), f"{page.name} names {path}"


def test_the_floors_are_those_of_the_imports() -> None:
    table = (ROOT / "CONTRIBUTING.md").read_text().partition("| floor, top to bottom |")[2].partition("\n\n")[0]
    floors = [re.findall(r"`(\w+)/?`", line.split("|")[1]) for line in table.splitlines()[2:]]
    assert floors == [list(floor) for floor in FLOORS]


def test_names_in_the_code_that_contributors_are_sent_to_exist() -> None:
    code = "".join(path.read_text() for path in (ROOT / "dglcell").rglob("*.py"))
    text = (ROOT / "CONTRIBUTING.md").read_text().partition("## Add a reader")[2]
    for name in re.findall(r"`((?:schema\.)?_?[A-Za-z]\w*)`", text):
        assert re.search(rf"\b{name.removeprefix('schema.')}\b", code), name


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.M)
    plain = [re.sub(r"[^\w\s-]", "", title.replace("*", "").lower()).strip() for title in titles]
    return {re.sub(r"[-\s]+", "-", title) for title in plain}


@pytest.mark.parametrize("page", PAGES, **ids)
def test_files_that_commands_read_are_named_on_the_page(page: Path) -> None:
    """The table of files to have and the commands spell each name alike."""
    if page.name not in ("yeast.md",):
        return
    text = page.read_text()
    table = set(re.findall(r"^\| `([^`]+)` \|", text, re.M))
    for each in blocks(page):
        for words in commands(each):
            for word in words:
                name = word.rpartition("=")[2]
                if name.endswith((".gz", ".xlsx")):
                    assert name in table, f"{each.where}: {name}"


def test_the_script_is_short_and_uses_public_names_alone() -> None:
    """From files to an evaluated model."""
    script = block(ROOT / "docs" / "quickstart.md", "script").text
    assert len(script.strip().splitlines()) <= 15
    assert re.findall(r"^(?:import|from) (.*)$", script, re.M) == ["dglcell"]
    assert set(re.findall(r"dglcell\.(\w+)", script)) <= set(dglcell.__all__)
    assert "evaluate" in script


def test_the_demo(tmp_path: Path) -> None:
    install, command = block(README, "demo").text.strip().split(" && ")
    assert install == "python -m pip install -e ."
    done = run_block(Block(README, 0, "demo", "", "bash", command), tmp_path)
    rows = [line.split("\t") for line in done.stdout.splitlines() if not line.startswith("#")]
    scores = {model: value for model, value, *_ in rows}
    assert tuple(scores) == ("model", *demo.ROWS)  # which docs/results.md names alike, by test_results
    assert float(scores["embedding-mlp"]) > float(scores["gene-ridge"]) > 0
    others = ("embedding-mlp", "lost-reactions-mlp", demo.ABLATION)
    assert float(scores["dglcell"]) > max(float(scores[name]) for name in others)
    assert (tmp_path / "demo" / "predictions.tsv").is_file()
    assert len(list((tmp_path / "demo" / "run" / "plots").glob("*.png"))) >= 3
