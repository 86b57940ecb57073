"""Photos in the body of a request: multipart files, or base64 in JSON. Nothing is ever fetched from elsewhere."""

import re
from dataclasses import dataclass
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message, Receive

from sneaker_core.api.api_errors import JSON
from sneaker_core.errors import ImageTooLargeError, SneakerError
from sneaker_core.images import Photo
from sneaker_core.number_text import counted
from sneaker_core.settings import ImageLimits

MULTIPART = "multipart/form-data"
# The name of the parts with photos, and that of a photo whose sender doesn't name it.
FILE_PART, UNNAMED = "file", "photo"
# Photos in a request. Together they may be as large as three of the largest photos.
MOST_PHOTOS = 10
_MOST_SIZE = 3
# A body is slightly larger than the photos in it, and in base64 a third larger.
_ENVELOPE_BYTES = 64 * 1024
_BASE64_RATIO = 4 / 3
_MOST_FIELDS = 8
_LONGEST_SHOWN = 80

_PLACE = re.compile(r"^(.*?)(?: - at `(?:key in )?\$\.?(.*)`)?$")


class PhotoBody(msgspec.Struct, forbid_unknown_fields=True):
    """A photo in JSON.

    Attributes
    ----------
    photo : str
        The bytes of its file in base64, without line breaks and without "data:" before them.
    name : str
        What the answer calls it.
    """

    photo: Annotated[bytes, Meta(extra_json_schema={"format": "byte"})]
    name: Annotated[str, Meta(max_length=255)] = UNNAMED


class PhotosBody(msgspec.Struct, forbid_unknown_fields=True):
    """Several photos in JSON.

    Attributes
    ----------
    photos : list of PhotoBody
    """

    photos: Annotated[list[PhotoBody], Meta(min_length=1, max_length=MOST_PHOTOS)]


Body = TypeVar("Body", PhotoBody, PhotosBody)


@dataclass(frozen=True)
class SentPhotos:
    """The photos of a request, at least one.

    Attributes
    ----------
    photos : tuple of Photo
    several : bool
        Whether they were sent as a list, so that their answers are one too.
    """

    photos: tuple[Photo, ...]
    several: bool


@dataclass(frozen=True)
class _Cap:
    """A limit on a body, and what to say of one that exceeds it."""

    bytes: int
    message: str


def largest_body(limits: ImageLimits) -> int:
    """Bytes of the largest body that is read."""
    return max(_cap(limits, MOST_PHOTOS, in_base64).bytes for in_base64 in (False, True))


def _cap(limits: ImageLimits, most: int, in_base64: bool) -> _Cap:
    allowed = limits.max_bytes * min(most, _MOST_SIZE)
    one = f"{limits.max_bytes / 1e6:g} MB"
    message = f"The photo is larger than {one}."
    if most > 1:
        message = f"The request is too large: a photo may have {one}, and all together {allowed / 1e6:g} MB."
    return _Cap(int(allowed * (_BASE64_RATIO if in_base64 else 1)) + most * _ENVELOPE_BYTES, message)


async def read_photos(request: Request, limits: ImageLimits, most: int = MOST_PHOTOS) -> SentPhotos:
    """The photos in a request; a body over the limit is rejected while it arrives.

    Parameters
    ----------
    request : Request
    limits : ImageLimits
    most : int
        Photos that may be sent.

    Raises
    ------
    HTTPException
        The body is of another type (415), or can't be read (400).
    ImageTooLargeError
        It is larger than the limit.
    SneakerError
        There are more photos, or the JSON doesn't fit.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in (MULTIPART, JSON):
        raise HTTPException(
            415, f"Send photos as {MULTIPART} in parts named '{FILE_PART}', or in base64 as {JSON}; see docs/API.md."
        )
    cap = _cap(limits, most, in_base64=kind == JSON)
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > cap.bytes:
        raise ImageTooLargeError(cap.message)
    limited = Request(request.scope, _limited_receive(cap, request.receive))
    sent = _from_json(await limited.body(), most) if kind == JSON else await _from_parts(limited, most)
    if any(len(photo.data) > limits.max_bytes for photo in sent.photos) and not sent.several:
        raise ImageTooLargeError(_cap(limits, 1, False).message)
    return sent


def _limited_receive(cap: _Cap, receive: Receive) -> Receive:
    received = 0

    async def counted_parts() -> Message:
        nonlocal received
        part = await receive()
        received += len(part.get("body", b""))
        if received > cap.bytes:
            raise ImageTooLargeError(cap.message)
        return part

    return counted_parts


async def _from_parts(request: Request, most: int) -> SentPhotos:
    too_many = False
    try:
        # One more file than allowed tells too many from too much.
        async with request.form(max_files=most + 1, max_fields=_MOST_FIELDS) as form:
            files = [file for file in form.getlist(FILE_PART) if isinstance(file, UploadFile)]
            photos = tuple([Photo(_named(file.filename), await file.read()) for file in files])
            others = [_named(name) for name in form if name != FILE_PART]
    except HTTPException as error:
        too_many = str(error.detail).startswith("Too many files")
        if not too_many:
            raise
    except UnicodeError:
        raise HTTPException(400, "The body can't be read: its headers aren't text in UTF-8.") from None
    if too_many or len(photos) > most:
        raise _too_many(most)
    if not photos:
        raise HTTPException(400, f"The request has no file in a part named '{FILE_PART}'.")
    if others:
        other = others[0][:_LONGEST_SHOWN]
        raise SneakerError(f"There is no part {other!r}; send photos in parts named '{FILE_PART}'.")
    return SentPhotos(photos, len(photos) > 1)


def _named(name: str | None) -> str:
    """The name of a part's file; a request can name it in half characters, which can't be sent back."""
    return (name or UNNAMED).encode(errors="replace").decode()


def _too_many(most: int) -> SneakerError:
    return SneakerError(f"There are more than {counted(most, 'photo')} in the request. Send the others in another one.")


def _from_json(body: bytes, most: int) -> SentPhotos:
    try:
        fields = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except msgspec.ValidationError as error:
        raise _misfit(error) from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise HTTPException(400, "The body isn't complete JSON in UTF-8.") from None
    if most == 1 or "photos" not in fields:
        one = _decoded(body, PhotoBody)
        return SentPhotos((Photo(one.name, one.photo),), several=False)
    if len(_listed(fields["photos"])) > most:
        raise _too_many(most)
    sent = _decoded(body, PhotosBody)
    return SentPhotos(tuple(Photo(one.name, one.photo) for one in sent.photos), several=True)


def _listed(value: msgspec.Raw) -> list[msgspec.Raw]:
    """The elements of a list; none if it is something else, which the schema then reports."""
    try:
        return msgspec.json.decode(value, type=list[msgspec.Raw])
    except msgspec.DecodeError:
        return []


def _decoded(body: bytes, kind: type[Body]) -> Body:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise _misfit(error) from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise HTTPException(400, "The body isn't complete JSON in UTF-8.") from None


def _misfit(error: msgspec.ValidationError) -> SneakerError:
    """What doesn't fit in the JSON, and where."""
    found = _PLACE.fullmatch(str(error).replace("\n", " "))
    what, place = (found[1], found[2]) if found else (str(error), None)
    plain = what.replace("`", "'").replace("'bytes'", "'str'")
    return SneakerError(f"The JSON body doesn't fit: {f'{place}: ' if place else ''}{plain[:1].lower()}{plain[1:]}.")
