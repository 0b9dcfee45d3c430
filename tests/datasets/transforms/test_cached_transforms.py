"""The cache returns the results of its steps, and later steps cannot change them."""

import numpy as np
import pytest

from echocardmae_mm.datasets.transforms import CachedTransforms
from echocardmae_mm.utils.errors import UserError

CLIP = dict(type='echocardmae_mm.SampleUniformClips', num_clips=1, clip_len=8, span='cycle')
STEPS = [
    dict(type='echocardmae_mm.RecordingInit'),
    CLIP,
    dict(type='echocardmae_mm.RecordingDecode'),
]


@pytest.fixture
def videos(make_video, tmp_path):
    return [
        str(make_video(tmp_path / f'{name}.avi', 30, seed=seed))
        for seed, name in ((0, 'a'), (1, 'b'))
    ]


def sample(filename, **more):
    return {'filename': filename, 'modality': 'RGB', 'start_index': 0, 'cycle': (3, 20), **more}


def test_a_recording_is_read_once_and_is_the_same_each_time(videos):
    remember, plain = CachedTransforms(STEPS), CachedTransforms(STEPS)
    first = {name: remember(sample(name)) for name in videos}
    for name in videos:
        first[name]['imgs'][0][:] = 255  # what stands behind may write into its frames
        open(name, 'wb').close()
    with pytest.raises(Exception, match='empty'):
        plain(sample(videos[0]))
    again = [remember(sample(name, label=7, sample_idx=9)) for name in videos]
    for name, results in zip(videos, again):
        assert (results['label'], results['sample_idx']) == (7, 9)
        np.testing.assert_array_equal(results['frame_inds'], first[name]['frame_inds'])
        for index in range(1, 8):
            np.testing.assert_array_equal(results['imgs'][index], first[name]['imgs'][index])
        assert results['imgs'][0].min() < 255
    assert not np.array_equal(again[0]['imgs'][3], again[1]['imgs'][3])


def test_frames_of_a_recording_are_kept_apart(videos):
    steps = [STEPS[0], dict(type='echocardmae_mm.LoadEchoFrame')]
    cached = CachedTransforms(steps)
    frames = [cached(sample(videos[0], frame=frame))['img'] for frame in (3, 20)]
    plain = [CachedTransforms(steps)(sample(videos[0], frame=frame))['img'] for frame in (3, 20)]
    np.testing.assert_array_equal(frames, plain)
    assert not np.array_equal(*frames)


def test_random_samplers_cannot_be_cached():
    drawn = dict(type='echocardmae_mm.SampleRandomClips', num_clips=1, clip_len=8)
    with pytest.raises(UserError, match='SampleRandomClips is random'):
        CachedTransforms([STEPS[0], drawn])
    CachedTransforms([STEPS[0], dict(drawn, span='cycle')])


@pytest.mark.parametrize('name', ['ClickInMask', 'RandomShift', 'SampleLabelledClip', 'SectorMask'])
def test_other_random_transforms_cannot_be_cached(name):
    with pytest.raises(UserError, match=f'{name} is random; put it after this one'):
        CachedTransforms([dict(type=f'echocardmae_mm.{name}')])


@pytest.mark.parametrize('name', ['ClickInMask', 'SampleLabelledClip'])
def test_a_fixed_position_can_be_cached(name):
    CachedTransforms([dict(type=f'echocardmae_mm.{name}', position='middle')])


def test_random_stock_transforms_cannot_be_cached(videos):
    flip = dict(type='mmaction.Flip', flip_ratio=0.5)
    with pytest.raises(UserError, match='one of its transforms is random'):
        CachedTransforms([*STEPS, flip])(sample(videos[0]))


def test_keys_without_a_value_are_kept(videos):
    assert 'region' in CachedTransforms(STEPS)(sample(videos[0]))
    remember = CachedTransforms(STEPS)
    remember(sample(videos[0]))
    assert remember(sample(videos[0]))['region'] is None


def test_repr_shows_the_steps_and_no_frames(videos):
    remember = CachedTransforms(STEPS)
    remember(sample(videos[0]))
    assert 'RecordingInit()' in repr(remember)
    assert 'array' not in repr(remember)
