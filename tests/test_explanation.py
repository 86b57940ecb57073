"""Grad-CAM compared with a calculation by hand."""

import threading

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from sneaker_core.errors import ImageError, SneakerError, UnknownLabelError
from sneaker_core.inference.explanation.attributions import attribute, gradcam, layer_gradcam
from sneaker_core.inference.explanation.explain_photos import explain_file
from sneaker_core.inference.explanation.explanation_request import ExplanationRequest, Method
from sneaker_core.inference.explanation.heat_maps import legend, legend_stops, overlay
from sneaker_core.inference.explanation.weight_randomization import randomization_test
from sneaker_core.inference.predictor import predict_images
from tests.factories import CLASSES, jpeg, lively_model, photo, write

pytestmark = pytest.mark.slow

CONVOLUTION = np.array([[1.0, -0.5, 0.2], [-1.0, 0.8, 0.1], [0.3, 0.4, -0.9], [0.6, 0.1, 0.5]], np.float32)
# The input's height and width, those of the convolution's output, and the number of classes.
HEIGHT, WIDTH, ROWS, COLUMNS, LABELS = 8, 12, 4, 6, 3


def fixed_network(linear: np.ndarray) -> tuple[nn.Sequential, nn.Module]:
    """A 1 x 1 convolution with stride 2 and a linear layer, so that every gradient follows from the weights."""
    convolution = nn.Conv2d(3, 4, kernel_size=1, stride=2, bias=False)
    head = nn.Linear(linear.shape[1], LABELS, bias=False)
    with torch.no_grad():
        convolution.weight.copy_(torch.from_numpy(CONVOLUTION)[:, :, None, None])
        head.weight.copy_(torch.from_numpy(linear))
    return nn.Sequential(convolution, nn.Flatten(), head).requires_grad_(False), convolution


def stretched(length: int, out: int) -> np.ndarray:
    """Matrix of linear interpolation from `length` to `out` pixels with aligned outer edges."""
    matrix = np.zeros((out, length))
    for row in range(out):
        place = np.clip((row + 0.5) * length / out - 0.5, 0, length - 1)
        low = int(place)
        high = min(low + 1, length - 1)
        matrix[row, low] += 1 - (place - low)
        matrix[row, high] += place - low
    return matrix


def by_hand(image: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """Grad-CAM of one image (3, H, W), given the gradient of the logit at each activation (4, ROWS, COLUMNS)."""
    activations = np.einsum("kc,chw->khw", CONVOLUTION, image[:, ::2, ::2])
    coarse = np.maximum((gradient.mean((1, 2))[:, None, None] * activations).sum(0), 0)
    fine = stretched(ROWS, HEIGHT) @ coarse @ stretched(COLUMNS, WIDTH).T
    return fine / fine.max()


@pytest.fixture
def case():
    rng = np.random.default_rng(3)
    images = rng.normal(size=(2, 3, HEIGHT, WIDTH)).astype(np.float32)
    linear = rng.normal(size=(LABELS, 4 * ROWS * COLUMNS)).astype(np.float32)
    return images, linear


@pytest.fixture(scope="module")
def model():
    return lively_model(size=64)


class TestOracle:
    @pytest.mark.parametrize("target", range(LABELS))
    def test_map_of_a_class(self, case, target):
        images, linear = case
        network, layer = fixed_network(linear)
        heat = layer_gradcam(network, layer, torch.from_numpy(images), target, None)
        gradient = linear[target].reshape(4, ROWS, COLUMNS)
        assert heat.dtype == np.float32
        for image, found in zip(images, heat, strict=True):
            np.testing.assert_allclose(found, by_hand(image, gradient), atol=1e-5)

    def test_contrast_of_two_classes(self, case):
        images, linear = case
        network, layer = fixed_network(linear)
        heat = layer_gradcam(network, layer, torch.from_numpy(images), 0, 2)
        gradient = (linear[0] - linear[2]).reshape(4, ROWS, COLUMNS)
        for image, found in zip(images, heat, strict=True):
            np.testing.assert_allclose(found, by_hand(image, gradient), atol=1e-5)

    def test_a_map_of_nothing_is_zero(self, case):
        images, linear = case
        network, layer = fixed_network(np.zeros_like(linear))
        heat = layer_gradcam(network, layer, torch.from_numpy(images), 0, None)
        np.testing.assert_array_equal(heat, np.zeros((2, HEIGHT, WIDTH)))


class TestGradcam:
    def test_is_as_large_as_what_the_network_sees_and_of_one_scale(self, model):
        best = favourite(model, photo(0))
        heat = gradcam(model, photo(0, (300, 200)), best)
        assert heat.shape == (64, 64)
        assert heat.min() >= 0
        assert heat.max() == pytest.approx(1)

    def test_a_class_against_itself_shows_nothing(self, model):
        assert gradcam(model, photo(0), CLASSES[0], versus=CLASSES[0]).max() == 0

    @pytest.mark.parametrize("labels", [("pump", None), (CLASSES[0], "pump")])
    def test_unknown_label_lists_the_known(self, model, labels):
        with pytest.raises(UnknownLabelError, match=r"no class 'pump'. Its classes: boot, clog, sandal"):
            gradcam(model, photo(0), *labels)

    def test_several_photos_and_classes_at_once(self, model):
        photos = [photo(0), photo(1), photo(0)] * 3 + [photo(2)]
        targets = [CLASSES[number % 3] for number in range(len(photos))]
        together = attribute(model, photos, targets)
        assert together.shape == (10, 64, 64)
        for image, target, heat in zip(photos, targets, together, strict=True):
            np.testing.assert_allclose(heat, gradcam(model, image, target), atol=1e-4)
        assert attribute(model, [], CLASSES[0]).shape == (0, 64, 64)

    @pytest.mark.parametrize("method", list(Method))
    def test_network_is_left_as_it_was(self, method):
        model = lively_model()
        before = {name: value.clone() for name, value in model.network.state_dict().items()}
        attribute(model, [photo(0)], CLASSES[0], method)
        if method is Method.GRADCAM:
            randomization_test(model, photo(0), ExplanationRequest(CLASSES[0]), draws=1)
        assert all(torch.equal(value, before[name]) for name, value in model.network.state_dict().items())
        hooks = [
            hook
            for module in model.network.modules()
            for kept in (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks)
            for hook in kept
        ]
        assert hooks == []
        assert not model.network.training
        assert all(value.grad is None and not value.requires_grad for value in model.network.parameters())

    @pytest.mark.parametrize(
        ("method", "rounds"),
        [
            (Method.GRADCAM, 30),
            (Method.GUIDED_GRADCAM, 10),
            (Method.INTEGRATED_GRADIENTS, 3),
            (Method.OCCLUSION, 3),
            ("shuffled", 2),
        ],
    )
    def test_predictions_and_explanations_do_not_meet(self, method, rounds):
        """Two threads predict while a third explains: each gets bit by bit the result it would get alone."""
        model = lively_model()
        photos = [photo(seed) for seed in range(3)]
        best = favourite(model, photos[2])
        batches = [model.spec.preprocessing([image]) for image in photos[:2]]
        expected = [model.outputs(batch) for batch in batches]

        def explained() -> np.ndarray:
            if method == "shuffled":
                steps = randomization_test(model, photos[2], ExplanationRequest(best), draws=2).steps
                return np.array([step.correlation for step in steps])
            return attribute(model, [photos[2]], best, method)[0]

        alone = explained()
        done, others = threading.Event(), []

        def predict(number: int) -> None:
            while not done.is_set():
                found = model.outputs(batches[number])
                others.append(
                    np.array_equal(found.logits, expected[number].logits)
                    and np.array_equal(found.embeddings, expected[number].embeddings)
                )

        threads = [threading.Thread(target=predict, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()
        try:
            same = [np.array_equal(explained(), alone) for _ in range(rounds)]
        finally:
            done.set()
            for thread in threads:
                thread.join()
        assert all(same)
        assert len(others) > 2
        assert all(others)


def favourite(model, image: Image.Image) -> str:
    best = predict_images(model, [image], top=1)[0].top[0]
    return best.label


class TestOverlay:
    heat = np.linspace(0, 1, 64 * 64, dtype=np.float32).reshape(64, 64)

    def test_invisible_map_gives_the_photo_back(self):
        image = photo(0, (123, 77))
        np.testing.assert_array_equal(np.asarray(overlay(image, self.heat, opacity=0)), np.asarray(image))
        cold = overlay(image, np.zeros((8, 8), np.float32), opacity=1)
        np.testing.assert_array_equal(np.asarray(cold), np.asarray(image))

    def test_hot_parts_are_painted_and_cold_ones_clear(self):
        image = photo(0, (128, 64))
        painted = np.asarray(overlay(image, self.heat, opacity=1)).astype(int)
        assert painted.shape == (64, 128, 3)
        np.testing.assert_allclose(painted[-1, -1], [240, 249, 33], atol=6)
        np.testing.assert_allclose(painted[0, 0], np.asarray(image)[0, 0], atol=6)

    def test_legend_shows_the_colors_of_the_map(self):
        stops = legend_stops()
        assert [place for place, _ in stops] == [0, 0.25, 0.5, 0.75, 1]
        assert stops[-1][1] == "#f0f921"
        bar = np.asarray(legend(200, 10))
        assert bar.shape == (10, 200, 4)
        np.testing.assert_allclose(bar[5, 199], [0xF0, 0xF9, 0x21, 255], atol=3)
        # No evidence, no color: the page shows through, in light and in dark.
        assert bar[5, 0, 3] == 0

    @pytest.mark.parametrize("opacity", [-0.1, 1.1, float("nan")])
    def test_opacity_out_of_range(self, opacity):
        with pytest.raises(SneakerError, match="must be from 0 to 1"):
            overlay(photo(0), self.heat, opacity)


class TestExplainFile:
    def test_explains_the_best_class_by_default(self, model, tmp_path):
        path = write(tmp_path / "shoe.jpg", jpeg(photo(5, (90, 60))))
        explanation = explain_file(model, path)
        label = explanation.request.target
        with Image.open(write(tmp_path / "out.png", explanation.png())) as drawn:
            assert (drawn.format, drawn.size, drawn.mode) == ("PNG", (90, 60), "RGB")
        with Image.open(path) as shoe:
            assert label == favourite(model, shoe.convert("RGB"))
        other = next(name for name in CLASSES if name != label)
        assert explain_file(model, path, ExplanationRequest(other)).request.target == other
        contrastive = explain_file(model, path, ExplanationRequest(label, other))
        assert contrastive.png() != explanation.png()

    def test_an_unreadable_photo_is_named(self, model, tmp_path):
        with pytest.raises(ImageError, match=r"shoe\.jpg: "):
            explain_file(model, write(tmp_path / "shoe.jpg", b"no photo"))
