"""Types of the fields of records: what a value may be, with its range."""

from typing import Annotated, Any

from msgspec import Meta

# NaN and infinity are outside every range.
Number = Annotated[float, Meta(ge=-1e15, le=1e15)]
Share = Annotated[float, Meta(ge=0, le=1)]
Spread = Annotated[float, Meta(gt=0, le=1e15)]
Count = Annotated[int, Meta(ge=0, le=10**12)]
# Seconds since 1970, up to the year 2255, and a length of time in seconds.
Moment = Annotated[float, Meta(ge=0, le=9e9)]
Duration = Annotated[float, Meta(ge=0, le=9e9)]
Name = Annotated[str, Meta(min_length=1, max_length=1000)]
PathText = Annotated[str, Meta(pattern=r"^[^\x00]*$", max_length=10_000)]
Checksum = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
# A setting of a recipe. Which settings there are and their ranges is for `training.recipe` to say.
Setting = str | bool | Annotated[int, Meta(ge=-(2**53), le=2**53)] | Number | None


def none_for_nan(values: dict[str, Any], *keys: str) -> dict[str, Any]:
    """Values in which NaN, as older versions wrote what was not measured, is None."""
    return {key: None if key in keys and value != value else value for key, value in values.items()}
