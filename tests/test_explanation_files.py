"""Explanations of many photos, some of them unreadable; class-average maps; similar photos."""

from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from sneaker_core import images
from sneaker_core.errors import DatasetError, ImageError, SneakerError, UnknownLabelError
from sneaker_core.inference.explanation.attributions import attribute
from sneaker_core.inference.explanation.class_average_maps import class_average_maps
from sneaker_core.inference.explanation.explain_photos import explain_bytes, explain_files
from sneaker_core.inference.explanation.explanation_request import ExplanationRequest, Method
from sneaker_core.inference.explanation.heat_maps import overlay
from sneaker_core.inference.predictor import predict_file
from sneaker_core.inference.similar_photos import nearest
from tests.factories import CLASSES, jpeg, lively_model, photo, write

# At the small network's input size, the default layer has only one position.
LAYER = "features.6"


@pytest.fixture(scope="module")
def model():
    return lively_model()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Eleven photos, one of them much larger than the network's input, and two files that are not photos."""
    folder = tmp_path_factory.mktemp("photos")
    paths = [
        write(folder / f"{seed}.jpg", jpeg(photo(seed, (300, 200) if seed == 3 else (64, 48)))) for seed in range(11)
    ]
    paths.insert(2, write(folder / "bad.jpg", b"no photo"))
    return [*paths, folder / "gone.jpg"]


def opened(png: bytes) -> Image.Image:
    return Image.open(BytesIO(png)).convert("RGB")


class TestMany:
    def test_a_bad_file_does_not_affect_others(self, model, files):
        told = []
        found = list(explain_files(model, files, ExplanationRequest(layer=LAYER), report=lambda *far: told.append(far)))
        assert [each.image for each in found] == [str(path) for path in files]
        assert [number for number, each in enumerate(found) if each.error] == [2, 12]
        assert told == [(done, 13, "Explaining photos") for done in range(1, 14)]
        assert len({each.heat.tobytes() for each in found if each.heat is not None}) == 11
        for each, path in zip(found, files, strict=True):
            if each.error:
                assert (each.photo, each.heat) == (None, None)
                assert each.caption == each.error
                continue
            best = predict_file(model, path, top=1).top[0].label
            assert each.request == ExplanationRequest(best, layer=LAYER)
            assert best in each.caption
            seen = images.load(path, shrink_to=model.spec.preprocessing.shrink_to)
            np.testing.assert_allclose(each.heat, attribute(model, [seen], best, layer=LAYER)[0], atol=1e-4)
            drawn = overlay(images.load(path), each.heat, 0.5)
            np.testing.assert_array_equal(np.asarray(opened(each.png())), np.asarray(drawn))

    def test_stops_when_asked(self, model, files):
        told = []
        found = explain_files(model, files, report=lambda *far: told.append(far), stopped=lambda: len(told) >= 3)
        assert len(list(found)) == 8

    @pytest.mark.parametrize(
        ("wanted", "kind"),
        [
            (ExplanationRequest("pump"), UnknownLabelError),
            (ExplanationRequest(layer="nowhere"), SneakerError),
        ],
    )
    def test_invalid_requests_are_errors(self, model, files, wanted, kind):
        with pytest.raises(kind):
            explain_files(model, files, wanted)
        with pytest.raises(kind):
            explain_bytes(model, "a", jpeg(photo(0)), wanted)

    @pytest.mark.parametrize("opacity", [2, -0.1, float("nan")])
    def test_an_opacity_out_of_range_makes_no_request(self, opacity):
        with pytest.raises(SneakerError, match="must be from 0 to 1"):
            ExplanationRequest(opacity=opacity)

    def test_a_request_as_plain_values(self):
        request = ExplanationRequest(CLASSES[0], CLASSES[1], Method.OCCLUSION, None, 0.7, 90, sanity_check=True)
        assert ExplanationRequest.from_dict(request.to_dict()) == request
        assert ExplanationRequest.from_dict({}) == ExplanationRequest()
        assert request.map_only() == ExplanationRequest(CLASSES[0], CLASSES[1], Method.OCCLUSION)
        with pytest.raises(SneakerError, match="No method named 'magic'"):
            ExplanationRequest.from_dict({"method": "magic"})

    def test_max_side_opacity_and_sanity_check(self, model):
        data = jpeg(photo(3, (300, 200)))
        wanted = ExplanationRequest(CLASSES[1], CLASSES[0], Method.GRADCAM, "features.6", 0.0, 150, sanity_check=True)
        found = explain_bytes(model, "a.jpg", data, wanted)
        assert found.request == wanted
        assert found.subject == f"{CLASSES[1]} compared with {CLASSES[0]}"
        picture = opened(found.png())
        assert picture.size == (150, 100)
        expected = images.decode(data, shrink_to=150)
        expected.thumbnail((150, 150))
        np.testing.assert_array_equal(np.asarray(picture), np.asarray(expected))
        assert found.sanity_check.curves.label == CLASSES[1]
        assert explain_bytes(model, "a.jpg", data).sanity_check is None

    def test_bytes_that_are_no_photo(self, model):
        with pytest.raises(ImageError):
            explain_bytes(model, "a.jpg", b"no photo")


class TestClassAverageMaps:
    def table(self, files, predicted):
        rows = [(f"s{number}", str(path), CLASSES[0]) for number, path in enumerate(files)]
        return pd.DataFrame(rows, columns=["sample", "path", "label"]).assign(predicted=predicted)

    def test_right_and_wrong_ones_apart(self, model, files):
        predicted = [CLASSES[0]] * 9 + [CLASSES[1], CLASSES[2], CLASSES[1], CLASSES[0]]
        table, told = self.table(files, predicted), []
        right, wrong = class_average_maps(model, table, [CLASSES[0]], layer=LAYER, report=lambda *far: told.append(far))
        assert (right.label, right.right, right.count, right.available) == (CLASSES[0], True, 8, 9)
        assert list(right.rejected) == [str(files[2])]
        assert (wrong.right, wrong.count, wrong.available, wrong.rejected) == (False, 3, 3, {})
        assert told[-1] == (12, 12, "Explaining photos")
        for mean, rows in ((right, [0, 1, *range(3, 9)]), (wrong, [9, 10, 11])):
            photos = [images.load(files[row], shrink_to=64) for row in rows]
            heats = attribute(model, photos, [predicted[row] for row in rows], layer=LAYER)
            np.testing.assert_allclose(mean.heat, heats.mean(0), atol=1e-4)
            assert mean.heat.std() > 0.01
            pictures = np.mean([model.spec.preprocessing.resize(image) for image in photos], axis=0)
            np.testing.assert_allclose(mean.picture, pictures, atol=1.01)

    def test_no_more_than_the_cap_drawn_by_seed(self, model, files):
        table = self.table(files, CLASSES[0])
        means = [class_average_maps(model, table, [CLASSES[0]], cap=3, seed=seed)[0] for seed in (0, 0, 1)]
        assert [(mean.count + len(mean.rejected), mean.available) for mean in means] == [(3, 12)] * 3
        np.testing.assert_array_equal(means[0].heat, means[1].heat)
        assert not np.array_equal(means[0].picture, means[2].picture)

    def test_photos_that_are_not_here(self, model, files):
        table = self.table(files, CLASSES[0])
        gone = table.assign(path=None)
        with pytest.raises(DatasetError, match="is on this machine"):
            class_average_maps(model, gone, [CLASSES[0]])
        some = table.assign(path=[*table["path"][:2], *[None] * 11])
        right, wrong = class_average_maps(model, some, [CLASSES[0]])
        assert (right.count, wrong.count) == (2, 0)
        assert wrong.heat.max() == wrong.picture.max() == 0

    def test_stops_when_asked(self, model, files):
        means = class_average_maps(model, self.table(files, CLASSES[0]), [CLASSES[0]], stopped=lambda: True)
        assert [mean.count for mean in means] == [0, 0]

    def test_place_in_words(self, model, files):
        mean = class_average_maps(model, self.table(files, CLASSES[0]), [CLASSES[0]], cap=1)[0]
        mean.heat = np.zeros((32, 32), np.float32)
        mean.heat[25:31, 12:20] = 1
        assert mean.area == "bottom center"
        mean.heat[12:20, 0:9] = 2
        assert mean.area == "center left"
        mean.heat[12:20, 12:20] = 9
        assert mean.area == "center"


class TestNearest:
    rng = np.random.default_rng(5)
    photos = pd.DataFrame(
        {"sample": [f"s{row}" for row in range(40)], "path": "p", "label": [CLASSES[row % 3] for row in range(40)]}
    )
    embeddings = rng.normal(size=(40, 16)).astype(np.float16)
    embedding = rng.normal(size=16).astype(np.float32)

    def cosine(self, row: int) -> float:
        other = self.embeddings[row].astype(float)
        return float(other @ self.embedding / np.linalg.norm(other) / np.linalg.norm(self.embedding))

    @pytest.mark.parametrize("k", [1, 3, 50])
    def test_the_most_alike_of_a_class(self, k):
        found = nearest(self.embedding, (self.photos, self.embeddings), CLASSES[1], k)
        expected = sorted((row for row in range(40) if row % 3 == 1), key=self.cosine, reverse=True)[:k]
        assert list(found["sample"]) == [f"s{row}" for row in expected]
        assert set(found["label"]) == {CLASSES[1]}
        np.testing.assert_allclose(found["similarity"], [self.cosine(row) for row in expected], atol=1e-5)

    def test_a_photo_is_no_neighbor_of_itself(self):
        own = self.embeddings[4]
        found = nearest(own, (self.photos, self.embeddings), CLASSES[1])
        assert found["sample"][0] == "s4"
        assert found["similarity"][0] == pytest.approx(1)
        assert "s4" not in set(nearest(own, (self.photos, self.embeddings), CLASSES[1], exclude="s4")["sample"])

    def test_a_class_without_photos(self):
        assert nearest(self.embedding, (self.photos, self.embeddings), "pump").empty

    @pytest.mark.parametrize("embeddings", [embeddings[:, :8], embeddings[:20]])
    def test_embeddings_of_another_model(self, embeddings):
        with pytest.raises(DatasetError, match="embedded by another model"):
            nearest(self.embedding, (self.photos, embeddings), CLASSES[1])
