"""Names of a recipe's fields, old and new; imports nothing heavy, so readers of old records can use it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

# Old name -> current name. Runs, models, studies and `--set` may still use the old one.
OLD_FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "part": "trainable",
        "average_decay": "ema_decay",
        "rare_power": "class_balance_exponent",
        "others_share": "negatives_share",
        "mirror": "horizontal_flip",
        "colour": "color_jitter",
        "erase": "random_erasing",
        "trivial": "trivial_augment",
        "mix": "mixup",
    }
)
# (field, old value) -> current value.
_OLD_VALUES: Mapping[tuple[str, Any], Any] = MappingProxyType({("head", "usual"): "default"})


def current_fields(values: Mapping[str, Any]) -> dict[str, Any]:
    """Recipe settings under their current names.

    Parameters
    ----------
    values : mapping
        Field -> value, under old or current names. A current name wins over an old one.
    """
    renamed = {OLD_FIELDS.get(key, key): value for key, value in values.items() if OLD_FIELDS.get(key) not in values}
    return {
        key: _OLD_VALUES.get((key, value), value) if isinstance(value, str) else value for key, value in renamed.items()
    }
