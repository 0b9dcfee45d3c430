"""Each flag fires on its own kind of recording, and none on a good one."""

import cv2
import numpy as np
import pytest

from echocardmae_mm.apis.bundle import Bundle
from echocardmae_mm.apis.framing import Framed
from echocardmae_mm.apis.gate import find_flags
from echocardmae_mm.apis.measurements import measure_ventricle
from echocardmae_mm.apis.prediction import Prediction
from echocardmae_mm.datasets.recordings import ArrayRecording
from echocardmae_mm.sector.geometry import template_sector

FPS, FRAMES, SIZE = 50.0, 120, 160
PHASE = np.cos(2 * np.pi * np.arange(FRAMES) / 40)  # 75 beats a minute


def fan(size=SIZE):
    y, x = np.mgrid[:size, :size] - np.array([4, size / 2]).reshape(2, 1, 1)
    return (np.abs(x) < 0.75 * y) & (np.hypot(x, y) < 0.95 * size)


def moving_tissue(sector):
    """Smooth texture that moves up and down with the beat, (T, H, W, 3)."""
    texture = cv2.GaussianBlur(np.random.default_rng(0).normal(size=(400, 400)), (0, 0), 2)
    grey = np.clip(120 + 60 * texture / texture.std(), 20, 255)
    size = sector.shape[0]
    frames = []
    for shift in 8 * PHASE:
        move = np.float32([[1, 0, -50], [0, 1, shift - 50]])
        frames.append(cv2.warpAffine(grey, move, (size, size)) * sector)
    return np.repeat(np.array(frames, np.uint8)[..., None], 3, axis=-1)


def beating_ellipse(centre=(80, 78), size=SIZE):
    masks = []
    for phase in PHASE:
        axes = round(17 + 3 * phase), round(36 + 3 * phase)
        mask = np.zeros((size, size), np.uint8)
        masks.append(cv2.ellipse(mask, centre, axes, 0, 0, 360, 1, -1) > 0)
    return np.array(masks)


class Shown:
    """A recording that a test spoils before it is judged."""

    def __init__(self, size=SIZE, sector=None, centre=(80, 78)):
        self.sector = fan(size) if sector is None else sector
        self.masks = beating_ellipse(centre, size)
        self.frames = moving_tissue(self.sector)
        self.frames[self.masks & self.sector] //= 6
        self.fps, self.spacing, self.view = FPS, (0.9, 0.9), '4CH'
        self.feature_distance = 0.9
        self.ef_interval = 0.0, 100.0
        self.cropped = size != 112

    def result(self):
        framed = Framed(self.frames, self.sector, self.spacing, self.cropped)
        ventricle = measure_ventricle(self.masks, self.fps, self.spacing)
        return Prediction(
            {
                'view': self.view,
                'training_distance': self.feature_distance,
                'ef_low_percent': self.ef_interval[0],
                'ef_high_percent': self.ef_interval[1],
                **ventricle.values,
            },
            ventricle=ventricle,
            framed=framed,
            labels=self.masks.astype(np.uint8),
            classes=('background', 'left ventricle'),
            fps=self.fps,
        )

    def flags(self, bundles=None):
        return find_flags(self.result(), ArrayRecording(self.frames), bundles or {})


def shortened(shown):
    shown.frames, shown.masks = shown.frames[:12], shown.masks[:12]


def coloured(shown):
    shown.frames[:, 60:80, 70:90] = (200, 60, 0)


def turned(shown):
    shown.frames = np.rot90(shown.frames, axes=(1, 2))
    shown.masks = np.rot90(shown.masks, axes=(1, 2))
    shown.sector = np.rot90(shown.sector)


def shuffled(shown):
    shown.frames = np.random.default_rng(1).permutation(shown.frames)


def featureless(shown):
    shown.frames = moving_tissue(shown.sector)


def without_outlines(shown):
    shown.masks[10:20] = False


def motionless(shown):
    shown.masks[:] = shown.masks[0]


def frozen(shown):
    shown.frames[:] = shown.frames[0]


def too_large(shown):
    shown.spacing = (2.7, 2.7)


def too_small(shown):
    shown.spacing = (0.3, 0.3)


def jumping(shown):
    for mask in shown.masks[2::5]:
        mask[78:] = False


def in_parts(shown):
    shown.masks[:, 92:116, 112:130] = True


def at_the_edge(shown):
    shown.masks = np.roll(shown.masks, -40, axis=2) & shown.sector


def without_fps(shown):
    shown.fps = None


def far_too_slow(shown):
    shown.fps = 1.0


def far_too_fast(shown):
    shown.fps = 5000.0


def without_spacing(shown):
    shown.spacing = None


def of_two_chambers(shown):
    shown.view = '2CH'


def of_another_ejection_fraction(shown):
    shown.ef_interval = 10.0, 20.0


def far_from_the_training_set(shown):
    shown.feature_distance = 1.7


REFUSED = {
    shortened: 'too_short',
    far_too_slow: 'implausible_fps',
    far_too_fast: 'implausible_fps',
    coloured: 'colour',
    turned: 'rotated',
    shuffled: 'frame_order',
    featureless: 'no_heart',
    without_outlines: 'no_ventricle',
    motionless: 'no_beat',
    frozen: 'still',
    too_large: 'volume',
    too_small: 'volume',
    jumping: 'area_jumps',
}
FLAGGED = {
    in_parts: 'several_parts',
    at_the_edge: 'cut_off',
    without_fps: 'unknown_fps',
    without_spacing: 'unknown_spacing',
    of_two_chambers: 'view',
    of_another_ejection_fraction: 'ef_disagreement',
    far_from_the_training_set: 'unusual_features',
}


@pytest.mark.parametrize('spoil', [*REFUSED, *FLAGGED], ids=lambda spoil: spoil.__name__)
def test_each_kind_has_its_flag_and_no_other(spoil):
    shown = Shown()
    spoil(shown)
    flags = shown.flags()
    assert [flag.name for flag in flags] == [(REFUSED | FLAGGED)[spoil]]
    assert flags[0].refuses == (spoil in REFUSED)
    assert '\n' not in flags[0].text


def test_a_good_recording_has_no_flag():
    assert Shown().flags() == []


def test_a_single_frame_is_still():
    shown = Shown()
    shown.frames, shown.masks = shown.frames[:1], shown.masks[:1]
    assert [flag.name for flag in shown.flags()] == ['too_short', 'still', 'no_beat']


def test_an_upside_down_sector_is_rotated():
    shown = Shown()
    turned(shown)
    turned(shown)
    assert [flag.name for flag in shown.flags()] == ['rotated']


@pytest.mark.parametrize('gain', [1.0, 0.5, 0.15])
@pytest.mark.parametrize('spoiled', ['mirrored', 'turned', ''])
def test_a_mirrored_or_turned_crop_of_echonet_leaves_the_mask(spoiled, gain):
    shown = Shown(112, template_sector(112, 112), centre=(56, 60))
    shown.frames = (shown.frames * gain).astype(np.uint8)
    if spoiled:
        shown.frames = shown.frames[:, :, ::-1] if spoiled == 'mirrored' else shown.frames[:, ::-1]
    assert [flag.name for flag in shown.flags()] == ['outside_mask'] * bool(spoiled)


@pytest.mark.parametrize('cropped', [False, True])
def test_a_dark_side_rotates_no_crop_of_echonet(cropped):
    shown = Shown(112, template_sector(112, 112), centre=(56, 60))
    shown.frames[:, :, :30] = 0
    shown.cropped = cropped
    assert [flag.name for flag in shown.flags()] == ['rotated'] * cropped


def test_the_most_serious_flags_come_first():
    shown = Shown()
    for spoil in (of_two_chambers, without_fps, coloured, in_parts):
        spoil(shown)
    flags = shown.flags()
    assert [flag.refuses for flag in flags] == [True, False, False, False]
    assert flags[0].name == 'colour'


def test_a_bundle_can_hold_other_thresholds(bundles):
    bundle = Bundle(bundles['seg'], 'cpu')
    bundle.calibration['gate'] = {'max_edv_ml': 20.0}
    assert [flag.name for flag in Shown().flags({'segmentation': bundle})] == ['volume']
