"""The tables of the paper and one beyond it: printed values and the experiments of each row."""

from __future__ import annotations

from typing import NamedTuple

FULL = 'pretrain_echo'
LATENTS = 'latents'


class Experiment(NamedTuple):
    """A downstream task and the origin of its initial weights.

    Args:
        task (str): Config below ``configs/``, without suffix.
        start (str | Experiment, optional): Config of a pretraining, or an earlier stage. Defaults
            to None.
        weights (tuple[tuple[str, str], ...], optional): Without ``start``, settings that load the
            published initial weights on real data; empty if the config loads them, or nobody
            published any. Defaults to None, from scratch.
    """

    task: str
    start: str | Experiment | None = None
    weights: tuple[tuple[str, str], ...] | None = None


class Column(NamedTuple):
    """A metric of a table.

    Args:
        label (str): Heading.
        statistic (str): Name of the metric in the comparison of the task.
        digits (int): Decimals.
        qualities (tuple[str, ...]): Image qualities to include; empty for all.
        experiment (int): Index of the row's experiment. Defaults to 0.
        over_folds (str): Name of the metric among the means over folds; empty without folds.
            Defaults to ''.
    """

    label: str
    statistic: str
    digits: int = 2
    qualities: tuple[str, ...] = ()
    experiment: int = 0
    over_folds: str = ''


class Row(NamedTuple):
    """A method.

    Args:
        method (str): Name in the table.
        printed (tuple[float | None, ...]): Values in the paper, one for each column; empty if the
            paper has no such row.
        experiments (tuple[Experiment | None, ...]): Experiments to run; empty for methods that are
            not in this repository. Defaults to ().
        note (str): What sets our row, or the paper's, apart. Defaults to ''.
    """

    method: str
    printed: tuple[float | None, ...] = ()
    experiments: tuple[Experiment | None, ...] = ()
    note: str = ''


class Table(NamedTuple):
    """A table of the paper.

    Args:
        title (str): Number and subject.
        columns (tuple[Column, ...]): Metrics.
        rows (tuple[Row, ...]): Methods.
        reference (str): Method to compare the others with, paired by recording; empty for no
            comparison. Defaults to ''.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    reference: str = ''


def _ef(pretraining: str | None) -> tuple[Experiment, ...]:
    return (Experiment('ef_echonet', pretraining),)


_KINETICS = (('model.backbone.weights', 'KINETICS400_V1'),)
_UNIFORMER = (
    ('model.backbone.init_cfg.type', 'Pretrained'),
    ('model.backbone.init_cfg.checkpoint', 'checkpoints/uniformer_small_k400_16x8.pth'),
)
_RESNET50 = (
    ('model.backbone.init_cfg.type', 'Pretrained'),
    ('model.backbone.init_cfg.checkpoint', 'torchvision://resnet50'),
)
_RESNET18 = (('model.memory.resnet_weights', 'IMAGENET1K_V1'),)
#: Settings that load the published initial weights of a peer, by its config.
_INITIAL = {
    'ef_r2plus1d': _KINETICS,
    'ef_echomen_stage1': _KINETICS,
    'ef_uniformer': _UNIFORMER,
    'ef_uniformer_rnc': _UNIFORMER,
    'seg_deeplabv3': _RESNET50,
    'seg_memsam': _RESNET18,
    'seg_memsam_no_click': _RESNET18,
    'seg_camus_memsam': _RESNET18,
    'seg_camus_memsam_no_click': _RESNET18,
}


def _peer(task: str, *earlier: str) -> Experiment:
    """An experiment with configs in ``baselines/``, and its earlier stages, the last one first."""
    if earlier:
        return Experiment(f'baselines/{task}', _peer(*earlier))
    return Experiment(f'baselines/{task}', weights=_INITIAL.get(task, ()))


_OUR_PROTOCOL = 'its encoder in our protocol'
_CLICK = 'saw a click inside the true mask, in tests too'
_ERRORS = (Column('MAE', 'mae'), Column('RMSE', 'rmse'), Column('R2', 'r2'))

TABLES = {
    'table1': Table(
        'Table 1. Ejection fraction on EchoNet-Dynamic',
        _ERRORS,
        (
            Row(
                'EchoNet',
                (4.05, 5.32, 0.81),
                (_peer('ef_r2plus1d'),),
                'tested on five clips, not from every frame on',
            ),
            Row(
                'EchoCoTr',
                (3.95, 5.17, 0.82),
                (_peer('ef_uniformer'),),
                'tested on five clips, not one',
            ),
            Row(
                'CoReEcho',
                (3.90, 5.13, 0.82),
                (_peer('ef_uniformer_rnc_stage2', 'ef_uniformer_rnc'),),
                'tested on five clips, not three',
            ),
            Row(
                'EchoMEN',
                (3.93, None, None),
                (_peer('ef_echomen', 'ef_echomen_stage1'),),
                "tested on five clips; the contrast is AdaCon's, its own is not public",
            ),
            Row(
                'CardiacNet',
                (3.83, None, None),
                note='not reproducible: no code for ejection fraction is public, and the released '
                'training does not run',
            ),
            Row(
                "CardiacNet's encoder, supervised",
                (),
                (_peer('ef_cardiacnet_encoder'),),
                'its encoder and classifier alone, trained on ejection fraction in our protocol',
            ),
            Row('EchoCardMAE', (3.78, 4.94, 0.84), _ef(FULL)),
            Row('VideoMAE, tubes at 0.9', (), _ef('baselines/pretrain_videomae')),
            Row('the same model from scratch', (), _ef(None)),
        ),
        reference='EchoCardMAE',
    ),
    'table2': Table(
        'Table 2. Ejection fraction on CAMUS (four-chamber view), ten folds',
        (
            *(
                Column(f'{label}, {words}', name, digits, members, over_folds=f'{group}/{name}')
                for group, words, members in (
                    ('quality_good_or_medium', 'good and medium', ('good', 'medium')),
                    ('quality_poor', 'poor', ('poor',)),
                )
                for label, name, digits in (('corr', 'r', 3), ('MAE', 'mae', 2))
            ),
        ),
        (
            Row(
                'EchoCoTr',
                (0.799, 5.33, 0.599, 7.49),
                (_peer('ef_camus_uniformer', 'ef_uniformer'),),
                _OUR_PROTOCOL,
            ),
            Row(
                'CoReEcho',
                (0.807, 5.29, 0.693, 6.81),
                (_peer('ef_camus_uniformer_rnc', 'ef_uniformer_rnc'),),
                _OUR_PROTOCOL,
            ),
            Row('EchoCardMAE', (0.846, 5.06, 0.717, 5.41), (Experiment('ef_camus', FULL),)),
        ),
    ),
    'table3': Table(
        'Table 3. Segmentation; Dice and IoU of all pixels pooled',
        (
            Column('EchoNet-Dynamic mDice', 'dice_pooled', 4),
            Column('EchoNet-Dynamic mIoU', 'iou_pooled', 4),
            Column('CAMUS mDice', 'dice_pooled', 4, experiment=1),
            Column('CAMUS mIoU', 'iou_pooled', 4, experiment=1),
        ),
        (
            Row(
                'SAMUS',
                (0.9179, 0.8432, 0.9111, 0.8394),
                (_peer('seg_samus'), _peer('seg_camus_samus')),
                _CLICK,
            ),
            Row(
                'MemSAM',
                (0.9278, 0.8589, 0.9331, 0.8761),
                (_peer('seg_memsam'), _peer('seg_camus_memsam')),
                _CLICK,
            ),
            Row(
                'SAMUS without clicks',
                (),
                (_peer('seg_samus_no_click'), _peer('seg_camus_samus_no_click')),
            ),
            Row(
                'MemSAM without clicks',
                (),
                (_peer('seg_memsam_no_click'), _peer('seg_camus_memsam_no_click')),
            ),
            Row('DeepLabV3, as EchoNet', (), (_peer('seg_deeplabv3'), None)),
            Row(
                'EchoCardMAE',
                (0.9296, 0.8685, 0.9290, 0.8707),
                (Experiment('seg_echonet', FULL), Experiment('seg_camus', FULL)),
            ),
        ),
    ),
    'table4': Table(
        'Table 4. Myocardial infarction on HMC-QU, five folds',
        tuple(
            Column('F1' if name == 'f1' else name, name, over_folds=name)
            for name in ('sensitivity', 'specificity', 'precision', 'f1', 'accuracy')
        ),
        (
            Row(
                'EchoCoTr',
                (98.57, 72.50, 88.37, 92.96, 89.77),
                (_peer('mi_uniformer', 'ef_uniformer'),),
                _OUR_PROTOCOL,
            ),
            Row(
                'CoReEcho',
                (92.95, 86.07, 93.55, 92.91, 90.64),
                (_peer('mi_uniformer_rnc', 'ef_uniformer_rnc'),),
                _OUR_PROTOCOL,
            ),
            Row(
                'EchoCardMAE',
                (95.71, 86.79, 93.54, 94.51, 92.63),
                (Experiment('mi_hmcqu', FULL),),
            ),
        ),
    ),
    'table5': Table(
        'Table 5. Effect of key area masking, denoising and alignment on ejection fraction',
        _ERRORS[:1],
        (
            Row('none of the three', (3.8894,), _ef('ablations/none')),
            Row('key area', (3.8205,), _ef('ablations/key_area')),
            Row('key area, denoising', (3.7991,), _ef('ablations/key_area_denoising')),
            Row('key area, denoising, alignment', (3.7768,), _ef(FULL)),
        ),
        reference='key area, denoising, alignment',
    ),
    'table6': Table(
        'Table 6. Effect of the blur of the target on ejection fraction',
        _ERRORS[:1],
        (
            Row('mean', (3.8062,), _ef('ablations/blur_mean')),
            Row('Gaussian', (3.7839,), _ef('ablations/blur_gaussian')),
            Row('median', (3.7768,), _ef(FULL)),
        ),
        reference='median',
    ),
    LATENTS: Table(
        'Beyond the paper: latents of a frozen encoder as targets',
        _ERRORS,
        (
            Row('denoised pixels', (), _ef(FULL)),
            Row('latents', (), _ef('pretrain_echo_latent'), 'of the encoder of the first row'),
            Row('pixels, twice as long', (), _ef('ablations/epochs_3200'), 'the updates of both'),
        ),
        reference='denoised pixels',
    ),
}

#: Figure 2: one model without the alignment loss, one with it.
WITHOUT_ALIGNMENT = Experiment('ef_echonet', 'ablations/key_area_denoising')
WITH_ALIGNMENT = Experiment('ef_echonet', FULL)
