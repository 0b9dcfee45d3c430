# Runtime of all configs: training by epochs, exact resume, graceful stop.
default_scope = 'mmaction'
custom_imports = dict(imports=['echocardmae_mm'], allow_failed_imports=False)

train_cfg = dict(type='echocardmae_mm.ResumableTrainLoop', max_epochs=1)
default_hooks = dict(
    runtime_info=dict(type='echocardmae_mm.BufferedRuntimeInfoHook'),
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=20, ignore_last=False),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(
        type='CheckpointHook',
        interval=1,
        max_keep_ckpts=2,
        backend_args=dict(backend='atomic'),
    ),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    finite_loss=dict(type='echocardmae_mm.FiniteLossHook'),
    reseed=dict(type='echocardmae_mm.ReseedHook'),
    graceful_stop=dict(type='echocardmae_mm.GracefulStopHook'),
    skipped_videos=dict(type='echocardmae_mm.SkippedVideosHook'),
    provenance=dict(type='echocardmae_mm.ProvenanceHook'),
    validation_check=dict(type='echocardmae_mm.ValidationCheckHook'),
    curves=dict(type='echocardmae_mm.TrainingCurvesHook', interval=10),
)
custom_hooks = []

env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'),
)
log_processor = dict(type='LogProcessor', window_size=20, by_epoch=True)
visualizer = dict(type='Visualizer', vis_backends=[dict(type='LocalVisBackend')])
log_level = 'INFO'
randomness = dict(seed=0)
launcher = 'none'
load_from = None
resume = False
