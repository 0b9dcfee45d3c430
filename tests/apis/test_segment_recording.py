"""Every frame of a recording is labelled once, in place."""

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.structures import PixelData
from scipy.ndimage import binary_dilation

from echocardmae_mm.apis.segment_recording import segment_recording
from echocardmae_mm.datasets.recordings import Recording
from echocardmae_mm.datasets.transforms.crop_to_sector import Box
from echocardmae_mm.phantom import make_phantom
from echocardmae_mm.utils.errors import UserError

FRAMES = [
    dict(type='echocardmae_mm.LoadEchoFrame'),
    dict(type='mmseg.Resize', scale=(112, 112), keep_ratio=False),
    dict(type='echocardmae_mm.LoadEchoMask'),
    dict(type='mmseg.PackSegInputs', meta_keys=('ori_shape', 'img_shape')),
]
CLIPS = [
    dict(type='echocardmae_mm.RecordingInit'),
    dict(type='echocardmae_mm.SampleLabelledClip', clip_len=8, frame_interval=3, place='middle'),
    dict(type='echocardmae_mm.RecordingDecode'),
    dict(type='echocardmae_mm.ResizeFrames', scale=(112, 112), keep_ratio=False),
    dict(type='echocardmae_mm.LoadEchoMask'),
    dict(type='mmaction.FormatShape', input_format='NCTHW'),
    dict(type='echocardmae_mm.PackSegClip'),
]


def config_of(pipeline, **dataset):
    return Config(dict(test_dataloader=dict(dataset=dict(pipeline=pipeline, **dataset))))


class Numbered(Recording):
    """A recording whose frame i has the grey level i."""

    def __init__(self, num_frames, shape=(112, 112)):
        super().__init__('numbered.avi', num_frames)
        self.shape = shape

    def _decode(self, indices):
        return np.stack([np.full((*self.shape, 3), index, np.uint8) for index in indices])


class Screen(Recording):
    """A recording that lies in memory."""

    def __init__(self, frames):
        super().__init__('screen.avi', len(frames))
        self.pixels = frames

    def _decode(self, indices):
        return self.pixels[indices]


class Threshold(BaseModel):
    """Labels each frame by its grey level."""

    dataset_meta = dict(classes=('background', 'left ventricle'), palette=[[0, 0, 0], [1, 2, 3]])

    def forward(self, inputs, data_samples=None, mode='tensor'):
        inputs = torch.stack(list(inputs)) if isinstance(inputs, list) else inputs
        frames = inputs[:, 0].movedim(2, 1).flatten(0, 1) if inputs.ndim == 6 else inputs
        per_sample = len(frames) // len(data_samples)
        for index, sample in enumerate(data_samples):
            grey = frames[index * per_sample : (index + 1) * per_sample, 0, 0, 0]
            sample.pred_sem_seg = PixelData(
                data=grey.round().long()[:, None, None].expand(-1, *sample.ori_shape)
            )
        return data_samples


@pytest.mark.parametrize('pipeline', [FRAMES, CLIPS])
@pytest.mark.parametrize('num_frames', [1, 2, 7, 8, 24, 25, 61])
def test_every_frame_has_its_own_labels(pipeline, num_frames):
    config = config_of(pipeline)
    found = segment_recording(Threshold(), config, Numbered(num_frames), batch_size=5)
    assert found.labels.shape == (num_frames, 112, 112)
    assert found.labels[:, 50, 50].tolist() == list(range(num_frames))
    assert found.classes == ('background', 'left ventricle')


def test_frames_of_another_size_are_shown_as_they_are_if_asked():
    config = config_of(FRAMES)
    found = segment_recording(Threshold(), config, Numbered(3, (60, 90)), crop='none')
    assert found.labels.shape == (3, 60, 90)
    with pytest.raises(UserError, match="crop='half' is unknown"):
        segment_recording(Threshold(), config, Numbered(3), crop='half')


class Bright(Threshold):
    """Labels pixels brighter than 60, at the size of the recording."""

    def forward(self, inputs, data_samples=None, mode='tensor'):
        for image, sample in zip(inputs, data_samples):
            grey = torch.nn.functional.interpolate(
                image[None, :1].float(), size=sample.ori_shape, mode='bilinear'
            )
            sample.pred_sem_seg = PixelData(data=(grey[0] > 60).long())
        return data_samples


def test_labels_land_where_the_model_saw_them():
    phantom = make_phantom(5, num_frames=24, screen='clip')
    recording = Screen(phantom.frames)
    config = config_of(FRAMES)
    found = segment_recording(Bright(), config, recording).labels == 1
    smooth = np.stack([cv2.GaussianBlur(frame[..., 0], (0, 0), 2) for frame in phantom.frames])
    expected = (smooth > 60) & phantom.sector_mask
    overlap = 2 * (found & expected).sum() / (found.sum() + expected.sum())
    assert overlap > 0.85
    assert (found & ~binary_dilation(phantom.sector_mask, iterations=12)).sum() == 0


def test_models_of_camus_are_shown_whole_frames():
    config = config_of(FRAMES, type='echocardmae_mm.CAMUSSegDataset')
    found = segment_recording(Threshold(), config, Numbered(3, (60, 90)))
    assert found.labels[:, 30, 40].tolist() == [0, 1, 2]


@pytest.mark.parametrize('box', [Box(3, 4, 20, 30), Box(-5, -2, 33, 41), Box(10, -4, 60, 20)])
def test_what_was_cut_out_is_put_back(box):
    image = np.random.default_rng(0).integers(1, 255, (40, 50), dtype=np.uint8)
    back = box.put_back(box.cut(image), image.shape)
    inside = np.zeros_like(image, bool)
    inside[max(box.top, 0) : box.bottom, max(box.left, 0) : box.right] = True
    np.testing.assert_array_equal(back[inside], image[inside])
    assert not back[~inside].any()
