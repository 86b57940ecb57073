"""One decoding process, as seen by the process that started it."""

from dataclasses import asdict

from PIL import Image

from sneaker_core.decoding.decoder_messages import Message
from sneaker_core.decoding.endable_process import EndableProcess, seconds_text
from sneaker_core.errors import ImageError, ImageTooLargeError, SlowImageError, StoppedError
from sneaker_core.images import DecodedPhoto
from sneaker_core.settings import ImageLimits


class DecoderProcess(EndableProcess):
    """A process that decodes one photo at a time.

    Raises
    ------
    BusyError
        The process can't be started.
    """

    def __init__(self) -> None:
        super().__init__("sneaker_core.decoding.decoder_worker", "photos")

    def decode_photo(self, data: bytes, limits: ImageLimits, shrink_to: int | None) -> DecodedPhoto:
        """Decode a photo; parameters as for `images.decode_photo`.

        Raises
        ------
        SlowImageError
            It took longer than the limit; the process has been ended.
        StoppedError
            The process ended, or gave no answer that makes sense.
        ImageError
            As for `images.decode_photo`.
        """
        request = Message({"limits": asdict(limits), "shrink_to": shrink_to}, data)
        answer = self.exchange(request, limits.max_seconds, 3 * limits.max_pixels)
        if answer is None and self.expired:
            limit = seconds_text(limits.max_seconds)
            raise SlowImageError(f"The photo takes too long to decode; the limit is {limit}.")
        if answer is None:
            raise StoppedError("The process that decodes photos ended.")
        head, pixels = answer
        try:
            if "error" in head:
                _raise(head["error"], str(head["message"]))
            (width, height), (full_width, full_height) = head["size"], head["full"]
            image = Image.frombytes("RGB", (width, height), pixels)
            return DecodedPhoto(image, full_width, full_height, str(head["extension"]))
        except (KeyError, TypeError, ValueError) as error:
            self.distrust()
            raise StoppedError("The process that decodes photos gave a wrong answer.") from error


def _raise(kind: str, message: str) -> None:
    """Raise the error that the process reports."""
    if kind == ImageTooLargeError.__name__:
        raise ImageTooLargeError(message)
    if kind == SlowImageError.__name__:
        raise SlowImageError(message)
    raise ImageError(message)
