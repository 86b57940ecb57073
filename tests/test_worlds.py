"""The scoreboard of worlds: figures by hand, and the whole way from the command line to the page's table."""

import json
import time

import numpy as np
import pandas as pd
import pytest

from sneaker_core.datasets.dataset_collection import create_dataset, find_dataset, open_samples
from sneaker_core.datasets.sources.photo_import import import_photos
from sneaker_core.evaluation.evaluation_charts import worlds_chart
from sneaker_core.evaluation.evaluation_collection import find_evaluation
from sneaker_core.evaluation.evaluation_files import read_table
from sneaker_core.evaluation.evaluation_job import evaluate, keep_with_model, start_evaluation
from sneaker_core.evaluation.html_report import report_html
from sneaker_core.evaluation.metric_text import world_text
from sneaker_core.evaluation.worlds import Share, read_world_metrics, world_metrics, worlds_sentence
from sneaker_core.networks.checkpoint import save_model
from sneaker_core.training.recipe import make_recipe
from sneaker_core.training.run_collection import CARD_FILE
from sneaker_core.training.train_model import train
from sneaker_core.workspace.paths import run_model_folder, runs_folder
from tests.factories import draw_dataset, jpeg, lively_model, photo_of_class, run_command, write

LABELS = ("boot", "clog", "sandal")
TINY = {"init": "none", "size": 32, "small_size": 32, "batch": 8, "epochs": 1, "val_share": 0.2, "test_share": 0.2}


def table() -> pd.DataFrame:
    """Shop: 3 of 4 right, one refused; phone: 1 of 2 right; things: of no class, one of three named."""
    rows = [
        ("shop", "boot", "boot", 0.9, "known", 1),
        ("shop", "boot", "boot", 0.8, "known", 1),
        ("shop", "clog", "clog", 0.7, "unknown", 1),
        ("shop", "clog", "boot", 0.6, "known", 2),
        ("phone", "boot", "boot", 0.5, "unsure", 1),
        ("phone", "clog", "boot", 0.5, "unsure", 4),
        ("things", "lamp", "boot", 0.9, "known", np.nan),
        ("things", "lamp", "boot", 0.3, "unknown", np.nan),
        ("things", None, "boot", 0.3, "unknown", np.nan),
    ]
    made = pd.DataFrame(rows, columns=["world", "label", "predicted", "probability", "status", "rank"])
    return made.assign(**{f"p:{label}": 0.0 for label in LABELS})


class TestFigures:
    def test_worst_first_and_worlds_without_known_classes_last(self):
        assert [one.world for one in world_metrics(table())] == ["phone", "shop", "things"]

    def test_shares_by_hand(self):
        phone, shop, things = world_metrics(table())
        assert (shop.photos, shop.known, shop.top1.value, shop.top3.value) == (4, 4, 0.75, 1.0)
        assert (shop.refused.value, shop.right_when_named.value, shop.right_when_named.n) == (0.25, 2 / 3, 3)
        assert (phone.top1.value, phone.top3.value, phone.right_when_named.n) == (0.5, 0.5, 0)
        assert (things.known, things.top1.n, things.named_unknown.value) == (0, 0, 1 / 3)
        assert things.refused.value == 2 / 3
        assert shop.ece == pytest.approx((0.1 + 0.2 + 0.3 + 0.6) / 4)

    def test_interval_is_wilsons(self):
        """5 of 10: Wilson (1927) gives 0.2366 to 0.7634."""
        share = Share.of(np.array([True, False] * 5))
        assert (share.low, share.high) == pytest.approx((0.2366, 0.7634), abs=1e-4)

    def test_a_table_of_one_source_has_no_worlds(self):
        assert world_metrics(table().drop(columns="world")) == []

    def test_survive_json(self):
        for one in world_metrics(table()):
            again = read_world_metrics([json.loads(json.dumps(one.to_dict()))])[0]
            assert json.dumps(again.to_dict()) == json.dumps(one.to_dict())

    def test_in_words(self):
        worlds = world_metrics(table())
        assert worlds_sentence(worlds) == "Right on 75% of shop photos and 50% of phone photos"
        assert world_text(worlds[0]) == "phone: 2 photos, top-1 50.0%, top-3 50.0%, refused 0.0%"
        assert "unknown class named 33.3%" in world_text(worlds[2])
        assert worlds_chart(worlds).title == "Right on 50% of phone photos, 75% of shop photos"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A workspace with a model, and two folders of photos."""
    folder = tmp_path_factory.mktemp("worlds")
    save_model(lively_model(), folder / "model")
    draw_dataset(folder / "shop", {"boot": 3, "clog": 2})
    draw_dataset(folder / "phone", {"sandal": 2, "lamp": 2})
    return folder


class TestEvaluations:
    def test_several_sources_are_worlds_of_one_evaluation(self, place):
        sources = {"shop": place / "shop", "phone": place / "phone"}
        result = evaluate(place / "model", sources, place, name="both")
        assert {one.world: one.photos for one in result.evaluation.worlds} == {"shop": 5, "phone": 4}
        assert result.evaluation.data == "phone and shop"
        kept = find_evaluation(place, "both")
        assert [one.to_dict() for one in kept.worlds] == [one.to_dict() for one in result.evaluation.worlds]
        assert read_table(kept).groupby("world").size().to_dict() == {"shop": 5, "phone": 4}
        assert "<h2>Worlds</h2>" in report_html(kept, read_table(kept))

    def test_as_a_job_it_says_what_it_evaluates_from_the_start(self, place):
        started = start_evaluation(
            place, str(place / "model"), {n: str(place / n) for n in ("shop", "phone")}, name="job"
        )
        assert started.data == "phone and shop"
        deadline = time.monotonic() + 120
        while not find_evaluation(place, "job").state.ended and time.monotonic() < deadline:
            time.sleep(0.2)
        found = find_evaluation(place, "job")
        assert (found.problem, found.data, len(found.worlds)) == (None, "phone and shop", 2)

    def test_on_the_command_line(self, place):
        data = ("--data", f"shop={place / 'shop'}", "--data", f"phone={place / 'phone'}")
        worlds = json.loads(run_command(place, "evaluate", place / "model", *data, "--json").stdout)["worlds"]
        assert {one["world"]: one["photos"] for one in worlds} == {"shop": 5, "phone": 4}
        assert "shop: 5 photos, top-1" in run_command(place, "evaluate", place / "model", *data).stdout

    def test_models_are_listed_with_their_worlds(self, place):
        model = run_model_folder(runs_folder(place / "listed") / "lively")
        save_model(lively_model(), model)
        assert json.loads(run_command(place / "listed", "models", "--json").stdout)[-1]["worlds"] == []
        result = evaluate(model, {"shop": place / "shop", "phone": place / "phone"}, place)
        keep_with_model(result, model)
        listed = json.loads(run_command(place / "listed", "models", "--json").stdout)[-1]
        assert listed["worlds"] == [one.to_dict() for one in result.evaluation.worlds]
        shop = next(one for one in result.evaluation.worlds if one.world == "shop")
        assert f"; shop {shop.top1.text}" in run_command(place / "listed", "models").stdout

    @pytest.mark.parametrize(
        ("data", "said"),
        [
            (("SHOP", "PHONE"), "each needs a name, as in --data shop="),
            (("a=SHOP", "a=PHONE"), "names the world 'a' twice"),
        ],
    )
    def test_sources_that_cannot_be_told_apart(self, place, data, said):
        named = [one.replace("SHOP", str(place / "shop")).replace("PHONE", str(place / "phone")) for one in data]
        done = run_command(place, "evaluate", place / "model", *(part for one in named for part in ("--data", one)))
        assert done.returncode == 1
        assert said in done.stderr


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """A workspace with a dataset of two worlds, imported from the command line."""
    folder = tmp_path_factory.mktemp("mixed")
    draw_dataset(folder / "shop", {"boot": 12, "clog": 12})
    # Half of the phone's photos are new, the others are the shop's.
    for number, label in enumerate(("boot", "clog")):
        for seed in range(6, 18):
            write(folder / "phone" / label / f"{seed:02}.jpg", jpeg(photo_of_class(number, seed)))
    for world in ("shop", "phone"):
        run_command(folder, "dataset", "import", folder / world, "--name", "mixed", "--world", world)
    return folder


class TestDatasetOfSeveralWorlds:
    def test_a_photo_belongs_to_the_world_it_first_came_from(self, mixed):
        assert open_samples(mixed, "mixed")["world"].value_counts().to_dict() == {"shop": 24, "phone": 12}

    def test_without_worlds_there_is_no_column(self, mixed):
        import_photos(create_dataset(mixed, "plain"), mixed / "shop", world="  ")
        assert "world" not in open_samples(mixed, "plain")
        import_photos(find_dataset(mixed, "plain"), mixed / "phone", world="phone")
        assert open_samples(mixed, "plain")["world"].map(str).value_counts().to_dict() == {"None": 12, "phone": 24}

    def test_its_evaluation_has_them(self, mixed, place):
        result = evaluate(place / "model", "mixed", mixed)
        assert {one.world: one.photos for one in result.evaluation.worlds} == {"shop": 24, "phone": 12}

    def test_a_name_given_to_the_evaluation_goes_before(self, mixed, place):
        result = evaluate(place / "model", {"all": "mixed"}, mixed)
        assert {one.world: one.photos for one in result.evaluation.worlds} == {"all": 36}

    def test_a_model_trained_on_it_is_tested_in_each(self, mixed):
        run = runs_folder(mixed) / "tiny"
        metrics = train("mixed", make_recipe("finetune", TINY), run, mixed)
        tested = {one["world"]: one["photos"] for one in metrics["worlds"]}
        assert set(tested) <= {"shop", "phone"}
        assert sum(tested.values()) == metrics["test"]["n"]
        listed = json.loads(run_command(mixed, "models", "--json").stdout)
        assert next(one for one in listed if one["name"] == "tiny")["worlds"] == metrics["worlds"]
        assert find_evaluation(mixed, "tiny").worlds == read_world_metrics(metrics["worlds"])
        card = (run / CARD_FILE).read_text(encoding="utf-8")
        assert "| world | test photos | top-1 (95% interval) |" in card
        assert all(f"| {world} | {photos} |" in card for world, photos in tested.items())

    @pytest.mark.parametrize("damaged", [None, 7, [{}], [3], "text", {"world": "shop"}])
    def test_stored_worlds_that_cannot_be_read_are_none(self, damaged):
        assert read_world_metrics(damaged) == ()
