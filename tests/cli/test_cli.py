"""The command line as a user meets it: a whole road on digits, and every kind of bad use."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from typer.testing import CliRunner

import bnn_ref
from bnn_ref import estimators, models
from bnn_ref.binarizer import Curve
from bnn_ref.cli import app
from bnn_ref.cli import pixels as cli_pixels
from bnn_ref.estimators import Entry, hard
from bnn_ref.estimators.ste import HardTanh


def run(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "net.safetensors"
    done = run(
        "train", "--model", "cnn", "--option", "width=16", "--epochs", "8", "--limit", "800", "--out", path
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "test accuracy" in done.output
    return path


def test_version_and_list() -> None:
    assert run("--version").output.strip() == f"bnn-ref {bnn_ref.__version__}"
    listed = json.loads(run("list", "--json").output)
    assert [row["name"] for row in listed["estimators"]] == estimators.names()
    assert "digits" in listed["data"]
    assert list(listed["sources"]) == listed["models"] == models.names()
    assert all(listed["sources"].values())


def plain(text: str) -> str:
    """`text` without the folds and frames of a terminal's page."""
    return " ".join(text.replace("│", " ").split())


@pytest.mark.parametrize("name", ["sbpn", "bhrnet-w32", "bhrnet-w48"])
def test_a_reconstruction_is_called_one_wherever_it_is_named(name: str) -> None:
    said = f"{name} ours, a reconstruction: bbc2023 publishes the name alone"
    assert said in plain(run("list").output)
    small = (
        ["--option", "width=4"] if name == "sbpn" else ["--option", "width=8", "--option", "modules=[1,1,1]"]
    )
    shown = run("show", "--model", name, "--size", "32x32x3", *small)
    assert shown.exit_code == 0, shown.output
    assert shown.output.startswith(f"{name}: ours, a reconstruction: bbc2023 publishes the name alone")
    epilog = plain(run("pose", "train", "--help").output).partition("Of sbpn")[2]
    assert name in f"sbpn{epilog}".partition(" only names are published: they are our reconstructions.")[0]


def test_bbc_for_activations_is_called_our_reading() -> None:
    assert "(our reading)" in plain(run("list").output).partition(" bbc-activation ")[2][:80]
    assert "for activations (our reading)" in run("show", "bbc-activation").output.splitlines()[0]


def test_train_pack_predict_audit_agree(trained: Path, tmp_path: Path) -> None:
    packed = tmp_path / "bits.safetensors"
    sizes = json.loads(run("pack", trained, "--out", packed, "--json").output)
    assert sizes["payload_bytes"] * 5 < sizes["float_bytes"]
    answers = [
        json.loads(run("predict", file, "--data", "digits", "--json").output) for file in (trained, packed)
    ]
    assert answers[0] == answers[1]
    assert answers[0]["accuracy"] > 0.5
    images, model = bnn_ref.data.load("digits").train_images, bnn_ref.load_model(trained)
    assert len(images) > 1000
    expected = bnn_ref.train.predict_classes(model.model, images, model.preprocessing)
    np.testing.assert_array_equal(bnn_ref.load_packed(packed).predict(images, threads=2), expected)
    assert run("audit", "--model", trained).exit_code == 0


def test_predict_reads_images_and_writes_classes(trained: Path, tmp_path: Path) -> None:
    images = bnn_ref.data.load("digits").test_images[:7]
    np.save(tmp_path / "images.npy", images)
    done = run("predict", trained, "--images", tmp_path / "images.npy", "--out", tmp_path / "classes.txt")
    assert done.exit_code == 0, done.output
    assert len((tmp_path / "classes.txt").read_text().split()) == 7


def test_predict_reads_a_folder_by_name(trained: Path, tmp_path: Path) -> None:
    """Single images and files of several; the same answers as for all in one file."""
    images = bnn_ref.data.load("digits").test_images[:7]
    folder, packed = tmp_path / "images", tmp_path / "bits.safetensors"
    folder.mkdir()
    np.save(folder / "a.npy", images[0])
    np.save(folder / "b.npy", images[1:5])
    np.save(tmp_path / "c.npy", images[5:])
    (tmp_path / "c.npy").rename(folder / "c.NPY")
    np.save(tmp_path / "images.npy", images)
    run("pack", trained, "--out", packed)
    for file in (trained, packed):
        whole, parts = (
            json.loads(run("predict", file, "--images", where, "--json").output)["classes"]
            for where in (tmp_path / "images.npy", folder)
        )
        assert len(parts) == 7
        assert parts == whole
    for wrong in (images[0].astype(np.float32), images[None, :2]):
        np.save(folder / "d.npy", wrong)
        assert f"d.npy: required uint8 images of shape {images.shape[1:]}, got" in run(
            "predict", packed, "--images", folder
        ).stderr.replace("\n", " ")
    assert f"{folder}" in run("predict", folder, "--data", "digits").stderr
    (tmp_path / "empty").mkdir()
    assert "got none there" in run("predict", packed, "--images", tmp_path / "empty").output
    np.savez(tmp_path / "several.npy.npz", images)
    assert "got an archive" in run("predict", packed, "--images", tmp_path / "several.npy.npz").output


def test_predict_reads_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Grey and coloured, among arrays, two at a time: the classes of the same pixels in one array."""
    monkeypatch.setattr(cli_pixels, "CHUNK", 2)
    rng = np.random.default_rng(0)
    for channels, mode in ((1, "L"), (3, "RGB")):
        folder, file = tmp_path / mode, tmp_path / f"{mode}.safetensors"
        folder.mkdir()
        shape = (8, 9, channels)
        constants = bnn_ref.data.Preprocessing(255, (0.4,) * channels, (0.3,) * channels, shape)
        bnn_ref.pack(bnn_ref.models.build("cnn", input_shape=shape), constants).save(file)
        pixels = rng.integers(0, 256, (7, *shape), dtype=np.uint8)
        for i, image in enumerate(pixels):
            if i in (3, 4):
                np.save(folder / f"{i}.npy", image)
            else:
                PIL.Image.fromarray(image.squeeze(-1) if mode == "L" else image).save(folder / f"{i}.png")
        expected = bnn_ref.load_packed(file).predict(pixels).tolist()
        assert len(set(expected)) > 1
        for threads in (1, 2):
            done = run("predict", file, "--images", folder, "--threads", threads, "--json")
            assert json.loads(done.stdout)["classes"] == expected
        done = run("predict", file, "--images", folder / "0.png", "--json")
        assert json.loads(done.stdout)["classes"] == expected[:1]
        PIL.Image.fromarray(np.zeros((9, 9, 3), np.uint8)).save(folder / "5.jpg")
        refused = run("predict", file, "--images", folder)
        assert refused.exit_code == 2
        assert "5.jpg: required 9 x 8 pixels, got 9 x 9" in refused.stderr
        np.save(folder / "2.npy", np.zeros((2, 9, 9, channels), np.uint8))
        refused = run("predict", file, "--images", folder / "2.npy")
        assert (
            f"2.npy: required uint8 images of shape {shape}, got uint8 (2, 9, 9, {channels})"
            in refused.stderr
        )


def test_predict_cannot_take_pictures_for_two_channels_or_without_constants(tmp_path: Path) -> None:
    PIL.Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "a.png")
    constants = bnn_ref.data.Preprocessing(255, (0.4,) * 2, (0.3,) * 2, (8, 8, 2))
    for given, reason in ((constants, "a.png: required a .npy file for 2 channels"), (None, "preprocessing")):
        file = tmp_path / "bits.safetensors"
        bnn_ref.pack(bnn_ref.models.build("cnn", input_shape=(8, 8, 2)), given).save(file)
        assert reason in run("predict", file, "--images", tmp_path).stderr


def test_the_same_seed_writes_the_same_weights(trained: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.safetensors"
    run("train", "--model", "cnn", "--option", "width=16", "--epochs", "8", "--limit", "800", "--out", again)
    first, second = (bnn_ref.load_model(path).model.state_dict() for path in (trained, again))
    assert all(np.array_equal(first[key], second[key]) for key in first)


def test_train_with_a_proximal_optimizer_says_how_far_its_weights_are(tmp_path: Path) -> None:
    arguments = [
        "train", "--model", "mlp", "--option", "width=8", "--option", "weight_estimator=projected",
        "--limit", "128", "--epochs", "2", "--optimizer", "prox-quant", "--rule", "sgd",
        "--prox", "proxquant:rate=0.5", "--anneal", "step", "--reestimate-norms",
        "--estimator-lr", "0.002", "--estimator-schedule", "bbc",
        "--out", str(tmp_path / "net.safetensors"),
    ]  # fmt: skip
    done = run(*arguments)
    assert done.exit_code == 0, done.output
    loaded = bnn_ref.load_model(tmp_path / "net.safetensors")
    chosen = loaded.config
    assert (chosen.optimizer, chosen.rule, chosen.prox) == ("prox-quant", "sgd", "proxquant")
    assert (chosen.prox_parameters, chosen.anneal, chosen.reestimate_norms) == ({"rate": 0.5}, "step", True)
    assert (chosen.estimator_lr, chosen.estimator_schedule) == (0.002, "bbc")
    told = [
        line.split(":")[0].strip() for line in done.stdout.splitlines() if "deployed weights differ" in line
    ]
    assert told == list(loaded.history[-1].gaps)
    assert len(told) == 2
    done = run(*arguments, "--harden", "1", "--json")
    last = json.loads(done.stdout)["epochs"][-1]
    assert last["gaps"] == {}


def test_train_in_stages_says_and_keeps_each(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    arguments = [
        "train", "--model", "mlp", "--option", "width=8", "--limit", "128", "--epochs", "2",
        "--out", str(path), "--pretrain", "real-relu:epochs=3,real-leaky-clip:lr=0.001:schedule=linear, real",
    ]  # fmt: skip
    done = run(*arguments)
    assert done.exit_code == 0, done.output
    said = [line.split(":")[0] for line in done.stdout.splitlines()[:4]]
    chain = ["real-relu", "real-leaky-clip", "real", "approxsign"]
    assert said == chain
    loaded = bnn_ref.load_model(path)
    assert [past.model.options["estimator"] for past in loaded.before if past.model] == chain[:3]
    assert [len(past.history) for past in (*loaded.before, loaded)] == [3, 2, 2, 2]
    steps = [(past.config.lr, past.config.schedule) for past in (*loaded.before, loaded)]
    assert steps == [(5e-3, "cosine"), (1e-3, "linear"), (5e-3, "cosine"), (5e-3, "cosine")]
    told = json.loads(run(*arguments, "--json").stdout)
    assert [len(past["history"]["epochs"]) for past in told["before"]] == [3, 2, 2]
    assert [epoch["loss"] for epoch in told["epochs"]] == [epoch.loss for epoch in loaded.history]


def test_weights_only_with_frozen_blocks(tmp_path: Path) -> None:
    """A vision transformer whose blocks stay as they were drawn packs like any other."""
    path, packed = tmp_path / "net.safetensors", tmp_path / "bits.safetensors"
    sizes = {"patch": 4, "width": 8, "heads": 2, "depth": 1}
    options = [word for key, value in sizes.items() for word in ("--option", f"{key}={value}")]
    arguments = ["train", "--model", "vit-tiny", "--estimator", "none", *options, "--limit", "128"]
    done = run(*arguments, "--epochs", "1", "--freeze", "blocks", "--out", path)
    assert done.exit_code == 0, done.output
    loaded = bnn_ref.load_model(path)
    assert loaded.config is not None
    assert loaded.config.frozen == ("blocks",)
    drawn = bnn_ref.models.build("vit-tiny", input_shape=(8, 8, 1), estimator="none", **sizes).state_dict()
    after = loaded.model.state_dict()
    for key, value in drawn.items():
        assert np.array_equal(value, after[key]) is key.startswith("blocks."), key
    assert run("pack", path, "--out", packed).exit_code == 0
    answers = [run("predict", file, "--data", "digits", "--json").stdout for file in (path, packed)]
    assert answers[0] == answers[1]
    refused = run(*arguments, "--freeze", "body", "--out", path)
    assert refused.exit_code == 2
    assert "frozen: required names of layers that have parameters, got 'body'" in refused.output


def test_audit_of_everything_passes() -> None:
    done = run("audit", "--all")
    assert done.exit_code == 0, done.output
    assert f"{2 * len(estimators.names())} of {2 * len(estimators.names())} audits passed" in done.output


def test_audit_says_whether_a_pair_decomposes_and_why_not() -> None:
    """A criterion that fails fails no audit."""
    names = ["bnn+", "bnn++", "irnet-weight", "gradient-clip"]
    done = run("audit", *names)
    lines = [line for line in done.output.splitlines() if line.startswith("  criterion ")]
    assert done.exit_code == 0
    assert lines[0].startswith("  criterion fails: on [-0.687012, 0] F is constant")
    assert lines[1:] == [
        "  criterion holds at resolution 0.0029 on [-3, 3]",
        "  criterion does not apply: it reads the whole tensor",
        "  criterion does not apply: its gradient is not linear in the incoming one, so there is no B",
    ]
    found = json.loads(run("audit", *names, "--json").output)
    said = [report["criterion"] for report in found if report["level"] == "implementation"]
    assert [one["holds"] for one in said] == [False, True, None, None]
    assert [one["applies"] for one in said] == [True, True, False, False]
    assert said[0]["witness"]["kind"] == "varies"
    assert all("criterion" not in report for report in found if report["level"] == "composition")


def test_a_failing_audit_exits_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    class Wrong(HardTanh):
        def slope(self, x: np.ndarray) -> np.ndarray:
            return 1.01 * super().slope(x)

    monkeypatch.setitem(estimators.TABLE, "wrong", Entry(hard(Wrong), "bnn2016", "1 % too steep"))
    done = run("audit", "wrong")
    assert done.exit_code == 1
    assert "FAIL slope is T's derivative" in done.output


@pytest.mark.parametrize("name", estimators.names())
def test_spectrum_and_show_of_every_estimator(name: str, tmp_path: Path) -> None:
    seen = run("spectrum", name)
    rule = estimators.get(name)
    if isinstance(rule.surrogate, Curve):
        assert seen.exit_code == 0
        assert json.loads(run("spectrum", name, "--json").output)["name"]
    else:
        assert seen.exit_code == 2
        assert f"{name}: required an element-wise surrogate" in seen.output
    shown = run("show", name)
    assert shown.exit_code == 0
    wanted = ("dx =",) if rule.nonlinear() else ("T(x) =", "T'(x) =")
    assert any(formula in shown.output for formula in wanted)


@pytest.mark.parametrize(
    ("model", "convention"), [("cnn", "library"), ("cnn", "larq"), ("bireal-34", "library")]
)
def test_show_of_a_model_is_its_cost(model: str, convention: str) -> None:
    wanted = bnn_ref.cost(bnn_ref.models.build(model, input_shape=(20, 16, 3)), (1, 20, 16, 3), convention)
    arguments = ("show", "--model", model, "--size", "20x16x3", "--convention", convention)
    found = json.loads(run(*arguments, "--json").stdout)
    about = {"model": model, "source": bnn_ref.models.source(model), "input_shape": [20, 16, 3]}
    assert found == {**about, **wanted.to_dict()}
    shown = run(*arguments)
    assert shown.exit_code == 0, shown.output
    assert max(map(len, shown.output.splitlines())) <= 120
    assert str(wanted) in shown.output  # a pipe has 120 columns; a terminal its own
    assert f"{wanted.total.packed_bytes:,}" in shown.output
    assert f"memory ({convention})" in shown.output


def test_show_of_a_model_has_defaults() -> None:
    found = json.loads(run("show", "--model", "bireal-small", "--option", "classes=7", "--json").stdout)
    assert (found["input_shape"], found["convention"]) == ([28, 28, 1], "library")
    assert found["layers"][-1]["output_shape"] == [7]


def test_bench_reports_ratios() -> None:
    done = run("bench", "--pairs", "3", "--batch", "2", "--json")
    assert done.exit_code == 0, done.output
    assert list(json.loads(done.output)) == ["mlp", "cnn", "bireal-small", "resnet-20", "vgg-small"]
    done = run("bench", "--models", "mlp,bireal-20", "--pairs", "3", "--batch", "1", "--json")
    assert list(json.loads(done.output)) == ["mlp", "bireal-20"]


def test_compare_prints_a_row_an_estimator() -> None:
    done = run(
        "compare", "--estimators", "clipped-ste, fda:terms=5:window=null", "--seeds", "2", "--epochs", "1",
        "--limit", "128", "--model", "mlp", "--option", "width=8", "--json",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert [row["arm"] for row in found["summaries"]] == ["clipped-ste", "fda:terms=5:window=null"]
    fda = {"estimator": "fda", "parameters": {"terms": 5, "window": None}}
    assert list(found["arms"].values()) == [{"estimator": "clipped-ste"}, fda]


def test_compare_without_json_is_a_table_of_whole_labels() -> None:
    done = run(
        "compare", "--estimators", "tanh,fda:terms=5:window=null:omega=1.5", "--seeds", "2", "--epochs", "1",
        "--limit", "128", "--model", "mlp", "--option", "width=8",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    start, width = next((i, line.index("mean %")) for i, line in enumerate(lines) if "mean %" in line)
    labels = [line[:width].strip() for line in lines[start + 1 :]]
    assert "".join(labels) == "tanhfda:terms=5:window=null:omega=1.5"  # a long one goes on below, uncut
    assert [" to " in line for line in lines[start + 1 : start + 3]] == [False, True]


def test_a_stage_may_leave_the_weights_real(tmp_path: Path) -> None:
    """ReActNet's two steps: signs of activations first, then of weights too."""
    path = tmp_path / "net.safetensors"
    done = run(
        "train", "--model", "mlp", "--option", "width=8", "--option", "weight_estimator=bireal-weight-code",
        "--estimator", "rsign", "--limit", "128", "--epochs", "1", "--out", path,
        "--pretrain", "rsign:weight_estimator=real:epochs=2",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert [line.rsplit(" after ")[1].split(",")[0] for line in done.stdout.splitlines()[:2]] == [
        *("2 epochs", "1 epoch")
    ]
    (first,) = bnn_ref.load_model(path).before
    assert first.model is not None
    assert first.model.options["weight_estimator"] == "real"
    assert bnn_ref.load_model(path).model.spec.options["weight_estimator"] == "bireal-weight-code"


@pytest.mark.parametrize("as_json", [True, False])
def test_a_sweep_with_a_diverging_run_goes_on_and_exits_with_1(as_json: bool) -> None:
    done = run(
        "compare", "--estimators", "tanh,real-relu,real", "--seeds", "1", "--epochs", "2", "--limit", "130",
        "--model", "mlp", "--option", "width=12", "--lr", "1000", "--optimizer", "sgd",
        *(["--json"] if as_json else []),
    )  # fmt: skip
    assert done.exit_code == 1, done.output
    if as_json:
        found = json.loads(done.stdout)
        assert [row["mean"] is None for row in found["summaries"]] == [False, True, False]
        return
    rows = [line.split() for line in done.stdout.splitlines()]
    assert ["real-relu", "diverged", *"----"] in rows
    assert any("real-relu, seed 0: diverged: " in line for line in done.stdout.splitlines())
    assert any(row[0] == "real" and float(row[1]) > 0 for row in rows if len(row) == 6)


@pytest.mark.parametrize("stages", ["", "real-relu"])
def test_training_that_diverges_is_told_in_a_line_and_exits_with_1(tmp_path: Path, stages: str) -> None:
    path = tmp_path / "net.safetensors"
    done = run(
        "train", "--model", "mlp", "--limit", "128", "--lr", "1e30", "--optimizer", "sgd",
        "--out", path, "--pretrain", stages,
    )  # fmt: skip
    assert done.exit_code == 1
    assert isinstance(done.exception, SystemExit)
    last = done.stderr.strip().splitlines()[-1]
    assert "loss: required finite numbers, got NaN or infinity in epoch 0" in last
    assert last.startswith("error: stage 1: " if stages else "error: loss: ")
    assert not path.exists()


BAD: list[tuple[list[str], str]] = [
    (["audit", "no-such"], "required one of identity-ste"),
    (["audit"], "required names of estimators"),
    (["audit", "fda", "--option", "terms=0"], "terms: required a whole number >= 1, got 0"),
    (["audit", "fda", "--option", "terms=NaN"], "terms: required a whole number"),
    (["audit", "tanh", "--option", "beta=Infinity"], "beta: required a positive number, got inf"),
    (["audit", "tanh", "--option", "beta=steep"], "beta: required a positive number, got 'steep'"),
    (["audit", "reste", "--option", 'm="a"'], "m: required a number between 0 and t = 1.5, got 'a'"),
    (["audit", "fda", "--option", "terms"], "required NAME=VALUE"),
    (["audit", "--model", "no-such"], "model: required one of mlp"),
    (["audit", "--model", "gone.safetensors"], "gone.safetensors"),
    (["spectrum", "fda", "--option", "speed=3"], "required parameters among terms"),
    (["spectrum", "fda", "--period", "-1"], "period: required a positive number"),
    (["show"], "required one estimator's name"),
    (["show", "tanh", "--all"], "required one estimator's name, --all, or --model NAME"),
    (["show", "tanh", "--model", "cnn"], "required one estimator's name, --all, or --model NAME"),
    (["show", "tanh", "--json"], "json: required --model NAME beside it, got True"),
    (["show", "tanh", "--convention", "larq"], "convention: required --model NAME beside it, got 'larq'"),
    (["show", "--all", "--size", "8x8x1"], "size: required --model NAME beside it, got '8x8x1'"),
    (["show", "--model", "cnn", "--out", "cards"], "out: required no folder with --model"),
    (["show", "--model", "cnn", "--size", "28x28"], "required HxWxC"),
    (["show", "--model", "cnn", "--size", ""], "size: required HxWxC"),
    (["show", "tanh", "--size", ""], "size: required --model NAME beside it, got ''"),
    (["show", "--model", "cnn", "--convention", ""], "required one of library, larq, paper, got ''"),
    (["show", "--model", "cnn", "--convention", "mine"], "required one of library, larq, paper, got 'mine'"),
    (["show", "--model", "cnn", "--convention", "paper"], "required the weights of Bi-Real-18 or -34"),
    (["show", "--model", "cnn", "--option", "width=-3"], "width: required a whole number >= 1, got -3"),
    (["train", "--out", "no/such/folder/a.safetensors"], "required an existing folder"),
    (["train", "--out", "OUT", "--data", "cats"], "digits, fashion-mnist, mnist"),
    (["train", "--out", "OUT", "--data", "mnist", "--folder", "BADDATA"], "train-images-idx3-ubyte"),
    (["report", "--out", "OUT", "--data", "mnist", "--folder", "BADDATA"], "train-images-idx3-ubyte"),
    (["train", "--out", "OUT", "--epochs", "0"], "epochs: required a whole number >= 1, got 0"),
    (["train", "--out", "OUT", "--lr", "nan"], "lr: required a finite number"),
    (["train", "--out", "OUT", "--harden", "3"], "harden: required None, or with a proximal optimizer"),
    (["train", "--out", "OUT", "--optimizer", "prox-connect", "--prox", "sign"], "prox: required one of"),
    (
        ["train", "--out", "OUT", "--prox", "parq"],
        "prox: required a proximal optimizer beside it, got 'adam'",
    ),
    (["train", "--out", "OUT", "--optimizer", "sgd", "--rule", "sgd"], "rule: required a proximal optimizer"),
    (["train", "--out", "OUT", "--optimizer", "prox-connect", "--prox", "bnn++"], "a curve that never falls"),
    (
        ["train", "--out", "OUT", "--optimizer", "prox-quant", "--prox", "parq:t=1"],
        "parq: required parameters",
    ),
    (
        ["train", "--out", "OUT", "--optimizer", "prox-quant", "--estimator", "real"],
        "optimizer: required one of real weights",
    ),
    (["train", "--out", "OUT", "--estimator", "nope"], "required one of identity-ste"),
    (["train", "--out", "OUT", "--model", "cnn", "--option", "depth=2"], "cnn: required options among width"),
    (["train", "--out", "OUT", "--model", "cnn", "--option", "width=-1"], "width: required a whole number"),
    (["train", "--out", "OUT", "--pretrain", "real-tanh"], "pretrain: real-tanh: estimator: required one of"),
    (
        ["train", "--out", "OUT", "--pretrain", "real:scale=big"],
        "pretrain: real: scale: required one of none",
    ),
    (
        ["train", "--out", "OUT", "--option", "estimator=fda"],
        "multiple values for keyword argument 'estimator'",
    ),
    (
        ["train", "--out", "OUT", "--pretrain", "real:leak=1"],
        "pretrain: real: settings: required some among epochs",
    ),
    (["train", "--out", "OUT", "--pretrain", "real:epochs=0"], "pretrain: real: epochs: required a whole"),
    (["train", "--out", "OUT", "--pretrain", "real:epochs"], "required NAME=VALUE, got 'epochs'"),
    (["train", "--out", "OUT", "--option", "seed=1"], "multiple values for keyword argument 'seed'"),
    (["compare", "--estimators", "fda,fda"], "estimators: required at least one, each once"),
    (["compare", "--estimators", ","], "estimators: required at least one, each once"),
    (["compare", "--estimators", "tanh,fda:speed=3"], "arm 'fda:speed=3': fda: required parameters among"),
    (["compare", "--estimators", "real:terms=5"], "parameters: required none with 'real', got {'terms': 5}"),
    (["compare", "--estimators", "fda:terms=0"], "terms: required a whole number >= 1, got 0"),
    (["compare", "--estimators", "fda:terms"], "required NAME=VALUE, got 'terms'"),
    (["compare", "--estimators", "fda", "--seeds", "0"], "seeds: required at least 1"),
    (["pack", "gone.safetensors", "--out", "OUT"], "gone.safetensors"),
    (["pack", "FOREIGN", "--out", "OUT"], "FOREIGN"),
    (["predict", "FOREIGN", "--data", "digits"], "FOREIGN"),
    (["predict", "TRUNCATED", "--data", "digits"], "TRUNCATED"),
    (["predict", "TRAINED"], "required --data NAME or --images"),
    (["predict", "TRAINED", "--images", "FOREIGN"], "required a .npy array"),
    (["predict", "TRAINED", "--images", "gone.npy"], "gone.npy"),
    (["predict", "TRAINED", "--data", "digits", "--threads", "2"], "threads: required 1 for a network that"),
    (["report", "--out", "OUT", "--data", "cats"], "data: required one of digits"),
    (["report", "--out", "OUT", "--estimators", "real"], "at least one besides 'real'"),
    (["report", "--out", "OUT", "--seeds", "0"], "seeds: required a whole number >= 1"),
    (["report", "--out", "no/such/a.html"], "required an existing folder"),
    (["bench", "--batch", "0"], "batch: required at least 1"),
    (["bench", "--pairs", "1"], "pairs: required at least 3"),
]


@pytest.mark.parametrize(("arguments", "reason"), BAD, ids=lambda value: " ".join(value)[:60])
def test_bad_use_has_one_clear_error_and_leaves_nothing(
    arguments: list[str], reason: str, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("FOREIGN").write_bytes(b"this is no model at all" * 40)
    Path("TRUNCATED").write_bytes(trained.read_bytes()[:-100])
    Path("TRAINED").write_bytes(trained.read_bytes())
    Path("BADDATA").mkdir()
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        Path("BADDATA", f"{name}-ubyte").write_bytes(b"\x00\x00\x08\x03\x00\x00\xea\x60")
    before = sorted(tmp_path.rglob("*"))
    done = run(*arguments)
    assert done.exit_code == 2, done.output
    said = " ".join(done.stderr.split())
    assert said.count("error: ") == 1, done.stderr
    assert reason in said
    assert sorted(tmp_path.rglob("*")) == before
