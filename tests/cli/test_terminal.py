"""Everything that looks otherwise in a terminal, in a pseudo-terminal of a given width."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from dglcell import schema
from dglcell.io import cell_file
from tests.cells import tiny_cell
from tests.cli import terminal
from tests.runs import tiny_table

EPOCHS = 30  # more than a window has lines
TRAIN = ("-m", "dglcell.cli", "train")
SMALL = ("--hidden", "8", "--layers", "1", "--batch-size", "32", "--engine", "torch", "--keep", "last")
NUMBER = r"-?\d+\.\d{4}|-?\d\.\d+e[+-]\d+"
BAR = "[━╸╺]*"


@pytest.fixture(scope="module")
def cell(tmp_path_factory: pytest.TempPathFactory) -> Path:
    graph = tiny_cell()
    path = tmp_path_factory.mktemp("terminal") / "cell.h5"
    cell_file.save(graph, path, tiny_table(graph))
    return path


def records(run: Path) -> list[dict]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


@pytest.mark.parametrize(
    ("columns", "shown"),
    [
        (60, ["epoch", "data loss", "penalty", "r fitness", "r interaction", "*"]),
        (80, ["epoch", "data loss", "penalty", "r fitness", "r interaction", "*", "genotypes/s", "time"]),
        (
            200,
            [
                *("epoch", "data loss", "penalty", "r fitness", "r interaction", "*", "genotypes/s", "time"),
                *("mse", "dist", "learning rate"),
            ],
        ),
    ],
)
def test_every_epoch_stands_whole_in_the_window(cell: Path, tmp_path: Path, columns: int, shown: list[str]) -> None:
    out = tmp_path / "run"
    terms = ("--lambda-dist", "0.1") if "dist" in shown else ()
    options = ("--fm-rank", "4", *terms, "--epochs", str(EPOCHS), "--out", str(out))
    session = terminal.run([*TRAIN, str(cell), *SMALL, *options], columns)
    assert session.code == 0, session.raw
    assert "…" not in session.raw and "Traceback" not in session.raw
    lines = session.lines
    header = next(line for line in lines if line.split()[:1] == ["epoch"])
    assert re.split(r"\s{2,}", header.strip()) == shown
    epochs = [line for line in lines if re.match(rf"\s*\d+/{EPOCHS}\b", line)]
    assert len(epochs) == EPOCHS
    for line, record in zip(epochs, records(out), strict=True):
        losses = record["train"]
        cells = [f"{record['epoch']}/{EPOCHS}", f"{losses['data_loss']:.4f}", f"{losses['penalty']:.4f}"]
        for label in schema.LABELS:
            r = record["val"][label]["pearson"]
            cells.append("undefined" if r is None else f"{r:.3f}")
        cells.append("*")
        if "genotypes/s" in shown:
            cells += [f"{record['genotypes_per_second']:,.0f}", f"{round(record['seconds'])}s"]
        if "dist" in shown:
            cells += [f"{losses['mse']:.4f}", f"{losses['dist']:.4f}", f"{record['lr']:.2e}"]
        assert line.split() == cells
    written = [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line) for line in re.split(r"[\r\n]+", session.raw)]
    assert max(len(line) for line in written if not line.startswith("next: ")) <= columns  # that one is for copying
    end = " ".join(" ".join(lines).split())
    assert f"trained for {EPOCHS} epochs; the weights are those of epoch {EPOCHS}" in end
    assert f"next: dglcell evaluate {out}".replace(" ", "") in "".join(lines).replace(" ", "")
    assert not any(re.match("(epoch|step) +[━╸╺]", line) for line in lines)  # the bars have gone
    assert session.cursor_is_shown
    bars_are_whole(session, terms="dist" in shown)


def bars_are_whole(session: terminal.Session, terms: bool) -> None:
    """In every frame there are two bars, and all their numbers."""
    data_loss = rf"data loss ({NUMBER})" + (rf" \(mse ({NUMBER}), dist ({NUMBER})\)" if terms else "")
    epoch = re.compile(rf"epoch +{BAR} +\d+/{EPOCHS}( +{data_loss}(, penalty ({NUMBER}))?)?")
    step = re.compile(rf"step +{BAR} +\d+/\d+( +(\?|\d+s) left(, [\d,]+ genotypes/s)?)?")
    frames = [frame for frame in session.frames if any(line.startswith("step ") for line in frame)]
    assert len(frames) >= EPOCHS
    for frame in frames:
        bars = [line for line in frame if re.match("(epoch|step) +[━╸╺]", line)]
        assert len(bars) == 2 and epoch.fullmatch(bars[0]) and step.fullmatch(bars[1]), bars
    assert any("data loss" in line and "━" in line for line in frames[-1])
    assert any("genotypes/s" in line and "━" in line for line in frames[-1])


def test_models_of_an_ensemble_follow_each_other(cell: Path, tmp_path: Path) -> None:
    options = ("--ensemble", "2", "--epochs", "2", "--fm-rank", "0", "--out", str(tmp_path / "run"))
    session = terminal.run([*TRAIN, str(cell), *SMALL, *options], 80)
    assert session.code == 0, session.raw
    lines = session.lines
    assert [line[:12] for line in lines if line.startswith("model ")] == ["model 1 of 2", "model 2 of 2"]
    assert sum(bool(re.match(r"\s*[12]/2 ", line)) for line in lines) == 4
    assert "penalty" not in session.raw  # there is none


BROKEN = """
import sys
from dglcell.cli import {module}, main
def broken(*arguments, **named):
    raise ZeroDivisionError("no such picture")
{target} = broken
sys.exit(main.run(sys.argv[1:]))
"""


def test_training_outlives_a_display_that_fails(cell: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    options = ("--fm-rank", "0", "--epochs", "3", "--out", str(out))
    code = BROKEN.format(module="display", target="display.Live.step")
    session = terminal.run(["-c", code, "train", str(cell), *SMALL, *options], 100)
    assert session.code == 0, session.raw
    assert len(records(out)) == 3
    falls_back(session, epochs=3)
    assert any(re.match(r"\s*best epoch +3$", line) for line in session.lines)


def falls_back(session: terminal.Session, epochs: int) -> None:
    """One warning, and then a plain line for each of so many epochs."""
    lines = session.lines
    warnings = [line for line in lines if "the live display failed (ZeroDivisionError: no such picture)" in line]
    assert len(warnings) == 1 and "Traceback" not in session.raw
    assert sum(bool(re.match(r"epoch [123]/3: data loss \d", line)) for line in lines) == epochs
    assert any(line.startswith("trained for 3 epochs") for line in lines)
    assert session.cursor_is_shown


EVENTS = """
from types import SimpleNamespace
from dglcell.cli import bars, display
def broken(*arguments, **named):
    raise ZeroDivisionError("no such picture")
{target} = broken
rows = dict(train=8, val=1, test=1, unused=0)
about = dict(member=1, ensemble=1, rows=rows, device="cpu", engine="torch", parameters=9, split="random")
losses = dict(loss=1.5, data_loss=1.0, penalty=0.5, mse=1.0)
val = dict(fitness=dict(n=1, pearson=0.5))
with display.display() as progress:
    progress.start(3, 1, 1, about)
    for epoch in (1, 2, 3):
        progress.step(epoch, 1, losses, 99.0)
        record = dict(epoch=epoch, train=losses, val=val, best=True, lr=1e-3, genotypes_per_second=99.0, seconds=1.0)
        progress.epoch(record)
    progress.done(SimpleNamespace(reason="epochs", epochs=3, steps=3, best_epoch=3))
print("end")
"""


@pytest.mark.parametrize(
    ("target", "plain_epochs"),
    [
        ("display.Live.__init__", 3),
        ("display.Live.start", 3),
        ("display._columns", 3),
        ("bars.Bars.make_tasks_table", 3),
        ("bars.Bars.stop", 0),
        ("display.Live.done", 0),
        ("display.Live.close", 0),
    ],
)
def test_plain_lines_replace_a_display_wherever_it_fails(target: str, plain_epochs: int) -> None:
    session = terminal.run(["-c", EVENTS.format(target=target)], 100)
    assert session.code == 0, session.raw
    falls_back(session, plain_epochs)
    assert session.lines[-1] == "end"


def test_an_error_of_the_training_is_shown_below_the_display(cell: Path, tmp_path: Path) -> None:
    code = """
import sys
from dglcell.cli import main
from dglcell.errors import RunError
from dglcell.training.trainer import Trainer
def broken(trainer):
    raise RunError("the validation is broken")
Trainer.validate = broken
sys.exit(main.run(sys.argv[1:]))
"""
    session = terminal.run(["-c", code, "train", str(cell), *SMALL, "--out", str(tmp_path / "run")], 80)
    assert session.code == 1
    assert session.lines[-1] == "dglcell: error: the validation is broken"
    assert session.cursor_is_shown and session.raw.count("\x1b[?25l")


def test_ctrl_c_gives_the_cursor_back(cell: Path, tmp_path: Path) -> None:
    endless = ("--epochs", "1000000", "--patience", "1000000", "--out", str(tmp_path / "run"))
    session = terminal.run(
        [*TRAIN, str(cell), *SMALL, *endless], 80, press=("\x03", lambda written: "3/1000000" in written)
    )
    assert session.code == 130
    assert "\x1b[?25l" in session.raw and session.cursor_is_shown
    assert session.lines[-1] == "dglcell: error: stopped by Ctrl-C"
    assert not any("━" in line for line in session.lines)


@pytest.mark.parametrize(("verbosity", "term"), [(-1, "xterm"), (0, "dumb")])
def test_no_bars_where_none_are_wanted(verbosity: int, term: str) -> None:
    quiet = f"from dglcell.cli import console\nconsole.configure({verbosity})\n"
    session = terminal.run(["-c", quiet + EVENTS.format(target="display.unused")], 80, TERM=term)
    assert session.code == 0 and "\x1b" not in session.raw and "━" not in session.raw
    assert ("epoch 2/3: data loss" in session.raw) == (verbosity == 0)
    session = terminal.run(["-c", quiet + COUNTER], 80, TERM=term)
    assert session.code == 0 and session.lines == ["end"] and "\x1b" not in session.raw


def test_lines_of_the_library_stand_above_the_bars() -> None:
    code = EVENTS.format(target="display.unused").replace(
        "    for epoch in (1, 2, 3):",
        "    from dglcell.cli import console\n    import warnings\n    console.configure(0)\n"
        "    for epoch in (1, 2, 3):\n"
        "        console.say(f'line {epoch}'); warnings.warn(f'warning {epoch}')",
    )
    session = terminal.run(["-c", code], 100)
    assert session.code == 0, session.raw
    lines = session.lines
    for epoch in (1, 2, 3):
        assert f"line {epoch}" in lines and f"dglcell: warning: warning {epoch}" in lines
    for frame in session.frames:
        assert all(re.match("epoch|step", line) for line in frame if "━" in line)


TABLE = """
from dglcell.cli import console
console.table(
    ("who", "group", "label", "n", "pearson", "spearman", "mse"),
    [("dglcell, model 1", "order_2", "gene_interaction", 1234567, 0.123456, float("nan"), 1.2345e-7),
     ("network-features", "all", "fitness", 12, -1.0, 0.5, 12345.678)],
    title="Test rows",
)
console.table(("what", "value"), [("fingerprint, cell", "0123456789abcdef" * 4), ("edges", 5)])
"""


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_table_keeps_its_numbers(columns: int) -> None:
    session = terminal.run(["-c", TABLE], columns)
    assert session.code == 0, session.raw
    assert "…" not in session.raw
    lines = session.lines
    assert lines[0].strip() == "Test rows"
    for numbers in (["1,234,567", "0.1235", "-", "1.235e-07"], ["12", "-1", "0.5", "1.235e+04"]):
        in_one_line = any(line.split()[-4:] == numbers for line in lines)
        in_a_block = all(any(line.split()[-1:] == [number] for line in lines) for number in numbers)
        assert in_one_line or (columns == 60 and in_a_block)
    text = "".join(line.replace("fingerprint, cell", "").replace(" ", "") for line in lines)
    assert "0123456789abcdef" * 4 in text


@pytest.mark.parametrize("columns", [73, 76, 80, 90])
def test_a_report_keeps_its_numbers_in_every_window(columns: int) -> None:
    code = """
from dglcell.cli import console
console.table(
    ("model", "rows", "label", "n", "Pearson", "Spearman", "MSE", "MAE"),
    [("query-mean", "order_2", "gene_interaction", 30, -0.06533, -0.08956, 0.0001565, 0.005769)],
)
"""
    session = terminal.run(["-c", code], columns)
    assert session.code == 0, session.raw
    words = " ".join(session.lines).split()
    assert all(number in words for number in ("30", "-0.06533", "-0.08956", "0.0001565", "0.005769"))
    assert max(map(len, session.lines)) <= columns


@pytest.mark.parametrize(("columns", "label"), [(80, {"gene_interaction"}), (75, {"gene_", "interaction"})])
def test_names_are_broken_between_their_words(columns: int, label: set[str]) -> None:
    code = """
from dglcell.cli import console
console.table(
    ("model", "rows", "label", "n", "Pearson", "Spearman", "MSE", "MAE"),
    [("lost-reactions-mlp", "order_2", "gene_interaction", 12345, -0.06533, -0.08956, 0.0001565, 0.005769)],
)
"""
    session = terminal.run(["-c", code], columns)
    words = " ".join(session.lines).split()
    assert {"lost-", "reactions-", "mlp", "order_2", "12,345", "0.0001565"} | label <= {*words}, words
    assert max(map(len, session.lines)) <= columns


COUNTER = """
import time
from dglcell.cli import console
with console.counter("genotypes") as progress:
    for done in (0, 1234, 9453):
        progress(done, 9453)
        time.sleep(0.3)
print("end")
"""


@pytest.mark.parametrize("columns", [20, 60, 80, 200])
def test_counter_draws_a_bar_that_fits(columns: int) -> None:
    session = terminal.run(["-c", COUNTER], columns)
    assert session.code == 0, session.raw
    bars = {line for frame in session.frames for line in frame if "9,453" in line}
    assert {re.search(r"[\d,]+/9,453", line).group() for line in bars} == {  # type: ignore[union-attr]
        "0/9,453",
        "1,234/9,453",
        "9,453/9,453",
    }
    if columns > 20:
        assert all(line.startswith("genotypes ━") for line in bars)
        assert all(line.endswith("s left") for line in bars if "1,234" in line)
    assert session.lines == ["end"] and session.cursor_is_shown  # the bar has gone


WHOLE = """
import time
from dglcell.cli import console
with console.whole("demo") as watch:
    for share, stage in ((0.0, "loading"), (0.5, "training, epoch 7 of 13, model 2 of 3"), (1.0, "done")):
        watch(share, stage)
        console.say(f"now {stage}")
        time.sleep(0.3)
print("end")
"""


@pytest.mark.parametrize("columns", [30, 60, 80, 200])
def test_one_bar_for_a_job_of_several_stages(columns: int) -> None:
    session = terminal.run(["-c", WHOLE], columns)
    assert session.code == 0, session.raw
    bars = [line for frame in session.frames for line in frame if re.search(r"\d+%", line)]
    assert {re.search(r"\d+%", line).group() for line in bars} == {"0%", "50%", "100%"}  # type: ignore[union-attr]
    assert all(re.search(r"\b\ds left", line) for line in bars if "50%" in line)
    if columns >= 80:
        assert any(line.endswith("s left, training, epoch 7 of 13, model 2 of 3") and "━" in line for line in bars)
    assert [line for line in session.lines if line.startswith("now ")][:1] == ["now loading"]
    assert session.lines[-1] == "end" and session.cursor_is_shown and not any("━" in line for line in session.lines)


@pytest.mark.parametrize("target", ["bars.Counter.__init__", "bars.Counter.step", "bars.Counter.stop"])
def test_work_outlives_a_counter_that_fails(target: str) -> None:
    code = f"""
from dglcell.cli import bars, console
def broken(*arguments, **named):
    raise ZeroDivisionError("no such picture")
{target} = broken
with console.counter("genotypes") as progress:
    for done in range(3):
        progress(done, 3)
print("end")
"""
    session = terminal.run(["-c", code], 100)
    assert session.code == 0, session.raw
    assert session.raw.count("the live display failed (ZeroDivisionError: no such picture)") == 1
    assert session.lines[-1] == "end" and session.cursor_is_shown


def test_nothing_is_drawn_without_a_terminal(cli, cell: Path, tmp_path: Path) -> None:
    done = cli("train", cell, *SMALL, "--fm-rank", "4", "--epochs", "2", "--out", tmp_path / "run")
    assert done.code == 0, done.err
    assert "\x1b" not in done.err + done.out
    for epoch, record in enumerate(records(tmp_path / "run"), 1):
        losses = record["train"]
        text = f"epoch {epoch}/2: data loss {losses['data_loss']:.4f}, penalty {losses['penalty']:.4f}, validation"
        assert text in done.err
        assert losses["loss"] == pytest.approx(losses["data_loss"] + losses["penalty"], rel=1e-5)
