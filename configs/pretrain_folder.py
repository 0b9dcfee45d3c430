"""Pretraining on a folder of recordings of any size and format, each with its own sector.

python tools/train.py configs/pretrain_folder.py --cfg-options data_root=DIR

A recording without a frame rate (.mhd, most .nii.gz) is refused by target_fps: put frame_interval=4 in
its place in a config of your own.
"""

_base_ = 'pretrain_echo.py'

data_root = 'data/recordings'

pretrain_pipeline = [
    dict(type='echocardmae_mm.RecordingInit'),
    dict(type='echocardmae_mm.SampleRandomClips', clip_len=16, target_fps=12.5),
    dict(type='echocardmae_mm.RecordingDecode'),
    dict(type='echocardmae_mm.CropToSector', size=112),
    dict(type='mmaction.FormatShape', input_format='NCTHW'),
    dict(type='echocardmae_mm.DenoisedTarget', method='median'),
    dict(
        type='echocardmae_mm.SectorMask',
        patch_size=16,
        strategy='random',
        mask_ratio=0.75,
        sector='auto',
    ),
    dict(
        type='mmaction.PackActionInputs',
        collect_keys=('imgs', 'target', 'sector', 'masked'),
        meta_keys=('img_shape', 'filename', 'sample_idx'),
    ),
]

model = dict(data_preprocessor=dict(pad_masked=True))
dataset = dict(
    _delete_=True,
    type='echocardmae_mm.EchoVideoDataset',
    data_root=data_root,
    pipeline=pretrain_pipeline,
)
train_dataloader = dict(dataset=dataset)
custom_hooks = _base_.custom_hooks
custom_hooks[-2]['dataset'] = dict(  # ReconstructionHook, which draws recordings of the folder
    type='echocardmae_mm.EchoVideoDataset',
    data_root=data_root,
    pipeline=pretrain_pipeline,
    test_mode=True,
)
val_cfg = None
val_dataloader = None
val_evaluator = None
test_cfg = None
test_dataloader = None
test_evaluator = None
