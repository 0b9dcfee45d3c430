"""Segment every frame of a recording of any size."""

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
from echocardmae_mm.utils.config import type_name
from echocardmae_mm.utils.errors import UserError

CROPS = ('auto', 'sector', 'none')
_ECHONET_SIZE = (112, 112)
_FRAMES_OF_A_SECTOR = 24
_SAMPLER = 'SampleLabelledClip'
_LOADING = ('LoadEchoFrame', 'LoadEchoMask', 'RecordingInit', 'RecordingDecode', _SAMPLER)


class Segmentation(NamedTuple):
    """Labels of a recording.

    Args:
        labels (np.ndarray): uint8 of shape (T, H, W), at the recording's own size.
        classes (tuple[str, ...]): Names of the labels, the background first.
        palette (list[list[int]]): RGB of the labels.
    """

    labels: np.ndarray
    classes: tuple[str, ...]
    palette: list[list[int]]


def load_model(config: Config, checkpoint: str, device: str | None = None) -> BaseModel:
    """Build the model of a segmentation config and load its weights.

    Args:
        config (Config): A config of MMSegmentation or of a :class:`ClipSegmentor`.
        checkpoint (str): Path or URL.
        device (str, optional): Device of the model. Defaults to None, a GPU if available.

    Returns:
        BaseModel: In evaluation mode, with the checkpoint's ``dataset_meta``.

    Raises:
        UserError: If the checkpoint belongs to another model or not to a segmentation.
    """
    init_default_scope(config.get('default_scope') or 'mmengine')
    model = MODELS.build(config.model)
    require_fit(model, checkpoint)
    loaded = load_checkpoint(model, checkpoint, map_location='cpu')
    meta = loaded.get('meta', {}).get('dataset_meta') or {}
    if 'classes' not in meta:
        raise UserError(f'{checkpoint}: lists no structures; expected a segmentation model')
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
    """Segment every frame of a recording.

    Args:
        model (BaseModel): Model from :func:`load_model`.
        config (Config): Its config, whose test pipeline prepares the frames.
        recording (Recording): Recording from :func:`open_recording`.
        crop (str): 'sector' finds the sector and crops the frames to a square around it, as in
            EchoNet-Dynamic; 'none' keeps whole frames. 'auto' keeps whole frames if the recording
            has EchoNet-Dynamic's size or the model was trained on CAMUS, whose frames are not
            cropped; otherwise it crops. Defaults to 'auto'.
        batch_size (int): Number of frames per forward pass; a clip model processes one clip.
            Defaults to 16.
        progress (Callable): Wraps the iteration over batches, given their number. Defaults to no
            display.

    Returns:
        Segmentation: Labels at the recording's own size.

    Raises:
        UserError: If ``crop`` is unknown.
        RecordingError: If the recording is damaged or has no sector.
    """
    if crop not in CROPS:
        raise UserError(f'crop={crop!r} is unknown; choose one of {CROPS}')
    dataset = config.test_dataloader.dataset
    prepare = Compose([step for step in dataset.pipeline if not type_name(step).endswith(_LOADING)])
    sampler = next((s for s in dataset.pipeline if type_name(s).endswith(_SAMPLER)), None)

    shape = recording.frames([0]).shape[1:3]
    if crop == 'auto':
        is_whole = shape == _ECHONET_SIZE or type_name(dataset).endswith('CAMUSSegDataset')
        crop = 'none' if is_whole else 'sector'
    box = None
    if crop == 'sector':
        chosen = np.linspace(0, len(recording) - 1, _FRAMES_OF_A_SECTOR).astype(int)
        frames = list(recording.frames(np.unique(chosen)))
        box, sector = find_sector_box(
            frames, recording.filename, recording.region, recording.spacing
        )

    if sampler is None:
        batches = np.array_split(np.arange(len(recording)), -(-len(recording) // batch_size))
    else:
        batches = list(_clips(len(recording), sampler['clip_len'], sampler['frame_interval']))
    labels = np.zeros((len(recording), *shape), np.uint8)
    for indices in progress(batches, len(batches)):
        frames = list(recording.frames(indices))
        if box is not None:
            frames = [box.cut(frame * sector[..., None]) for frame in frames]
        samples = [_clip_sample(frames)] if sampler else [_frame_sample(f) for f in frames]
        with torch.no_grad():
            predictions = model.test_step(pseudo_collate([prepare(sample) for sample in samples]))
        masks = torch.cat([sample.pred_sem_seg.data for sample in predictions]).cpu().numpy()
        for index, mask in zip(indices, masks.astype(np.uint8)):
            labels[index] = mask if box is None else box.put_back(mask, shape)
    meta: Any = model.dataset_meta
    return Segmentation(labels, tuple(meta['classes']), meta['palette'])


def _clips(num_frames: int, length: int, interval: int) -> Iterator[np.ndarray]:
    """Yield frame indices of clips that together cover every frame."""
    for offset in range(min(interval, num_frames)):
        frames = np.arange(offset, num_frames, interval)
        for begin in range(0, len(frames), length):
            # The last clip starts earlier to be full, if the recording is long enough.
            first = max(0, min(begin, len(frames) - length))
            clip = frames[first : first + length]
            yield np.concatenate([clip, np.repeat(clip[-1:], length - len(clip))])


def _frame_sample(frame: np.ndarray) -> dict[str, Any]:
    shape = frame.shape[:2]
    return {'img': frame, 'img_shape': shape, 'ori_shape': shape}


def _clip_sample(frames: list[np.ndarray]) -> dict[str, Any]:
    shape = frames[0].shape[:2]
    return {
        'imgs': frames,
        'img_shape': shape,
        'original_shape': shape,
        'modality': 'RGB',
        'num_clips': 1,
        'clip_len': len(frames),
    }
