"""Label every frame of a recording, whatever its size."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.model import BaseModel
from mmengine.registry import MODELS, init_default_scope
from mmengine.runner import load_checkpoint

from echocardmae_mm.datasets.recordings import Recording
from echocardmae_mm.datasets.transforms.crop_to_sector import find_sector_box
from echocardmae_mm.engine import require_fit
from echocardmae_mm.utils.errors import UserError

CROPS = ('auto', 'sector', 'none')
_ECHONET_SIZE = (112, 112)
_FRAMES_OF_A_SECTOR = 24
_BEFORE = (
    'LoadEchoFrame',
    'LoadEchoMask',
    'RecordingInit',
    'RecordingDecode',
    'SampleLabelledClip',
)


class Segmentation(NamedTuple):
    """A recording with its labels.

    Args:
        labels (np.ndarray): uint8 of shape (T, H, W), at the recording's own size.
        classes (tuple[str, ...]): Names of the labels, the background first.
        palette (list[list[int]]): RGB of the labels.
    """

    labels: np.ndarray
    classes: tuple[str, ...]
    palette: list[list[int]]


def load_model(config: Config, checkpoint: str, device: str | None = None) -> BaseModel:
    """Build the model of a segmentation config and load it.

    Args:
        config (Config): Of MMSegmentation's kind or with :class:`ClipSegmentor`.
        checkpoint (str): Path or address.
        device (str, optional): Where it computes. Defaults to None, a GPU if there is one.

    Returns:
        BaseModel: In evaluation, with the checkpoint's ``dataset_meta``.

    Raises:
        UserError: If the checkpoint is of another model, or of no segmentation.
    """
    init_default_scope(config.default_scope)
    model = MODELS.build(config.model)
    require_fit(model, checkpoint)
    loaded = load_checkpoint(model, checkpoint, map_location='cpu')
    meta = loaded.get('meta', {}).get('dataset_meta') or {}
    if 'classes' not in meta:
        raise UserError(f'{checkpoint}: does not say which structures it segments')
    model.dataset_meta = meta
    return model.to(device or ('cuda' if torch.cuda.is_available() else 'cpu')).eval()


def segment_recording(
    model: BaseModel,
    config: Config,
    recording: Recording,
    crop: str = 'auto',
    batch_size: int = 16,
    progress: Callable[[Iterable[Any], int], Iterable[Any]] = lambda steps, _: steps,
) -> Segmentation:
    """Label every frame.

    Args:
        model (BaseModel): As :func:`load_model` gives it.
        config (Config): Its config, whose test pipeline prepares the frames.
        recording (Recording): As :func:`open_recording` gives it.
        crop (str): 'sector' finds the sector and shows the model the square around it, as
            EchoNet-Dynamic is cut; 'none' shows it the frames as they are; 'auto' takes 'none' for
            recordings of EchoNet-Dynamic's size and for models of CAMUS, which are trained on
            whole frames, and 'sector' otherwise. Defaults to 'auto'.
        batch_size (int): Frames in a forward pass; clips count as their frames. Defaults to 16.
        progress (Callable): Wraps the steps, given their number. Defaults to nothing.

    Returns:
        Segmentation: Labels at the recording's own size.

    Raises:
        UserError: If ``crop`` is unknown.
        RecordingError: If the recording is damaged or has no sector.
    """
    if crop not in CROPS:
        raise UserError(f'crop={crop!r} is unknown; choose one of {CROPS}')
    shape = recording.frames([0]).shape[1:3]
    box = None
    sees_whole_frames = shape == _ECHONET_SIZE or _is_of_camus(config)
    if crop == 'sector' or (crop == 'auto' and not sees_whole_frames):
        some = np.linspace(0, len(recording) - 1, _FRAMES_OF_A_SECTOR).astype(int)
        frames = list(recording.frames(np.unique(some)))
        box, sector = find_sector_box(
            frames, recording.filename, recording.region, recording.spacing
        )

    def view(frame: np.ndarray) -> np.ndarray:
        return frame if box is None else box.cut(frame * sector[..., None])

    steps = [s for s in config.test_pipeline if s['type'].rpartition('.')[2] not in _BEFORE]
    prepare = Compose(steps)
    clips = list(_clips(config, len(recording), batch_size))
    labels = np.zeros((len(recording), *shape), np.uint8)
    for indices in progress(clips, len(clips)):
        frames = [view(frame) for frame in recording.frames(indices)]
        is_clip = _sampler(config) is not None
        batch = [_of_clip(frames, prepare)] if is_clip else [_of_frame(f, prepare) for f in frames]
        with torch.no_grad():
            samples = model.test_step(pseudo_collate(batch))
        predicted = torch.cat([sample.pred_sem_seg.data for sample in samples]).cpu().numpy()
        for index, mask in zip(indices, predicted.astype(np.uint8)):
            labels[index] = mask if box is None else box.put_back(mask, shape)
    meta: Any = model.dataset_meta
    return Segmentation(labels, tuple(meta['classes']), meta['palette'])


def _is_of_camus(config: Config) -> bool:
    loader = config.get('test_dataloader') or {}
    return str(loader.get('dataset', {}).get('type')).endswith('CAMUSSegDataset')


def _sampler(config: Config) -> dict[str, Any] | None:
    """The step that samples clips, of a config that goes by clips."""
    of_clips = (s for s in config.test_pipeline if s['type'].endswith('SampleLabelledClip'))
    return next(of_clips, None)


def _clips(config: Config, num_frames: int, batch_size: int) -> Iterator[np.ndarray]:
    """Frames that are labelled together; every frame comes up."""
    sampler = _sampler(config)
    if sampler is None:
        yield from np.array_split(np.arange(num_frames), -(-num_frames // batch_size))
        return
    length, interval = sampler['clip_len'], sampler['frame_interval']
    for offset in range(min(interval, num_frames)):
        frames = np.arange(offset, num_frames, interval)
        for begin in range(0, len(frames), length):
            # The last clip reaches back, so that it is whole where the recording is long enough.
            first = max(0, min(begin, len(frames) - length))
            clip = frames[first : first + length]
            yield np.concatenate([clip, np.repeat(clip[-1:], length - len(clip))])


def _of_frame(frame: np.ndarray, prepare: Compose) -> dict[str, Any]:
    shape = frame.shape[:2]
    return prepare({'img': frame, 'img_shape': shape, 'ori_shape': shape})


def _of_clip(frames: list[np.ndarray], prepare: Compose) -> dict[str, Any]:
    shape = frames[0].shape[:2]
    return prepare(
        {
            'imgs': frames,
            'img_shape': shape,
            'original_shape': shape,
            'modality': 'RGB',
            'num_clips': 1,
            'clip_len': len(frames),
        }
    )
