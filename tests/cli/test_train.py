"""`triscale train`, in this process; what kills and signals do is in tests/train."""

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.conftest import QUESTION, Run
from tests.training.trainings import only
from triscale.trials import VALIDATION
from triscale.weights import load_weights

NETWORK = "smallnet_24@resolution=0.34"
SHORT = ("train", "--network", NETWORK, "--epochs", "2", "--batch", "16", "--device", "cpu")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("trained")


@pytest.fixture
def trained(run: Run, pictures: Path, place: Path) -> Path:
    """A finished training, the same for all tests."""
    folder = place / "run"
    if not folder.exists():
        assert run(*SHORT, "--data", pictures, "--out", folder).code == 0
    return folder


def test_a_training_says_what_came_out_and_where_it_lies(run: Run, pictures: Path, trained: Path) -> None:
    before = (trained / "records.jsonl").read_bytes()
    again = run(*SHORT, "--data", pictures, "--out", trained)
    top1 = only(trained).metrics[VALIDATION]
    assert again.out.startswith(f"validation top-1 {top1:.1%} after epoch ")
    assert again.out.rstrip().endswith(f"of 2: {trained / 'best.safetensors'}")
    assert (trained / "records.jsonl").read_bytes() == before, "a finished training is told, not made again"


def test_a_training_whose_only_step_has_no_rate_warns(run: Run, pictures: Path, tmp_path: Path) -> None:
    few = (*SHORT[:3], "--device", "cpu", "--no-kernels", "--data", pictures)
    one = run(*few, "--epochs", "1", "--batch", "64", "--out", tmp_path / "one")
    assert "whose learning rate is 0: nothing is learned" in one.err
    state = load_weights(tmp_path / "one" / "best.safetensors").state
    assert not any(tensor.any() for name, tensor in state.items() if name.startswith("classifier")), "as it began"
    more = run(*few, "--epochs", "2", "--batch", "64", "--out", tmp_path / "two")
    assert "nothing is learned" not in more.err


def test_the_json_document_is_what_scripts_rely_on(run: Run, pictures: Path, trained: Path) -> None:
    found = run(*SHORT, "--data", pictures, "--out", trained, "--json").json
    assert found["run"] == str(trained)
    assert found["epochs"] == 2
    assert 0 <= found["val_top1"] <= 1
    assert found["checkpoint"] == str(trained / "best.safetensors")


def test_the_folder_serves_evaluate_and_predict(run: Run, pictures: Path, trained: Path) -> None:
    assert run("evaluate", trained, "--data", pictures, "--device", "cpu", "--json").json["n"] == 16
    picture = next((pictures / "test" / "red").iterdir())
    assert run("predict", trained, picture, "--device", "cpu").code == 0


def test_other_options_in_the_same_folder_are_refused(run: Run, pictures: Path, trained: Path) -> None:
    for options, told in ((("--seed", 5), "seed"), (("--resolution", 9), "network")):
        answer = run(*SHORT, "--data", pictures, "--out", trained, *options)
        assert (answer.code, answer.out) == (65, "")
        assert told in answer.err
        assert len(answer.err.splitlines()) <= 3


def test_a_folder_of_something_else_is_refused(run: Run, pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("")
    answer = run(*SHORT, "--data", pictures, "--out", tmp_path)
    assert (answer.code, answer.out) == (73, "")
    assert "holds no training" in answer.err


def test_the_folder_of_a_training_takes_no_study(run: Run, pictures: Path, trained: Path) -> None:
    """A study would write its records and its best weights over those of the training."""
    before = (trained / "records.jsonl").read_bytes()
    answered = run("study", *QUESTION, "--data", pictures, "--out", trained)
    assert (answered.code, "holds a training, not a study" in answered.err) == (65, True)
    assert (trained / "records.jsonl").read_bytes() == before


def test_a_recipe_of_ones_own(run: Run, pictures: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "mine.toml"
    recipe.write_text('epochs = 1\nbatch = 8\noptimizer = "rmsprop"\nlearning_rate = 0.01\nema = 0.9\n')
    asked = ("train", "--network", NETWORK, "--data", pictures, "--device", "cpu", "--recipe", recipe, "--out")
    assert run(*asked, tmp_path / "run").code == 0
    assert only(tmp_path / "run").job.recipe.optimizer == "rmsprop"
    recipe.write_text("learning_rat = 1\n")
    assert "'learning_rate'" in run(*asked, tmp_path / "other").err


def test_a_pipeline_of_processes_that_are_not_there_is_refused(run: Run, pictures: Path, tmp_path: Path) -> None:
    asked = ("train", "--network", "smallnet_24", "--data", pictures, "--out", tmp_path / "out")
    for more, words in (
        (("--pipeline", 2), "--pipeline 2 needs as many processes, two at least, and there are 1."),
        (("--microbatches", 2), "give --pipeline too"),
    ):
        answer = run(*asked, *more)
        assert (answer.code, (tmp_path / "out").exists()) == (64, False)
        assert words in answer.err


def test_what_is_doubtful_is_dealt_with_as_check_does(run: Run, pictures: Path, tmp_path: Path) -> None:
    shutil.copytree(pictures, tmp_path / "set")
    (tmp_path / "set" / "train" / "blue").mkdir()
    asked = (*SHORT, "--data", tmp_path / "set", "--out", tmp_path / "run")
    assert (run(*asked).code, "--allow-empty" in run(*asked).err) == (65, True)
    assert run(*asked, "--allow-empty").code == 0
    photo = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    Image.fromarray(photo).save(tmp_path / "set" / "train" / "red" / "cut.jpg")
    whole = (tmp_path / "set" / "train" / "red" / "cut.jpg").read_bytes()
    (tmp_path / "set" / "train" / "red" / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    usual = (*SHORT, "--data", tmp_path / "set", "--allow-empty", "--out")
    assert run(*usual, tmp_path / "strict", "--strict").code == 65
    assert "cut.jpg" in run(*usual, tmp_path / "without").err
    assert "1 image is cut off and grey where it ends" in run(*usual, tmp_path / "with", "--allow-truncated").err
    told = [only(tmp_path / name).job.data.images for name in ("without", "with")]
    assert told[1] == told[0] + 1


def test_a_smaller_network_grows_and_a_teacher_teaches(run: Run, pictures: Path, trained: Path, tmp_path: Path) -> None:
    larger = ("train", "--network", f"{NETWORK},depth=1.5,width=1.5", "--data", pictures, "--epochs", "1", "--batch",
              "16", "--device", "cpu", "--grow", trained, "--teacher", trained)  # fmt: skip
    answer = run(*larger, "--out", tmp_path / "run")
    assert answer.code == 0, answer.err
    assert "begins as the function of smallnet_24@" in answer.err
    assert run(*larger, "--out", tmp_path / "run").out == answer.out, "a finished training is told, not made again"
    job = only(tmp_path / "run").job
    assert job.weights is not None
    assert job.weights.grow
    assert job.teacher == job.weights.digest == load_weights(trained).digest


@pytest.mark.parametrize(("options", "code", "told"), [
    (("--grow", "RUN"), 64, "give --network, and leave --weights out"),
    (("--network", NETWORK, "--grow", "RUN", "--weights", "RUN"), 64, "give --network, and leave --weights out"),
    (("--network", NETWORK, "--teacher-network", "resnet18"), 64, "--teacher is of: give that too"),
    (("--network", NETWORK, "--grow-network", "resnet18"), 64, "--grow is of: give that too"),
    (("--network", "resnet18", "--grow", "RUN"), 65, "resnet18: stages: 3 became 4"),
    (("--network", NETWORK, "--teacher", "nowhere.safetensors"), 65, "nowhere.safetensors"),
])  # fmt: skip
def test_what_cannot_begin_or_teach_is_refused(
    run: Run, pictures: Path, trained: Path, tmp_path: Path, options: tuple[str, ...], code: int, told: str
) -> None:
    asked = [trained if one == "RUN" else one for one in options]
    answer = run("train", "--data", pictures, "--epochs", "1", "--out", tmp_path / "run", *asked)
    assert (answer.code, answer.out) == (code, ""), answer.err
    assert told in answer.err
    assert len(answer.err.splitlines()) <= 3


def test_tensorboard_without_its_package_says_what_to_install(run: Run, pictures: Path, tmp_path: Path) -> None:
    answer = run(*SHORT, "--data", pictures, "--out", tmp_path / "run", "--tensorboard")
    if find_spec("tensorboard") is None:
        assert answer.code == 64
        assert "triscale[tensorboard]" in answer.err
    else:
        assert answer.code == 0
        assert list((tmp_path / "run").glob("events.out.tfevents.*"))


def limited(tmp_path: Path, room: int, *more: str, data: str = "flowers:240") -> "subprocess.CompletedProcess[str]":
    """A training that may take `room` bytes more than a process has after its imports."""
    code = (
        "import resource, sys, torch._dynamo, triscale.training; from triscale.cli import main; "
        "pages = int(open('/proc/self/statm').read().split()[0]); "
        f"limit = pages * resource.getpagesize() + {room}; "
        "resource.setrlimit(resource.RLIMIT_AS, (limit, limit)); "
        "sys.exit(main(sys.argv[1:]))"
    )
    asked = ("train", "--network", "smallnet_24@resolution=4", "--data", data, "--epochs", "1", "--device", "cpu",
             "--threads", "1", "--loader-workers", "0", "--out", str(tmp_path / "run"))  # fmt: skip
    return subprocess.run([sys.executable, "-c", code, *asked, *more], capture_output=True, text=True, check=False)


def test_batch_auto_halves_until_it_fits_and_keeps_the_batch(tmp_path: Path) -> None:
    (tmp_path / "large.toml").write_text("epochs = 1\nbatch = 256\n", encoding="utf-8")
    more = ("--recipe", str(tmp_path / "large.toml"), "--batch", "auto")
    done = limited(tmp_path, 600_000_000, *more, data="flowers:600")
    assert done.returncode == 0, done.stderr
    trial = only(tmp_path / "run")
    assert trial.history[0].parts in {2, 4, 8, 16, 32, 64}
    assert trial.job.recipe.batch == 256
    assert f"a batch of 256 is taken in {trial.history[0].parts} parts" in done.stderr
    assert ([one.kind for one in trial.deviations], trial.paired) == (["parts"] * len(trial.deviations), False)


def test_a_batch_that_does_not_fit_points_to_auto(tmp_path: Path) -> None:
    done = limited(tmp_path, 100_000_000)
    assert done.returncode == 71, done.stderr
    assert "--batch auto" in done.stderr
    assert "--gradient-checkpointing" in done.stderr
    assert len(done.stderr.splitlines()) <= 3


def test_numbers_that_go_wrong_end_it_and_the_reason_stands_in_its_trial(
    run: Run, pictures: Path, tmp_path: Path
) -> None:
    recipe = tmp_path / "wild.toml"
    recipe.write_text("epochs = 1\nbatch = 16\nlearning_rate = 1e30\nwarmup = 0.0\n")
    asked = ("train", "--network", NETWORK, "--data", pictures, "--device", "cpu", "--recipe", recipe, "--out")
    for _ in range(2):  # the same command tries again
        answer = run(*asked, tmp_path / "run")
        assert (answer.code, answer.out) == (70, "")
        assert len(answer.err.splitlines()) <= 4  # a remark, and the error
        trial = only(tmp_path / "run")
        assert (trial.state, trial.failure) == ("failed", "NumericError")
        assert str(trial.reason).splitlines()[0] in answer.err


def test_a_training_of_triscale_0_1_is_refused_with_the_remedy(run: Run, pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}")
    answer = run(*SHORT, "--data", pictures, "--out", tmp_path)
    assert (answer.code, answer.out) == (65, "")
    assert "Use another --out, or resume it with triscale 0.1." in answer.err


def test_what_decides_the_result_is_given_by_options_and_what_does_not_may_change(
    run: Run, pictures: Path, tmp_path: Path
) -> None:
    asked = (*SHORT, "--data", pictures, "--out", tmp_path / "run", "--keep", "last", "--train-size", 20, "--json",
             "--split-seed")  # fmt: skip
    found = run(*asked, 3).json
    trial = only(tmp_path / "run")
    assert (trial.job.keep, trial.job.data.seed, trial.job.data.subset, trial.seed) == ("last", 3, 20, 0)
    assert (found["key"], found["checkpoint"]) == (trial.key, str(tmp_path / "run" / "weights.safetensors"))
    assert found["best_epoch"] == 2
    assert run(*asked, 3, "--gradient-checkpointing", "--loader-workers", 2, "--save-every", "1s").json == found
    assert "split: " in run(*asked, 4).err
