"""Names of the models that come with SoleScope."""

DEFAULT_MODEL = "street72"
# Knows the drawn sneakers of the sample photos; its evaluation has pictures on a fresh install.
SYNTHETIC_MODEL = "synthetic12"
# Former name of a bundled model -> the model that replaced it.
REPLACED_MODELS = {"street22": "street72"}


def present_name(name: str) -> str:
    """The name of the model that replaced a bundled model of this name; any other name as it is."""
    return REPLACED_MODELS.get(name, name)


def replacement_note(name: str) -> str | None:
    """What to tell someone who asks for a bundled model by a former name; None for any other name."""
    if name not in REPLACED_MODELS:
        return None
    return f"The model {name} was replaced by {present_name(name)}, which is used instead."
