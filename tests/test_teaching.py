"""Teaching a model new sneakers by example: the copy, what it answers, and forgetting."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from sneaker_core.errors import DamagedError, DatasetError, RunError, UnknownLabelError
from sneaker_core.images import Photo
from sneaker_core.inference.predictor import predict_file
from sneaker_core.networks.checkpoint import SneakerModel, load_model, save_model
from sneaker_core.networks.decision import Status
from sneaker_core.networks.imprinting import MAX_TAKEN, head_outputs
from sneaker_core.networks.model_registry import find_model_by_reference, find_named_model, list_models
from sneaker_core.training.run_collection import delete_run, list_runs, rename_run, restore_run
from sneaker_core.training.taught_model import EMBEDDINGS_FILE, TAUGHT_FILE, changing, taught_summary
from sneaker_core.training.teaching import MOST_PHOTOS, forget, recall, teach
from sneaker_core.workspace.folder_exchange import exchange_folder, replaced_folder
from sneaker_core.workspace.paths import run_model_folder, runs_folder
from tests.factories import jpeg, lively_model, photo, photo_of_class, run_command, taught_names, teachable_model, write

NAME = "Astro Runner 9"
TYPES = ("Loafers", "Heels")


def shown(number: int, count: int, first: int = 0) -> list[Photo]:
    """Photos of one color, which no known class has."""
    return [Photo(f"{number}-{seed}.jpg", jpeg(photo_of_class(number, seed))) for seed in range(first, first + count)]


@pytest.fixture(scope="module")
def base_model() -> SneakerModel:
    """A model with footwear types and negatives."""
    return teachable_model(footwear_types=TYPES)


@pytest.fixture(scope="module")
def base_home(base_model: SneakerModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    workspace = tmp_path_factory.mktemp("taught")
    save_model(base_model, run_model_folder(runs_folder(workspace) / "base"))
    return workspace


@pytest.fixture
def home(base_home: Path, tmp_path: Path) -> Path:
    """A workspace with one trained model, named base."""
    return Path(shutil.copytree(base_home, tmp_path / "workspace"))


def opened(home: Path, name: str) -> SneakerModel:
    return load_model(find_named_model(home, name))


class TestACopyThatWasTaught:
    def test_names_its_photos_and_keeps_everything_else(self, home, base_model, tmp_path):
        done = teach(home, {NAME: shown(0, 5)}, "base", new_name="mine")
        model, base = opened(home, "mine"), opened(home, "base")
        assert model.spec.classes == (*base.spec.classes, NAME)
        assert (model.spec.footwear_types, model.spec.has_negatives_class) == (TYPES, True)
        assert model.spec.decision == base.spec.decision
        assert model.spec.metrics == {}
        answer = predict_file(model, write(tmp_path / "new.jpg", shown(0, 1)[0].data))
        assert answer.top[0].label == NAME
        photos = base.spec.preprocessing([photo(seed) for seed in range(40, 60)])
        before, after = base.outputs(photos), model.outputs(photos)
        assert np.allclose(after.logits[:, :-1], before.logits, atol=1e-4)
        assert np.allclose(after.footwear_logits, before.footwear_logits, atol=1e-4)
        assert np.allclose(after.negatives_logit, before.negatives_logit, atol=1e-4)
        (lesson,) = done.lessons
        assert (lesson.total, len(lesson.photos), lesson.rejected) == (5, 5, {})
        assert lesson.recognized + sum(lesson.taken_for.values()) == 5
        assert lesson.recognized >= 4

    def test_takes_few_of_what_was_known_and_says_which(self, home):
        (lesson,) = teach(home, {NAME: shown(0, 5)}, "base", new_name="mine").lessons
        model, base = opened(home, "mine"), opened(home, "base")
        length = float(np.linalg.norm(model.outputs(model.spec.preprocessing([photo(1)])).embeddings))
        scaled = base.references * length
        was, now = (head_outputs(one, scaled).logits.argmax(1) for one in (base, model))
        assert (was != now).mean() <= MAX_TAKEN + 1 / len(scaled)
        assert set(lesson.endangered) <= set(base.spec.classes)

    def test_does_not_refuse_the_taught_photos_for_their_embedding(self, home):
        teach(home, {NAME: shown(0, 4)}, "base", new_name="mine")
        model, base = opened(home, "mine"), opened(home, "base")
        assert len(model.references) == len(base.references) + 4
        assert np.allclose(model.references[:-4], base.references, atol=1e-3)

    def test_is_an_item_that_is_listed_renamed_deleted_and_restored(self, home):
        teach(home, {NAME: shown(0, 3)}, "base", new_name="mine")
        (run,) = (run for run in list_runs(home) if run.name == "mine")
        assert (run.is_done, run.has_model, run.taught_from, run.is_damaged) == (True, True, "lively", False)
        rename_run(home, "mine", "ours")
        assert opened(home, "ours").spec.name == "ours"
        delete_run(home, "ours")
        assert "ours" not in {entry.name for entry in list_models(home)}
        restore_run(home, "ours")
        assert taught_names(find_named_model(home, "ours")) == (NAME,)


class TestTeachingMore:
    def test_the_same_name_adds_photos_and_another_one_a_sneaker(self, home):
        teach(home, {NAME: shown(0, 3)}, "base", new_name="mine")
        (more,) = teach(home, {NAME: shown(0, 2, first=2)}, "mine").lessons
        assert (more.total, more.photos) == (4, ("0-3.jpg",))
        assert "It is a copy of a photo that it was taught earlier" in more.rejected["0-2.jpg"]
        teach(home, {"Other Shoe": shown(1, 3)}, "base", new_name="mine")
        assert taught_names(find_named_model(home, "mine")) == (NAME, "Other Shoe")
        teach(home, {"Third Shoe": shown(2, 3)}, "mine", new_name="theirs")
        assert taught_names(find_named_model(home, "theirs")) == (NAME, "Other Shoe", "Third Shoe")
        assert taught_names(find_named_model(home, "mine")) == (NAME, "Other Shoe")

    def test_forgetting_restores_the_answers(self, home):
        teach(home, {NAME: shown(0, 3), "Other Shoe": shown(1, 3)}, "base", new_name="mine")
        teach(home, {"Other Shoe": shown(1, 3)}, "base", new_name="one")
        photos = opened(home, "base").spec.preprocessing([photo(seed) for seed in range(8)])
        assert forget(home, NAME, "mine") == ("Other Shoe",)
        mine, one = opened(home, "mine"), opened(home, "one")
        assert mine.spec.classes == one.spec.classes
        assert np.allclose(mine.outputs(photos).logits, one.outputs(photos).logits, atol=1e-2)
        assert forget(home, "Other Shoe", "mine") == ()
        mine, base = opened(home, "mine"), opened(home, "base")
        assert mine.spec.classes == base.spec.classes
        assert (mine.outputs(photos).logits == base.outputs(photos).logits).all()
        assert np.allclose(mine.references, base.references, atol=1e-3)

    def test_what_was_forgotten_is_recalled_with_what_was_taught_meanwhile(self, home):
        teach(home, {NAME: shown(0, 3), "Other Shoe": shown(1, 3)}, "base", new_name="mine")
        photos = opened(home, "base").spec.preprocessing([photo(seed) for seed in range(8)])
        before = opened(home, "mine").outputs(photos).logits
        forget(home, NAME, "mine")
        assert recall(home, NAME, "mine") == ("Other Shoe", NAME)
        assert np.allclose(opened(home, "mine").outputs(photos).logits[:, [0, 1, 2, 4, 3]], before, atol=1e-2)
        forget(home, NAME, "mine")
        teach(home, {NAME: shown(0, 4, first=2)}, "mine")
        summary = taught_summary(find_named_model(home, "mine"))
        assert (summary.sneakers, summary.forgotten) == ({"Other Shoe": 3, NAME: 4}, {NAME: 3})
        recall(home, NAME, "mine")
        assert taught_summary(find_named_model(home, "mine")).sneakers == {"Other Shoe": 3, NAME: 6}
        forget(home, NAME, "mine")
        teach(home, {NAME.lower(): shown(0, 3)}, "mine")
        with pytest.raises(DatasetError, match="was taught"):
            recall(home, NAME, "mine")
        with pytest.raises(UnknownLabelError, match="not made to forget"):
            recall(home, "Other Shoe", "mine")

    def test_an_empty_model_knows_what_it_is_taught_alone(self, home, tmp_path):
        sneakers = {f"Shoe {number}": shown(number, 10) for number in range(3)}
        done = teach(home, sneakers, "base", new_name="fresh", empty=True)
        model = opened(home, "fresh")
        assert model.spec.classes == tuple(sneakers)
        assert [lesson.recognized >= 8 for lesson in done.lessons] == [True] * 3
        answers = [
            predict_file(model, write(tmp_path / "new.jpg", one.data))
            for number in range(3)
            for one in shown(number, 3, first=20)
        ]
        named = [answer.top[0].label == f"Shoe {place // 3}" for place, answer in enumerate(answers)]
        assert sum(named) >= 8
        assert sum(answer.status is Status.UNKNOWN for answer in answers) <= 3
        (more,) = teach(home, {"Shoe 1": shown(1, 2, first=30)}, "base", new_name="fresh", empty=True).lessons
        assert more.total == 12
        assert forget(home, "Shoe 1", "fresh") == ("Shoe 0", "Shoe 2")
        with pytest.raises(DatasetError, match="fewer than two"):
            forget(home, "Shoe 0", "fresh")


class TestAnExchangeThatWasInterrupted:
    """A model that is changed is out of its place for an instant."""

    @pytest.mark.parametrize("entry", ["list_models", "list_runs", "by_reference", "teach", "forget"])
    def test_is_undone_by_whoever_looks_for_the_model(self, home, entry):
        teach(home, {NAME: shown(0, 3), "Comet 2": shown(1, 3)}, "base", new_name="mine")
        folder = find_named_model(home, "mine")
        folder.replace(replaced_folder(folder))
        if entry == "list_models":
            assert "mine" in [model.name for model in list_models(home)]
        elif entry == "list_runs":
            assert {run.name: run.has_model for run in list_runs(home)} == {"base": True, "mine": True}
        elif entry == "by_reference":
            assert find_model_by_reference(home, "mine") == folder
        elif entry == "teach":
            teach(home, {NAME: shown(0, 3, first=3)}, "base", new_name="mine")
        else:
            assert forget(home, NAME, "mine") == ("Comet 2",)
        assert folder.is_dir() and not replaced_folder(folder).exists()

    def test_is_left_alone_while_it_goes_on(self, home):
        folder = find_named_model(home, "base")
        with changing(folder.parent):
            folder.replace(replaced_folder(folder))
            assert list_models(home) == list_models(home / "nothing")
            replaced_folder(folder).replace(folder)

    def test_leaves_what_was_there_if_the_new_one_cannot_be_moved(self, tmp_path):
        kept = write(tmp_path / "model" / "a.txt", b"mine")
        with pytest.raises(FileNotFoundError):
            exchange_folder(tmp_path / "missing", kept.parent, tmp_path / "old")
        assert kept.read_bytes() == b"mine"


class TestWhatIsRefused:
    def test_photos_that_cannot_be_used_are_named_with_the_reason(self, home, tmp_path):
        bad = [Photo("text.jpg", b"no photo"), tmp_path / "gone.jpg", Photo("again.jpg", shown(0, 1)[0].data)]
        (lesson,) = teach(home, {NAME: [*shown(0, 3), *bad]}, "base", new_name="mine").lessons
        assert set(lesson.rejected) == {"text.jpg", str(tmp_path / "gone.jpg"), "again.jpg"}
        assert lesson.rejected["again.jpg"] == "It is a copy of 0-0.jpg, so it counts once."
        with pytest.raises(DatasetError, match=r"1 photo that can be used; it needs 3 or more.*not a photo"):
            teach(home, {NAME: [*shown(0, 1), *bad]}, "base", new_name="other")
        with pytest.raises(DatasetError, match="at most 50"):
            teach(home, {NAME: shown(0, MOST_PHOTOS + 1)}, "base", new_name="other")
        assert {path.name for path in runs_folder(home).iterdir()} - {".lock"} == {"base", "mine"}

    @pytest.mark.parametrize("name", ["boot", " boot\u200b", "BOOT", "loafers"])
    def test_what_the_base_was_trained_on(self, home, name):
        with pytest.raises(DatasetError, match=r"was trained on '(boot|Loafers)' already"):
            teach(home, {name: shown(0, 3)}, "base", new_name="mine")

    def test_names_that_cannot_be_used(self, home):
        teach(home, {NAME: shown(0, 3)}, "base", new_name="mine")
        with pytest.raises(DatasetError, match="was taught 'Astro Runner 9' already"):
            teach(home, {"astro-runner 9": shown(1, 3)}, "mine")
        for name in ("", " \u200b", "x" * 101):
            with pytest.raises(DatasetError, match="needs a name"):
                teach(home, {name: shown(1, 3)}, "mine")
        with pytest.raises(RunError, match="a name of its own"):
            teach(home, {NAME: shown(0, 3)}, "base")
        for taken in ("base", "street72", "../up"):
            with pytest.raises(RunError):
                teach(home, {NAME: shown(0, 3)}, "base", new_name=taken)
        with pytest.raises(DatasetError, match="two sneakers or more"):
            teach(home, {NAME: shown(0, 3)}, "base", new_name="fresh", empty=True)

    def test_a_model_of_another_base_is_left_alone(self, home):
        teach(home, {NAME: shown(0, 3)}, "base", new_name="mine")
        save_model(lively_model(seed=5), run_model_folder(runs_folder(home) / "second"))
        with pytest.raises(RunError, match="was taught from"):
            teach(home, {NAME: shown(0, 3)}, "second", new_name="mine")
        with pytest.raises(RunError, match="not from an empty model"):
            teach(home, {NAME: shown(0, 3)}, "base", new_name="mine", empty=True)
        teach(home, {NAME: shown(0, 3), "Other Shoe": shown(1, 3)}, "base", new_name="fresh", empty=True)
        with pytest.raises(RunError, match="was taught from an empty model"):
            teach(home, {"Third Shoe": shown(2, 3)}, "base", new_name="fresh")

    def test_forgetting_what_was_not_taught(self, home):
        with pytest.raises(UnknownLabelError, match="was not taught any"):
            forget(home, "boot", "base")
        teach(home, {NAME: shown(0, 3)}, "base", new_name="mine")
        with pytest.raises(UnknownLabelError, match="Sneakers that it was taught: Astro Runner 9"):
            forget(home, "boot", "mine")

    def test_a_damaged_record_is_one_sentence_and_the_model_still_answers(self, home, tmp_path):
        folder = teach(home, {NAME: shown(0, 3)}, "base", new_name="mine").folder
        record = json.loads((folder / TAUGHT_FILE).read_text())
        arrays = (folder / EMBEDDINGS_FILE).read_bytes()
        damages = {
            TAUGHT_FILE: [b"", b"[]", b'{"format": 99}', json.dumps({**record, "sneakers": []}).encode()],
            EMBEDDINGS_FILE: [b"", arrays[:-1]],
        }
        for file, contents in damages.items():
            intact = (folder / file).read_bytes()
            for content in contents:
                (folder / file).write_bytes(content)
                for work in (lambda: forget(home, NAME, "mine"), lambda: teach(home, {NAME: shown(1, 3)}, "mine")):
                    with pytest.raises(DamagedError, match=file):
                        work()
                assert predict_file(load_model(folder), write(tmp_path / "new.jpg", shown(0, 1)[0].data)).top
            (folder / file).write_bytes(intact)
        assert forget(home, NAME, "mine") == ()


class TestCommands:
    def test_teach_predict_list_and_forget(self, home, tmp_path):
        photos = [write(tmp_path / "shoes" / one.name, one.data) for one in shown(0, 4)]
        done = run_command(home, "teach", NAME, *photos, "--model", "base", "--as", "mine")
        assert (done.returncode, done.stderr) == (0, "")
        assert f"{NAME}: taught with 4 photos." in done.stdout
        assert "of 4 photos would have been recognized" in done.stdout
        answer = json.loads(run_command(home, "predict", photos[0], "--model", "mine").stdout)
        assert answer["top"][0]["label"] == NAME
        assert "mine  done: lively, taught by example" in run_command(home, "runs", "list").stdout
        left = run_command(home, "forget", NAME, "--model", "mine", "--json")
        assert json.loads(left.stdout) == {"model": "mine", "taught": []}
        back = run_command(home, "forget", NAME, "--model", "mine", "--undo")
        assert back.stdout == f"Recalled. Taught: {NAME}.\n"

    def test_several_sneakers_in_folders(self, home, tmp_path):
        for number in range(2):
            for one in shown(number, 10):
                write(tmp_path / str(number) / one.name, one.data)
        given = [part for number in range(2) for part in ("--class", f"Shoe {number}={tmp_path / str(number)}")]
        done = run_command(home, "teach", "--empty", "--model", "base", "--as", "fresh", *given, "--json")
        found = json.loads(done.stdout)
        assert [one["name"] for one in found["sneakers"]] == ["Shoe 0", "Shoe 1"]
        assert (found["model"], found["base"]) == ("fresh", "lively")

    def test_wrong_usage_and_failures(self, home, tmp_path):
        assert run_command(home, "teach", "--as", "mine").returncode == 2
        assert run_command(home, "teach", NAME, "--class", "A=b", "--as", "mine").returncode == 2
        failed = run_command(home, "teach", NAME, tmp_path / "gone.jpg", "--model", "base", "--as", "mine")
        assert failed.returncode == 1
        assert failed.stderr.startswith(f"Error: {NAME} has 0 photos that can be used; it needs 3 or more.")
        assert len(failed.stderr.splitlines()) == 1
