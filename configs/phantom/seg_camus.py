"""Three structures on CAMUS phantoms: configs/phantom/seg.py on other data, with four labels.

python tools/make_phantoms.py --out data/phantom --camus 100 --seed 1 --datasets camus
python tools/train.py configs/phantom/seg_camus.py
"""

_base_ = 'seg.py'

data_root = 'data/phantom/CAMUS'
frames = dict(type='echocardmae_mm.CAMUSSegDataset', data_root=data_root)

model = dict(decode_head=dict(num_classes=4))
train_dataloader = dict(batch_size=32, dataset=frames)
val_dataloader = dict(dataset=frames)
test_dataloader = dict(dataset=frames)
test_evaluator = dict(network_size=(56, 56))
train_cfg = dict(max_epochs=80, val_interval=20)
param_scheduler = _base_.param_scheduler
param_scheduler[1].update(T_max=80)
