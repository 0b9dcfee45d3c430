"""Measure recordings with trained models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import NamedTuple

import numpy as np
from torch import Tensor

from echocardmae_mm.apis.bundle import Bundle
from echocardmae_mm.apis.bundle_config import VIEWS
from echocardmae_mm.apis.framing import Framed, frame_recording
from echocardmae_mm.apis.gate import find_flags
from echocardmae_mm.apis.measurements import VENTRICLE, measure_ventricle
from echocardmae_mm.apis.network import FEATURES, OUTPUTS
from echocardmae_mm.apis.prediction import MARKS, RECORDINGS, SYNTHETIC, USE, Prediction
from echocardmae_mm.apis.read_clips import read_clips
from echocardmae_mm.apis.segment_frames import segment_frames
from echocardmae_mm.apis.task_values import TASK_VALUES
from echocardmae_mm.datasets.recordings import ArrayRecording, Recording, open_recording
from echocardmae_mm.datasets.recordings.recording import (
    MAX_ASPECT,
    is_plausible_spacing,
    is_positive,
)
from echocardmae_mm.datasets.recordings.synthetic import is_synthetic
from echocardmae_mm.utils.errors import RecordingError, UserError

ASSUMED_VIEW = '4CH'
_UNITS = ('_percent', '_ml', '_mm', '_cm2', '_bpm', '_probability')


class Opened(NamedTuple):
    """A recording that was read.

    Args:
        recording (Recording): The recording.
        framings (Mapping[str, Framed]): Its frames as the models see them, by framing.
    """

    recording: Recording
    framings: Mapping[str, Framed]


class EchoInferencer:
    """Measure a recording with one or more bundles; ``echocardmae predict`` gives the same numbers.

    Args:
        bundles (str | PathLike | Sequence[str | PathLike]): Folder of a bundle, or several folders,
            at most one for each task.
        device (str, optional): Device of the models. Defaults to None, a GPU if there is one.
        allow_synthetic_model (bool): Whether a model trained on synthetic recordings may measure
            arrays and files without their mark. Defaults to False.
        runtime (str): 'torch' or 'onnx'; see :class:`Bundle`. Defaults to 'torch'.

    Raises:
        UserError: If a bundle cannot be used, or there are two for one task.

    Example:
        >>> from echocardmae_mm.apis import EchoInferencer
        >>> from echocardmae_mm.apis.example import BUNDLES
        >>> from echocardmae_mm.phantom import make_phantom
        >>> phantom = make_phantom(1, num_frames=60)
        >>> measure = EchoInferencer(BUNDLES, allow_synthetic_model=True)
        >>> result = measure(phantom.frames, fps=phantom.fps)
        >>> 0 < result.values['ef_percent'] < 100
        True
    """

    #: Tasks of the bundles that can be used.
    tasks: tuple[str, ...] = ('ejection_fraction', 'segmentation', 'diagnosis', 'view')

    def __init__(
        self,
        bundles: str | PathLike[str] | Sequence[str | PathLike[str]],
        device: str | None = None,
        allow_synthetic_model: bool = False,
        runtime: str = 'torch',
    ) -> None:
        self.bundles: dict[str, Bundle] = {}
        for folder in [bundles] if isinstance(bundles, (str, PathLike)) else bundles:
            bundle = Bundle(str(folder), device, runtime)
            if bundle.task not in self.tasks:
                known = ', '.join(self.tasks).replace('_', ' ')
                raise UserError(
                    f'{folder}: a bundle for {bundle.task}; expected one for {known}\n'
                    f'Use it with echocardmae {"embed" if bundle.task == "features" else "predict"}'
                )
            if bundle.task in self.bundles:
                first = self.bundles[bundle.task].folder
                raise UserError(f'{first} and {folder} both predict {bundle.task}; choose one')
            self.bundles[bundle.task] = bundle
        if not self.bundles:
            raise UserError('expected at least one bundle')
        self.allow_synthetic_model = allow_synthetic_model

    @property
    def on_gpu(self) -> bool:
        """Whether any model computes on another device than the CPU."""
        return any(bundle.device != 'cpu' for bundle in self.bundles.values())

    @property
    def without_feature_distance(self) -> list[str]:
        """Names of the models whose features are not compared with those of a training set."""
        return [b.name for b in self.bundles.values() if b.feature_distance is None]

    @property
    def synthetic(self) -> bool:
        """Whether any model was trained on synthetic recordings."""
        return any(bundle.synthetic for bundle in self.bundles.values())

    @property
    def marks(self) -> dict[str, str]:
        """The values of :data:`MARKS`."""
        return dict(zip(MARKS, (SYNTHETIC if self.synthetic else RECORDINGS, USE)))

    def __call__(
        self,
        source: str | PathLike[str] | np.ndarray,
        view: str | None = None,
        fps: float | None = None,
        spacing: tuple[float, float] | None = None,
    ) -> Prediction:
        """Measure one recording.

        Args:
            source (str | PathLike | np.ndarray): A file in any supported container, or uint8 frames
                (T, H, W, 3).
            view (str, optional): '4CH', '2CH' or 'other'. Defaults to None: as the file says, else
                as a bundle for views predicts, else '4CH' is assumed.
            fps (float, optional): Frames per second, in place of the file's. Defaults to None.
            spacing (tuple[float, float], optional): Height and width of a pixel in mm, in place of
                the file's. Defaults to None.

        Returns:
            Prediction: Measurements, or the reason why there are none.

        Raises:
            UserError: If ``view`` is unknown, or ``fps`` or ``spacing`` is not positive.
        """
        return self.measure(self.read(source, spacing), view, fps)

    def read(
        self,
        source: str | PathLike[str] | np.ndarray,
        spacing: tuple[float, float] | None = None,
    ) -> Opened | Prediction:
        """Read a recording, and crop it for each model; needs no model, so a thread can run it.

        Returns:
            Opened | Prediction: For :meth:`measure`; a refusal if the recording cannot be read.
        """
        if spacing is not None:
            if not is_plausible_spacing(spacing):
                raise UserError(
                    f'spacing={spacing}: expected height and width of a pixel in mm, two positive '
                    f'numbers, the larger at most {MAX_ASPECT} times the smaller'
                )
            spacing = (float(spacing[0]), float(spacing[1]))  # also from an array
        try:
            self._require_synthetic(source)
            recording: Recording
            if isinstance(source, np.ndarray):
                recording = ArrayRecording(source)
            else:
                recording = open_recording(source)
            framings: dict[str, Framed] = {}
            for bundle in self.bundles.values():
                if (framing := bundle.config.framing) not in framings:
                    framings[framing] = frame_recording(
                        recording, framing, bundle.config.frame_size, spacing
                    )
            return Opened(recording, framings)
        except RecordingError as error:
            return _unreadable(error)

    def measure(
        self, opened: Opened | Prediction, view: str | None = None, fps: float | None = None
    ) -> Prediction:
        """Measure a recording that :meth:`read` read; see :meth:`__call__`."""
        if view not in (None, *VIEWS):
            raise UserError(f'view={view!r} is unknown; choose one of {", ".join(VIEWS)}')
        if fps is not None and not is_positive(fps):
            raise UserError(f'fps={fps}: expected a positive number')
        try:
            result = opened if isinstance(opened, Prediction) else self._measure(*opened, view, fps)
        except RecordingError as error:
            result = _unreadable(error)
        result.values |= self.marks
        return result

    def _require_synthetic(self, source: str | PathLike[str] | np.ndarray) -> None:
        if not self.synthetic or self.allow_synthetic_model:
            return
        if isinstance(source, np.ndarray) or not is_synthetic(str(source)):
            raise RecordingError(
                'array' if isinstance(source, np.ndarray) else str(source),
                'a model trained on synthetic recordings does not measure others, '
                'unless allow_synthetic_model is set',
            )

    def _measure(
        self,
        recording: Recording,
        framings: Mapping[str, Framed],
        view: str | None,
        fps: float | None,
    ) -> Prediction:
        fps = fps or recording.fps
        known = view or recording.view
        source = 'given' if view else 'file' if known else 'assumed'
        result = Prediction(
            {
                'status': 'measured',
                'reason': '',
                'view': known or ASSUMED_VIEW,
                'view_source': source,
                'frames': len(recording),
                'fps': fps,
            },
            framed=next(iter(framings.values())),
            fps=fps,
        )
        if 'segmentation' in self.bundles:
            self._segment(self.bundles['segmentation'], framings, result)
        assert result.framed is not None
        row, column = result.framed.spacing or (None, None)
        result.values |= {'pixel_height_mm': row, 'pixel_width_mm': column}
        self._predict(framings, result)
        result.flags = find_flags(result, recording, self.bundles)
        result.values['flags'] = ' '.join(flag.name for flag in result.flags)
        if reasons := [flag.text for flag in result.flags if flag.refuses]:
            _refuse(result, '; '.join(reasons))
        return result

    def _predict(self, framings: Mapping[str, Framed], result: Prediction) -> None:
        """Run the models of clips."""
        view_is_known = result.values['view_source'] != 'assumed'
        for task, values_of in TASK_VALUES.items():
            if task in self.bundles and not (task == 'view' and view_is_known):
                bundle = self.bundles[task]
                framed = framings[bundle.config.framing]
                clips = read_clips(bundle, framed, result.fps, result.ventricle)
                outputs = bundle.network(clips)
                result.values |= values_of(bundle, outputs[OUTPUTS[task]].cpu().numpy())
                compare_features(bundle, outputs.get(FEATURES), result)

    def _segment(self, bundle: Bundle, framings: Mapping[str, Framed], result: Prediction) -> None:
        result.framed = framings[bundle.config.framing]
        result.classes, result.palette = tuple(bundle.config.classes), bundle.config.palette
        result.labels, features = segment_frames(bundle, result.framed.frames)
        compare_features(bundle, features, result)
        result.values['segmentation_model'] = bundle.name
        if VENTRICLE in result.classes:
            masks = result.labels == result.classes.index(VENTRICLE)
            result.ventricle = measure_ventricle(masks, result.fps, result.framed.spacing)
            result.values |= result.ventricle.values


def compare_features(bundle: Bundle, features: Tensor | None, result: Prediction) -> None:
    """Compare the mean features of a recording, (N, C), with those of the training set."""
    if features is not None and bundle.feature_distance is not None:
        distance = bundle.feature_distance(features.mean(0).cpu().numpy())
        # The largest of the models.
        largest = max(distance, result.values.get('training_distance', 0.0))
        result.values['training_distance'] = largest


def _unreadable(error: RecordingError) -> Prediction:
    return Prediction({'status': 'refused', 'reason': error.reason or 'damaged'})


def _refuse(result: Prediction, reason: str) -> None:
    """Remove all measurements; the frames and their outlines stay, to show why."""
    result.values |= {'status': 'refused', 'reason': reason}
    result.ventricle = result.features = None
    for name in list(result.values):
        if name.endswith((*_UNITS, 'beats')) and not name.startswith('pixel_'):
            del result.values[name]
