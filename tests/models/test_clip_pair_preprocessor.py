import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmengine.structures import BaseDataElement

from echocardmae_mm.cli.user_errors import report_user_errors
from echocardmae_mm.datasets.transforms import DenoisedTarget, SectorMask
from echocardmae_mm.models import ClipPairPreprocessor
from echocardmae_mm.models.clip_pair_preprocessor import count_tokens, token_indices
from echocardmae_mm.registry import MODELS
from echocardmae_mm.utils.counter_rng import EpochIndex
from echocardmae_mm.utils.errors import UserError

MEAN, STD = (30.0, 31.0, 32.0), (50.0, 51.0, 52.0)


def video(seed, sector_tokens=20, visible_tokens=5):
    rng = np.random.default_rng(seed)
    masks = torch.zeros(2, 2, 32, dtype=torch.bool)
    for sector, masked in masks.transpose(0, 1):
        places = rng.permutation(32)[:sector_tokens]
        sector[places] = True
        masked[places[visible_tokens:]] = True
    clips = torch.from_numpy(rng.integers(0, 256, (2, 2, 3, 4, 32, 32), dtype=np.uint8))
    return {'imgs': clips[0], 'target': clips[1], 'sector': masks[0], 'masked': masks[1]}


def collated(*videos):
    inputs = {name: [video[name] for video in videos] for name in videos[0]}
    return {'inputs': inputs, 'data_samples': [BaseDataElement() for _ in videos]}


def test_first_clips_come_first_as_they_were_decoded():
    data = collated(*[video(seed) for seed in range(3)])
    out = ClipPairPreprocessor(MEAN, STD)(data)
    assert len(out['data_samples']) == 3
    for name in ('imgs', 'target'):
        assert out['inputs'][name].dtype is torch.uint8
        for clip in range(2):
            for index in range(3):
                expected = data['inputs'][name][index][clip]
                assert torch.equal(out['inputs'][name][clip * 3 + index], expected)


def test_patches_are_normalised_colour_by_colour():
    patches = torch.randint(0, 256, (2, 5, 4 * 8 * 8 * 3), dtype=torch.uint8)
    normal = ClipPairPreprocessor(MEAN, STD).normalise(patches)
    assert normal.dtype is torch.float32
    for channel in range(3):
        pixels = patches[..., channel::3].numpy().astype(float)
        expected = (pixels - MEAN[channel]) / STD[channel]
        np.testing.assert_allclose(normal[..., channel::3], expected, rtol=1e-5, atol=1e-5)


def test_stacked_tensors_give_the_same():
    data = collated(video(0), video(1))
    stacked = {'inputs': {name: torch.stack(value) for name, value in data['inputs'].items()}}
    preprocessor = ClipPairPreprocessor(MEAN, STD)
    ours, theirs = preprocessor(data)['inputs'], preprocessor(stacked)['inputs']
    assert ours['tokens'].valid is theirs['tokens'].valid is None
    for a, b in zip(ours.pop('tokens')[:3], theirs.pop('tokens')[:3]):
        assert torch.equal(a, b)
    for name in ours:
        assert torch.equal(ours[name], theirs[name])


def test_denormalise_is_the_inverse():
    preprocessor = ClipPairPreprocessor(MEAN, STD)
    patches = torch.randint(0, 256, (2, 7, 96), dtype=torch.uint8)
    restored = preprocessor.denormalise(preprocessor.normalise(patches))
    torch.testing.assert_close(restored, patches.float(), atol=1e-3, rtol=0)


@settings(max_examples=40)
@given(
    sectors=st.lists(st.integers(5, 32), min_size=1, max_size=4),
    seed=st.integers(0, 2**16),
)
def test_padded_indices_contain_every_token_once(sectors, seed):
    videos = [video(seed + i, tokens) for i, tokens in enumerate(sectors)]
    sector = torch.cat([x['sector'] for x in videos])
    masked = torch.cat([x['masked'] for x in videos])
    found = token_indices(sector, masked, num_visible=5, num_masked=None)
    assert found.visible.shape == (2 * len(sectors), 5)
    assert found.masked.shape == (2 * len(sectors), 27)
    assert found.background.shape == (2 * len(sectors), 0)
    for row in range(2 * len(sectors)):
        valid = found.valid[row]
        visible, hidden = found.visible[row].tolist(), found.masked[row]
        assert visible == (sector & ~masked)[row].nonzero().flatten().tolist()
        assert hidden[valid].tolist() == masked[row].nonzero().flatten().tolist()
        assert hidden[~valid].tolist() == (~sector)[row].nonzero().flatten().tolist()


def test_indices_of_equal_sectors():
    videos = [video(0), video(1)]
    sector, masked = (torch.cat([x[name] for x in videos]) for name in ('sector', 'masked'))
    found = token_indices(sector, masked, *count_tokens(sector, masked))
    assert found.valid is None
    kinds = {'visible': sector & ~masked, 'masked': masked, 'background': ~sector}
    for name, kind in kinds.items():
        for row in range(4):
            assert getattr(found, name)[row].tolist() == kind[row].nonzero().flatten().tolist()


@pytest.mark.parametrize(
    ('spoil', 'message'),
    [
        (lambda data: data['inputs'].pop('target'), "no 'target': use denoise="),
        (lambda data: data['inputs'].pop('masked'), "no 'masked': use mask="),
        (lambda data: data['inputs'].update(collated(video(0), video(1, 20, 6))['inputs']),
         'num_visible'),
        (lambda data: data['inputs']['masked'][0].logical_not_(), 'outside the sector'),
        (lambda data: data['inputs'].update(imgs=torch.zeros(2, 1, 3, 4, 32, 32)), 'num_clips=2'),
    ],
)  # fmt: skip
def test_inconsistent_inputs_raise(spoil, message):
    data = collated(video(0), video(1))
    spoil(data)
    with pytest.raises(UserError, match=message):
        ClipPairPreprocessor(MEAN, STD)(data)


@pytest.mark.parametrize('strategy', ['random', 'tube', 'block'])
@pytest.mark.parametrize('same_mask', [True, False])
@pytest.mark.parametrize('sector', ['template', 'none', 'auto'])
def test_a_batch_equals_the_pipeline_of_each_sample(strategy, same_mask, sector):
    """The same classes as transforms, sample by sample."""
    rng = np.random.default_rng(0)
    keys = [(7, 0, 3), (7, 1, 3), (7, 1, 4)]
    mask = dict(strategy=strategy, same_mask=same_mask, sector=sector)
    samples, batch = [], {'imgs': [], 'key': [], 'sector_mask': []}
    for number, (seed, epoch, index) in enumerate(keys):
        own = np.zeros((112, 112), bool)
        own[:, : 60 + 16 * number] = True
        imgs = rng.integers(0, 256, (2, 3, 4, 112, 112), dtype=np.uint8)
        results = {'imgs': imgs, 'sample_idx': EpochIndex(index, epoch, seed), 'sector_mask': own}
        samples.append(SectorMask(**mask)(DenoisedTarget('mean')(results)))
        for name, value in (('imgs', imgs), ('key', keys[number]), ('sector_mask', own)):
            batch[name].append(torch.as_tensor(value))
    names = ('imgs', 'target', 'sector', 'masked')
    pipeline = {name: [torch.from_numpy(s[name]) for s in samples] for name in names}
    expected = ClipPairPreprocessor(MEAN, STD)({'inputs': pipeline})['inputs']
    ours = ClipPairPreprocessor(MEAN, STD, denoise=dict(method='mean'), mask=mask)
    inputs = ours({'inputs': batch})['inputs']
    torch.testing.assert_close(inputs, expected, rtol=0, atol=0)
    assert (inputs['tokens'].valid is None) == (sector != 'auto')


def test_a_target_and_masks_of_the_pipeline_are_kept():
    data = collated(video(0), video(1))
    preprocessor = ClipPairPreprocessor(MEAN, STD, denoise={}, mask={})
    expected = ClipPairPreprocessor(MEAN, STD)(data)['inputs']
    torch.testing.assert_close(preprocessor(data)['inputs'], expected)


def test_a_batch_without_key_or_sector_is_refused():
    imgs = [torch.zeros(2, 3, 4, 112, 112, dtype=torch.uint8)]
    with pytest.raises(UserError, match="no 'key'"):
        ClipPairPreprocessor(MEAN, STD, denoise={}, mask={})({'inputs': {'imgs': imgs}})
    data = {'inputs': {'imgs': imgs, 'key': [torch.tensor([0, 0, 0])]}}
    with pytest.raises(UserError, match='put FindSector or CropToSector'):
        ClipPairPreprocessor(MEAN, STD, denoise={}, mask=dict(sector='auto'))(data)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a CUDA device')
def test_everything_reaches_the_device():
    preprocessor = ClipPairPreprocessor(MEAN, STD).to('cuda')
    inputs = preprocessor(collated(video(0), video(1)))['inputs']
    assert inputs['imgs'].is_cuda
    assert inputs['tokens'].masked.is_cuda


def test_targets_and_masks_are_built_by_their_type():
    preprocessor = ClipPairPreprocessor(
        MEAN,
        STD,
        denoise=dict(type='echocardmae_mm.DenoisedTarget', method='mean'),
        mask=dict(type='echocardmae_mm.SectorMask', strategy='tube'),
    )
    assert preprocessor.denoised_target.method == 'mean'
    assert preprocessor.sector_mask.strategy == 'tube'


@pytest.mark.parametrize('setting', [dict(mask=dict(stategy='tube')), dict(denoise=dict(size=3))])
def test_a_wrong_argument_of_targets_or_masks_costs_two_lines(setting):
    name = next(iter(next(iter(setting.values()))))

    @report_user_errors
    def main():
        MODELS.build(
            dict(type='echocardmae_mm.ClipPairPreprocessor', mean=MEAN, std=STD, **setting)
        )

    with pytest.raises(SystemExit, match=f"'{name}'\nCheck the name of this setting") as end:
        main()
    assert len(end.value.code.splitlines()) == 2
