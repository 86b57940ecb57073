"""Each attribution method compared with a calculation by hand, on very small networks."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from sneaker_core.errors import SneakerError, UnknownLabelError
from sneaker_core.inference.explanation.attributions import (
    attribute,
    check_request,
    class_weights,
    layer_gradcam,
    network_maps,
)
from sneaker_core.inference.explanation.explanation_request import ExplanationRequest, Method, checked_method
from sneaker_core.inference.explanation.gradcam_layers import layers
from sneaker_core.inference.explanation.model_copies import copy_with_shared_weights, guided_copy, shuffled_copy
from sneaker_core.networks.architectures import ARCHITECTURES, build_network, explained_layer
from sneaker_core.networks.checkpoint import ModelSpec, SneakerModel
from sneaker_core.networks.decision import unit_length
from sneaker_core.networks.preprocessing import Preprocessing
from tests.factories import CLASSES, ONE_OF_EACH_KIND, lively_model, photo

pytestmark = pytest.mark.slow

HEIGHT, WIDTH, LABELS = 10, 15, 3
RNG = np.random.default_rng(11)
IMAGE = RNG.normal(size=(3, HEIGHT, WIDTH)).astype(np.float32)
FIRST = RNG.normal(size=(4, 3)).astype(np.float32)
SECOND = RNG.normal(size=(5, 4)).astype(np.float32)
LINEAR = RNG.normal(size=(LABELS, 5 * HEIGHT * WIDTH)).astype(np.float32)
CONTRASTS = [(0, None), (2, None), (1, 0)]

# An activation, and its value and derivative without torch.
ACTIVATIONS = {
    "relu": (nn.ReLU, lambda z: np.maximum(z, 0), lambda z: (z > 0).astype(float)),
    "relu6": (nn.ReLU6, lambda z: np.clip(z, 0, 6), lambda z: ((z > 0) & (z < 6)).astype(float)),
    "silu": (
        nn.SiLU,
        lambda z: z / (1 + np.exp(-z)),
        lambda z: (1 + np.exp(-z) + z * np.exp(-z)) / (1 + np.exp(-z)) ** 2,
    ),
    "hardswish": (
        nn.Hardswish,
        lambda z: z * np.clip(z + 3, 0, 6) / 6,
        lambda z: np.where(z <= -3, 0, np.where(z >= 3, 1, z / 3 + 0.5)),
    ),
}


def fixed_network(activation: type[nn.Module]) -> nn.Sequential:
    """Two frozen 1 x 1 convolutions, each with an in-place activation, and a linear layer."""
    first, second = nn.Conv2d(3, 4, 1, bias=False), nn.Conv2d(4, 5, 1, bias=False)
    head = nn.Linear(LINEAR.shape[1], LABELS, bias=False)
    with torch.no_grad():
        first.weight.copy_(torch.from_numpy(FIRST)[:, :, None, None])
        second.weight.copy_(torch.from_numpy(SECOND)[:, :, None, None])
        head.weight.copy_(torch.from_numpy(LINEAR))
    network = nn.Sequential(first, activation(inplace=True), second, activation(inplace=True), nn.Flatten(), head)
    return network.eval().requires_grad_(False)


def mixed(weights: np.ndarray, image: np.ndarray) -> np.ndarray:
    return np.einsum("oc,chw->ohw", weights, image)


def weights_by_hand(target: int, versus: int | None) -> np.ndarray:
    row = LINEAR[target] if versus is None else LINEAR[target] - LINEAR[versus]
    return row.reshape(5, HEIGHT, WIDTH)


def maps(network: nn.Module, method: Method, target: int, versus: int | None, layer: str = "2") -> np.ndarray:
    found = network_maps(
        network, method, layer, torch.from_numpy(IMAGE)[None], class_weights(LABELS, target, versus)[None]
    )
    assert found.dtype == np.float32
    assert found.shape == (1, HEIGHT, WIDTH)
    return found[0]


def clipped(raw: np.ndarray) -> np.ndarray:
    """Scaled so that one pixel in a hundred has the maximum value."""
    raw = np.maximum(raw, 0)
    return np.minimum(raw / np.quantile(raw, 0.99), 1)


class TestOracles:
    @pytest.mark.parametrize(("target", "versus"), CONTRASTS)
    @pytest.mark.parametrize("name", ACTIVATIONS)
    def test_guided_gradcam(self, name, target, versus):
        activation, value, slope = ACTIVATIONS[name]
        z1 = mixed(FIRST, IMAGE)
        z2 = mixed(SECOND, value(z1))
        gradient = weights_by_hand(target, versus) * slope(z2)
        coarse = np.maximum((gradient.mean((1, 2))[:, None, None] * z2).sum(0), 0)
        guided = np.maximum(gradient, 0)
        guided = np.maximum(mixed(SECOND.T, guided) * slope(z1), 0)
        expected = clipped(np.abs(coarse * mixed(FIRST.T, guided)).max(0))
        found = maps(fixed_network(activation), Method.GUIDED_GRADCAM, target, versus)
        np.testing.assert_allclose(found, expected, atol=2e-5)
        assert expected.max() == 1

    @pytest.mark.parametrize(("target", "versus"), CONTRASTS)
    @pytest.mark.parametrize("name", ACTIVATIONS)
    def test_gradcam_before_an_activation_in_place(self, name, target, versus):
        activation, value, slope = ACTIVATIONS[name]
        z1 = mixed(FIRST, IMAGE)
        z2 = mixed(SECOND, value(z1))
        gradient = mixed(SECOND.T, weights_by_hand(target, versus) * slope(z2)) * slope(z1)
        coarse = np.maximum((gradient.mean((1, 2))[:, None, None] * z1).sum(0), 0)
        found = maps(fixed_network(activation), Method.GRADCAM, target, versus, layer="0")
        np.testing.assert_allclose(found, coarse / coarse.max(), atol=2e-5)

    @pytest.mark.parametrize(("target", "versus"), CONTRASTS)
    def test_integrated_gradients(self, target, versus):
        """The mean gradient at two thousand points along the path, in double precision."""
        _, value, slope = ACTIVATIONS["silu"]
        total = np.zeros_like(IMAGE, dtype=float)
        for share in (np.arange(2000) + 0.5) / 2000:
            z1 = mixed(FIRST, share * IMAGE.astype(float))
            gradient = weights_by_hand(target, versus) * slope(mixed(SECOND, value(z1)))
            total += mixed(FIRST.T, mixed(SECOND.T, gradient) * slope(z1)) / 2000
        found = maps(fixed_network(nn.SiLU), Method.INTEGRATED_GRADIENTS, target, versus)
        np.testing.assert_allclose(found, clipped((total * IMAGE).sum(0)), atol=1e-3)

    @pytest.mark.parametrize(("target", "versus"), CONTRASTS)
    def test_occlusion(self, target, versus):
        """Rectangles of a fifth of each side, 2 x 3 pixels, moved by one pixel."""
        _, value, _ = ACTIVATIONS["relu"]

        def logit(image: np.ndarray) -> float:
            return float((weights_by_hand(target, versus) * value(mixed(SECOND, value(mixed(FIRST, image))))).sum())

        falls, counts = np.zeros((HEIGHT, WIDTH)), np.zeros((HEIGHT, WIDTH))
        for top, left in itertools.product(range(HEIGHT - 1), range(WIDTH - 2)):
            covered = IMAGE.copy()
            covered[:, top : top + 2, left : left + 3] = 0
            falls[top : top + 2, left : left + 3] += logit(IMAGE) - logit(covered)
            counts[top : top + 2, left : left + 3] += 1
        expected = np.maximum(falls / counts, 0)
        found = maps(fixed_network(nn.ReLU), Method.OCCLUSION, target, versus)
        np.testing.assert_allclose(found, expected / expected.max(), atol=1e-4)

    @pytest.mark.parametrize("method", list(Method))
    def test_a_class_against_itself_shows_nothing(self, method):
        assert maps(fixed_network(nn.ReLU), method, 1, 1).max() == 0


def small_model(name: str) -> SneakerModel:
    """A small network with batch-norm statistics of noise; without them, deep networks give the same output for all."""
    side = max(ARCHITECTURES[name].smallest, 139 if name == "inception_v3" else 64)
    spec = ModelSpec("lively", name, CLASSES, False, Preprocessing(side, side), head=ARCHITECTURES[name].head)
    torch.manual_seed(3)
    network = build_network(name, len(CLASSES))  # with Inception's auxiliary classifier, as in training
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d | nn.BatchNorm1d):
            layer.momentum = 1.0
    with torch.no_grad():
        network.train()(torch.randn(4, 3, side, side))
    references = np.random.default_rng(0).normal(size=(4, network.embedding_size)).astype(np.float32)
    return SneakerModel(spec, network.eval().requires_grad_(False), unit_length(references))


@pytest.fixture(scope="module", params=ONE_OF_EACH_KIND)
def network_model(request):
    return small_model(request.param)


class TestEveryNetwork:
    def test_gradcam_at_each_of_its_layers(self, network_model):
        choices = layers(network_model.spec)
        assert [choice.is_default for choice in choices].count(True) == 1
        assert choices[-1].is_default
        assert (
            len({choice.name for choice in choices}) == len(choices) == len({choice.title for choice in choices}) >= 3
        )
        assert [choice.size for choice in choices] == sorted((choice.size for choice in choices), reverse=True)
        best = {
            choice.name: max(
                attribute(network_model, [photo(0)], label, layer=choice.name)[0].max() for label in CLASSES
            )
            for choice in choices
        }
        assert best == pytest.approx(dict.fromkeys(best, 1.0))
        usual = attribute(network_model, [photo(0)], CLASSES[0], layer=choices[-1].name)
        np.testing.assert_array_equal(usual, attribute(network_model, [photo(0)], CLASSES[0]))

    def test_finds_pixels(self, network_model):
        side = network_model.spec.preprocessing.height
        # Integrated gradients needs nothing of a network but its gradient, and 32 photos: one network shows it.
        one = network_model.spec.network == "mobilenet_v2"
        for method in (Method.GUIDED_GRADCAM, *([Method.INTEGRATED_GRADIENTS] if one else [])):
            labels = CLASSES if method.has_layer else CLASSES[:1]
            heats = np.stack([attribute(network_model, [photo(0)], label, method)[0] for label in labels])
            assert heats.shape == (len(labels), side, side)
            assert heats.min() >= 0
            assert heats.max() == 1
            assert heats.std() > 0.01

    def test_guided_copy_answers_alike_and_leaves_no_activation_unguided(self, network_model):
        network, images = network_model.network, network_model.spec.preprocessing([photo(0), photo(1)])
        guided = guided_copy(network)
        torch.testing.assert_close(guided(images), network(images), rtol=1e-4, atol=1e-5)
        unguided = [
            type(module).__name__
            for module in guided.modules()
            if type(module).__name__ in ("ReLU6", "SiLU", "Hardswish", "BasicConv2d")
        ]
        assert unguided == []
        assert sum(isinstance(module, nn.ReLU) for module in guided.modules()) >= 3

    def test_shuffled_copy_forgets_and_the_network_does_not(self, network_model):
        network, images = network_model.network, network_model.spec.preprocessing([photo(0)])
        before = network(images)
        state = {name: value.clone() for name, value in network.state_dict().items()}
        for share in (0.0, 1.0):
            shuffled = shuffled_copy(network, share, 1, images)
            answers = shuffled(images)
            assert answers.isfinite().all()
            assert not torch.allclose(answers, before)
            torch.testing.assert_close(shuffled_copy(network, share, 1, images)(images), answers)
        assert torch.equal(network(images), before)
        assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3_small"])
def test_occlusion_of_whole_networks(name):
    model = small_model(name)
    heats = np.stack([attribute(model, [photo(0)], label, Method.OCCLUSION)[0] for label in CLASSES])
    assert heats.max() == pytest.approx(1)
    assert len(np.unique(heats)) > 20


class TestModelCopies:
    def test_shares_weights_and_nothing_else(self):
        network = lively_model().network
        private = copy_with_shared_weights(network)
        for own, shared in zip(private.parameters(), network.parameters(), strict=True):
            assert own is shared
        assert {id(module) for module in private.modules()} & {id(module) for module in network.modules()} == set()
        assert not any(getattr(module, "inplace", False) for module in private.modules())
        assert any(getattr(module, "inplace", False) for module in network.modules())

    def test_the_last_layer_alone_is_shuffled_by_the_smallest_share(self):
        network = lively_model().network
        changed = [
            name
            for (name, was), now in zip(
                network.named_parameters(),
                shuffled_copy(network, 0, 0, torch.randn(1, 3, 32, 32)).parameters(),
                strict=True,
            )
            if not torch.equal(was, now)
        ]
        assert set(changed) <= {"head.weight", "head.bias"}
        assert "head.weight" in changed


class TestRequests:
    model = lively_model()

    @pytest.mark.parametrize(
        ("asked", "kind", "said"),
        [
            (ExplanationRequest("pump"), UnknownLabelError, "has no class 'pump'"),
            (ExplanationRequest(CLASSES[0], "pump"), UnknownLabelError, "has no class 'pump'"),
            (
                ExplanationRequest(layer="features.99"),
                SneakerError,
                r"No layer named 'features.99'.*features\.6, features\.13, features\.18",
            ),
            (
                ExplanationRequest(method=Method.OCCLUSION, layer="features.6"),
                SneakerError,
                "Occlusion doesn't use a layer",
            ),
        ],
    )
    def test_invalid_requests_are_errors(self, asked, kind, said):
        with pytest.raises(kind, match=said):
            check_request(self.model, asked)
        with pytest.raises(kind, match=said):
            attribute(self.model, [photo(0)], asked.target or CLASSES[0], asked.method, asked.versus, asked.layer)

    def test_valid_requests_pass(self):
        check_request(self.model, ExplanationRequest())
        check_request(self.model, ExplanationRequest(CLASSES[0], CLASSES[1], Method.GUIDED_GRADCAM, "features.6"))

    def test_methods_by_name(self):
        assert checked_method("occlusion") is Method.OCCLUSION
        with pytest.raises(
            SneakerError, match="Available methods: gradcam, guided_gradcam, integrated_gradients, occlusion"
        ):
            checked_method("magic")
        assert len({method.display_name for method in Method}) == 4
        assert all(method.about.endswith(".") for method in Method)

    def test_layer_of_a_module_is_the_layer_of_its_name(self):
        images = self.model.spec.preprocessing([photo(0)])
        by_module = layer_gradcam(
            self.model.network, explained_layer("mobilenet_v2", self.model.network), images, 0, None
        )
        np.testing.assert_array_equal(by_module, attribute(self.model, [photo(0)], CLASSES[0]))
