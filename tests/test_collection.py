"""The class behind datasets, runs, studies, evaluations and saved explanations."""

import json
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from sneaker_core.datasets.dataset_collection import (
    create_dataset,
    delete_dataset,
    find_dataset,
    find_dataset_by_id,
    find_or_create,
    find_source,
    list_datasets,
    rename_dataset,
    restore_dataset,
    source_folder,
    source_reference,
)
from sneaker_core.datasets.sources.photo_import import import_photos
from sneaker_core.errors import DatasetError, RunError, SneakerError
from sneaker_core.training.recipe import make_recipe
from sneaker_core.training.study_setup import open_study
from sneaker_core.workspace.collection import Collection
from sneaker_core.workspace.collection_spec import ABOUT_FILE, CollectionSpec, read_name, update_about
from sneaker_core.workspace.paths import datasets_folder
from tests.factories import draw_dataset


@dataclass(frozen=True)
class Thing:
    folder: Path
    name: str
    busy: bool = False

    @property
    def id(self) -> str:
        return self.folder.name


def read_thing(folder: Path) -> Thing:
    values = json.loads((folder / "thing.json").read_text()) if (folder / "thing.json").exists() else {}
    if values.get("damaged"):
        raise RunError(f"{folder} is damaged.")
    return Thing(folder, read_name(folder), bool(values.get("busy")))


SPEC = CollectionSpec[Thing](
    kind="things",
    noun="thing",
    plural="things",
    error=RunError,
    holds_item=lambda folder: (folder / "thing.json").exists() or (folder / ABOUT_FILE).exists(),
    read=read_thing,
    is_busy=lambda thing: thing.busy,
    order=lambda thing: (thing.name,),
    reserved=lambda workspace: {"taken": "something else"},
)


@pytest.fixture
def things(tmp_path: Path) -> Collection[Thing]:
    return Collection(tmp_path, SPEC)


def make(things: Collection[Thing], name: str, **values: bool) -> Path:
    folder = things.create(name)
    (folder / "thing.json").write_text(json.dumps(values))
    return folder


def names(things: Collection[Thing]) -> list[str]:
    return [thing.name for thing in things.list()]


class TestFinding:
    def test_a_name_is_found_exactly_or_not_at_all(self, things):
        folder = make(things, "one")
        assert things.find("one").folder == folder
        for name in (
            "On",
            "ONE",
            "",
            ".",
            "..",
            "../things/one",
            str(folder),
            "a/b",
            "/tmp/y",
            "\0",
            "x" * 5000,
        ):
            with pytest.raises(RunError, match=r"No thing named .*\. Available things: 'one'\."):
                things.find(name)

    def test_differences_that_nobody_can_see_make_no_difference(self, things):
        folder = make(things, "one")
        for typed in ("one ", " one", "o\u200bne", "\ufeffone"):
            assert things.find(typed).folder == folder
            with pytest.raises(RunError, match="already a thing named 'one'"):
                things.create(typed)
        make(things, "two\u00a0shoes ")
        assert names(things) == ["one", "two shoes"]
        assert things.rename("two  shoes", "Cafe\u0301\u3000").name == "Café"
        things.delete("Cafe\u0301")
        assert things.restore("Café\u200d").name == "Café"

    def test_an_empty_collection_says_so(self, things):
        assert (things.list(), things.deleted(), things.damaged()) == ([], [], {})
        with pytest.raises(RunError, match=r"Available things: none yet\."):
            things.find("one")
        assert not things.folder.exists()

    def test_by_id_a_renamed_item_is_still_found(self, things):
        make(things, "one")
        things.rename("one", "two")
        assert things.find_by_id("one").name == "two"
        assert things.find_by_id("name:two").id == "one"
        for reference in ("two", "name:one", "../things/one", ""):
            with pytest.raises(RunError, match="No thing named"):
                things.find_by_id(reference)

    def test_of_two_with_one_name_copied_by_hand_none_is_guessed(self, things):
        first = make(things, "one")
        second = make(things, "two")
        update_about(second, name="one")
        with pytest.raises(RunError, match="Several things are named 'one', in the folders 'one', 'two'"):
            things.find("one")
        assert things.find_by_id("two").folder == second
        things.rename(things.find_by_id("two"), "other")
        assert things.find("one").folder == first

    def test_a_damaged_one_is_listed_as_damaged_and_does_not_affect_others(self, things):
        make(things, "bad", damaged=True)
        make(things, "good")
        assert names(things) == ["good"]
        assert things.damaged() == {"bad": f"{things.folder / 'bad'} is damaged."}
        with pytest.raises(RunError, match="already a thing named 'bad'"):
            things.create("bad")

    def test_other_folders_and_files_are_skipped(self, things):
        make(things, "one")
        (things.folder / "notes").mkdir()
        (things.folder / "file").touch()
        make(things, "hidden").rename(things.folder / ".hidden")
        assert names(things) == ["one"]


class TestNames:
    @pytest.mark.parametrize(
        "name", ["", ".", "..", "../x", "a/b", "a\\b", "/tmp/y", "-x", ".x", "x.", "CON", "\u200b", "x" * 81]
    )
    def test_names_that_folders_cannot_have_are_refused(self, things, name):
        make(things, "one")
        for change in (
            lambda: things.create(name),
            lambda: things.rename("one", name),
            lambda: things.open_folder(name),
        ):
            with pytest.raises(RunError, match="can't be the name of a thing"):
                change()
        assert names(things) == ["one"]

    def test_a_name_is_given_once_whatever_its_case(self, things):
        make(things, "one")
        make(things, "two")
        for change in (lambda: things.create("ONE"), lambda: things.rename("two", "One")):
            with pytest.raises(RunError, match="already a thing named"):
                change()
        with pytest.raises(RunError, match="belongs to something else"):
            things.create("Taken")
        assert things.rename("one", "ONE").name == "ONE"
        assert things.rename("ONE", "ONE").name == "ONE"

    def test_free_names_count_up(self, things):
        make(things, "one")
        make(things, "one (2)")
        assert (things.free_name("one"), things.free_name("two")) == ("one (3)", "two")
        assert things.free_name("taken") == "taken (2)"

    def test_of_many_who_create_at_once_one_gets_the_name(self, things):
        at_once = threading.Barrier(5)

        def click(_: int) -> bool:
            at_once.wait()
            try:
                things.create("one")
            except SneakerError:
                return False
            return True

        with ThreadPoolExecutor(5) as pool:
            assert sum(pool.map(click, range(5))) == 1

    def test_opening_gives_everybody_the_same_folder(self, things):
        with ThreadPoolExecutor(4) as pool:
            assert len(set(pool.map(things.open_folder, ["one"] * 4))) == 1


class TestIdentity:
    def test_a_rename_moves_nothing_even_while_it_is_busy(self, things):
        folder = make(things, "one", busy=True)
        renamed = things.rename("one", "two")
        assert (renamed.id, renamed.name, renamed.folder) == ("one", "two", folder)

    def test_an_id_is_not_given_again_while_its_item_exists_or_is_in_the_bin(self, things):
        make(things, "one")
        things.rename("one", "two")
        second = make(things, "one")
        assert second.name != "one"
        assert things.find("one").folder == second
        things.delete("two")
        things.delete("one")
        third = make(things, "one")
        assert third.name not in ("one", second.name)

    def test_restored_it_has_its_id_again(self, things):
        folder = make(things, "one")
        things.rename("one", "two")
        assert things.delete("two") == things.bin / "one"
        make(things, "two")
        restored = things.restore("two")
        assert (restored.id, restored.name, restored.folder) == ("one", "two (2)", folder)


class TestBin:
    def test_the_last_deleted_comes_first_and_back(self, things):
        for number in range(3):
            make(things, "one")
            things.delete("one")
            (deleted, *_) = things.deleted()
            update_about(deleted.folder, number=number)
        assert [json.loads((thing.folder / ABOUT_FILE).read_text())["number"] for thing in things.deleted()] == [
            2,
            1,
            0,
        ]
        assert [things.restore("one").name for _ in range(3)] == ["one", "one (2)", "one (3)"]
        assert things.deleted() == []
        for name in ("one", "../things/one"):
            with pytest.raises(RunError, match=r"There is no thing named .* in the bin"):
                things.restore(name)

    def test_a_busy_item_is_not_deleted(self, things):
        make(things, "one", busy=True)
        with pytest.raises(RunError, match="in use by a running job"):
            things.delete("one")
        assert names(things) == ["one"]

    def test_by_the_item_itself(self, things):
        make(things, "one")
        (thing,) = things.list()
        things.delete(thing)
        (deleted,) = things.deleted()
        assert things.restore(deleted).name == "one"

    def test_the_old_layout_is_migrated(self, things, tmp_path):
        for moment, text in (("01795601051709297773", "old"), ("01795601061709297773", "older")):
            folder = tmp_path / "bin" / "things" / moment / "one"
            folder.mkdir(parents=True)
            (folder / "thing.json").write_text("{}")
            (folder / "text").write_text(text)
        assert [(thing.folder / "text").read_text() for thing in things.deleted()] == ["older", "old"]
        assert [thing.name for thing in things.deleted()] == ["one", "one"]
        assert len({thing.id for thing in things.deleted()}) == 2
        assert (things.bin / "one").is_dir()
        assert [path.name for path in things.bin.iterdir() if path.name.startswith("0")] == []
        make(things, "one")
        assert [things.restore("one").name for _ in range(2)] == ["one (2)", "one (3)"]


class TestTwoDatasetsWithOneName:
    """As if a dataset's folder had been copied by hand: the copy has the same display name but another id."""

    @pytest.fixture
    def workspace(self, tmp_path):
        first = create_dataset(tmp_path, "Shoes")
        import_photos(first, draw_dataset(tmp_path / "photos", {"boot": 2, "clog": 2}))
        shutil.copytree(first.folder, datasets_folder(tmp_path) / "copied")
        return tmp_path

    def test_both_are_listed_and_none_is_guessed(self, workspace):
        found = [(entry.name, entry.id) for entry in list_datasets(workspace)]
        assert found == [("Shoes", "Shoes"), ("Shoes", "copied")]
        with pytest.raises(DatasetError, match="Several datasets are named 'Shoes'"):
            find_dataset(workspace, "Shoes")
        assert find_dataset_by_id(workspace, "copied").folder.name == "copied"

    def test_a_search_keeps_them_apart(self, workspace):
        chosen = make_recipe("scratch", {"epochs": 1, "size": 32})
        first, second = (str(entry.folder) for entry in list_datasets(workspace))
        assert open_study(workspace, first, "one", chosen).source == "Shoes"
        with pytest.raises(RunError, match="another dataset"):
            open_study(workspace, second, "one", chosen)
        study = open_study(workspace, second, "two", chosen)
        assert (study.source, study.dataset) == ("copied", "Shoes")
        assert str(source_folder(workspace, study.source)) == second


class TestNamesAreNotIdentities:
    def test_a_former_name_is_free_and_leads_nowhere(self, tmp_path):
        first = create_dataset(tmp_path, "alpha")
        rename_dataset(tmp_path, first, "beta")
        with pytest.raises(DatasetError, match="No dataset named 'alpha'"):
            find_dataset(tmp_path, "alpha")
        second = find_or_create(tmp_path, "alpha")
        assert second.folder != first.folder
        delete_dataset(tmp_path, "alpha")
        assert [entry.name for entry in list_datasets(tmp_path)] == ["beta"]
        assert find_dataset(tmp_path, "beta").folder == first.folder

    def test_a_record_finds_its_dataset_after_renaming_deleting_and_restoring(self, tmp_path):
        made = create_dataset(tmp_path, "alpha")
        reference = source_reference(tmp_path, find_source(tmp_path, "alpha"))
        rename_dataset(tmp_path, made, "beta")
        create_dataset(tmp_path, "alpha")
        delete_dataset(tmp_path, "beta")
        restore_dataset(tmp_path, "beta")
        assert source_folder(tmp_path, reference) == made.folder
