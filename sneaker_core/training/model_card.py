"""Model card: classes, data, training, results and limits of a model, as Markdown."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Any

from sneaker_core.datasets.split import Split
from sneaker_core.evaluation.calibration import FALSE_REJECTION_RATE, KNOWN_ACCURACY
from sneaker_core.evaluation.worlds import Share, read_world_metrics
from sneaker_core.networks.checkpoint import ModelSpec
from sneaker_core.networks.sneaker_groups import with_article
from sneaker_core.number_text import counted, percent
from sneaker_core.training.recipe_fields import current_fields
from sneaker_core.training.training_notes import finite

# Fewest training photos to learn a class reliably, and fewest test photos to measure it.
FEW_TRAINING, FEW_TEST = 20, 5
_SHOWN = 5
# Metrics based on fewer test photos than this are called rough.
_ROUGH = 200
_FIGURES = {
    "top1": "top-1 accuracy",
    "top3": "top-3 accuracy",
    "ece": "expected calibration error",
    "macro_f1": "macro F1 (unweighted mean over classes)",
    "refused": "sneakers rejected as unknown",
}
# Metric -> what it counts, singular and plural.
_REJECTED = {
    "negatives": ("test negative", "test negatives"),
    "other_footwear": ("test photo of other footwear", "test photos of other footwear"),
}
_TRAINABLE = {
    "head": "Only the head was trained, on embeddings from the frozen backbone.",
    "last_stage": "The head and the last stage of the backbone were trained; all other layers were frozen.",
    "all": "All layers were trained.",
}
_WEIGHTS_FILES = (".safetensors", ".pth", ".pt")
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|~$&#!])")


def model_card(spec: ModelSpec, run: Mapping[str, Any]) -> str:
    """Describe a trained model from its stored values.

    Parameters
    ----------
    spec : ModelSpec
        Its recipe, metrics, data and versions may be empty.
    run : mapping
        Values of ``run.json``, "note" if there is one, and for a model that was taught by example "taught", a
        `TaughtSummary`; missing values are left out.

    Returns
    -------
    str
        Markdown; names and notes are escaped.
    """
    sections = {
        f"# Model card: {escaped(spec.name)}": _what(spec, run),
        "## Data": _data(spec, run),
        "## Training": _making(spec, run),
        "## Results": _results(spec),
        "## Answers": _answers(spec),
        "## Limits": _bullets(_limits(spec, run)),
    }
    return "\n\n".join(f"{title}\n\n{text}" for title, text in sections.items()) + "\n"


def escaped(text: object) -> str:
    """The text on one line, with all Markdown markup escaped."""
    return _SPECIAL.sub(r"\\\1", " ".join(str(text).split()))


def _mapping(values: object, *keys: str) -> dict[str, Any]:
    """The mapping under these keys; empty if there is none."""
    for key in keys:
        values = values.get(key) if isinstance(values, Mapping) else None
    return dict(values) if isinstance(values, Mapping) else {}


def _count(value: object) -> int:
    """The value rounded to an integer; 0 if it is no number."""
    number = finite(value)
    return 0 if math.isnan(number) else round(number)


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    lines = [list(head), *([str(cell) for cell in row] for row in rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _listed(labels: list[str]) -> str:
    """The first few labels and the number of further ones."""
    more = f" and {len(labels) - _SHOWN} more" if len(labels) > _SHOWN else ""
    return ", ".join(map(escaped, labels[:_SHOWN])) + more


def _what(spec: ModelSpec, run: Mapping[str, Any]) -> str:
    rejects = " and rejects photos that show none of them" if math.isfinite(spec.decision.ood_threshold) else ""
    text = (
        f"{with_article(escaped(spec.network))} that recognizes {counted(len(spec.classes), 'sneaker model')}{rejects}."
    )
    if taught := run.get("taught"):
        text = f"{text} {escaped(taught.sentence())}"
    if run.get("dataset"):
        text += f" Trained on the dataset {escaped(run['dataset'])}"
        created = finite(run.get("created"))
        text += f"; started on {datetime.fromtimestamp(created, UTC):%Y-%m-%d}." if 0 < created < 1e11 else "."
    if run.get("state") in ("running", "stopped", "failed"):
        text += f" Training is not finished (state: {escaped(run['state'])})."
    return text + (f"\n\nNote: {escaped(run['note'])}" if run.get("note") else "")


def _split_counts(spec: ModelSpec, label: str) -> dict[Split, int]:
    counts = _mapping(spec.data, "classes", label)
    return {split: _count(counts.get(split.value)) for split in Split}


def _data(spec: ModelSpec, run: Mapping[str, Any]) -> str:
    if not _mapping(spec.data, "classes"):
        return "Classes: " + ", ".join(map(escaped, spec.classes)) + ".\n\nPhoto counts were not recorded."
    taught = run.get("taught")
    shown = {} if taught is None else taught.sneakers
    rows = [
        [
            escaped(label),
            *([f"{shown[label]:,} by example", "", ""] if label in shown else _split_counts(spec, label).values()),
        ]
        for label in spec.classes
    ]
    negatives = _mapping(spec.data, "negatives")
    if negatives:
        rows.append(["negatives (no sneaker)", *(_count(negatives.get(split.value)) or "" for split in Split)])
    footwear = _mapping(spec.data, "other_footwear")
    if footwear:
        rows.append(["other footwear", *(_count(footwear.get(split.value)) or "" for split in Split)])
    text = _table(["class", "training", "validation", "test"], rows)
    whose = "" if taught is None else f" in the training of {escaped(taught.base)}"
    facts = [f"{counted(_count(spec.data.get('photos')), 'sneaker photo')}{whose}"]
    if spec.data.get("fingerprint"):
        facts[0] += f" (fingerprint {escaped(spec.data['fingerprint'])})"
    rejected = max(_count(spec.data.get("rejected")), len(_mapping(run, "rejected")))
    if rejected:
        facts.append(f"{rejected:,} could not be read")
    if duplicates := _count(spec.data.get("in_duplicate_groups")):
        facts.append(f"{duplicates:,} are in near-duplicate groups, which are never divided between splits")
    return f"{text}\n\n{'; '.join(facts)}."


def _making(spec: ModelSpec, run: Mapping[str, Any]) -> str:
    recipe = {**current_fields(_mapping(run, "recipe")), **current_fields(spec.recipe)}
    if "init" in recipe:
        # The card may be read on another machine, where the path of a weights file means nothing.
        recipe["init"] = PurePath(str(recipe["init"])).name
    lines = list(_recipe_words(recipe, run))
    seen = spec.preprocessing.height
    if _count(recipe.get("size")) not in (0, seen):
        lines.append(f"The finished model uses photos of {seen} × {spec.preprocessing.width} pixels.")
    lines.append(_origin(recipe))
    if spec.versions:
        versions = ", ".join(f"{escaped(name)} {escaped(version)}" for name, version in spec.versions.items())
        lines.append(f"Trained with {versions}.")
    settings = ", ".join(f"{escaped(name)} {escaped(value)}" for name, value in recipe.items())
    return _bullets(lines) + (f"\n\nAll settings: {settings}." if settings else "")


def _recipe_words(recipe: Mapping[str, Any], run: Mapping[str, Any]) -> Iterator[str]:
    if not recipe:
        yield "The recipe was not recorded."
        return
    trainable = "head" if recipe.get("freeze") else str(recipe.get("trainable", "all"))
    name = f"Recipe “{escaped(run['recipe_name'])}”. " if run.get("recipe_name") else ""
    yield name + _TRAINABLE.get(trainable, f"Trainable layers: {escaped(trainable)}.")
    if _count(recipe.get("epochs")):
        yield _duration(recipe, finite(run.get("seconds")))
    if _count(recipe.get("size")):
        yield _sizes(recipe)
    yield f"Augmentation: {_augmentations(recipe) or 'none'}."
    if 0 <= finite(recipe.get("class_balance_exponent")) < 1:
        yield "Rare classes were oversampled."


def _duration(recipe: Mapping[str, Any], seconds: float) -> str:
    epochs, patience = _count(recipe["epochs"]), _count(recipe.get("patience"))
    text = counted(epochs, "epoch")
    if patience:
        text = f"At most {text}; training stops after {counted(patience, 'epoch')} without better validation accuracy"
    if seconds > 0:
        text += f", in {seconds / 60:.0f} minutes" if seconds >= 90 else f", in {seconds:.0f} seconds"
    return text + "."


def _sizes(recipe: Mapping[str, Any]) -> str:
    size, small, share = _count(recipe["size"]), _count(recipe.get("small_size")), finite(recipe.get("small_share"))
    if small and small != size and share > 0:
        return f"Photos of {small} × {small} pixels for the first {percent(share)} of the epochs, then {size} × {size}."
    return f"Photos of {size} × {size} pixels."


def _augmentations(recipe: Mapping[str, Any]) -> str:
    words = {
        "crop": f"random crops of at least {percent(finite(recipe.get('crop')))} of the area",
        "horizontal_flip": "horizontal flips",
        "rotation": f"rotation by up to {finite(recipe.get('rotation')):g}°",
        "color_jitter": "color jitter",
        "background_swap": "swapped backgrounds",
        "trivial_augment": "TrivialAugment",
        "random_erasing": "random erasing",
        "mixup": "CutMix and mixup",
    }
    # Before there was a setting for it, half of the photos were flipped.
    used = {"horizontal_flip": 0.5, **recipe}
    names = (name for name in words if _is_used(name, finite(used.get(name))))
    return ", ".join(words[name] for name in names)


def _is_used(name: str, value: float) -> bool:
    return value < 1 if name == "crop" else value > 0


def _origin(recipe: Mapping[str, Any]) -> str:
    init = recipe.get("init")
    if init is None:
        return "The pretrained weights were not recorded."
    if init == "none":
        return "Trained from scratch, with random weights."
    if init == "imagenet":
        return "Pretrained weights: ImageNet (torchvision)."
    kind = "file" if PurePath(str(init)).suffix in _WEIGHTS_FILES else "model"
    return f"Pretrained weights: the {kind} {escaped(init)}."


def _results(spec: ModelSpec) -> str:
    test, validation = (_mapping(spec.metrics, name) for name in ("test", "val"))
    if not test and not validation:
        return "The model was not evaluated."
    tested, checked = _count(test.get("n")), _count(validation.get("n"))
    rows = [
        [title, *(_figure(figures.get(name)) for figures in (test, validation))]
        for name, title in _FIGURES.items()
        if name in test or name in validation
    ]
    parts = [_table(["", f"test ({counted(tested, 'photo')})", f"validation ({counted(checked, 'photo')})"], rows)]
    parts.append(
        "Test photos were not used in training. Temperature and thresholds were fitted to the validation photos, so "
        "validation metrics are optimistic."
    )
    top1 = finite(test.get("top1"))
    if tested and 0 <= top1 <= 1:
        share = Share.counted(round(top1 * tested), tested)
        parts.append(f"The 95% confidence interval of top-1 accuracy is {share.low:.2f} to {share.high:.2f}.")
    parts += _worlds(spec)
    for name, nouns in _REJECTED.items():
        if refused := _mapping(spec.metrics, name):
            photos = counted(_count(refused.get("n")), *nouns)
            parts.append(f"Share of {photos} rejected: {_figure(refused.get('found'))}.")
    return "\n\n".join([*parts, *_weaknesses(test)])


def _worlds(spec: ModelSpec) -> list[str]:
    worlds = [one for one in read_world_metrics(spec.metrics.get("worlds")) if one.known]
    if not worlds:
        return []
    rows = [
        [
            escaped(one.world),
            one.known,
            f"{one.top1.text} ({one.top1.interval_text})",
            one.top3.text,
            one.refused.text,
            one.right_when_named.text,
            _figure(one.ece),
        ]
        for one in worlds
    ]
    head = ["world", "test photos", "top-1 (95% interval)", "top-3", "refused", "right when named", "ECE"]
    return [_table(head, rows)]


def _figure(value: object) -> str:
    number = finite(value)
    return "" if math.isnan(number) else f"{number:.3f}"


def _weaknesses(test: Mapping[str, Any]) -> Iterator[str]:
    per_class = _mapping(test, "per_class")
    # By recall, then by the number of photos, as more photos make the weakness more certain.
    order = sorted(
        per_class, key=lambda label: (_recall(per_class, label), -_count(_mapping(per_class, label).get("n")))
    )
    weak = [label for label in order if _recall(per_class, label) < 1][:_SHOWN]
    if weak:
        rows = [
            [
                escaped(label),
                _count(figures.get("n")),
                *(_figure(figures.get(name)) for name in ("recall", "precision")),
            ]
            for label, figures in ((label, _mapping(per_class, label)) for label in weak)
        ]
        head = ["weakest classes", "test photos", "recall", "precision"]
        yield _table(head, rows)
    listed = test.get("confusions")
    pairs = [pair for pair in listed if isinstance(pair, Mapping)][:_SHOWN] if isinstance(listed, list) else []
    if pairs:
        yield "Most frequent confusions:\n\n" + _bullets(
            f"{escaped(pair.get('label'))} predicted as {escaped(pair.get('predicted'))}: "
            f"{_count(pair.get('count'))} of {_count(pair.get('of'))}"
            for pair in pairs
        )


def _recall(per_class: Mapping[str, Any], label: str) -> float:
    recall = finite(_mapping(per_class, label).get("recall"))
    return 1.0 if math.isnan(recall) else recall


def _answers(spec: ModelSpec) -> str:
    decision = spec.decision
    lines = [
        f"**A class name**: its probability is {decision.confidence_threshold:.2f} or more. The threshold is "
        f"set so that {percent(KNOWN_ACCURACY)} of such answers on validation photos are correct, if possible.",
        "**Not sure**: the most probable class is below that threshold; consider the top three.",
    ]
    if math.isfinite(decision.ood_threshold):
        odds = " and the network’s own score for negatives" if spec.has_negatives_class else ""
        lines.append(
            f"**Not a sneaker I know**: the OOD (out-of-distribution) score is above {decision.ood_threshold:.2f}. It "
            f"combines the distance from all training sneakers{odds}; the threshold is set so that about "
            f"{percent(FALSE_REJECTION_RATE)} of the validation sneakers are above it."
        )
    else:
        lines.append("**Not a sneaker I know**: never answered, as the model has no OOD threshold.")
    return _bullets(lines) + (
        f"\n\nProbabilities are calibrated with a temperature of {decision.temperature:.2f}: about 80% of the answers "
        "with a probability of 0.8 should be correct."
    )


def _limits(spec: ModelSpec, run: Mapping[str, Any]) -> Iterator[str]:
    yield (
        f"It knows only its {counted(len(spec.classes), 'class', 'classes')}: another sneaker may be named as the "
        "class it resembles most."
    )
    if not spec.has_negatives_class:
        yield (
            "It was trained without negatives, so “not a sneaker I know” depends only on the distance from known "
            "sneakers."
        )
    if not _mapping(spec.metrics, "negatives"):
        yield "How well it rejects photos that show no sneaker was not measured."
    yield from _thin_data(spec)
    if mixed := _count(spec.data.get("under_two_labels")):
        yield (
            f"Some labels contradict each other: {counted(mixed, 'photo')} are in near-duplicate groups with two or "
            "more labels."
        )
    if run.get("only"):
        yield "It was trained on selected classes of its dataset."


def _thin_data(spec: ModelSpec) -> Iterator[str]:
    tested = _count(_mapping(spec.metrics, "test").get("n"))
    if not tested:
        yield "It was not evaluated on test photos, so its accuracy on new photos is unknown."
    elif tested < _ROUGH:
        yield (
            f"Its metrics are based on only {counted(tested, 'test photo')}: each photo changes top-1 accuracy by "
            f"{100 / tested:.1f} percentage points."
        )
    if not _mapping(spec.data, "classes"):
        return
    counts = {label: _split_counts(spec, label) for label in spec.classes}
    thin = [label for label in spec.classes if counts[label][Split.TRAIN] < FEW_TRAINING]
    if thin:
        yield f"Classes with fewer than {FEW_TRAINING} training photos are less reliable: {_listed(thin)}."
    unmeasured = [label for label in spec.classes if counts[label][Split.TEST] < FEW_TEST]
    if unmeasured and tested:
        yield (f"Metrics of classes with fewer than {FEW_TEST} test photos mean little: {_listed(unmeasured)}.")
