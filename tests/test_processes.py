"""Training with several processes under torchrun."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from sneaker_core import process_group
from sneaker_core.errors import RecipeError
from sneaker_core.networks.architectures import build_network
from sneaker_core.networks.checkpoint import read_spec
from sneaker_core.training.recipe import Recipe
from sneaker_core.training.run_metrics import METRICS_FILE
from sneaker_core.training.trainer import Trainer
from sneaker_core.workspace.paths import PROJECT, RUN_FILE, run_model_folder, runs_folder
from tests.factories import draw_arrays, draw_dataset, run_command

pytestmark = pytest.mark.slow

SMALL = ["--init=none", "--size=32", "--batch=8", "--epochs=2", "--set=val_share=0.2", "--set=test_share=0.2"]
BOTH = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "--master-addr=127.0.0.1"]


def with_torchrun(port, *arguments):
    """Run a command of the core in two processes, as users do."""
    # After the dashes, torchrun parses nothing; it would take --run for an abbreviation of its own --run-path.
    command = [*BOTH, f"--master-port={port}", "-m", "--", "sneaker_core", *map(str, arguments)]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=400)


def together(port, *arguments):
    """Run a command of the core in two processes, with the variables that torchrun sets, without its own start."""
    shared = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    command = [sys.executable, "-m", "sneaker_core", *map(str, arguments)]
    first, second = (
        subprocess.Popen(
            command,
            cwd=PROJECT,
            env={**os.environ, **shared, "RANK": number, "LOCAL_RANK": number},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in "01"
    )
    try:
        outputs = [process.communicate(timeout=400) for process in (first, second)]
    finally:
        first.kill(), second.kill()
    printed, errors = ("".join(parts) for parts in zip(*outputs, strict=True))
    return subprocess.CompletedProcess(command, first.returncode or second.returncode, printed, errors)


@pytest.fixture
def free_port():
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_alone_everything_is_ones_own():
    assert (process_group.count(), process_group.rank(), process_group.is_first()) == (1, 0, True)
    assert process_group.broadcast("a") == "a"
    assert process_group.gather(3) == [3]
    with process_group.joined():
        process_group.wait_for_all()


@pytest.mark.parametrize("recipe", ["finetune", "quick"])
def test_two_processes_train_one_model_and_measure_it_together(tmp_path, free_port, recipe):
    dataset = draw_dataset(tmp_path / "shoes", {"boot": 16, "clog": 16})
    common = ["--workspace", tmp_path, "train", dataset, "--recipe", recipe, "--run=both", *SMALL, "--json"]
    done = (with_torchrun if recipe == "finetune" else together)(free_port, *common)
    assert done.returncode == 0, done.stderr
    folder = runs_folder(tmp_path) / "both"
    # Only the first process writes files and output.
    events = [json.loads(line)["event"] for line in done.stdout.splitlines() if line.startswith("{")]
    assert events == ["prepared", "epoch", "epoch", "done"]
    assert [json.loads(line)["epoch"] for line in (folder / METRICS_FILE).read_text().splitlines()] == [1, 2]
    assert json.loads((folder / RUN_FILE).read_text())["state"] == "done"
    metrics = read_spec(run_model_folder(folder)).metrics
    # One process gets the same metrics as two.
    wanted = ["--workspace", str(tmp_path), "evaluate", "both", "--data", str(dataset), "--split=test", "--json"]
    figures = json.loads(run_command(tmp_path, *wanted[2:]).stdout)
    assert {key: figures[key] for key in ("n", "top1", "top3")} == {
        key: metrics["test"][key] for key in ("n", "top1", "top3")
    }
    np.testing.assert_allclose(figures["ece"], metrics["test"]["ece"], atol=1e-5)
    if recipe == "finetune":
        shared = together(free_port, *wanted)
        assert json.loads(shared.stdout.splitlines()[-1])["per_class"] == figures["per_class"]


def test_a_batch_that_cannot_be_shared_out_is_reported(monkeypatch):
    monkeypatch.setattr(process_group, "count", lambda: 2)
    for batch in (7, 2):
        recipe = Recipe(init="none", size=32, small_size=32, batch=batch)
        with pytest.raises(RecipeError, match=f"batch is {batch}; it must be a multiple of the number of processes, 2"):
            Trainer(build_network(recipe.network, 2), draw_arrays(2), recipe)
