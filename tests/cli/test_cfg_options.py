"""``--cfg-options``: what reaches the config, and what is refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest
from mmengine.config import Config

from echocardmae_mm.cli.cfg_options import apply_cfg_options
from echocardmae_mm.cli.configuration import find_config, load_config
from echocardmae_mm.utils.config import dataset_parts
from echocardmae_mm.utils.errors import UserError


def applied(*words: str, name: str = 'pretrain_echo') -> Config:
    config = Config.fromfile(find_config(name))
    apply_cfg_options(config, words)
    return config


def loaded(path: Path) -> Config:
    return load_config(str(path))


def with_options(path: Path, *words: str) -> Config:
    config = loaded(path)
    apply_cfg_options(config, words)
    return config


def child(folder: Path, *lines: str, base: str = 'pretrain_echo') -> Path:
    path = folder / 'child.py'
    path.write_text('\n'.join([f"_base_ = '{find_config(base)}'", *lines, '']))
    return path


@pytest.mark.parametrize(
    ('word', 'name'),
    [
        ('train_dataloader.batch_size=2', 'pretrain_echo'),
        ('train_dataloader.pin_memory=True', 'pretrain_echo'),
        ('train_dataloader.dataset.indices=8', 'pretrain_echo'),
        ('train_dataloader.dataset.lazy_init=True', 'pretrain_echo'),
        ('model.data_preprocessor.mask.strategy=tube', 'pretrain_echo'),
        ('model.backbone.drop_path_rate=0.1', 'pretrain_echo'),
        ('model.backbone.init_cfg=None', 'ef_echonet'),
        ('optim_wrapper.accumulative_counts=4', 'pretrain_echo'),
        ('optim_wrapper.clip_grad.max_norm=1', 'pretrain_echo'),
        ('optim_wrapper.paramwise_cfg.norm_decay_mult=0', 'pretrain_echo'),
        ('optim_wrapper.optimizer.fused=True', 'pretrain_echo'),
        ('default_hooks.checkpoint.save_last=False', 'pretrain_echo'),
        ('default_hooks.logger.log_metric_by_epoch=False', 'pretrain_echo'),
        ('randomness.deterministic=True', 'pretrain_echo'),
        ('env_cfg.mp_cfg.mp_start_method=spawn', 'pretrain_echo'),
        ('train_cfg.val_begin=3', 'pretrain_echo'),
        ('log_processor.num_digits=3', 'pretrain_echo'),
        ('load_from=a.pth', 'pretrain_echo'),
        ('experiment_name=mine', 'pretrain_echo'),
        ('test_evaluator.n_resamples=20', 'ef_echonet'),
        ('param_scheduler.1.eta_min=0.01', 'phantom/ef_phantom'),
        ('model.test_cfg.mode=slide', 'seg_echonet'),
        ('model.data_preprocessor.denoise.kernel_size=5', 'pretrain_echo'),
        ('model.data_preprocessor.mask.num_visible=10', 'pretrain_echo'),
        ('model.data_preprocessor.mask.same_mask=False', 'pretrain_echo'),
        ('model.data_preprocessor.mask.type=mine.Mask', 'pretrain_echo'),
        ('model.test_cfg.crop_size=64', 'seg_echonet'),
        ('optim_wrapper.clip_grad.norm_type=1.0', 'phantom/ef_phantom'),
        ('optim_wrapper.clip_grad.error_if_nonfinite=True', 'pretrain_echo'),
        ('optim_wrapper.paramwise_cfg.custom_keys.head.lr_mult=2', 'pretrain_echo'),
        ('env_cfg.dist_cfg.timeout=60', 'pretrain_echo'),
        ('model.decode_head.norm_cfg.requires_grad=False', 'baselines/seg_deeplabv3'),
        ('model.decode_head.norm_cfg.momentum=0.2', 'baselines/seg_deeplabv3'),
    ],
)
def test_settings_that_exist_or_that_a_component_takes(word, name):
    key, _, value = word.partition('=')
    node = applied(word, name=name)._cfg_dict
    for part in key.split('.'):
        node = node[int(part)] if isinstance(node, list) else node[part]
    assert str(node) == value


@pytest.mark.parametrize(
    ('word', 'hint'),
    [
        ('optim_wraper.optimizer.lr=1', 'did you mean optim_wrapper.optimizer.lr?'),
        ('optim_wrapper.optimiser.lr=1', 'did you mean optim_wrapper.optimizer.lr?'),
        ('optim_wrapper.optimizer.weight_deacy=1', 'optim_wrapper.optimizer.weight_decay?'),
        ('optim_wrapper.acumulative_counts=4', 'optim_wrapper.accumulative_counts?'),
        ('train_dataloader.batchsize=2', 'did you mean train_dataloader.batch_size?'),
        ('train_dataloader.num_worker=2', 'did you mean train_dataloader.num_workers?'),
        ('train_dataloader.dataset.data_rot=x', 'train_dataloader.dataset.data_root?'),
        ('model.backbone.drop_path=0.1', 'did you mean model.backbone.drop_path_rate?'),
        ('model.data_preprocessor.mask.stategy=tube', 'mask.strategy?'),
        ('default_hooks.chekpoint.interval=2', 'did you mean default_hooks.checkpoint.interval?'),
        ('default_hooks.logger.intervall=2', 'default_hooks.logger.interval?'),
        ('randomness.sed=2', 'did you mean randomness.seed?'),
        ('train_cfg.max_epoch=2', 'did you mean train_cfg.max_epochs?'),
        ('env_cfg.cudnn_benchmrk=True', 'did you mean env_cfg.cudnn_benchmark?'),
        ('laod_from=a.pth', 'did you mean load_from?'),
        ('zzz=1', 'zzz: no such setting\n'),
        ('optim_wrapper.clip_grad.max_nrm=1', 'optim_wrapper.clip_grad.max_norm?'),
        ('optim_wrapper.paramwise_cfg.custom_keys.head.lr_mul=2', 'custom_keys.head.lr_mult?'),
        ('model.data_preprocessor.denoise.kernel_sise=5', 'denoise.kernel_size?'),
        ('env_cfg.dist_cfg.bakend=gloo', 'env_cfg.dist_cfg.backend?'),
        ('env_cfg.mp_cfg.mp_start_metod=spawn', 'env_cfg.mp_cfg.mp_start_method?'),
    ],
)
def test_misspelt_settings_are_refused_with_the_nearest_name(word, hint):
    with pytest.raises(UserError, match='no such setting') as error:
        applied(word)
    key = word.partition('=')[0]
    assert str(error.value).startswith(f'--cfg-options {key}: no such setting')
    assert hint in str(error.value)
    assert f'Write +{key}=VALUE' in str(error.value)
    assert len(str(error.value).splitlines()) == 2


def test_keys_of_untyped_parts_are_refused_if_close_to_their_siblings(tmp_path):
    lines = [
        'mine = dict(first_size=1)',
        "wandb = dict(type='WandbVisBackend', init_kwargs=dict(mode='offline'))",
        'visualizer = dict(vis_backends=[wandb])',
        "optim_wrapper = dict(constructor='LearningRateDecayOptimizerConstructor',",
        '    paramwise_cfg=dict(num_layers=12))',
    ]
    path = child(tmp_path, *lines)
    config = with_options(
        path,
        'mine.other=2',
        'visualizer.vis_backends.0.init_kwargs.project=p',
        'optim_wrapper.paramwise_cfg.layer_decay_rate=0.7',
    )
    assert config.mine.other == 2
    assert config.visualizer.vis_backends[0].init_kwargs.project == 'p'
    assert config.optim_wrapper.paramwise_cfg.layer_decay_rate == 0.7
    for word, near in [
        ('mine.frst_size=2', 'mine.first_size'),
        ('optim_wrapper.paramwise_cfg.num_layer=2', 'optim_wrapper.paramwise_cfg.num_layers'),
    ]:
        with pytest.raises(UserError, match=f'did you mean {near}'):
            with_options(path, word)


def test_types_and_keys_that_are_no_texts(tmp_path):
    path = child(tmp_path, 'import collections', 'mine = dict(type=collections.deque, a={1: 2})')
    assert with_options(path, 'mine.a.b=3', 'mine.maxlen=2').mine.a == {1: 2, 'b': 3}
    path = child(tmp_path, 'mine = dict(type=5)')
    assert with_options(path, 'mine.b=3').mine.b == 3


def test_a_plus_adds_a_setting():
    assert applied('+mine.own=3').mine.own == 3


@pytest.mark.parametrize(
    ('word', 'message'),
    [
        (
            'train_dataloader.dataset.pipeline.1.interval=2',
            'interval: is now called frame_interval',
        ),
        ('train_dataloader.dataset.pipeline.0.type=echocardmae_mm.OpenRecording', 'RecordingInit'),
        ('model.neck.in_dims=3', 'in_dims: is now called in_channels'),
        ('train_dataloader.dataset.batched=True', 'batched: was removed'),
    ],
)
def test_names_of_the_first_edition_are_refused(word, message):
    with pytest.raises(UserError, match=message):
        applied(word)


def test_a_config_file_with_old_names_is_refused(tmp_path):
    (tmp_path / 'old.py').write_text(
        "model = dict(type='X')\ncustom_hooks = [dict(type='echocardmae_mm.SafeStopHook')]\n"
    )
    with pytest.raises(UserError, match=r'custom_hooks\.0\.type: .* called GracefulStopHook'):
        loaded(tmp_path / 'old.py')


def roots(config: Config) -> set[str]:
    return {part['data_root'] for part in dataset_parts(config)}


@pytest.mark.parametrize(
    ('line', 'message', 'base'),
    [
        (
            'model = dict(decode_head=dict(norm_eps=1e-5))',
            r'norm_eps: was removed\nSet norm_cfg=',
            'seg_echonet',
        ),
        ('model = dict(compile=True)', r'model\.compile: was removed\nPass --compile', None),
        (
            'test_evaluator = dict(mean_of=dict())',
            r'mean_of: was removed\nDelete it, and add .*TrainingMeanHook',
            None,
        ),
        (
            'default_hooks = dict(reconstruction=dict(dataset=dict()))',
            "reconstruction.dataset: was removed\nDelete it: the hook uses the runner's data set",
            None,
        ),
        (
            "train_dataloader = dict(collate_fn=dict(type='echocardmae_mm.whole_batch'))",
            r'collate_fn\.type: whole_batch was removed\nDelete this collate_fn',
            None,
        ),
    ],
)
def test_what_was_removed_from_one_component_is_refused(tmp_path, line, message, base):
    with pytest.raises(UserError, match=message):
        loaded(child(tmp_path, line, base=base or 'pretrain_echo'))


def test_old_settings_of_a_class_are_refused(tmp_path):
    (tmp_path / 'lazy.py').write_text(
        'from echocardmae_mm.models import EchoCardMAE\n'
        'model = dict(type=EchoCardMAE, compile=True)\n'
    )
    with pytest.raises(UserError, match=r'model\.compile: was removed'):
        loaded(tmp_path / 'lazy.py')


NAMES = ['pretrain_echo', 'ef_camus', 'seg_echonet', 'phantom/mi_phantom']
HOST = "kinetics = dict(type='VideoDataset', ann_file='a.txt', data_root=data_root)"


@pytest.mark.parametrize('name', NAMES)
def test_data_root_reaches_every_data_set(name, tmp_path):
    assert roots(applied('data_root=mine', name=name)) == {'mine'}
    path = child(tmp_path, "data_root = 'mine'", base=name)
    assert roots(with_options(path, 'data_root=other')) == {'other'}


@pytest.mark.parametrize('name', NAMES)
def test_a_data_root_that_nothing_uses_is_refused(name, tmp_path):
    path = child(tmp_path, "data_root = 'mine'", base=name)
    (tmp_path / 'grandchild.py').write_text("_base_ = 'child.py'\n")
    for config in (path, tmp_path / 'grandchild.py'):
        with pytest.raises(UserError, match="no data set of this config uses data_root='mine'\n"):
            with_options(config)


@pytest.mark.parametrize(
    'line',
    [
        "data_root = 'data'",
        "data_root = 'data/'",
        "data_root = 'data/EchoNet'",
        "data_root, work_dir = 'mine', 'mine/work'",
    ],
)
def test_a_data_root_that_only_looks_used_is_refused(tmp_path, line):
    with pytest.raises(UserError, match='no data set of this config uses data_root='):
        with_options(child(tmp_path, line))


def test_a_folder_that_holds_the_data_sets_is_used(tmp_path):
    dataset = "dict(type='echocardmae_mm.EchoVideoDataset', data_root=data_root + '/videos')"
    base = f"data_root = 'a'\nmodel = dict(type='X')\ntrain_dataloader = dict(dataset={dataset})\n"
    (tmp_path / 'base.py').write_text(base)
    (tmp_path / 'child.py').write_text("_base_ = 'base.py'\ntrain_cfg = dict(max_epochs=1)\n")
    for name in ('base', 'child'):
        assert roots(with_options(tmp_path / f'{name}.py')) == {'a/videos'}


@pytest.mark.parametrize(
    'lines',
    [
        ["data_root = 'data/k400'", HOST],
        ["data_root = 'data/k400'", "kinetics = dict(ann_file=data_root + '/train.txt')"],
        ["data_root = 'data/'", "kinetics = dict(data_root=data_root + 'k400')"],
    ],
)
def test_a_data_root_of_other_settings_rewrites_nothing(tmp_path, lines):
    path = child(tmp_path, *lines)
    expected = roots(Config.fromfile(path))
    assert 'data/EchoNet-Dynamic' in expected
    assert roots(with_options(path)) == expected


def test_folders_that_data_sets_set_themselves_are_kept(tmp_path):
    lines = ["data_root = 'a'", "val_dataloader = dict(dataset=dict(data_root='a'))"]
    path = child(tmp_path, *lines)
    assert roots(with_options(path)) == {'data/EchoNet-Dynamic', 'a'}
    assert roots(with_options(path, 'data_root=b')) == {'data/EchoNet-Dynamic', 'b'}


def test_a_data_root_left_over_from_a_base_is_harmless(tmp_path):
    base = "model = dict(type='X')\ndata_root = 'a'\ntrain_dataloader = dict(dataset=dict(\n"
    base += "    type='echocardmae_mm.EchoVideoDataset', data_root=data_root))\n"
    (tmp_path / 'base.py').write_text(base)
    child = "_base_ = 'base.py'\ntrain_dataloader = dict(dataset=dict(data_root='b'))\n"
    (tmp_path / 'child.py').write_text(child)
    assert roots(with_options(tmp_path / 'child.py')) == {'b'}
    option = 'train_dataloader.dataset.data_root=c'
    assert roots(with_options(tmp_path / 'base.py', option)) == {'c'}


def test_data_root_is_refused_where_data_sets_differ(tmp_path):
    path = child(tmp_path, "val_dataloader = dict(dataset=dict(data_root='b'))")
    with pytest.raises(UserError, match='data_root=mine: the data sets have different folders'):
        with_options(path, 'data_root=mine')


def test_packed_reaches_every_data_set_that_reads_a_store(tmp_path):
    config = applied('packed=store')
    assert all(part['packed'] == 'store' for part in dataset_parts(config))
    path = child(tmp_path, "packed = 'store'")
    assert all(part['packed'] == 'store' for part in dataset_parts(with_options(path)))


def test_packed_in_a_file_keeps_what_data_sets_set_themselves(tmp_path):
    lines = ["packed = 'store'", "val_dataloader = dict(dataset=dict(packed='other'))"]
    config = with_options(child(tmp_path, *lines))
    assert config.train_dataloader.dataset.packed == 'store'
    assert config.val_dataloader.dataset.packed == 'other'
    config = with_options(child(tmp_path, *lines), 'packed=third')
    assert config.val_dataloader.dataset.packed == 'third'


def test_data_sets_whose_type_is_a_class_are_found(tmp_path):
    (tmp_path / 'lazy.py').write_text(
        'from echocardmae_mm.datasets import EchoVideoDataset\n'
        "model = dict(type='X')\n"
        "train_dataloader = dict(dataset=dict(type=EchoVideoDataset, data_root='a'))\n"
    )
    config = with_options(tmp_path / 'lazy.py', 'data_root=mine', 'packed=store')
    assert roots(config) == {'mine'}
    assert config.train_dataloader.dataset.packed == 'store'


def test_folds_reach_every_data_set_with_folds():
    config = applied('fold=2', name='ef_camus')
    assert {part['fold'] for part in dataset_parts(config)} == {2}
    with pytest.raises(UserError, match='fold: no data set of this config has folds'):
        applied('fold=2')


def test_a_split_reaches_every_data_set_that_takes_one():
    config = applied('split_file=12.csv', name='seg_camus')
    assert {part['split_file'] for part in dataset_parts(config)} == {'12.csv'}
    with pytest.raises(UserError, match=r'split_file=12\.csv: no data set .* takes split_file'):
        applied('split_file=12.csv', name='ef_camus')


@pytest.mark.parametrize('name', ['ef_table', 'diagnosis_table', 'pretrain_folder'])
def test_a_table_reaches_every_data_set(name):
    parts = dataset_parts(applied('ann_file=mine.csv', name=name))
    assert {part['ann_file'] for part in parts} == {'mine.csv'}
    assert {part['data_root'] for part in parts} == {''}
    parts = dataset_parts(applied('ann_file=mine.csv', 'data_root=mine', name=name))
    assert {(part['ann_file'], part['data_root']) for part in parts} == {('mine.csv', 'mine')}


def test_classes_reach_every_data_set():
    parts = dataset_parts(applied('classes=[well,ill]', name='diagnosis_table'))
    assert [part['classes'] for part in parts] == [['well', 'ill']] * 3


def test_a_table_that_no_data_set_reads_is_refused(tmp_path):
    with pytest.raises(UserError, match='ann_file: no data set of this config has this setting'):
        applied('ann_file=mine.csv', name='ef_echonet')
    path = child(tmp_path, "ann_file = 'mine.csv'", base='ef_table')
    with pytest.raises(UserError, match="no data set of this config uses ann_file='mine"):
        with_options(path)
    lists = "train_dataloader = dict(dataset=dict(ann_file='mine.csv'))"
    with_options(child(tmp_path, "ann_file = 'mine.csv'", lists, base='ef_table'))
