"""Predictions equal those of the test pipeline, and what cannot be measured is refused."""

import numpy as np
import pytest
import torch
from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import DefaultScope

from echocardmae_mm.apis import Bundle, EchoInferencer
from echocardmae_mm.apis.outputs import write_outputs
from echocardmae_mm.apis.training_set import recording_features
from echocardmae_mm.datasets.recordings import open_recording
from echocardmae_mm.evaluation.feature_distance import FeatureDistance
from echocardmae_mm.utils.errors import UserError


def measure(bundles, *names, **options):
    return EchoInferencer([bundles[name] for name in names], 'cpu', **options)


def by_test_pipeline(bundle, file):
    with DefaultScope.overwrite_default_scope('mmaction'), torch.no_grad():
        data = Compose(bundle.config.test_pipeline)({'filename': str(file), 'ef': 0.0})
        return bundle.model.test_step(pseudo_collate([data]))[0]


def test_a_recording_of_echonets_size_goes_through_the_test_pipeline(bundles, recordings):
    values = measure(bundles, 'ef')(recordings['echonet']).values
    expected = by_test_pipeline(Bundle(bundles['ef'], 'cpu'), recordings['echonet'])
    assert values['status'] == 'measured'
    assert values['ef_percent'] == pytest.approx(expected.pred_ef, abs=1e-4)
    assert values['ef_clip_sd_percent'] == pytest.approx(float(expected.pred_ef_clips.std()))
    assert 'ef_low_percent' not in values  # no calibration


def test_frames_in_memory_give_the_same_as_their_file(bundles, recordings):
    recording = open_recording(recordings['clip'])
    frames = recording.frames(range(len(recording)))
    inferencer = measure(bundles, 'ef', 'mi')
    file = inferencer(recordings['clip']).values
    array = inferencer(frames, fps=recording.fps).values
    assert file == array
    assert 0 < file['infarction_probability'] < 1


def test_a_cropped_recording_is_sampled_at_the_frame_rate_of_training(
    bundles, recordings, monkeypatch
):
    recording = open_recording(recordings['clip'])
    frames = recording.frames(range(len(recording)))
    inferencer = measure(bundles, 'ef')
    bundle, seen = inferencer.bundles['ejection_fraction'], []
    real = bundle.network
    monkeypatch.setattr(bundle, 'network', lambda clips: seen.append(clips) or real(clips))
    inferencer(frames, fps=50)
    inferencer(np.repeat(frames, 2, axis=0), fps=100)
    inferencer(np.repeat(frames, 2, axis=0), fps=50)
    once, twice, slow = (clips[0] for clips in seen)
    assert once.shape == (3, 16, 56, 56)
    assert torch.equal(once, twice)
    assert not torch.equal(once, slow)


def test_a_view_is_predicted_where_nobody_names_it(bundles, recordings):
    inferencer = measure(bundles, 'view', 'ef')
    values = inferencer(recordings['clip']).values
    assert values['view_source'] == 'predicted'
    assert values['view'] in ('4CH', '2CH')
    assert 0.5 <= values['view_probability'] <= 1
    frames = by_test_pipeline(inferencer.bundles['view'], recordings['echonet']).pred_score
    echonet = inferencer(recordings['echonet']).values
    assert echonet['view_probability'] == pytest.approx(float(frames.max()), abs=1e-6)
    given = inferencer(recordings['clip'], view='other').values
    assert (given['view'], given['view_source']) == ('other', 'given')
    assert 'view_probability' not in given
    assert given['ef_percent'] == values['ef_percent']


def test_the_largest_distance_of_the_features_is_told(bundles, recordings):
    inferencer = measure(bundles, 'ef', 'mi')
    assert len(inferencer.without_feature_distance) == 2
    for bundle, times in zip(inferencer.bundles.values(), (1, 2)):
        features = recording_features(bundle, recordings['clip'])
        unit = float(np.linalg.norm(features)) / times  # that many times as far from zero
        identity = np.eye(len(features))
        bundle.feature_distance = FeatureDistance(0 * features, identity, unit, 0.99, 50)
    values = inferencer(recordings['clip']).values
    assert values['training_distance'] == pytest.approx(2, abs=1e-4)
    assert 'unusual_features' in values['flags']
    assert inferencer.without_feature_distance == []


def test_refusals_name_the_reason(bundles, recordings, tmp_path):
    inferencer = measure(bundles, 'ef')
    broken = tmp_path / 'broken.avi'
    broken.write_bytes(recordings['echonet'].read_bytes()[:3000])
    text = tmp_path / 'text.avi'
    text.write_text('not a recording')
    for file, reason in ((broken, 'truncated'), (text, 'not a video'), (tmp_path / 'x', 'no such')):
        values = inferencer(file).values
        assert values['status'] == 'refused'
        assert reason in values['reason']
        assert str(tmp_path) not in values['reason']
    dark = inferencer(np.zeros((60, 200, 300, 3), np.uint8)).values
    assert dark['status'] == 'refused'


def test_a_recording_shorter_than_a_heartbeat_gets_no_ejection_fraction(bundles, recordings):
    frames = open_recording(recordings['echonet']).frames(range(12))
    result = measure(bundles, 'ef')(frames, fps=50)
    assert 'ef_percent' not in result.values
    assert result.values['status'] == 'refused'
    assert result.flags[0].name == 'too_short'


@pytest.mark.parametrize('fps', [1e-3, 1, 1e9])
def test_a_frame_rate_of_no_echocardiogram_is_refused(bundles, recordings, tmp_path, fps):
    result = measure(bundles, 'ef', 'seg')(recordings['clip'], fps=fps)
    assert result.values['flags'].split()[0] == 'implausible_fps'
    assert not result.is_measured
    write_outputs(tmp_path, result)


@pytest.mark.parametrize('number', [float('nan'), float('inf'), -1.0, 0.0])
def test_a_frame_rate_or_spacing_that_is_none_is_a_mistake(bundles, number):
    inferencer, frames = measure(bundles, 'ef'), np.zeros((60, 112, 112, 3), np.uint8)
    with pytest.raises(UserError, match=f'fps={number}: expected a positive number'):
        inferencer(frames, fps=number)
    for spacing in ((number, 1.0), (1.0, number), (1.0,), 0.3, (1.0, 100.0)):
        with pytest.raises(UserError, match=r'spacing=.*: expected height and width of a pixel'):
            inferencer(frames, spacing=spacing)


def test_a_spacing_may_be_an_array(bundles, recordings):
    inferencer = measure(bundles, 'seg')
    for name in ('echonet', 'clip'):
        given = inferencer(recordings[name], spacing=(0.3, 0.4)).values
        array = inferencer(recordings[name], spacing=np.array([0.3, 0.4])).values
        assert array['pixel_height_mm'] == given['pixel_height_mm'] > 0
        assert array.get('edv_ml') == given.get('edv_ml')


def test_a_model_of_synthetic_recordings_measures_only_these(bundles, recordings, tmp_path):
    inferencer = measure(bundles, 'ef')
    for bundle in inferencer.bundles.values():
        bundle.config.synthetic = True
    real = tmp_path / 'real.avi'
    content = recordings['echonet'].read_bytes()
    real.write_bytes(content.removesuffix(b'echocardmae phantom'))
    assert inferencer(recordings['echonet']).is_measured
    assert inferencer(recordings['echonet']).values['training_data'] == 'synthetic'
    assert inferencer(real).values['use'] == 'research only'
    assert 'synthetic' in inferencer(real).values['reason']
    assert 'synthetic' in inferencer(np.zeros((9, 112, 112), np.uint8)).values['reason']
    inferencer.allow_synthetic_model = True
    assert inferencer(real).is_measured


def test_two_bundles_for_one_task_or_none_are_refused(bundles):
    with pytest.raises(UserError, match='both predict ejection_fraction'):
        measure(bundles, 'ef', 'ef')
    with pytest.raises(UserError, match='at least one bundle'):
        EchoInferencer([])
    with pytest.raises(UserError, match="view='3CH' is unknown"):
        measure(bundles, 'ef')(np.zeros((2, 8, 8), np.uint8), view='3CH')


def test_one_bundle_needs_no_list(bundles):
    for one in (bundles['ef'], str(bundles['ef'])):
        assert [*EchoInferencer(one, 'cpu').bundles] == ['ejection_fraction']
