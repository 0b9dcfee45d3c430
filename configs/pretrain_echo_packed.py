"""The paper's pretraining from a packed store, at full speed: same samples, losses, checkpoints.

    python tools/pack_videos.py data/EchoNet-Dynamic --out data/packed/EchoNet-Dynamic --jobs 8
    python tools/train.py configs/pretrain_echo_packed.py --amp --compile

Batches are read as slices of the store and prepared on the GPU. Where the 49 GB of the training set
fit into its memory, train_dataloader.dataset.resident=device keeps them there.
"""

_base_ = 'pretrain_echo.py'

loader = dict(
    num_workers=0,
    persistent_workers=False,
    collate_fn=dict(type='echocardmae_mm.whole_batch'),
    dataset=dict(packed='data/packed/EchoNet-Dynamic', batched=True),
)
train_dataloader = loader
val_dataloader = loader
test_dataloader = loader
test_evaluator = dict(mean_of=dict(packed='data/packed/EchoNet-Dynamic'))

model = dict(data_preprocessor=dict(non_blocking=True))
optim_wrapper = dict(optimizer=dict(fused=True))
