"""EfficientNet-Lite by what is published of it: sizes, padding, and how its weights are named."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from sneaker_core.networks.architectures import build_network
from sneaker_core.networks.efficientnet_lite import EfficientNetLite, SamePadding, from_published

# Weights of the whole networks, their classifiers of 1280 x 1000 + 1000 included.
PUBLISHED = {0: 4_652_008, 1: 5_416_680, 2: 6_092_072}


@pytest.mark.parametrize("variant", PUBLISHED)
def test_sizes_are_those_published(variant: int) -> None:
    with torch.device("meta"):
        network = EfficientNetLite(variant)
    assert sum(value.numel() for value in network.parameters()) + 1_281_000 == PUBLISHED[variant]


@pytest.mark.parametrize(
    ("size", "kernel", "expected"), [(8, 3, (0, 1)), (7, 3, (1, 1)), (8, 5, (1, 2)), (7, 5, (2, 2))]
)
def test_padding_is_that_of_tensorflow(size: int, kernel: int, expected: tuple[int, int]) -> None:
    image = torch.arange(1.0, size * size + 1).view(1, 1, size, size)
    padded = SamePadding(kernel, 2)(image)
    before, after = expected
    assert torch.equal(padded, functional.pad(image, [before, after, before, after]))


def test_published_names_find_their_places() -> None:
    network = build_network("efficientnet_lite0", 5).backbone
    published: dict[str, Tensor] = {}
    number = 0
    state = network.state_dict()
    for stage in range(1, 8):
        place = 0
        while f"features.{stage}.{place}.block.0.0.weight" in state:
            prefix = f"features.{stage}.{place}.block"
            layers = len({name.split(".")[4] for name in state if name.startswith(prefix)})
            parts = ["_expand_conv", "_bn0"] * (layers == 3) + ["_depthwise_conv", "_bn1", "_project_conv", "_bn2"]
            for position, part in enumerate(parts):
                layer, inner = divmod(position, 2)
                for name, value in state.items():
                    if name.startswith(f"{prefix}.{layer}.{inner}."):
                        published[f"_blocks.{number}.{part}.{name.rpartition('.')[2]}"] = value
            number, place = number + 1, place + 1
    for ours, theirs in (
        ("features.0.0", "_conv_stem"),
        ("features.0.1", "_bn0"),
        ("features.8.0", "_conv_head"),
        ("features.8.1", "_bn1"),
    ):
        published |= {name.replace(ours, theirs): value for name, value in state.items() if name.startswith(f"{ours}.")}
    renamed = from_published(published)
    assert renamed.keys() == state.keys()
    assert all(torch.equal(renamed[name], value) for name, value in state.items())


def test_an_answer_is_a_batch_of_embeddings_at_any_size() -> None:
    network = build_network("efficientnet_lite0", 5).eval()
    with torch.inference_mode():
        assert network.embed(torch.zeros(2, 3, 96, 70)).shape == (2, 1280)
