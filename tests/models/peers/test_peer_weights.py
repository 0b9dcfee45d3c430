"""Published weights of the peers, on files of their own layout, through the command."""

from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from mmaction.structures import ActionDataSample
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope
from mmengine.runner import load_checkpoint
from torch import nn

from echocardmae_mm.cli.convert import main

ROOT = Path(__file__).parents[3] / 'configs' / 'baselines'


def convert(source, config, target):
    main(['peer', str(source), str(target), '--config', str(config)])


def trained_by_echonet(network, path):
    """echonet/dynamic saves these entries, some of them numpy scalars."""
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-4, momentum=0.9)
    torch.save(
        {
            'epoch': 44,
            'state_dict': nn.DataParallel(network).state_dict(),
            'best_loss': np.float64(27.1),
            'loss': np.mean([1.0, 2.0]),
            'r2': 0.8,
            'opt_dict': optimizer.state_dict(),
            'scheduler_dict': torch.optim.lr_scheduler.StepLR(optimizer, 15).state_dict(),
        },
        path,
    )


def small_config(name, tmp_path):
    path = tmp_path / f'{name}.py'
    path.write_text(
        f"_base_ = '{ROOT / name}.py'\nmodel = dict(backbone=dict(depth=[1, 1, 1, 1]))\n"
    )
    return path


def built(path, checkpoint):
    config = Config.fromfile(path)
    init_default_scope(config.default_scope)
    model = MODELS.build(config.model)
    load_checkpoint(model, str(checkpoint))
    model.train(False)
    return model


def test_echonets_ejection_fraction_model_predicts_the_same(tmp_path):
    torch.manual_seed(0)
    theirs = torchvision.models.video.r2plus1d_18(weights=None)
    theirs.fc = nn.Linear(512, 1)
    theirs.fc.bias.data.fill_(55.6)
    trained_by_echonet(theirs, tmp_path / 'echonet.pt')
    convert(tmp_path / 'echonet.pt', ROOT / 'ef_r2plus1d.py', tmp_path / 'ours.pth')
    ours = built(ROOT / 'ef_r2plus1d.py', tmp_path / 'ours.pth')
    clips = torch.randn(2, 1, 3, 8, 32, 32)
    predicted = ours.predict(clips, [ActionDataSample(), ActionDataSample()])
    with torch.no_grad():
        expected = theirs.eval()(clips[:, 0]).squeeze(1)
    assert [x.pred_ef for x in predicted] == pytest.approx(expected.tolist(), abs=1e-3)


def test_echonets_segmentation_model_gives_the_same_logits(tmp_path):
    theirs = torchvision.models.segmentation.deeplabv3_resnet50(
        weights=None, weights_backbone=None, num_classes=1, aux_loss=False
    ).eval()
    trained_by_echonet(theirs, tmp_path / 'echonet.pt')
    convert(tmp_path / 'echonet.pt', ROOT / 'seg_deeplabv3.py', tmp_path / 'ours.pth')
    ours = built(ROOT / 'seg_deeplabv3.py', tmp_path / 'ours.pth')
    images = torch.randn(1, 3, 48, 48)
    with torch.no_grad():
        got = ours.decode_head(ours.backbone(images))
        got = nn.functional.interpolate(got, size=48, mode='bilinear', align_corners=False)
        torch.testing.assert_close(got, theirs(images)['out'])


def test_coreechos_network_and_head_are_joined(tmp_path):
    config = small_config('ef_uniformer_rnc', tmp_path)
    init_default_scope('mmaction')
    source = MODELS.build(Config.fromfile(config).model)
    nn.init.normal_(source.cls_head.fc.weight)
    head = source.cls_head.hidden.state_dict()
    head |= {f'6.{name}': x for name, x in source.cls_head.fc.state_dict().items()}
    head['6.bias'] = torch.tensor([55.6])
    torch.save(
        {'model': source.backbone.state_dict(), 'regressor': head, 'epoch': 25},
        tmp_path / 'coreecho.pt',
    )
    convert(tmp_path / 'coreecho.pt', config, tmp_path / 'ours.pth')
    ours = built(config, tmp_path / 'ours.pth')
    features = torch.randn(3, 512)
    source.train(False)
    torch.testing.assert_close(ours.cls_head(features), source.cls_head(features))


def test_a_kinetics_head_is_dropped(tmp_path, capsys):
    config = small_config('ef_uniformer', tmp_path)
    init_default_scope('mmaction')
    source = MODELS.build(Config.fromfile(config).model).backbone.state_dict()
    kinetics = {'head.weight': torch.zeros(400, 512), 'head.bias': torch.zeros(400)}
    torch.save({**source, **kinetics}, tmp_path / 'uniformer.pth')
    convert(tmp_path / 'uniformer.pth', config, tmp_path / 'ours.pth')
    assert 'dropped' in capsys.readouterr().out
    state = torch.load(tmp_path / 'ours.pth', weights_only=True)['state_dict']
    assert {name.removeprefix('backbone.') for name in state} == source.keys()


@pytest.mark.parametrize(
    ('state', 'expected'),
    [
        ({'encoder.weight': torch.zeros(1)}, 'weights of none of MemSAM, SAMUS'),
        ({'stem.0.weight': torch.zeros(1)}, "'backbone.stem.0.weight' has no counterpart"),
    ],
)
def test_weights_of_another_model_are_refused(state, expected, tmp_path):
    torch.save({'state_dict': state}, tmp_path / 'source.pth')
    with pytest.raises(SystemExit, match=expected):
        convert(tmp_path / 'source.pth', ROOT / 'ef_uniformer.py', tmp_path / 'ours.pth')
    assert not (tmp_path / 'ours.pth').exists()
