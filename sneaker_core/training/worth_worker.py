"""Measures what decisions are worth in the background: one thread per process, the latest state of a dataset first."""

import functools
import threading
from collections import OrderedDict
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass

from sneaker_core.datasets.index import Dataset
from sneaker_core.training.decisions_worth import Baseline, Worth, dataset_worth

_MOST_DATASETS = 4  # whose last measurement is remembered
_State = tuple[float, int]


@dataclass(frozen=True)
class LatestWorth:
    """What is known now.

    Attributes
    ----------
    worth : Worth or None
        The last that was measured; of an earlier state of the dataset if `pending`.
    pending : bool
        Whether the present state is still being measured.
    """

    worth: Worth | None
    pending: bool


@dataclass(frozen=True)
class _Measurement:
    """The newest measurement of a dataset, and the result of an earlier one."""

    state: _State
    future: "Future[Worth]"
    earlier: Worth | None

    @property
    def last(self) -> Worth | None:
        """The last result."""
        future = self.future
        finished = future.done() and not future.cancelled() and future.exception() is None
        return future.result() if finished else self.earlier


class WorthWorker:
    """Measures one dataset at a time; a request that a newer one has overtaken is dropped."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "worth")
        self._lock = threading.Lock()
        self._measurements: OrderedDict[str, _Measurement] = OrderedDict()
        self._baselines: OrderedDict[str, Baseline] = OrderedDict()  # used by the thread alone

    def latest(self, dataset: Dataset, patience: float = 0.0) -> LatestWorth:
        """What is known of a dataset; starts to measure it if it has changed since.

        Parameters
        ----------
        dataset : Dataset
        patience : float
            Seconds to wait for a measurement.

        Raises
        ------
        DatasetError
            The dataset was deleted, or its index is damaged.
        """
        # The time of creation tells a dataset from an earlier one in the same folder.
        state = (float(dataset.fact("created", 0)), dataset.revision)
        with self._lock:
            measurement = self._requested(dataset, state)
        try:
            return LatestWorth(measurement.future.result(timeout=patience), pending=False)
        except (TimeoutError, CancelledError):  # not done yet, or somebody else has just decided something
            return LatestWorth(measurement.last, pending=True)
        except BaseException:
            with self._lock:  # the next request tries again
                if self._measurements.get(str(dataset.folder)) is measurement:
                    del self._measurements[str(dataset.folder)]
            raise

    def _requested(self, dataset: Dataset, state: _State) -> _Measurement:
        folder = str(dataset.folder)
        known = self._measurements.get(folder)
        if known is None or known.state != state:
            earlier = None
            if known is not None:
                known.future.cancel()
                earlier = known.last if known.state[0] == state[0] else None
            known = _Measurement(state, self._thread.submit(self._measure, dataset), earlier)
            self._measurements[folder] = known
        self._measurements.move_to_end(folder)
        while len(self._measurements) > _MOST_DATASETS:
            self._measurements.popitem(last=False)[1].future.cancel()
        return known

    def _measure(self, dataset: Dataset) -> Worth:
        folder = str(dataset.folder)
        worth, baseline = dataset_worth(dataset, self._baselines.get(folder))
        if baseline is not None:
            self._baselines[folder] = baseline
            # The embeddings of validation photos take up to a few hundred megabytes.
            while len(self._baselines) > 1:
                self._baselines.popitem(last=False)
        return worth

    def close(self) -> None:
        """Drop what is waiting."""
        self._thread.shutdown(wait=False, cancel_futures=True)


@functools.cache
def shared_worth_worker() -> WorthWorker:
    """The worker of this process, shared by all pages."""
    return WorthWorker()
